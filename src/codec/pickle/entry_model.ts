/**
 * What the last entry of a dict was like: the ones behind it are nearly always the same, but for the key and the data.
 *
 * @module
 */
import type { PickledArray, PickledDType } from "./pickled.ts";

/** A text, MEMOIZE, and a run whose puts are MEMOIZE. */
export class EntryModel {
  /** Bytes between the key and the data; 0 where there is no model. */
  size = 0;
  /** These bytes as signed numbers of four, which engines keep without an object of their own; the last four once more. */
  readonly words: number[] = [];
  lastWord = 0;
  dataSize = 0;
  /** Opcodes of the entry, and what it charges beside the letters of the key. */
  opcodes = 0;
  price = 0;
  dtype!: PickledDType;
  shape!: readonly number[];
  fortran = false;

  /** Take the bytes from behind a key to the data for the model of the next entries. */
  learn(view: DataView, head: number, data: number, dataEnd: number, { dtype, shape, fortran }: PickledArray): void {
    this.size = data - head;
    this.dataSize = dataEnd - data;
    this.words.length = 0;
    for (let p = head; p + 4 <= data; p += 4) this.words.push(view.getInt32(p, true));
    this.lastWord = view.getInt32(data - 4, true);
    this.dtype = dtype!;
    this.shape = shape;
    this.fortran = fortran;
  }
}
