/**
 * Arrays that were left in their file: read, or passed on in pieces.
 *
 * @module
 */
import { PIECE, piecesOf as piecesOfBytes } from "../joined_bytes.ts";
import { some } from "../model/walk.ts";
import { type LazyBytes, NDArray } from "../ndarray.ts";
import type { UnreadBytes } from "../unread_bytes.ts";
import { SpanBytes } from "./span_bytes.ts";

/** Arrays that are read together, so that neighbours come in one request. */
const TOGETHER = 64;

/** Read every array below `value` that has fewer than `below` bytes and is not here yet; what of the others lies in files is returned. */
export async function loadLazyArrays(
  value: unknown,
  signal?: AbortSignal,
  below = Infinity,
): Promise<Set<LazyBytes>> {
  const lazy: NDArray[] = [], left = new Set<LazyBytes>();
  some(value, (found) => {
    if (!(found instanceof NDArray) || found.unread === null) return false;
    if (found.nbytes < below) lazy.push(found);
    else left.add(found.unread);
    return false;
  }, () => true);
  for (let i = 0; i < lazy.length; i += TOGETHER) {
    await Promise.all(lazy.slice(i, i + TOGETHER).map((array) => array.load({ signal })));
  }
  return left;
}

/** Two buffers for the pieces of many arrays. */
export type PieceBuffers = Uint8Array[];

/**
 * The bytes that a stand-in stands for, one piece in memory while the next is read. They are not kept, and a piece is good until the next
 * one comes: its buffer is used again.
 */
export async function* piecesOf(
  { array }: UnreadBytes,
  signal?: AbortSignal,
  buffers: PieceBuffers = [],
): AsyncGenerator<Uint8Array> {
  const lazy = array.unread;
  if (!(lazy instanceof SpanBytes) || lazy.plainOffset === null) {
    return yield* piecesOfBytes(lazy ?? array.bytes, 0, array.nbytes, { signal });
  }
  const read = (at: number) => {
    if (at >= array.nbytes) return null;
    const buffer = buffers[at / PIECE % 2] ??= new Uint8Array(PIECE);
    const piece = lazy.fill(at, buffer.subarray(0, array.nbytes - at), { signal });
    // Who stops in between never waits for it.
    piece.catch(() => {});
    return piece;
  };
  let next = read(0);
  for (let at = 0; next !== null; at += PIECE) {
    const piece: Uint8Array = await next;
    next = read(at + PIECE);
    yield piece;
  }
}
