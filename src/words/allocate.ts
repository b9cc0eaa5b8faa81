/**
 * Memory for what a file claims to contain.
 *
 * @module
 */
import { LimitError } from "../errors.ts";

/** Zeros, as many as a file says (RULES.md BUF-2). */
export function allocate(length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch {
    throw new LimitError("LIMIT", `Cannot allocate ${length} bytes`, { limit: "memory", actual: length });
  }
}
