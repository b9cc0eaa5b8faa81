/**
 * Plans an `.npz` file: a zip archive with one `.npy` file per array, whose sizes and checksums are known before it is written.
 *
 * @module
 */
import { npyHead } from "../../codec/npy/write_npy.ts";
import { planZip, type ZipMember, type ZipPlan } from "../../codec/zip/write_zip.ts";
import { crc32 } from "../../codec/crc32.ts";
import { DEFAULT_LIMITS } from "../../limits.ts";
import type { NDArray } from "../../ndarray.ts";
import { type Chunk, type Turn, UnreadBytes } from "../../words/unread_bytes.ts";
import { ReadAhead } from "../save/read_ahead.ts";
import { inTurns, Turns } from "../waiting/turns.ts";
import { FREE_EXPANSION } from "../archives/inflate.ts";

/** Maximum compressed bytes of an archive that are kept in memory until they are written. */
const KEPT = 8 * 2 ** 20;

/** How an archive is planned. */
export interface PlanNpzOptions {
  signal?: AbortSignal;
  /** Maximum compressed bytes to keep; the rest is compressed twice, as the archive states lengths in advance. @default 8 MiB */
  most?: number;
}

/**
 * Plan an archive of uncompressed arrays: their bytes are not copied. An array that is in a file is read once for its checksum, which the
 * archive states in advance, and again when it is written; it is never held in memory whole.
 */
export async function planNpz(arrays: ReadonlyMap<string, NDArray>, { signal }: PlanNpzOptions): Promise<ZipPlan> {
  const members: ZipMember[] = [], turns = new Turns(signal);
  const unread = [...arrays.values()].filter((array) => array.unread !== null);
  const ahead = new ReadAhead(unread.map((array) => new UnreadBytes(array)), signal);
  for (const [name, array] of arrays) {
    const head = npyHead(array);
    if (turns.due()) await turns.take();
    const crc = array.unread ? await sumOf(head, (await ahead.next())!, ahead) : undefined;
    members.push(storedMember(name, array, head, crc));
  }
  return await inTurns(planZip(members), signal);
}

/** An array that is not compressed; without `crc`, the checksum is computed from its bytes in memory. */
function storedMember(name: string, array: NDArray, head: Uint8Array, crc: number | undefined): ZipMember {
  const size = head.length + array.nbytes;
  const chunks = () => [head, array.unread ? new UnreadBytes(array) : array.bytes];
  return { name: name + ".npy", method: 0, size, compressed: size, crc, chunks };
}

async function sumOf(head: Uint8Array, chunk: Chunk, ahead: ReadAhead): Promise<number> {
  let crc = crc32(head, 0);
  if (chunk instanceof Uint8Array) return crc32(chunk, crc);
  for await (const piece of ahead.pieces(chunk)) crc = crc32(piece, crc);
  return crc;
}

/** Plan an archive of compressed arrays, which are compressed now; `signal` is checked between two pieces. */
export async function planPackedNpz(
  arrays: ReadonlyMap<string, NDArray>,
  { signal, most = KEPT }: PlanNpzOptions,
): Promise<ZipPlan> {
  const members: ZipMember[] = [], ahead = new ReadAhead([], signal);
  let room = most;
  for (const [name, array] of arrays) {
    const head = npyHead(array);
    let kept: Uint8Array[] = [], compressed = 0, crc = 0;
    const summed = (piece: Uint8Array) => crc = crc32(piece, crc);
    // The compressor must be given the same pieces both times: others may be compressed differently.
    const pack = (onPiece?: (piece: Uint8Array) => void): Turn => (pieces, signal) =>
      deflated(withHead(head, pieces), signal, onPiece);
    for await (const piece of ahead.pieces(new UnreadBytes(array, pack(summed)))) {
      compressed += piece.length;
      if (compressed <= room) kept.push(piece);
      else kept = [];
    }
    const size = head.length + array.nbytes;
    if (isTooGood(size, compressed)) {
      members.push(storedMember(name, array, head, crc));
      continue;
    }
    const isKept = compressed <= room;
    if (isKept) room -= compressed;
    const chunks = () => isKept ? kept : [new UnreadBytes(array, pack(), compressed)];
    members.push({ name: name + ".npy", method: 8, size, compressed, crc, chunks });
  }
  return await inTurns(planZip(members), signal);
}

/** Data that shrink so much are stored: readers, this one included, would take them for a zip bomb. */
function isTooGood(size: number, compressed: number): boolean {
  return size > FREE_EXPANSION && size > DEFAULT_LIMITS.maxExpansion * compressed;
}

async function* withHead(head: Uint8Array, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* pieces;
}

/** Bytes compressed at a time. */
const PIECE = 2 ** 18;

/** Compressed bytes. A piece is compressed before the next one is requested, which may reuse its buffer. */
async function* deflated(
  pieces: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
  onPiece?: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  const packer = new CompressionStream("deflate-raw") as unknown as TransformStream<Uint8Array, Uint8Array>;
  const writer = packer.writable.getWriter(), reader = packer.readable.getReader();
  const turns = new Turns(signal);
  const feed = async () => {
    for await (const chunk of pieces) {
      for (let at = 0; at < chunk.length; at += PIECE) {
        if (turns.due()) await turns.take();
        const piece = chunk.subarray(at, at + PIECE);
        onPiece?.(piece);
        await writer.write(piece);
      }
    }
    await writer.close();
  };
  const feeding = feed();
  // A failure there ends the reading here, and is reported below.
  feeding.catch((error) => writer.abort(error).catch(() => {}));
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) yield step.value;
  } catch (error) {
    await feeding;
    throw error;
  } finally {
    await reader.cancel().catch(() => {});
  }
  await feeding;
}
