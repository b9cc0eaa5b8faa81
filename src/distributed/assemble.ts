/**
 * Assembles a tensor from its parts.
 *
 * @module
 */
import { allocate } from "../words/allocate.ts";
import { dtypeInfo } from "../dtype.ts";
import { FormatError, quote } from "../errors.ts";
import { NDArray } from "../ndarray.ts";
import { Tensor } from "../tensor.ts";
import type { Part } from "./metadata.ts";
import { elementCount } from "../words/element_count.ts";

/** Maximum number of parts of a tensor, as they may have to be compared pairwise. */
const MAX_PARTS = 4096;

/**
 * Check that the parts cover the tensor, each element exactly once: then it is no larger than the files (RULES.md LIM-2).
 *
 * @throws {FormatError} `SIZE_MISMATCH`, `BAD_FIELD`
 */
export function checkCover(name: string, shape: readonly number[], parts: readonly Part[]): void {
  const covered = parts.reduce(
    (n, part) => n + (part.range ? part.range[1] - part.range[0] : elementCount(part.shape)),
    0,
  );
  if (covered !== elementCount(shape)) {
    throw new FormatError(
      "SIZE_MISMATCH",
      `${quote(name)} [${shape}] has ${elementCount(shape)} elements, its parts have ${covered}`,
      { at: name, expected: elementCount(shape), actual: covered },
    );
  }
  if (parts.length > MAX_PARTS) {
    throw new FormatError("BAD_FIELD", `${quote(name)} is in ${parts.length} parts`, { at: name });
  }
  if (hasOverlap(parts)) {
    throw new FormatError("BAD_FIELD", `Two parts of ${quote(name)} have the same elements`, { at: name });
  }
}

/** Each part is compared only with those that begin before its end on axis 0. Without axes, the parts that have an element are one. */
function hasOverlap(parts: readonly Part[]): boolean {
  const sorted = parts.toSorted((a, b) => a.offset[0] - b.offset[0]);
  return sorted.some((a, i) => {
    const end = a.offset[0] + a.shape[0];
    for (let k = i + 1; k < sorted.length && sorted[k].offset[0] < end; k++) {
      if (overlap(a, sorted[k])) return true;
    }
    return false;
  });
}

function overlap(a: Part, b: Part): boolean {
  let isSame = true;
  for (let axis = 0; axis < a.shape.length; axis++) {
    const from = a.offset[axis], to = from + a.shape[axis];
    const otherFrom = b.offset[axis], otherTo = otherFrom + b.shape[axis];
    // An axis of length zero overlaps with nothing.
    if (Math.max(from, otherFrom) >= Math.min(to, otherTo)) return false;
    isSame &&= from === otherFrom && to === otherTo;
  }
  return !(isSame && a.range && b.range) || (a.range[0] < b.range[1] && b.range[0] < a.range[1]);
}

/** Assemble a tensor of shape `shape`, with each array at the location of its part; the arrays were checked against their parts. */
export function assemble(shape: readonly number[], pieces: readonly { part: Part; array: NDArray }[]): NDArray {
  const [{ part, array }] = pieces;
  if (pieces.length === 1 && part.range === null) return array;
  const { itemsize } = dtypeInfo(array.dtype);
  const bytes = allocate(elementCount(shape) * itemsize);
  for (const { part, array } of pieces) place(bytes, shape, part, array.bytes, itemsize);
  if (!(array instanceof Tensor)) return new NDArray(array.dtype, shape, bytes);
  return new Tensor(array.dtype, shape, bytes, array);
}

/** Copy one part row by row: the elements along its last axis are contiguous in both. */
function place(into: Uint8Array, shape: readonly number[], part: Part, from: Uint8Array, itemsize: number): void {
  const rank = shape.length;
  if (from.length === 0) return;
  if (rank === 0) return into.set(from);
  const row = part.shape[rank - 1];
  const [first, last] = part.range ?? [0, elementCount(part.shape)];
  for (let at = first; at < last;) {
    const column = at % row, count = Math.min(row - column, last - at);
    let target = 0, rest = Math.floor(at / row), step = shape[rank - 1];
    for (let axis = rank - 2; axis >= 0; axis--) {
      target += (part.offset[axis] + rest % part.shape[axis]) * step;
      rest = Math.floor(rest / part.shape[axis]);
      step *= shape[axis];
    }
    target += part.offset[rank - 1] + column;
    into.set(from.subarray((at - first) * itemsize, (at - first + count) * itemsize), target * itemsize);
    at += count;
  }
}
