/**
 * The opcodes that push a string, bytes or a number.
 *
 * @module
 */
import { quote } from "../../errors.ts";
import { isFloatByNature } from "../../words/floats.ts";
import { type Budget, PRICES } from "../../limits.ts";
import { ByteArray, Float, Tuple } from "../../values.ts";
import { BLOB_MIN, type BlobEncoding, type Decoder, type Payload } from "../cursor.ts";
import { decodePayload } from "../payload.ts";
import type { ArrayLedger } from "./array_ledger.ts";
import { ByteText } from "./byte_text.ts";
import type { Here } from "./here.ts";
import { floatFromText, integerFromBytes, integerFromText } from "./numbers.ts";
import type { OpcodeArguments } from "./opcode_arguments.ts";
import type { PickleStack } from "./pickle_stack.ts";
import { PickledArray, PickledDType, Token } from "./pickled.ts";
import { unread } from "./unread.ts";
import { textFromLatin1 } from "../../words/latin1.ts";
import { textFromQuoted, textFromRawUnicodeEscape } from "./escaped_text.ts";
import { textFromUtf8 } from "../../words/utf8.ts";

/** Bytes that the machine looks at after a payload: an opcode and the longest fixed-width argument. */
export const LONGEST_FIXED = 9;

/** Reads the literals of one pickle. */
export class Literals {
  readonly #args: OpcodeArguments;
  readonly #stack: PickleStack;
  readonly #here: Here;
  readonly #budget: Budget;
  readonly #arrays: ArrayLedger;

  constructor(args: OpcodeArguments, stack: PickleStack, budget: Budget, arrays: ArrayLedger) {
    this.#args = args;
    this.#stack = stack;
    this.#here = stack.here;
    this.#budget = budget;
    this.#arrays = arrays;
  }

  // ---- strings

  /** A string of `length` UTF-8 bytes; as argument of `_codecs.encode`, a ByteText. */
  *unicode(length: number): Decoder<void> {
    const { items } = this.#stack;
    const { cursor } = this.#args;
    const { at } = this.#here;
    const below = items.length > 0 ? items[items.length - 1] : undefined;
    if (below instanceof Token && below.kind === "encode") {
      items.push(new ByteText(yield* this.#byteText(length), at));
      return;
    }
    this.#budget.check("maxStringBytes", length, at);
    this.#budget.charge(PRICES.string + PRICES.unit * Math.min(length, cursor.remaining ?? length), at);
    const start = yield* this.#args.inline(length);
    const text = textFromUtf8(cursor.bytes, start, start + length);
    if (text === null) throw this.#here.badText();
    items.push(text);
  }

  /** A Python 2 `str` of `length` bytes. */
  *binstring(length: number): Decoder<void> {
    const { at } = this.#here;
    this.#budget.check("maxStringBytes", length, at);
    const start = yield* this.#args.inline(length);
    this.#budget.charge(PRICES.string + PRICES.unit * length, at);
    this.#stack.items.push(textFromLatin1(this.#args.cursor.bytes.subarray(start, start + length)));
  }

  /** The line of STRING (`isQuoted`) or UNICODE. */
  *textLine(isQuoted: boolean): Decoder<void> {
    const line = yield* this.#args.line();
    this.#budget.charge(PRICES.string + PRICES.unit * line.length, this.#here.at);
    const text = isQuoted ? textFromQuoted(line) : textFromRawUnicodeEscape(line);
    if (text === null) throw this.#here.badText();
    this.#stack.items.push(text);
  }

  /** A string that encodes bytes: decoded once, straight into its final buffer, and never made a JavaScript string (P5). */
  *#byteText(length: number): Decoder<Payload> {
    // A byte takes at most two bytes in UTF-8: shorter strings may encode bytes that are short enough for a key.
    if (length >= 2 * BLOB_MIN && !this.#isLookedInto(1)) {
      this.#args.claim(length);
      return yield* this.#blob(length, "latin1", this.#expectedSize());
    }
    const { cursor } = this.#args;
    const start = yield* this.#args.inline(length);
    const text = cursor.bytes.subarray(start, start + length);
    const bytes = decodePayload(text, "latin1", this.#here.at, this.#expectedSize());
    this.#arrays.lay(bytes, cursor.base + start);
    return bytes;
  }

  // ---- bytes

  /** A bytes object of `length` bytes. */
  *bytes(length: number): Decoder<void> {
    const { items } = this.#stack;
    if (length < BLOB_MIN || this.#isLookedInto(0)) {
      const start = yield* this.#args.inline(length);
      this.#budget.charge(PRICES.bytes, this.#here.at);
      items.push(this.#keep(start, start + length));
      return;
    }
    this.#args.claim(length);
    this.#budget.charge(PRICES.bytes, this.#here.at);
    items.push(yield* this.#blob(length, "raw", length));
  }

  /** Window bytes `[start, end)`, to be retained. */
  #keep(start: number, end: number): Uint8Array {
    const { cursor } = this.#args;
    const bytes = cursor.keep(start, end);
    this.#arrays.lay(bytes, cursor.base + start);
    return bytes;
  }

  /** A bytearray of `length` bytes. As the argument of an array's `_frombuffer` a large one may stay a span; any other is read. */
  *bytearray(length: number): Decoder<void> {
    const { items } = this.#stack;
    const below = items[items.length - 1];
    if (length >= BLOB_MIN && below instanceof Token && below.kind === "frombuffer") return yield* this.bytes(length);
    const start = yield* this.#args.inline(length);
    this.#budget.charge(PRICES.bytes, this.#here.at);
    items.push(new ByteArray(this.#args.cursor.bytes.slice(start, start + length).buffer));
  }

  /**
   * Whether the coming bytes are an argument of a call that needs their content, a bytearray or a scalar; `above` items are on the stack
   * above that call's symbol or earlier arguments.
   */
  #isLookedInto(above: number): boolean {
    const { items } = this.#stack;
    const top = items.length - 1 - above;
    const last = items[top], before = items[top - 1];
    if (last instanceof Token) return last.kind === "bytearray";
    return last instanceof PickledDType && before instanceof Token && before.kind === "scalar";
  }

  *#blob(length: number, encoding: BlobEncoding, size: number | undefined): Decoder<Payload> {
    const { at } = this.#here;
    const payload = (yield {
      kind: "blob",
      length,
      encoding,
      size,
      at,
      deferrable: this.#isInSlice() || (length >= LARGE && this.#isTurned()),
      eager: this.#isOpaque(),
      lookahead: LONGEST_FIXED,
    }) as Payload;
    return unread(payload);
  }

  /** Size in bytes of the array whose state is being built on the stack: (1, shape, dtype, fortran, encode(... */
  #expectedSize(): number | undefined {
    const { items } = this.#stack;
    const top = items.length - 1;
    const shape = items[top - 3], dtype = items[top - 2];
    if (!(shape instanceof Tuple) || !(dtype instanceof PickledDType) || !dtype.info) return undefined;
    let size = dtype.info.itemsize;
    for (const dim of shape) size *= typeof dim === "number" ? dim : NaN;
    return Number.isSafeInteger(size) ? size : undefined;
  }

  /** Whether the coming payload is the data of an array whose key marks a slice of a big parameter: `linear.weight@@.0`. */
  #isInSlice(): boolean {
    const { items, fence } = this.#stack;
    const key = items[fence - 2];
    const dtype = items[fence + 2];
    return items[fence - 1] instanceof PickledArray && dtype instanceof PickledDType && dtype.info !== undefined &&
      typeof key === "string" && isSliceKey(key);
  }

  /** Whether a column-major array's data comes next: if it is read later, it can be reordered piece by piece. */
  #isTurned(): boolean {
    const { items, fence } = this.#stack;
    const shape = items[fence + 1], dtype = items[fence + 2];
    return items[fence - 1] instanceof PickledArray && shape instanceof Tuple && shape.length > 1 &&
      dtype instanceof PickledDType && dtype.info !== undefined && items[fence + 3] === true;
  }

