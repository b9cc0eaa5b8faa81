/**
 * Takes bytes, integers and payloads from a cursor, for the decoders of binary formats. All integers are little-endian.
 *
 * @module
 */
import { FormatError, quote } from "../errors.ts";
import type { Budget } from "../limits.ts";
import { BLOB_MIN, type Cursor, type Decoder, type Payload } from "./cursor.ts";

/** Consume `n` bytes, which the window then holds. Returns the index of the first; `at` is the offset of their field. */
export function* take(cursor: Cursor, n: number, at: number): Decoder<number> {
  checkLeft(cursor, n, at);
  if (cursor.left < n) {
    yield cursor.need(n);
    if (cursor.left < n) throw truncated(at, n, cursor.left);
  }
  const p = cursor.pos;
  cursor.pos += n;
  return p;
}

/** Consume `n` bytes that become numbers, and charge for them. A file that has fewer is reported as truncated (RULES.md LIM-2). */
export function* takeCharged(cursor: Cursor, n: number, at: number, budget: Budget): Decoder<number> {
  checkLeft(cursor, n, at);
  try {
    budget.charge(n, at);
  } catch (error) {
    // If the size is unknown, check that the bytes are really there before reporting the limit.
    if ((yield { kind: "reach", end: cursor.offset + n }) === false) throw truncated(at, n, cursor.left);
    throw error;
  }
  return yield* take(cursor, n, at);
}

/** Consume a u64. */
export function* takeU64(cursor: Cursor): Decoder<number> {
  return u64(cursor, yield* take(cursor, 8, cursor.offset));
}

/** Consume the `size` bytes of an array: by way of the driver if they are many or, with `lazy`, if there are any at all. */
export function* takePayload(cursor: Cursor, size: number, lazy = false): Decoder<Payload> {
  const at = cursor.offset;
  if (size >= BLOB_MIN || (lazy && size > 0)) {
    checkLeft(cursor, size, at);
    return (yield { kind: "blob", length: size, encoding: "raw", size, at }) as Payload;
  }
  const start = yield* take(cursor, size, at);
  return cursor.keep(start, start + size);
}

/** Check that nothing follows; `message` is that of the error for bytes at an offset. */
export function* takeEnd(cursor: Cursor, message: (offset: number) => string, hint?: string): Decoder<void> {
  yield cursor.need(1);
  if (cursor.left === 0) return;
  const { offset } = cursor;
  throw new FormatError("TRAILING_DATA", message(offset) + (hint ? `. ${hint}` : ""), { offset, hint });
}

/** The u64 at window index `p`; beyond 2^53 a nearby double, which exceeds every limit just the same. */
export function u64(cursor: Cursor, p: number): number {
  return cursor.view.getUint32(p, true) + cursor.view.getUint32(p + 4, true) * 2 ** 32;
}

/** The i64 at window index `p`; `at` is the offset at which one beyond 2^53 is reported. */
export function i64(cursor: Cursor, p: number, at: number): number {
  const value = cursor.view.getBigInt64(p, true);
  if (value < -9007199254740991n || value > 9007199254740991n) {
    throw new FormatError("BAD_NUMBER", `A number beyond 2^53 at byte ${at}`, { offset: at, actual: String(value) });
  }
  return Number(value);
}

/** Run the decoder of the variable `name`: if the file ends in it, the error says so. */
export function* about<T>(name: string, decoder: Decoder<T>): Decoder<T> {
  try {
    return yield* decoder;
  } catch (error) {
    throw truncatedIn(error, name, quote(name));
  }
}

/** An error about a truncated file, with what is cut: `at` is its path in the value, `shown` its name in the message. Other errors as they are. */
export function truncatedIn(error: unknown, at: string, shown: string): unknown {
  if (!(error instanceof FormatError) || error.code !== "TRUNCATED" || error.at || error.expected === undefined) {
    return error;
  }
  const { message, offset, opcode, expected, actual } = error;
  const named = message.replace(/^Truncated [a-z]+/, (what) => `${what}, in ${shown}`);
  return new FormatError("TRUNCATED", named, { offset, opcode, at, expected, actual });
}

/** Check that the file has `n` more bytes, as far as its size is known. */
function checkLeft(cursor: Cursor, n: number, at: number): void {
  const { remaining } = cursor;
  if (remaining !== undefined && n > remaining) throw truncated(at, n, remaining);
}

function truncated(at: number, wanted: number, left: number): FormatError {
  return new FormatError(
    "TRUNCATED",
    `Truncated file: ${wanted} bytes are expected at byte ${at}, ${left} are left. The download is probably incomplete: compare the size with the publisher's.`,
    { offset: at, expected: wanted, actual: left },
  );
}
