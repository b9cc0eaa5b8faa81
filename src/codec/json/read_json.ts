/**
 * Parses JSON from UTF-8 bytes: strict (RFC 8259), without recursion, every error with its offset (RULES.md JS-1).
 *
 * @module
 */
import { FormatError, quote } from "../../errors.ts";
import { Budget, type Limits, PRICES } from "../../limits.ts";
import { STEP } from "../../words/steps.ts";
import { textFromUtf8 } from "../../words/utf8.ts";
import { type Json, JsonNumber, JsonObject } from "./json.ts";
import { integerOf } from "../../words/integers.ts";

/** Parse the value in `bytes`, which only whitespace may follow, in steps between which other work may run. */
export function readJsonInSteps(bytes: Uint8Array, limits: Readonly<Limits>): Generator<void, Json> {
  return new JsonReader(bytes, limits).read();
}

/** JSON's punctuation as bytes. */
const QUOTE = 0x22, BACKSLASH = 0x5c, COMMA = 0x2c, COLON = 0x3a;
const OPEN_OBJECT = 0x7b, CLOSE_OBJECT = 0x7d, OPEN_LIST = 0x5b, CLOSE_LIST = 0x5d;
const ESCAPES: ReadonlyMap<number, string> = new Map(
  Object.entries({ '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" })
    .map(([key, text]) => [key.charCodeAt(0), text]),
);
/** Strings of one ASCII character: most keys of programs are of this kind. */
const LETTERS = Array.from({ length: 0x80 }, (_, byte) => String.fromCharCode(byte));

/** Strings of up to this many bytes are interned: programs repeat the same few hundred. */
const INTERN_MAX = 32;
/** Slots in the table of interned strings; on a collision the newer string wins. */
const INTERN_SLOTS = 4096;

/** Placeholder for the set of an object's keys while they are few. */
const NO_KEYS: Set<string> = new Set();
/** With this many items (keys and values), an object gets a set of its keys. */
const MANY_ITEMS = 16;

/** Maximum bytes of a string read in one step, and maximum digits of a number. */
const PIECE = 65_536;
/** Maximum bytes of a UTF-8 character. */
const CHARACTER_BYTES = 4;

/** A string being read in several steps. */
interface LongText {
  /** Offset of its first byte. */
  readonly start: number;
  /** What has been read so far; empty once it is too long. */
  parts: string[];
}

class JsonReader {
  readonly #bytes: Uint8Array;
  readonly #budget: Budget;
  readonly #maxDepth: number;
  // The three lists hold something from the start: V8 discards code that it compiled for a list of this kind on meeting an empty one.
  readonly #interned: string[] = new Array(INTERN_SLOTS).fill("");
  #pos = 0;
  /** Keys and values of all open containers, up to `#top`. */
  readonly #items: Json[] = [null];
  #top = 0;
  /** Index of the first item of each open container. */
  readonly #starts: number[] = [];
  #begun: LongText | null = null;
  /** For each open object the set of its keys, once there are many; null for a list, and below all of them. */
  readonly #keys: (Set<string> | null)[] = [null];

  constructor(bytes: Uint8Array, limits: Readonly<Limits>) {
    this.#bytes = bytes;
    this.#budget = new Budget(limits);
    this.#maxDepth = limits.maxJsonDepth;
    this.#budget.check("maxJsonBytes", bytes.length, 0);
  }

  *read(): Generator<void, Json> {
    let whole = this.#some();
    for (; whole === undefined; whole = this.#some()) yield;
    return whole;
  }

  /** Read a step's worth of values. Returns the whole value once it is complete. Not a generator, for speed. */
  #some(): Json | undefined {
    for (let read = 0; read < STEP; read++) {
      let value: Json | undefined;
      if (this.#begun) value = this.#goOn(this.#begun);
      else {
        this.#space();
        const byte = this.#bytes[this.#pos];
        if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
          if (this.#open(byte === OPEN_OBJECT)) continue;
          value = this.#close();
        } else value = this.#scalar();
      }
      if (value === undefined) return undefined;
      // A value is complete: add it to its container, and close the containers that end with it.
      while (this.#starts.length > 0) {
        this.#items[this.#top++] = value;
        if (this.#goesOn()) break;
        value = this.#close();
      }
      if (this.#starts.length === 0) return this.#last(value);
    }
    return undefined;
  }

  /** Open a container. Returns whether it is non-empty; in an object, the first key is then read. */
  #open(isObject: boolean): boolean {
    const at = this.#pos++;
    if (this.#starts.length >= this.#maxDepth) {
      this.#budget.exceed("maxJsonDepth", this.#starts.length + 1, at);
    }
    this.#budget.charge(isObject ? PRICES.dict : PRICES.list, at);
    this.#starts.push(this.#top);
    this.#keys.push(isObject ? NO_KEYS : null);
    this.#space();
    if (this.#bytes[this.#pos] === (isObject ? CLOSE_OBJECT : CLOSE_LIST)) {
      this.#pos++;
      return false;
    }
    if (isObject) this.#key();
    return true;
  }

  /** After a value in a container: returns whether another follows; in an object, its key is then read. */
  #goesOn(): boolean {
    const isList = this.#keys[this.#keys.length - 1] === null;
    this.#space();
    const next = this.#bytes[this.#pos];
    if (next === COMMA) {
      this.#pos++;
      if (!isList) {
        this.#space();
        this.#key();
      }
      return true;
    }
    if (next !== (isList ? CLOSE_LIST : CLOSE_OBJECT)) throw this.#unexpected(isList ? "`,` or `]`" : "`,` or `}`");
    this.#pos++;
    return false;
  }

  /** Close the last opened container: its items are sliced off, so that the list has no spare capacity. */
  #close(): Json[] | JsonObject {
    const items = this.#items.slice(this.#starts.pop(), this.#top);
    this.#top -= items.length;
    return this.#keys.pop() === null ? items : new JsonObject(items);
  }

  #last(value: Json): Json {
    this.#space();
    const offset = this.#pos;
    if (offset === this.#bytes.length) return value;
    throw new FormatError("TRAILING_DATA", `Bytes follow the JSON value at byte ${offset}`, { offset });
  }

  #space(): void {
    const bytes = this.#bytes, end = bytes.length;
    let p = this.#pos;
    // There may be megabytes of it: a local variable, and no read beyond the end, keep this loop fast.
    while (p < end && isSpace(bytes[p])) p++;
    this.#pos = p;
  }

  /** A key and the colon after it. */
  #key(): void {
    const at = this.#pos;
    if (this.#bytes[at] !== QUOTE) throw this.#unexpected("a key");
    const key = this.#text() ?? this.#longKey(at);
    if (this.#isTaken(key)) {
      throw new FormatError("DUPLICATE_KEY", `The key ${quote(key)} appears twice (byte ${at})`, { offset: at });
    }
    this.#items[this.#top++] = key;
    this.#space();
    if (this.#bytes[this.#pos] !== COLON) throw this.#unexpected("`:`");
    this.#pos++;
    this.#budget.charge(PRICES.entry, at);
  }

  /** Whether the open object already has a key. */
  #isTaken(key: string): boolean {
    const items = this.#items, start = this.#starts[this.#starts.length - 1];
    if (this.#top - start < MANY_ITEMS) {
      for (let at = start; at < this.#top; at += 2) if (items[at] === key) return true;
      return false;
    }
    const open = this.#keys.length - 1;
    let keys = this.#keys[open]!;
    if (keys === NO_KEYS) {
      this.#keys[open] = keys = new Set();
      for (let at = start; at < this.#top; at += 2) keys.add(items[at] as string);
    }
    return keys.size === keys.add(key).size;
  }

  /** Read a scalar; undefined if it is a string that takes several steps, of which the first is done. */
  #scalar(): Json | undefined {
    this.#budget.charge(PRICES.slot, this.#pos);
    const byte = this.#bytes[this.#pos];
    if (byte === QUOTE) return this.#text();
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return this.#number();
    if (byte === 0x74 && this.#isWord("true")) return true;
    if (byte === 0x66 && this.#isWord("false")) return false;
    if (byte === 0x6e && this.#isWord("null")) return null;
    throw this.#unexpected("a value");
  }

  #isWord(word: string): boolean {
    const bytes = this.#bytes, start = this.#pos;
    for (let i = 0; i < word.length; i++) {
      if (start + i === bytes.length) throw cut(bytes.length);
      if (bytes[start + i] !== word.charCodeAt(i)) return false;
    }
    this.#pos += word.length;
    return true;
  }

  #number(): Json {
    const bytes = this.#bytes, start = this.#pos;
    let p = start, value = 0;
    const isNegative = bytes[p] === 0x2d;
    if (isNegative) p++;
    const first = p;
    const last = first + Math.max(PIECE, this.#budget.limits.maxIntDigits);
    for (; p <= last && bytes[p] >= 0x30 && bytes[p] <= 0x39; p++) value = value * 10 + bytes[p] - 0x30;
    const digits = p - first;
    if (digits === 0 || (digits > 1 && bytes[first] === 0x30)) throw this.#badNumber(start, p);
    const next = bytes[p];
    if (next === 0x2e || next === 0x65 || next === 0x45 || (isNegative && value === 0)) return this.#float(start, p);
    this.#pos = p;
    if (digits <= 15) return isNegative ? -value : value;
    this.#budget.check("maxIntDigits", digits, start);
    return integerOf(BigInt(ascii(bytes, start, p)));
  }

  /** The rest of a number with a fraction or exponent, or of -0. */
  #float(start: number, end: number): JsonNumber {
    const bytes = this.#bytes;
    let p = end;
    const most = Math.max(PIECE, this.#budget.limits.maxIntDigits);
    const digits = () => {
      const from = p, last = p + most;
      while (p <= last && bytes[p] >= 0x30 && bytes[p] <= 0x39) p++;
      if (p === from) throw this.#badNumber(start, p);
    };
    if (bytes[p] === 0x2e) {
      p++;
      digits();
    }
    if (bytes[p] === 0x65 || bytes[p] === 0x45) {
      p++;
      if (bytes[p] === 0x2b || bytes[p] === 0x2d) p++;
      digits();
    }
    this.#pos = p;
    this.#budget.check("maxIntDigits", p - start, start);
    this.#budget.charge(PRICES.list + PRICES.string + PRICES.unit * (p - start), start);
    return new JsonNumber(ascii(bytes, start, p));
  }

  /** Read a string; undefined if it takes several steps, of which the first is done. */
  #text(): string | undefined {
    const bytes = this.#bytes, start = this.#pos + 1;
    const letter = bytes[start];
    if (bytes[start + 1] === QUOTE && letter >= 0x20 && letter < 0x80 && letter !== QUOTE && letter !== BACKSLASH) {
      this.#pos = start + 2;
      return LETTERS[letter];
    }
    let p = start, hash = 0;
    const far = start + PIECE;
    for (;; p++) {
      const byte = bytes[p];
      if (byte === QUOTE) break;
      if (byte === BACKSLASH || byte >= 0x80 || p === far) {
        this.#begun = { start, parts: [] };
        this.#pos = start;
        return this.#goOn(this.#begun);
      }
      if (!(byte >= 0x20)) throw this.#badText(start, p);
      hash = (hash * 31 + byte) | 0;
    }
    this.#pos = p + 1;
    const length = p - start;
    if (length > INTERN_MAX) {
      this.#chargeText(length, start);
      return ascii(bytes, start, p);
    }
    const slot = (hash ^ length) & (INTERN_SLOTS - 1);
    const known = this.#interned[slot];
    if (isSame(known, bytes, start, length)) return known;
    this.#chargeText(length, start);
    return this.#interned[slot] = ascii(bytes, start, p);
  }

  /** A key that is long or has escapes or non-ASCII characters. It is read without a pause, so it may not exceed a piece or the limit for names. */
  #longKey(at: number): string {
    const text = this.#begun!;
    const most = Math.max(PIECE, this.#budget.limits.maxNameBytes);
    for (;;) {
      const whole = this.#goOn(text);
      if (this.#pos - at > most + 2) this.#budget.exceed("maxNameBytes", this.#pos - at - 2, at);
      if (whole !== undefined) return whole;
    }
  }

  /** Read a piece of a string that is long or has escapes or non-ASCII characters. Returns the string at its end, undefined before. */
  #goOn(text: LongText): string | undefined {
    const bytes = this.#bytes, { start } = text;
    const parts: string[] = [];
    const end = this.#pos + PIECE;
    let from = this.#pos, p = from;
    const flush = () => {
      if (p === from) return;
      const part = textFromUtf8(bytes, from, p);
      if (part === null || !part.isWellFormed()) {
        throw new FormatError("BAD_TEXT", `The text at byte ${start - 1} is not valid UTF-8`, { offset: from });
      }
      parts.push(part);
    };
    let byte = bytes[p];
    for (; byte !== QUOTE && p < end; byte = bytes[p]) {
      if (!(byte >= 0x20)) throw this.#badText(start, p);
      if (byte !== BACKSLASH) {
        p++;
        continue;
      }
      flush();
      const escape = ESCAPES.get(bytes[p + 1]);
      if (escape !== undefined) {
        parts.push(escape);
        p += 2;
      } else if (bytes[p + 1] === 0x75) {
        parts.push(String.fromCharCode(this.#hex(p + 2)));
        p += 6;
      } else throw this.#badText(start, Math.min(p + 1, bytes.length));
      from = p;
    }
    const isWhole = byte === QUOTE;
    // A piece never ends inside a character.
    if (!isWhole) { while (p > from && (bytes[p] & 0xc0) === 0x80 && end - p < CHARACTER_BYTES) p--; }
    flush();
    this.#pos = isWhole ? p + 1 : p;
    const length = p - start;
    // A string that is too long is still read to its end, because the error says how long it is.
    if (length <= this.#budget.limits.maxStringBytes) text.parts.push(parts.join(""));
    else text.parts = [];
    if (!isWhole) return undefined;
    this.#begun = null;
    this.#chargeText(length, start);
    return text.parts.join("");
  }

  #hex(at: number): number {
    let unit = 0;
    for (let i = at; i < at + 4; i++) {
      const byte = this.#bytes[i] | 0x20;
      const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1;
      if (digit < 0 || this.#bytes[i] < 0x30) throw this.#badText(at, Math.min(i, this.#bytes.length));
      unit = unit * 16 + digit;
    }
    return unit;
  }

  #chargeText(length: number, at: number): void {
    this.#budget.check("maxStringBytes", length, at);
    this.#budget.charge(PRICES.string + PRICES.unit * length, at);
  }

  #unexpected(wanted: string): FormatError {
    const offset = this.#pos;
    if (offset >= this.#bytes.length) return cut(offset);
    return new FormatError("BAD_JSON", `Expected ${wanted} at byte ${offset}`, { offset });
  }

  #badNumber(start: number, p: number): FormatError {
    if (p >= this.#bytes.length) return cut(p);
    return new FormatError("BAD_JSON", `Expected a number at byte ${start}`, { offset: start });
  }

  #badText(start: number, p: number): FormatError {
    if (p >= this.#bytes.length) return cut(p);
    return new FormatError("BAD_JSON", `The text at byte ${start - 1} has an invalid character at byte ${p}`, {
      offset: p,
    });
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function cut(offset: number): FormatError {
  if (offset === 0) return new FormatError("EMPTY", "The JSON text is empty", { offset });
  return new FormatError("TRUNCATED", `The JSON text ends at byte ${offset}, inside a value`, { offset });
}

function isSame(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return textFromUtf8(bytes, start, end)!;
}
