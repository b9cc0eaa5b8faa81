/**
 * A model of the last dict entry: the entries after it are nearly always the same except for key and data.
 *
 * @module
 */
import type { PickledArray, PickledDType } from "./pickled.ts";

/** An entry: a string, MEMOIZE, and a run whose puts are MEMOIZE. */
export class EntryModel {
  /** Bytes between the key and the data; 0 if there is no model. */
  size = 0;
  /** These bytes as int32s, which engines store unboxed, and the last four bytes again, as they need not be aligned with the others. */
  readonly words: number[] = [];
  lastWord = 0;
  dataSize = 0;
  /** Opcodes of the entry, and what it is charged apart from the characters of the key. */
  opcodes = 0;
  price = 0;
  dtype!: PickledDType;
  shape!: readonly number[];
  fortran = false;

  /** Make the bytes from the end of a key (`head`) to the data the model for the next entries. */
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
