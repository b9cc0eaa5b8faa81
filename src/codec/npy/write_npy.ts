/**
 * Writes `.npy` files as `numpy.save` (1.23 and later) does: see read_npy.ts for the layout.
 *
 * @module
 */
import { type DType, dtypeInfo, isFloat8 } from "../../dtype.ts";
import type { NDArray } from "../../ndarray.ts";
import { u32 } from "../little_endian.ts";
import { MAGIC } from "./read_npy.ts";

/** The data begins at a multiple of this. */
const ALIGN = 64;
/** numpy leaves room for the first axis to grow in place to this many digits. */
const GROWTH_DIGITS = 21;

/** The head of an array's file, which the array's bytes follow. */
export function npyHead(array: NDArray): Uint8Array<ArrayBuffer> {
  const { shape } = array;
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  let text = `{'descr': '${descrOf(array.dtype)}', 'fortran_order': False, 'shape': ${tuple}, }`;
  if (shape.length > 0) text += " ".repeat(GROWTH_DIGITS - String(shape[0]).length);
  // The length of version 1 has two bytes, that of version 2 four.
  const isLong = text.length > 0xffff - ALIGN;
  const before = MAGIC.length + 2 + (isLong ? 4 : 2);
  text += " ".repeat(ALIGN - ((before + text.length + 1) % ALIGN)) + "\n";
  const head = new Uint8Array(before + text.length);
  head.set(MAGIC);
  head.set([isLong ? 2 : 1], MAGIC.length);
  head.set(u32(text.length).subarray(0, isLong ? 4 : 2), MAGIC.length + 2);
  new TextEncoder().encodeInto(text, head.subarray(before));
  return head;
}

function descrOf(dtype: DType): string {
  // As numpy writes ml_dtypes arrays, except float8_e5m2, for which it writes a code that it cannot read itself.
  if (dtype === "bfloat16") return "<V2";
  if (isFloat8(dtype)) return "<V1";
  const { numpy, itemsize } = dtypeInfo(dtype);
  return (itemsize === 1 ? "|" : "<") + numpy;
}
