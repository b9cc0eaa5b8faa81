/**
 * What `paddle.load` makes of binary tensors: one tensor of `useBinaryFormat`, or the many that `save_dygraph` of 1.6 wrote.
 *
 * @module
 */
import { Span } from "../codec/cursor.ts";
import type { RawSelectedRows, RawTensor } from "../codec/record/read_record.ts";
import { numpyForm } from "../dtype.ts";
import { type LazyBytes, NDArray } from "../ndarray.ts";
import { DenseTensor, Tensor } from "../tensor.ts";
import { SelectedRows } from "../values.ts";
import type { ArrayContext } from "./array_of.ts";

/** Options of {@linkcode fromRecord}. */
export interface FromRecordOptions extends ArrayContext {
  /** Return arrays instead of tensors; bfloat16 then becomes numpy's uint16, and float8 int8. @default {false} */
  returnNumpy?: boolean;
  /** `"static"` returns a DenseTensor with its LoD. @default {"dygraph"} */
  mode?: "dygraph" | "static";
}

/** The tensor of a record; dynamic tensors have no LoD. */
export function fromRecord(raw: RawTensor, options: FromRecordOptions, name = ""): NDArray {
  const data = raw.data instanceof Span ? options.lazy!(raw.data, (bytes) => bytes, null) : raw.data;
  const made = make(raw, data, options, name);
  options.onArray?.(made, null);
  return made;
}

function make(
  { dtype, shape, lod }: RawTensor,
  data: Uint8Array | LazyBytes,
  options: FromRecordOptions,
  name: string,
): NDArray {
  if (options.returnNumpy) return new NDArray(numpyForm(dtype), shape, data);
  if (options.mode === "static") return new DenseTensor(dtype, shape, data, { lod });
  return new Tensor(dtype, shape, data, { name });
}

/** The rows of a SelectedRows file. */
export function fromSelectedRows(raw: RawSelectedRows, options: FromRecordOptions): SelectedRows {
  return new SelectedRows(
    raw.rows,
    raw.height,
    fromRecord(raw.value, { ...options, mode: "static", returnNumpy: false }),
  );
}
