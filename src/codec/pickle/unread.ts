/**
 * Payloads that nobody may look into while the pickle is read: a driver may still be filling them, or has left them in the file. Whatever
 * needs the bytes themselves refuses these, in whichever way the file is read.
 *
 * @module
 */
import { type Payload, Span } from "../cursor.ts";

const waiting = new WeakSet<Uint8Array>();

/** Note that the answer to an ask for a payload is not to be looked into. */
export function unread<P extends Payload>(payload: P): P {
  if (payload instanceof Uint8Array) waiting.add(payload);
  return payload;
}

/** Whether a value is such a payload. */
export function isUnread(value: unknown): boolean {
  return value instanceof Span || (value instanceof Uint8Array && waiting.has(value));
}
