/**
 * Casts an array that may still be in a file to another dtype.
 *
 * @module
 */
import { convert } from "./convert.ts";
import { type DType, dtypeInfo } from "../dtype.ts";
import { joinBytes, piecesOf } from "./joined_bytes.ts";
import type { LazyBytes, NDArray, PieceOptions } from "../ndarray.ts";
import { remade } from "../tensor.ts";

/**
 * The array in another dtype, as by `astype`, with the same class and name. An unread array is not read now: its bytes are converted piece
 * by piece as they go from one file to another.
 */
export function castLazily(array: NDArray, dtype: DType): NDArray {
  if (array.dtype === dtype) return array;
  const { unread } = array;
  const data = unread ? castBytes(unread, array, dtype) : convert(array.bytes, array.dtype, dtype);
  return remade(array, dtype, array.shape, data);
}

function castBytes(bytes: LazyBytes, { dtype: from }: NDArray, to: DType): LazyBytes {
  const cast: LazyBytes = {
    read: async (options) => convert(await bytes.read(options), from, to),
    pieces: (first, last, options) => castPieces(bytes, from, to, [first, last], options),
  };
  if (bytes.readSync) cast.readSync = () => convert(bytes.readSync!(), from, to);
  if (bytes.verify) cast.verify = () => bytes.verify!();
  return cast;
}

/** Bytes `[first, last)` of the cast array. A piece of the file may end within an element, which is then completed by the next piece. */
async function* castPieces(
  bytes: LazyBytes,
  from: DType,
  to: DType,
  [first, last]: [number, number],
  options?: PieceOptions,
): AsyncGenerator<Uint8Array> {
  const fromSize = dtypeInfo(from).itemsize, toSize = dtypeInfo(to).itemsize;
  const start = Math.floor(first / toSize), end = Math.ceil(last / toSize);
  let at = start * toSize;
  let rest: Uint8Array = new Uint8Array(0);
  for await (const piece of piecesOf(bytes, start * fromSize, end * fromSize, { scratch: [], ...options })) {
    const known = rest.length > 0 ? joinBytes([rest, piece]) : piece;
    const whole = known.length - known.length % fromSize;
    rest = known.slice(whole);
    const made = convert(known.subarray(0, whole), from, to);
    const [begin, stop] = [Math.max(0, first - at), Math.min(made.length, last - at)];
    at += made.length;
    if (begin < stop) yield made.subarray(begin, stop);
  }
}
