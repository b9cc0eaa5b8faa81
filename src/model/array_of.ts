/**
 * Converts arrays as found in a pickle (any byte order, C or Fortran order) to the arrays of this library.
 *
 * @module
 */
import { Span } from "../codec/cursor.ts";
import { sizeMismatch } from "../codec/pickle/array_state.ts";
import { rememberWritten } from "../codec/pickle/foreign_dtype.ts";
import { layoutOf, type PickledArray, type PickledDType } from "../codec/pickle/pickled.ts";
import type { DType } from "../dtype.ts";
import { UnsupportedError } from "../errors.ts";
import { rowMajor, swapBytes } from "../kernel.ts";
import { type LazyBytes, NDArray } from "../ndarray.ts";
import { PackedBytes } from "../words/packed_bytes.ts";
import { OpaqueArray } from "../values.ts";
import { elementCount } from "../words/element_count.ts";

/** How bytes become arrays. */
export interface ArrayContext {
  /** Called with every array and tensor that is made. */
  readonly onArray?: (made: NDArray, from: PickledArray | null) => void;
  /** The bytes belong to the caller, so they are copied before they are modified. */
  readonly borrowed: boolean;
  /** Makes lazy bytes of a payload that was left unread; once read, they go through `finish` and are put in C order. */
  readonly lazy?: (span: Span, finish: (bytes: Uint8Array) => Uint8Array, from: PickledArray | null) => LazyBytes;
}

/** Arguments for the constructors of NDArray, Tensor and DenseTensor. */
export interface ArrayParts {
  dtype: DType;
  shape: readonly number[];
  data: Uint8Array | LazyBytes;
}

/** A reused object: the constructors of arrays copy its fields at once. */
const packed = new PackedBytes();

/** Location of an array's bytes in a buffer shared with others; null if they are not in one, or must be reordered first. */
export function packedBytesOf(array: PickledArray): PackedBytes | null {
  const { slab, dtype } = array;
  const info = dtype?.info;
  if (slab === null || !info || array.fortran || (dtype.bigEndian && info.swapsize > 1)) return null;
  packed.slab = slab.bytes;
  packed.start = array.start;
  packed.length = array.nbytes;
  packed.size = packed.length / info.itemsize;
  return packed;
}

/** The parts of an array with a tensor dtype; bytes are brought into C order and little-endian. */
export function partsOf(array: PickledArray, context: ArrayContext): ArrayParts {
  const dtype = array.dtype!;
  const { info } = dtype;
  if (!info) {
    const { offset } = array, actual = numpyName(dtype);
    const message =
      `The array at byte ${offset} holds numpy's ${actual}, which no Tensor can hold. With { returnNumpy: true } it is returned as it is.`;
    throw new UnsupportedError("UNSUPPORTED_DTYPE", message, { offset, actual });
  }
  const { shape, data } = array;
  if (data instanceof Span) {
    const finish = dtype.bigEndian && info.swapsize > 1 ? (bytes: Uint8Array) => littleEndian(bytes, dtype) : asItIs;
    return { dtype: info.name, shape, data: context.lazy!(data, finish, array) };
  }
  const bytes = array.sharesBytes ? data!.slice() : data!;
  return { dtype: info.name, shape, data: inOrder(array, dtype, bytes, context.borrowed && !array.sharesBytes) };
}

/** The array as numpy would have it: an NDArray, or an OpaqueArray if tensors cannot have its dtype. */
export function numpyArrayOf(array: PickledArray, context: ArrayContext): NDArray | OpaqueArray {
  const dtype = array.dtype!;
  if (dtype.info) {
    const packed = packedBytesOf(array);
    if (packed) return new NDArray(dtype.info.name, array.shape, packed);
    const { dtype: name, shape, data } = partsOf(array, context);
    return new NDArray(name, shape, data);
  }
  const count = elementCount(array.shape);
  if (array.items) {
    if (array.items.length !== count) throw sizeMismatch(array, "|O", array.items.length, count, "objects");
    return written(new OpaqueArray("|O", array.shape, new Uint8Array(0), array.items), dtype);
  }
  // The data are in memory: see ArrayLedger.opaque.
  const data = array.data as Uint8Array;
  if (data.length !== array.nbytes) throw sizeMismatch(array, numpyName(dtype), data.length, array.nbytes);
  const bytes = array.fortran ? rowMajor(data, layoutOf(array)!) : data;
  return written(new OpaqueArray(numpyName(dtype), array.shape, bytes), dtype);
}

function written(array: OpaqueArray, dtype: PickledDType): OpaqueArray {
  if (dtype.state) rememberWritten(array, { dtype });
  return array;
}

/** The name of a tensor dtype; for others numpy's code with byte order, such as `<M8[D]`. */
export function numpyName(dtype: PickledDType): string {
  if (dtype.info) return dtype.info.name;
  const kind = dtype.code[0];
  if (kind === "O") return "|O";
  if (dtype.code === "f16") return "float128";
  if (dtype.code === "c32") return "complex256";
  return (kind === "S" || kind === "V" ? "|" : dtype.bigEndian ? ">" : "<") + dtype.code + dtype.unit;
}

function asItIs(bytes: Uint8Array): Uint8Array {
  return bytes;
}

/** The bytes in C order and little-endian, as nearly every file has them anyway (RULES.md VAL-10). */
function inOrder(array: PickledArray, dtype: PickledDType, bytes: Uint8Array, borrowed: boolean): Uint8Array {
  const { swapsize } = dtype.info!;
  if (array.fortran) {
    bytes = rowMajor(bytes, layoutOf(array)!);
    borrowed = false;
  }
  if (dtype.bigEndian && swapsize > 1) {
    if (borrowed) bytes = bytes.slice();
    return littleEndian(bytes, dtype);
  }
  return bytes;
}

function littleEndian(bytes: Uint8Array, { info }: PickledDType): Uint8Array {
  swapBytes(bytes, info!.swapsize);
  return bytes;
}
