/** Elements of an array by their index in C order. */
import * as paddle from "../../mod.ts";
import type { OpenDocument } from "./document.ts";

/** Maximum size of a piece, in bytes: a multiple of the size of any element. */
const PIECE = 8 * 2 ** 20;

/** Consecutive elements of an array. */
export interface Piece {
  /** Index of the first element. */
  first: number;
  /** The elements, as a 1-D array. */
  array: paddle.NDArray;
}

/** The elements [first, last), with the edits. */
export async function* pieces(
  document: OpenDocument,
  name: string,
  first: number,
  last: number,
  signal?: AbortSignal,
): AsyncGenerator<Piece> {
  const array = document.arrays.get(name);
  if (!array) throw new RangeError(`There is no array ${name}`);
  const { dtype, size, nbytes } = array, end = Math.min(last, size), itemsize = nbytes / size;
  if (first >= end) return;
  const edits = document.edits.get(array);
  const reader = document.bytes(name, first * itemsize, end * itemsize, signal).getReader();
  const empty = () => new Uint8Array(Math.min(PIECE, (end - first) * itemsize));
  try {
    let piece = empty(), held = 0;
    // Chunks of a stream may end within an element.
    for (let step; !(step = await reader.read()).done;) {
      for (let at = 0; at < step.value.length;) {
        const part = step.value.subarray(at, at + piece.length - held);
        piece.set(part, held);
        at += part.length;
        held += part.length;
        if (held < piece.length) continue;
        const flat = new paddle.NDArray(dtype, [piece.length / itemsize], piece);
        addEdits(flat, edits, first);
        yield { first, array: flat };
        first += flat.size;
        piece = empty();
        held = 0;
      }
    }
  } finally {
    // What was not read is not wanted.
    reader.cancel().catch(() => {});
  }
}

/** An element as the file has it, as text. */
export async function originalText(document: OpenDocument, name: string, index: number): Promise<string> {
  for await (const { first, array } of pieces({ ...document, edits: new Map() }, name, index, index + 1)) {
    return elementText(array.at(index - first), array.dtype);
  }
  throw new RangeError(`There is no element ${index} in ${name}`);
}

function addEdits(
  flat: paddle.NDArray,
  edits: ReadonlyMap<number, paddle.Scalar> | undefined,
  first: number,
): void {
  for (const [place, value] of edits ?? []) {
    if (place >= first && place < first + flat.size) flat.set(value, place - first);
  }
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
