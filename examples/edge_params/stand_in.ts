/** Arrays of which only dtype and shape are used, to create file headers. */
import { type ArrayInfo, NDArray } from "@oarlock/paddle";

/** The array that the info describes, without its bytes. */
export function standIn({ dtype, shape }: ArrayInfo): NDArray {
  return new NDArray(dtype, shape, { read: () => Promise.reject(new TypeError("A stand-in has no bytes")) });
}
