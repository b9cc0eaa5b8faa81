/** Elements of an array by their index in C order, read in slices along axis 0. */
import * as paddle from "../../mod.ts";
import type { OpenDocument } from "./document.ts";

/** Size of a slice, in bytes. */
const SLICE = 8 * 2 ** 20;
/** Maximum size of a row, in bytes: a row is read as a whole. */
const MOST = 512 * 2 ** 20;

/** Consecutive elements of an array. */
export interface Piece {
  /** Index of the first element. */
  first: number;
  /** The elements, as a 1-D array. */
  array: paddle.NDArray;
}

/** The elements [first, last), along with the rest of their rows. */
export async function* pieces(
  document: OpenDocument,
  name: string,
  first: number,
  last: number,
  signal?: AbortSignal,
): AsyncGenerator<Piece> {
  const array = document.arrays.get(name);
  if (!array) throw new RangeError(`There is no array ${name}`);
  if (array.size === 0 || first >= last) return;
  const rows = array.shape.length === 0 ? 1 : array.shape[0];
  const inRow = array.size / rows, rowBytes = array.nbytes / rows;
  if (rowBytes > MOST) {
    throw new RangeError(`One row of ${name} has ${rowBytes} bytes: rows of up to ${MOST} are shown`);
  }
  const step = Math.max(1, Math.floor(SLICE / rowBytes));
  const end = Math.min(rows, Math.ceil(last / inRow));
  for (let row = Math.floor(first / inRow); row < end; row += step) {
    signal?.throwIfAborted();
    const slice = await document.rows(name, row, Math.min(end, row + step), signal);
    const flat = withEdits(slice.reshape([-1]), document.edits.get(array), row * inRow);
    yield { first: row * inRow, array: flat };
  }
}

/** An element as the file has it, as text. */
export async function originalText(document: OpenDocument, name: string, index: number): Promise<string> {
  for await (const { first, array } of pieces({ ...document, edits: new Map() }, name, index, index + 1)) {
    return elementText(array.at(index - first), array.dtype);
  }
  throw new RangeError(`There is no element ${index} in ${name}`);
}

function withEdits(
  flat: paddle.NDArray,
  edits: ReadonlyMap<number, paddle.Scalar> | undefined,
  first: number,
): paddle.NDArray {
  const here = [...edits ?? []].filter(([place]) => place >= first && place < first + flat.size);
  if (here.length === 0) return flat;
  const copy = flat.clone();
  for (const [place, value] of here) copy.set(value, place - first);
  return copy;
}

/** An element as text: the fewest digits that identify the number in `dtype`. */
export function elementText(value: paddle.Scalar, dtype: paddle.DType): string {
  if (value instanceof paddle.Complex) {
    const part = dtype === "complex64" ? "float32" : "float64";
    const imaginary = floatText(value.im, part);
    return `${floatText(value.re, part)}${imaginary.startsWith("-") ? "" : "+"}${imaginary}j`;
  }
  return typeof value === "number" && dtype.includes("float") ? floatText(value, dtype) : String(value);
}

/** Integers below this are shown as they are. */
const WHOLE = 1e9;
/** Digits that suffice to identify any float64. */
const MOST_DIGITS = 17;

function floatText(value: number, dtype: paddle.DType): string {
  if (Object.is(value, -0)) return "-0";
  if (!Number.isFinite(value) || (Number.isInteger(value) && Math.abs(value) < WHOLE)) return String(value);
  const cell = paddle.zeros([1], dtype);
  for (let digits = 1; digits < MOST_DIGITS; digits++) {
    const short = Number(value.toPrecision(digits));
    cell.set(short, 0);
    if (cell.at(0) === value) return String(short);
  }
  return String(value);
}

const DECIMAL = String.raw`(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan`;
const FLOAT = new RegExp(`^[+-]?(?:${DECIMAL})$`);
/** A complex number as Python writes it: a real part, an imaginary one that ends in j, or both. */
const COMPLEX = new RegExp(`^([+-]?(?:${DECIMAL}))??(?:([+-]?(?:${DECIMAL}))j)?$`);

function floatOf(text: string): number {
  return Number(text.replace(/inf(inity)?/, "Infinity").replace(/^[+-]?nan$/, "NaN"));
}

/** Parse what the user typed as an element of `dtype`. */
export function parseElement(text: string, dtype: string): paddle.Scalar {
  const trimmed = text.trim().toLowerCase();
  const refuse = () => new TypeError(`${JSON.stringify(text.trim())} is not a valid ${dtype}`);
  if (trimmed === "") throw refuse();
  if (dtype === "bool") {
    if (["true", "1"].includes(trimmed)) return true;
    if (["false", "0"].includes(trimmed)) return false;
    throw refuse();
  }
  if (/^u?int/.test(dtype)) {
    if (!/^[+-]?\d+$/.test(trimmed)) throw refuse();
    const whole = BigInt(trimmed.replace(/^\+/, ""));
    const bits = Number(dtype.replace(/\D/g, ""));
    const fits = dtype.startsWith("u") ? BigInt.asUintN(bits, whole) : BigInt.asIntN(bits, whole);
    if (fits !== whole) throw refuse();
    return bits === 64 ? whole : Number(whole);
  }
  if (dtype.startsWith("complex")) {
    const match = COMPLEX.exec(trimmed.replace(/^\((.+)\)$/, "$1"));
    const [, re, im] = match ?? [];
    if (!match || (re !== undefined && im !== undefined && !/^[+-]/.test(im))) throw refuse();
    return new paddle.Complex(floatOf(re ?? "0"), floatOf(im ?? "0"));
  }
  if (!FLOAT.test(trimmed)) throw refuse();
  return floatOf(trimmed);
}
