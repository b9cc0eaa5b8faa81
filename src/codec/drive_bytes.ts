/**
 * Runs a decoder over bytes in memory: the synchronous driver.
 *
 * @module
 */
import { plainBytes } from "../words/plain_bytes.ts";
import { type Answer, type BlobAsk, Cursor, type Decoder, type Payload, Span } from "./cursor.ts";
import { decodePayload } from "./payload.ts";

/** How {@linkcode driveBytes} answers. */
export interface DriveBytesOptions {
  /** Payloads are copies; otherwise they are views of the given bytes. @default {false} */
  copy?: boolean;
  /** Payloads are left in place, as spans. @default {false} */
  lazy?: boolean;
  /** Bytes that the decoder sees at a time: for tests, which prove that this does not matter. @default {Infinity} */
  window?: number;
}

/** Run a decoder over bytes and return its result. */
export function driveBytes<T>(
  make: (cursor: Cursor) => Decoder<T>,
  given: Uint8Array,
  options: DriveBytesOptions = {},
): T {
  const bytes = plainBytes(given);
  const { copy = false, lazy = false, window = Infinity } = options;
  const cursor = new Cursor();
  cursor.total = bytes.length;
  cursor.stable = !copy;
  const show = (pos: number, n: number) => {
    const end = Math.min(bytes.length, pos + Math.max(n, window));
    cursor.window(bytes, pos, end, 0);
    cursor.ended = end === bytes.length;
  };
  show(0, 0);
  const decoder = make(cursor);
  let step = decoder.next();
  while (!step.done) {
    const ask = step.value;
    let answer: Answer = undefined;
    if (ask.kind === "need") show(cursor.pos, ask.n);
    else if (ask.kind === "reach") answer = ask.end <= bytes.length;
    else if (ask.kind === "blob") {
      const start = cursor.pos;
      try {
        answer = payloadOf(bytes, start, ask, copy, lazy);
      } catch (error) {
        step = decoder.throw(error);
        continue;
      }
      show(start + ask.length, 0);
    }
    step = decoder.next(answer);
  }
  return step.value;
}

function payloadOf(bytes: Uint8Array, start: number, ask: BlobAsk, copy: boolean, lazy: boolean): Payload {
  if (lazy && !ask.eager) return new Span(start, ask.length, ask.encoding, ask.at);
  const stored = bytes.subarray(start, start + ask.length);
  if (ask.encoding === "raw") return copy ? stored.slice() : stored;
  return decodePayload(stored, ask.encoding, ask.at, ask.size);
}
