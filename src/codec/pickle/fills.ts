/**
 * Which opcode added which keys to which dict: looked up when a key is repeated.
 *
 * @module
 */

/** The record of one pickle. */
export class Fills {
  // For each opcode that filled a dict: the dict, its size afterwards, the opcode's offset.
  readonly #dicts: Map<unknown, unknown>[] = [];
  readonly #sizes: number[] = [];
  readonly #offsets: number[] = [];

  /** Note that the opcode at byte `at` added keys to `dict`. */
  note(dict: Map<unknown, unknown>, at: number): void {
    this.#dicts.push(dict);
    this.#sizes.push(dict.size);
    this.#offsets.push(at);
  }

  /** Offset of the opcode that first added `key`; undefined if it was not noted. */
  offsetOf(dict: Map<unknown, unknown>, key: unknown): number | undefined {
    let index = 0;
    for (const other of dict.keys()) {
      if (other === key) break;
      index++;
    }
    const fill = this.#dicts.findIndex((filled, i) => filled === dict && this.#sizes[i] > index);
    return this.#offsets[fill];
  }
}
