/** An array of which nothing but dtype and shape is asked: heads of files are made of these. */
import { type ArrayInfo, NDArray } from "@oarlock/paddle";

/** The array that `info` tells of, without its bytes. */
export function standIn({ dtype, shape }: ArrayInfo): NDArray {
  return new NDArray(dtype, shape, { read: () => Promise.reject(new TypeError("A stand-in has no bytes")) });
}
