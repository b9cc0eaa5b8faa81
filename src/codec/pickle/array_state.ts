/**
 * The state that completes an array's shell: (1, shape, dtype, is_fortran, data), FORMATS.md 3.4.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import { PRICES } from "../../limits.ts";
import { Tuple } from "../../values.ts";
import { Span } from "../cursor.ts";
import { ByteText } from "./byte_text.ts";
import { bytesOfText, type CallContext, forbiddenCall, isIntAt } from "./call.ts";
import { type PickledArray, PickledDType } from "./pickled.ts";
import { elementCount } from "../../words/element_count.ts";

/** The parts of a state, as they are in the file. */
interface ArrayState {
  readonly shape: unknown;
  readonly dtype: unknown;
  readonly fortran: boolean;
  readonly data: unknown;
}

/** Validate the parts of a state against one another, and assign them to `array`. */
export function setArrayState(
  context: CallContext,
  array: PickledArray,
  { shape, dtype, fortran, data }: ArrayState,
  at: number,
): void {
  const isDType = dtype instanceof PickledDType && !dtype.isSubarray;
  if (!(shape instanceof Tuple) || !isDType) throw forbiddenCall("an array's state", at);
  array.offset = at;
  array.shape = shapeOf(context, shape, at);
  array.dtype = dtype;
  array.fortran = fortran && shape.length > 1;
  if (typeof data === "string") data = bytesOfText(context, data, at);
  if (data instanceof ByteText) data = data.payload;
  if (dtype.code[0] === "O") {
    if (!Array.isArray(data) || data instanceof Tuple) throw forbiddenCall("an array's data", at);
    context.symbols.datum(data);
    array.items = data;
    return;
  }
  if (!(data instanceof Uint8Array) && !(data instanceof Span)) throw forbiddenCall("an array's data", at);
  array.data = data;
  if (!dtype.info) return;
  const count = elementCount(array.shape);
  context.budget.check("maxElements", count, at);
  const expected = count * dtype.info.itemsize;
  // The decoded length of a string left unread is only known once it is read.
  const actual = data instanceof Uint8Array ? data.length : data.encoding === "raw" ? data.length : expected;
  if (actual !== expected) throw sizeMismatch(array, dtype.info.name, actual, expected);
}

/** The error for an array of the dtype `name` whose data are not as many bytes, or objects, as its shape needs. */
export function sizeMismatch(
  { offset, shape }: PickledArray,
  name: string,
  actual: number,
  expected: number,
  of = "bytes",
): FormatError {
  const message = `Array at byte ${offset}: ${name} [${shape}] has ${expected} ${of}, the file has ${actual}`;
  return new FormatError("SIZE_MISMATCH", message, { offset, expected, actual });
}

function shapeOf(context: CallContext, shape: Tuple, at: number): number[] {
  context.budget.check("maxRank", shape.length, at);
  const dims: number[] = [];
  for (const [axis, dim] of shape.entries()) {
    if (!isIntAt(shape, axis)) throw forbiddenCall("a shape", at);
    if (typeof dim !== "number" || dim < 0) {
      throw new FormatError("BAD_SHAPE", `Array at byte ${at} has an axis of negative length ${dim}`, {
        offset: at,
        actual: String(dim),
      });
    }
    dims.push(dim);
  }
  if (elementCount(dims) > Number.MAX_SAFE_INTEGER) {
    throw new FormatError("BAD_SHAPE", `Array at byte ${at} has more than 2^53 elements: [${dims}]`, { offset: at });
  }
  context.budget.charge(PRICES.slot * dims.length, at);
  return dims;
}
