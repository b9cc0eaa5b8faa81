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

/** A container of which a part is written. */
interface Open {
  /** Items of a list; keys and values of an object alternately. */
  readonly items: readonly Json[];
  readonly isObject: boolean;
  /** Index of the next item. */
  at: number;
}

class JsonWriter {
  readonly #indent: number;
  readonly #colon: string;
  #parts: string[] = [];
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];
  #length = 0;
  /** Length of the text that was encoded. */
  #encoded = 0;
  readonly #open: Open[] = [];

  constructor(indent: number) {
    this.#indent = indent;
    this.#colon = indent > 0 ? ": " : ":";
  }

  *write(root: Json): Generator<void, Uint8Array<ArrayBuffer>> {
    const pace = new StepPace();
    this.#value(root);
    for (let last = this.#open.at(-1); last !== undefined; last = this.#open.at(-1)) {
      if (pace.isDue(1)) yield;
      if (this.#length - this.#encoded > PIECE) this.#encode();
      const { items, isObject, at } = last;
      if (at === items.length) {
        this.#open.pop();
        this.#put(this.#newline() + (isObject ? "}" : "]"));
        continue;
      }
      this.#put((at === 0 ? "" : ",") + this.#newline());
      if (isObject) this.#put(textOf(items[last.at++] as string) + this.#colon);
      this.#value(items[last.at++]);
    }
    this.#encode();
    return this.#pieces.length === 1 ? this.#pieces[0] : joinBytes(this.#pieces);
  }

  #encode(): void {
    this.#pieces.push(new TextEncoder().encode(this.#parts.join("")));
    this.#parts = [];
    this.#encoded = this.#length;
  }

  /** Write a scalar or an empty container, or the beginning of another one. */
  #value(value: Json): void {
    const isObject = value instanceof JsonObject;
    if (!isObject && !Array.isArray(value)) return this.#put(scalarOf(value));
    const items = isObject ? value.members : value;
    if (items.length === 0) return this.#put(isObject ? "{}" : "[]");
    this.#put(isObject ? "{" : "[");
    this.#open.push({ items, isObject, at: 0 });
  }

  #newline(): string {
    return this.#indent > 0 ? "\n" + " ".repeat(this.#indent * this.#open.length) : "";
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
  // Like nlohmann, JSON.stringify escapes only what must be escaped, which lone surrogates are here; neither escapes DEL.
  return JSON.stringify(text);
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
