/**
 * Slices of large parameters, and large arrays not in C order, that a load left in their file: they are read straight into the final
 * arrays.
 *
 * @module
 */
import type { Span } from "../../codec/cursor.ts";
import type { PickledArray } from "../../codec/pickle/pickled.ts";
import { replaceLeaves } from "../../model/walk.ts";
import { lazyArrays } from "./load_lazy_arrays.ts";
import type { Source } from "../source.ts";
import { SpanBytes } from "./span_bytes.ts";

/** What one load left in `source`. */
export class DeferredArrays {
  readonly #source: Source;
  #count = 0;
  /** Bytes that do not belong to an array alone: something else in the file refers to them, too. */
  readonly #strays: SpanBytes[] = [];

  constructor(source: Source) {
    this.#source = source;
  }

  /** Leave bytes to be read later. */
  readonly leave = (
    span: Span,
    finish: (bytes: Uint8Array) => Uint8Array,
    from: PickledArray | null,
  ): SpanBytes => {
    const bytes = new SpanBytes(this.#source, span, finish, from);
    this.#count++;
    if (from === null) this.#strays.push(bytes);
    return bytes;
  };

  /** Read what was left into the arrays of `value`; returns the complete value. */
  readInto(value: unknown, signal?: AbortSignal): unknown | Promise<unknown> {
    return this.#count === 0 ? value : this.#readInto(value, signal);
  }

  async #readInto(value: unknown, signal?: AbortSignal): Promise<unknown> {
    // One at a time: each holds a few pieces of the file in memory.
    for (const array of await lazyArrays(value, signal)) await array.load({ signal });
    const read = new Map<unknown, Uint8Array>();
    for (const bytes of this.#strays) read.set(bytes, await bytes.read({ signal }));
    await this.#source.verify?.();
    return read.size === 0 ? value : replaceLeaves(value, (leaf) => read.get(leaf) ?? leaf);
  }
}
