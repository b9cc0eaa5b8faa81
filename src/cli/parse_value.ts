/**
 * Parses a value that the user typed into the kind of value that the file has.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import { isFloatByNature } from "../words/floats.ts";
import { type ArrayInput, NDArray, type Scalar } from "../ndarray.ts";
import { Complex, Float } from "../values.ts";
import { UsageError } from "./command.ts";
import { visible } from "../errors.ts";
import { integerOf } from "../words/integers.ts";

const INTEGER = /^[+-]?[0-9]+$/;
const FLOAT = /^[+-]?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?$/i;
/** The real part, which must be followed by a sign, and the imaginary one, which may be just a sign. */
const COMPLEX =
  /^(?:([+-]?(?:[0-9.]+(?:e[+-]?[0-9]+)?|[a-z]+))(?=[+-]))?([+-]?(?:[0-9.]+(?:e[+-]?[0-9]+)?|[a-z]+)??)j$/i;

/** A float: `0.5`, `1e-3`, `nan`, `inf`; undefined for anything else. */
function floatOf(text: string): number | undefined {
  if (/^[+-]?nan$/i.test(text)) return NaN;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinite) return infinite[1] === "-" ? -Infinity : Infinity;
  return FLOAT.test(text) ? Number(text) : undefined;
}

/** One element of an array of `dtype`. */
export function elementOf(text: string, dtype: DType): Scalar {
  if (dtype === "bool") {
    if (/^(true|false|0|1)$/i.test(text)) return text === "1" || text.toLowerCase() === "true";
    throw new UsageError(`A bool must be true or false: got ${visible(text)}`);
  }
  if (INTEGER.test(text)) return dtype.includes("int64") ? BigInt(text.replace("+", "")) : Number(text);
  // A float is never silently truncated to an integer.
  const float = /int/.test(dtype) ? undefined : floatOf(text);
  if (float !== undefined) return float;
  const complex = dtype.startsWith("complex") ? complexOf(text) : undefined;
  if (complex) return complex;
  throw new UsageError(`${visible(text)} is not a valid ${dtype}`);
}

function complexOf(text: string): Complex | undefined {
  const parts = COMPLEX.exec(text.replace(/^\((.*)\)$/, "$1"));
  if (!parts) return undefined;
  const re = parts[1] === undefined ? 0 : floatOf(parts[1]);
  const im = parts[2] === "" || parts[2] === "+" ? 1 : parts[2] === "-" ? -1 : floatOf(parts[2]);
  return re === undefined || im === undefined ? undefined : new Complex(re, im);
}

/** An array from nested lists such as `[[1, 2], [3, 4]]`; undefined if the string is not a list. */
export function listOf(text: string, dtype: DType): NDArray | undefined {
  if (!text.trimStart().startsWith("[")) return undefined;
  // Parse every number like a single element: JSON would round those beyond 2^53.
  const quoted = text.replace(/[^\s,[\]"]+/g, (word) => JSON.stringify(word));
  let lists: unknown;
  try {
    lists = JSON.parse(quoted);
  } catch {
    throw new UsageError(`A list must be written like [1, 2] or [[1, 2], [3, 4]]: got ${visible(text)}`);
  }
  const made = (item: unknown): ArrayInput => Array.isArray(item) ? item.map(made) : elementOf(String(item), dtype);
  return NDArray.fromArray(made(lists), dtype);
}

/** A value of the same kind as the old one. */
export function valueLike(text: string, old: unknown, wasFloat: boolean): unknown {
  if (typeof old === "string") return text;
  if (typeof old === "boolean" || text === "True" || text === "False") {
    if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
    throw new UsageError(`Expected True or False: got ${visible(text)}`);
  }
  if (text === "None") return null;
  const isFloat = wasFloat || (typeof old === "number" && isFloatByNature(old));
  if (old === null || typeof old === "number" || typeof old === "bigint") {
    if (INTEGER.test(text) && !isFloat) {
      return integerOf(BigInt(text.replace("+", "")));
    }
    const float = floatOf(text);
    if (float !== undefined) return new Float(float);
    if (old === null) return text;
    throw new UsageError(`Expected a number: got ${visible(text)}`);
  }
  throw new UsageError("Only arrays, numbers, strings, True, False and None can be set");
}
