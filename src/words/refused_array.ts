/**
 * Stands for an array of an opened file that cannot be read.
 *
 * @module
 */
import { quote, type UnsupportedError, type Warning } from "../errors.ts";
import { OpaqueArray } from "../values.ts";

/** An array whose dtype no array here can have: the dtype and shape are known, and its bytes are refused. */
export class RefusedArray extends OpaqueArray {
  /** Why; thrown when the array is requested. */
  readonly refusal: UnsupportedError;

  constructor(dtype: string, shape: readonly number[], refusal: UnsupportedError) {
    super(dtype, shape, NOTHING);
    this.refusal = refusal;
    const get = () => {
      throw refusal;
    };
    Object.defineProperty(this, "bytes", { get, enumerable: false });
  }
}

const NOTHING = new Uint8Array(0);

/** The refusal of the array `name` in `value`, if there is one. */
export function refusalOf(value: unknown, name: string): UnsupportedError | null {
  const array: unknown = value instanceof Map ? value.get(name) : null;
  return array instanceof RefusedArray ? array.refusal : null;
}

/** Throw the refusal of an array in `value`, if there is one: the value cannot be saved as a whole. */
export function checkWhole(value: unknown): void {
  const arrays: Iterable<unknown> = value instanceof Map ? value.values() : [];
  for (const array of arrays) if (array instanceof RefusedArray) throw array.refusal;
}

/** Warnings about the refused arrays of a file. */
export function refusalsIn(arrays: ReadonlyMap<string, unknown>): Warning[] {
  const warnings: Warning[] = [];
  arrays.forEach((array, name) => {
    if (!(array instanceof RefusedArray)) return;
    const { code, message } = array.refusal;
    warnings.push({ code, message: `${quote(name)} cannot be read: ${message}`, at: name });
  });
  return warnings;
}
