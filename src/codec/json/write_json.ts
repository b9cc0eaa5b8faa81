/**
 * Writes JSON as Paddle's library (nlohmann) does: compact or indented, and with only the mandatory escapes (FORMATS.md 10.3).
 *
 * @module
 */
import { LimitError, quote, ValueError } from "../../errors.ts";
import { atOnce, StepPace } from "../../words/steps.ts";
import { type Json, JsonNumber, JsonObject } from "./json.ts";

/** Maximum string length that every engine supports. */
const MOST_UNITS = 2 ** 29 - 24;

/** Encode a value. Non-integer numbers that were read keep their spelling. */
export function writeJson(value: Json, options: { indent?: number } = {}): Uint8Array<ArrayBuffer> {
  return atOnce(writeJsonInSteps(value, options));
}

/** {@linkcode writeJson} in steps, between which other work may run. */
export function* writeJsonInSteps(
  value: Json,
  options: { indent?: number } = {},
): Generator<void, Uint8Array<ArrayBuffer>> {
  const { indent = 0 } = options;
  const pace = new StepPace();
  let length = 0;
  const put = (text: string) => {
    length += text.length;
    if (length > MOST_UNITS) {
      throw new LimitError(
        "LIMIT",
        `The JSON text has more than ${MOST_UNITS} characters, more than a string can hold`,
        {
          limit: "memory",
          max: MOST_UNITS,
        },
      );
    }
    parts.push(text);
  };
  const parts: string[] = [];
  const newline = (depth: number) => indent > 0 ? "\n" + " ".repeat(indent * depth) : "";
  const colon = indent > 0 ? ": " : ":";
  /** What remains to be written, in reverse order: literal text, and values with their depth. */
  const rest: (string | { value: Json; depth: number })[] = [{ value, depth: 0 }];
  for (let item = rest.pop(); item !== undefined; item = rest.pop()) {
    if (pace.isDue(1)) yield;
    if (typeof item === "string") {
      put(item);
      continue;
    }
    const { value, depth } = item;
    if (value instanceof JsonObject) {
      if (value.size === 0) put("{}");
      else {
        rest.push(newline(depth) + "}");
        [...value].reverse().forEach(([key, entry], i) => {
          rest.push({ value: entry, depth: depth + 1 });
          rest.push((i === value.size - 1 ? "" : ",") + newline(depth + 1) + textOf(key) + colon);
        });
        rest.push("{");
      }
    } else if (Array.isArray(value)) {
      if (value.length === 0) put("[]");
      else {
        rest.push(newline(depth) + "]");
        for (let i = value.length - 1; i >= 0; i--) {
          rest.push({ value: value[i], depth: depth + 1 });
          rest.push((i === 0 ? "" : ",") + newline(depth + 1));
        }
        rest.push("[");
      }
    } else put(scalarOf(value));
  }
  return new TextEncoder().encode(parts.join(""));
}

function scalarOf(value: null | boolean | number | bigint | string | JsonNumber): string {
  if (typeof value === "string") return textOf(value);
  return value instanceof JsonNumber ? value.text : String(value);
}

function textOf(text: string): string {
  if (!text.isWellFormed()) {
    throw new ValueError("LONE_SURROGATE", `The text ${quote(text)} has a lone surrogate, which UTF-8 cannot encode`);
  }
  // Like nlohmann, JSON.stringify escapes only what must be escaped; neither escapes DEL.
  return JSON.stringify(text);
}

/** A float as nlohmann prints it: the shortest digits that round-trip, and always a point or exponent. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) throw new ValueError("INVALID_VALUE", `JSON cannot represent ${value}`);
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) {
    const [digits, exponent] = value.toExponential().split("e");
    const sign = exponent[0], number = exponent.slice(1).padStart(2, "0");
    return `${digits}e${sign === "+" ? "+" : "-"}${number}`;
  }
  const text = String(value);
  return text.includes(".") ? text : text + ".0";
}
