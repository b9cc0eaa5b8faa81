/**
 * Payloads whose content is not available while the pickle is read: a driver may still be filling them, or has left them in the file. Code
 * that needs the content refuses them, no matter how the file is read, so that the outcome is always the same.
 *
 * @module
 */
import { type Payload, Span } from "../cursor.ts";

const waiting = new WeakSet<Uint8Array>();

/** Mark a payload that a driver answered with as not yet readable, and return it. */
export function unread<P extends Payload>(payload: P): P {
  if (payload instanceof Uint8Array) waiting.add(payload);
  return payload;
}

/** Whether a value is a payload whose content is not available yet. */
export function isUnread(value: unknown): boolean {
  return value instanceof Span || (value instanceof Uint8Array && waiting.has(value));
}
