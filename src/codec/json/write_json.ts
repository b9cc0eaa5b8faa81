/**
 * Writes JSON as Paddle's library (nlohmann) does: compact or indented, and with only the mandatory escapes (FORMATS.md 10.3).
 *
 * @module
 */
import { LimitError, quote, ValueError } from "../../errors.ts";
import { decimalText } from "../../words/decimal_text.ts";
import { joinBytes } from "../../words/joined_bytes.ts";
import { StepPace } from "../../words/steps.ts";
import { type Json, JsonNumber, JsonObject } from "./json.ts";

/** Maximum string length that every engine supports. */
const MOST_UNITS = 2 ** 29 - 24;

/** Encode a value in steps, between which other work may run. Non-integer numbers that were read keep their spelling. */
export function writeJsonInSteps(
  value: Json,
  { indent = 0 }: { indent?: number } = {},
): Generator<void, Uint8Array<ArrayBuffer>> {
  return new JsonWriter(indent).write(value);
}

/** Characters that are encoded within one step. */
const PIECE = 2 ** 20;

/** A value yet to be written, inside `depth` containers. */
interface Waiting {
  readonly value: Json;
  readonly depth: number;
}

class JsonWriter {
  readonly #indent: number;
  readonly #colon: string;
  #parts: string[] = [];
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];
  #length = 0;
  /** Length of the text that was encoded. */
  #encoded = 0;
  /** What remains to be written, in reverse order: literal text, and values. */
  readonly #rest: (string | Waiting)[] = [];

  constructor(indent: number) {
    this.#indent = indent;
    this.#colon = indent > 0 ? ": " : ":";
  }

  *write(root: Json): Generator<void, Uint8Array<ArrayBuffer>> {
    const rest = this.#rest, pace = new StepPace();
    rest.push({ value: root, depth: 0 });
    for (let item = rest.pop(); item !== undefined; item = rest.pop()) {
      if (pace.isDue(1)) yield;
      if (this.#length - this.#encoded > PIECE) this.#encode();
      if (typeof item === "string") this.#put(item);
      else if (item.value instanceof JsonObject) this.#object(item.value, item.depth);
      else if (Array.isArray(item.value)) this.#list(item.value, item.depth);
      else this.#put(scalarOf(item.value));
    }
    this.#encode();
    return this.#pieces.length === 1 ? this.#pieces[0] : joinBytes(this.#pieces);
  }

  #encode(): void {
    this.#pieces.push(new TextEncoder().encode(this.#parts.join("")));
    this.#parts = [];
    this.#encoded = this.#length;
  }

  #object(object: JsonObject, depth: number): void {
    if (object.size === 0) return this.#put("{}");
    const newline = this.#newline(depth + 1);
    this.#rest.push(this.#newline(depth) + "}");
    [...object].reverse().forEach(([key, value], i) => {
      const comma = i === object.size - 1 ? "" : ",";
      this.#rest.push({ value, depth: depth + 1 }, comma + newline + textOf(key) + this.#colon);
    });
    this.#rest.push("{");
  }

  #list(list: readonly Json[], depth: number): void {
    if (list.length === 0) return this.#put("[]");
    const newline = this.#newline(depth + 1);
    this.#rest.push(this.#newline(depth) + "]");
    for (let i = list.length - 1; i >= 0; i--) {
      this.#rest.push({ value: list[i], depth: depth + 1 }, (i === 0 ? "" : ",") + newline);
    }
    this.#rest.push("[");
  }

  #newline(depth: number): string {
    return this.#indent > 0 ? "\n" + " ".repeat(this.#indent * depth) : "";
  }

  #put(text: string): void {
    this.#length += text.length;
    if (this.#length > MOST_UNITS) {
      throw new LimitError(
        "LIMIT",
        `The JSON text has more than ${MOST_UNITS} characters, more than a string can hold`,
        { limit: "memory", max: MOST_UNITS },
      );
    }
    this.#parts.push(text);
  }
}

function scalarOf(value: null | boolean | number | bigint | string | JsonNumber): string {
  if (typeof value === "string") return textOf(value);
  return value instanceof JsonNumber ? value.text : String(value);
}

function textOf(text: string): string {
  // Like nlohmann, JSON.stringify escapes only what must be escaped; neither escapes DEL.
  return JSON.stringify(wellFormed(text));
}

/**
 * The text itself.
 *
 * @throws {ValueError} `LONE_SURROGATE`: it cannot be written
 */
export function wellFormed(text: string): string {
  if (text.isWellFormed()) return text;
  throw new ValueError("LONE_SURROGATE", `The text ${quote(text)} has a lone surrogate, which UTF-8 cannot encode`);
}

/** A float as nlohmann prints it. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) throw new ValueError("INVALID_VALUE", `JSON cannot represent ${value}`);
  return decimalText(value, 1e15);
}