  /** Whether the data of an array comes next whose dtype no tensor can have. */
  #isOpaque(): boolean {
    const { items, fence } = this.#stack;
    const dtype = items[fence + 2];
    return items[fence - 1] instanceof PickledArray && dtype instanceof PickledDType && dtype.info === undefined;
  }

  // ---- numbers

  /** A float, boxed if JavaScript could not tell it from an int. */
  float(value: number): void {
    this.#stack.items.push(isFloatByNature(value) ? value : new Float(value));
  }

  /** An int in `length` bytes of two's complement. */
  *long(length: number): Decoder<void> {
    const { at } = this.#here;
    this.#budget.check("maxIntBytes", length, at);
    const start = yield* this.#args.inline(length);
    this.#budget.charge(PRICES.bigint + length, at);
    this.#stack.items.push(integerFromBytes(this.#args.cursor.bytes.subarray(start, start + length)));
  }

  /** The line of FLOAT. */
  *floatLine(): Decoder<void> {
    const text = yield* this.#numberLine();
    const value = floatFromText(text);
    if (value === null) throw this.#badNumber(text);
    this.float(value);
  }

  /** The line of INT, where two characters that are 0 or 1, such as `01`, mean False or True, or of LONG, which may end in L. */
  *intLine(isLong: boolean): Decoder<void> {
    const text = yield* this.#numberLine();
    const isFlag = !isLong && /^([ \t\v\f\r+0][01]|-0)$/.test(text);
    this.#stack.items.push(
      isFlag ? text[1] === "1" : this.#int(isLong && text.endsWith("L") ? text.slice(0, -1) : text, 0),
    );
  }

  /** The line of GET or PUT. */
  *indexLine(): Decoder<number> {
    const index = this.#int(yield* this.#numberLine(), 10);
    if (typeof index !== "number" || index < 0 || index > 0xffffffff) throw this.#here.badMemo(index);
    return index;
  }

  #int(text: string, base: 0 | 10): number | bigint {
    const digits = text.length - (text[0] === "-" || text[0] === "+" ? 1 : 0);
    this.#budget.check("maxIntDigits", digits, this.#here.at);
    const value = integerFromText(text, base);
    if (value === null) throw this.#badNumber(text);
    return value;
  }

  *#numberLine(): Decoder<string> {
    const line = yield* this.#args.line();
    const { maxIntDigits } = this.#budget.limits;
    if (line.length > maxIntDigits + 2) this.#budget.exceed("maxIntDigits", line.length, this.#here.at);
    return textFromLatin1(line);
  }

  #badNumber(text: string): Error {
    return this.#here.bad("BAD_NUMBER", `is not a number: ${quote(text)}`);
  }
}

/** Size in bytes from which a column-major array is not held in memory twice. */
const LARGE = 2 ** 20;

function isSliceKey(key: string): boolean {
  const at = key.lastIndexOf("@@.") + 3;
  if (at < 4 || at === key.length) return false;
  for (let i = at; i < key.length; i++) if (key[i] < "0" || key[i] > "9") return false;
  return true;
}
