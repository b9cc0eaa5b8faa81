/**
 * Bytes in pieces, put together.
 *
 * @module
 */
import type { LazyBytes } from "./ndarray.ts";

/** The pieces, one behind the other. */
export function joinBytes(pieces: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((n, piece) => n + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The same of pieces that may lie unread in their file: read when the whole is asked for. */
export function joinLazily(pieces: { data: Uint8Array | LazyBytes }[]): LazyBytes {
  return {
    async read(options) {
      const parts: Uint8Array[] = [];
      for (const { data } of pieces) parts.push(data instanceof Uint8Array ? data : await data.read(options));
      return joinBytes(parts);
    },
  };
}
