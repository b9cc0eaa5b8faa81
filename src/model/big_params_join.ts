/**
 * Rejoins arrays too big for protocols 2 and 3, which are stored as slices under keys of their own (FORMATS.md 2).
 *
 * @module
 */
import { Span } from "../codec/cursor.ts";
import { isIntAt } from "../codec/pickle/call.ts";
import { PickledArray } from "../codec/pickle/pickled.ts";
import { FormatError, quote } from "../errors.ts";
import { BIG_PARAMS } from "./keys.ts";
import { carryFloats } from "../words/floats.ts";
import { elementCount } from "../words/element_count.ts";

/** An array in slices: the form of a joined entry until it becomes a Tensor. */
export class JoinedArray {
  readonly slices: readonly PickledArray[];
  readonly shape: readonly number[];
  constructor(slices: readonly PickledArray[], shape: readonly number[]) {
    this.slices = slices;
    this.shape = shape;
  }
}

/** Replace the slices of each entry listed under the marker key by the whole array, which goes to the end of the dict, as in Paddle. */
export function joinBigParams(dict: Map<unknown, unknown>): void {
  const marker = dict.get(BIG_PARAMS);
  if (!(marker instanceof Map)) throw bad("BAD_FIELD", `${BIG_PARAMS} is not a dict`);
  const used = new Set<unknown>();
  const joined: [unknown, JoinedArray][] = [];
  for (const [key, entry] of marker) {
    const shape = entry instanceof Map ? entry.get("OriginShape") : undefined;
    const names = entry instanceof Map ? entry.get("slices") : undefined;
    if (!Array.isArray(names) || !Array.isArray(shape) || names.length === 0) {
      throw bad("BAD_FIELD", `The entry ${quote(String(key))} of ${BIG_PARAMS} has no slices or no OriginShape`);
    }
    const slices: PickledArray[] = [];
    for (const name of names) {
      const slice = dict.get(name);
      if (used.has(name)) throw bad("COUNT_MISMATCH", `The slice ${quote(String(name))} is listed twice`);
      if (!(slice instanceof PickledArray)) {
        throw bad("MISSING_PART", `The slice ${quote(String(name))} is not an array of this file`);
      }
      used.add(name);
      slices.push(slice);
    }
    joined.push([key, new JoinedArray(slices, checkedShape(key, slices, shape))]);
  }
  for (const [key] of joined) {
    if (dict.has(key)) throw bad("COUNT_MISMATCH", `${quote(String(key))} is present both in slices and as a whole`);
  }
  for (const name of used) dict.delete(name);
  dict.delete(BIG_PARAMS);
  for (const [key, whole] of joined) {
    carryFloats(marker, dict, key, null);
    dict.set(key, whole);
  }
}

function checkedShape(key: unknown, slices: PickledArray[], shape: readonly unknown[]): number[] {
  const { info } = slices[0].dtype!;
  let count = 0;
  for (const slice of slices) {
    if (!info || slice.dtype!.info !== info) {
      throw bad("BAD_DTYPE", `The slices of ${quote(String(key))} differ in dtype`);
    }
    count += elementCount(slice.shape);
  }
  const dims: number[] = [];
  for (const [axis, dim] of shape.entries()) {
    if (!Number.isSafeInteger(dim) || !isIntAt(shape, axis) || (dim as number) < 0) {
      throw bad("BAD_SHAPE", `OriginShape of ${quote(String(key))} is not a shape`);
    }
    dims.push(dim as number);
  }
  const expected = elementCount(dims);
  if (expected !== count) {
    throw bad("SIZE_MISMATCH", `The slices of ${quote(String(key))} hold ${count} elements, not ${expected}`);
  }
  return dims;
}

function bad(
  code: "BAD_FIELD" | "COUNT_MISMATCH" | "MISSING_PART" | "BAD_DTYPE" | "BAD_SHAPE" | "SIZE_MISMATCH",
  what: string,
): FormatError {
  return new FormatError(
    code === "MISSING_PART" ? "COUNT_MISMATCH" : code,
    `Cannot join the slices of a big parameter: ${what}`,
    {
      at: `[${JSON.stringify(BIG_PARAMS)}]`,
    },
  );
}

/** Whether any slice was left unread. */
export function isUnread(whole: JoinedArray): boolean {
  return whole.slices.some((slice) => slice.data instanceof Span);
}
