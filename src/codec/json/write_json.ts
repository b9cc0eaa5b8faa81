/**
 * JSON as Paddle's library (nlohmann) writes it: compact, or with an indent; no escapes but those that must be (FORMATS.md 10.3).
 *
 * @module
 */
import { LimitError, quote, ValueError } from "../../errors.ts";
import { atOnce, StepPace } from "../../words/steps.ts";
import { type Json, JsonNumber, JsonObject } from "./json.ts";

/** Characters that a string of any engine holds. */
const MOST_UNITS = 2 ** 29 - 24;

/** The bytes of a value. Numbers that were read keep their text. */
export function writeJson(value: Json, options: { indent?: number } = {}): Uint8Array<ArrayBuffer> {
  return atOnce(writeJsonInSteps(value, options));
}

/** The same in steps, between which others may have a turn. */
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
      throw new LimitError("LIMIT", `The JSON text has more than ${MOST_UNITS} characters: no string holds it`, {
        limit: "memory",
        max: MOST_UNITS,
      });
    }
    parts.push(text);
  };
  const parts: string[] = [];
  const newline = (depth: number) => indent > 0 ? "\n" + " ".repeat(indent * depth) : "";
  const colon = indent > 0 ? ": " : ":";
  /** What is still to be written, last first: texts, and values at a depth. */
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
    throw new ValueError("LONE_SURROGATE", `The text ${quote(text)} has half a surrogate pair, which UTF-8 cannot say`);
  }
  // JSON.stringify escapes what must be escaped, as nlohmann does, and nothing else; but DEL stays as it is in both.
  return JSON.stringify(text);
}

/** A float as Python and nlohmann print it: the shortest digits that give it back, and never without a point or exponent. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) throw new ValueError("INVALID_VALUE", `JSON has no ${value}`);
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [digits, exponent] = value.toExponential().split("e");
    const sign = exponent[0], number = exponent.slice(1).padStart(2, "0");
    return `${digits}e${sign === "+" ? "+" : "-"}${number}`;
  }
  const text = String(value);
  return text.includes(".") ? text : text + ".0";
}
