/**
 * Joins bytes from pieces, and takes parts of them.
 *
 * @module
 */
import { allocate } from "./allocate.ts";
import type { LazyBytes, PieceOptions } from "../ndarray.ts";

/** Maximum size of a piece in bytes. */
export const PIECE: number = 4 * 2 ** 20;

/** Concatenate pieces. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = allocate(pieces.reduce((n, piece) => n + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Concatenate pieces that may still be unread in files: they are read when the whole is requested. */
export function joinLazily(parts: { data: Uint8Array | LazyBytes; nbytes: number }[]): LazyBytes {
  const size = parts.reduce((n, { nbytes }) => n + nbytes, 0);
  const joined: LazyBytes = {
    async read(options) {
      const whole = allocate(size);
      let at = 0;
      for (const { data, nbytes } of parts) {
        const room = whole.subarray(at, at += nbytes);
        if (data instanceof Uint8Array) room.set(data);
        else if (data.readInto) await data.readInto(room, options);
        else room.set(await data.read(options));
      }
      return whole;
    },
    async *pieces(from, to, options) {
      let start = 0;
      for (const { data, nbytes } of parts) {
        const first = Math.max(0, from - start), last = Math.min(nbytes, to - start);
        start += nbytes;
        if (first < last) yield* piecesOf(data, first, last, options);
      }
    },
    async verify() {
      for (const { data } of parts) if (!(data instanceof Uint8Array)) await data.verify?.();
    },
  };
  if (parts.every(({ data }) => data instanceof Uint8Array || data.readSync)) {
    joined.readSync = () => {
      const whole = allocate(size);
      let at = 0;
      for (const { data, nbytes } of parts) {
        whole.set(data instanceof Uint8Array ? data : data.readSync!(), at);
        at += nbytes;
      }
      return whole;
    };
  }
  return joined;
}

/** Bytes `[from, to)` of unread ones. */
export function partLazily(bytes: LazyBytes, from: number, to: number): LazyBytes {
  const part: LazyBytes = {
    async read(options) {
      const whole = allocate(to - from);
      let at = 0;
      for await (const piece of piecesOf(bytes, from, to, { scratch: [], ...options })) {
        whole.set(piece, at);
        at += piece.length;
      }
      return whole;
    },
    pieces: (first, last, options) => piecesOf(bytes, from + first, from + last, options),
  };
  if (bytes.readSync) part.readSync = () => bytes.readSync!().subarray(from, to);
  if (bytes.verify) part.verify = () => bytes.verify!();
  return part;
}

/** Bytes `[from, to)` in pieces of a few MiB at most. Lazy bytes that do not support pieces are first read as a whole. */
export async function* piecesOf(
  data: Uint8Array | LazyBytes,
  from: number,
  to: number,
  options?: PieceOptions,
): AsyncGenerator<Uint8Array> {
  if (!(data instanceof Uint8Array)) {
    if (data.pieces) return yield* data.pieces(from, to, options);
    data = await data.read(options);
  }
  for (let at = from; at < to; at += PIECE) yield data.subarray(at, Math.min(to, at + PIECE));
}
