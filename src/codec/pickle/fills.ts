/**
 * Which opcode put which keys into which dict: asked where a key comes again.
 *
 * @module
 */

/** The book of one pickle. */
export class Fills {
  // For each opcode that filled a dict: the dict, how many keys it had then, the opcode's byte.
  readonly #dicts: Map<unknown, unknown>[] = [];
  readonly #sizes: number[] = [];
  readonly #offsets: number[] = [];

  /** The opcode at byte `at` has filled `dict`. */
  note(dict: Map<unknown, unknown>, at: number): void {
    this.#dicts.push(dict);
    this.#sizes.push(dict.size);
    this.#offsets.push(at);
  }

  /** Byte of the opcode that put `key` there first; undefined where it is none that was noted. */
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
