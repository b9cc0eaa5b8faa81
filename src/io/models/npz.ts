/**
 * The members of an `.npz` file: a zip archive with one `.npy` file per array.
 *
 * @module
 */
import { readNpy, type ReadNpyOptions } from "../../codec/npy/read_npy.ts";
import { npyHead } from "../../codec/npy/write_npy.ts";
import { planZip, type ZipMember, type ZipPlan } from "../../codec/zip/write_zip.ts";
import { crc32 } from "../../codec/crc32.ts";
import { FormatError, isPaddleError, quote } from "../../errors.ts";
import { Budget, DEFAULT_LIMITS, type Limits } from "../../limits.ts";
import { numpyArrayOf } from "../../model/array_of.ts";
import type { NDArray, PieceOptions } from "../../ndarray.ts";
import { type Chunk, type Turn, UnreadBytes } from "../../words/unread_bytes.ts";
import { driveFrom, withPath } from "../drive/drive_from.ts";
import { type ProgressEvent, progressOfFiles } from "../progress.ts";
import type { Source } from "../source.ts";
import { ReadAhead } from "../save/read_ahead.ts";
import { type ReadOptions, scratchOf, SpanBytes, type SpanParts } from "../lazy/span_bytes.ts";
import { inTurns, Turns } from "../waiting/turns.ts";
import { ZipFolder } from "../archives/zip_folder.ts";
import { FREE_EXPANSION } from "../archives/inflate.ts";
import { DeflatedSource } from "../archives/zip_member.ts";

/** How {@linkcode readNpz} reads. */
export interface ReadNpzOptions {
  limits: Readonly<Limits>;
  float8?: ReadNpyOptions["float8"];
  copy?: boolean;
  signal?: AbortSignal;
  onProgress?: (event: ProgressEvent) => void;
}

/** Every array of the archive in `source`, by its name without `.npy`. */
export async function readNpz(source: Source, options: ReadNpzOptions): Promise<Map<string, NDArray>> {
  const { limits, signal, float8, copy } = options, { maxStreamBytes } = limits;
  const progress = progressOfFiles(options.onProgress, "load"), onProgress = progress?.onProgress;
  const budget = new Budget(limits);
  const arrays = new Map<string, NDArray>();
  try {
    const zip = await ZipFolder.open(source, { limits, signal, keys: true });
    const turns = new Turns(signal);
    for (const file of zip.names()) {
      if (turns.due()) await turns.take();
      const name = file.endsWith(".npy") ? file.slice(0, -4) : file;
      if (arrays.has(name)) {
        throw new FormatError("DUPLICATE_KEY", `The .npz file has ${quote(name)} twice`, { at: name });
      }
      try {
        const array = await driveFrom(
          (await zip.get(file, { signal }))!,
          (cursor) => readNpy(cursor, { budget, float8 }),
          (content, borrowed) => numpyArrayOf(content, { borrowed }) as NDArray,
          // In one pass the archive's checksums are verified.
          { signal, onProgress, copy, onePass: true, maxStreamBytes, name },
        );
        arrays.set(name, array);
      } catch (error) {
        throw withPath(await damageOf(error, zip, file), file);
      }
    }
    await progress?.end();
  } finally {
    await source.close?.();
  }
  return arrays;
}

/**
 * If a member of up to this many bytes cannot be read, it is decompressed to the end, to see whether that works and its checksum is right.
 */
const PROVED = 2 ** 20;

/** Why a member cannot be read: if the archive itself is damaged there, that is the reason, however far reading got. */
async function damageOf(error: unknown, zip: ZipFolder, file: string): Promise<unknown> {
  if (!isPaddleError(error) || error.name === "SourceError" || error.code === "HASH_MISMATCH") return error;
  const member = await zip.get(file).catch(() => null);
  if (!member?.readAll || member.size > PROVED) return error;
  const reader = member.readAll().getReader();
  try {
    while (!(await reader.read()).done);
  } catch (later) {
    if (later instanceof FormatError) return later;
  }
  return error;
}

/** The arrays of an archive, left unread. */
export interface OpenedNpz {
  value: Map<string, NDArray>;
  lazies: Map<NDArray, SpanBytes>;
}

/**
 * Every array of the archive in `source`, by its name without `.npy`: only headers are read, and only the beginning of compressed members.
 */
export async function openNpzArrays(source: Source, options: ReadNpzOptions): Promise<OpenedNpz> {
  const { limits, signal, float8 } = options;
  const progress = progressOfFiles(options.onProgress, "load"), onProgress = progress?.onProgress;
  const budget = new Budget(limits);
  const opened: OpenedNpz = { value: new Map(), lazies: new Map() };
  const zip = await ZipFolder.open(source, { limits, signal, keys: true });
  const turns = new Turns(signal);
  for (const file of zip.names()) {
    if (turns.due()) await turns.take();
    const name = file.endsWith(".npy") ? file.slice(0, -4) : file;
    if (opened.value.has(name)) {
      throw new FormatError("DUPLICATE_KEY", `The .npz file has ${quote(name)} twice`, { at: name });
    }
    try {
      const found = (await zip.get(file, { signal }))!;
      const member = found instanceof DeflatedSource ? found.unkept() : found;
      const lazily = (...parts: SpanParts) =>
        found instanceof DeflatedSource ? new PackedBytes(found, member, ...parts) : new SpanBytes(member, ...parts);
      let left: SpanBytes | null = null;
      const array = await driveFrom(
        member,
        (cursor) => readNpy(cursor, { budget, float8, lazy: true }),
        (content, borrowed) =>
          numpyArrayOf(content, {
            borrowed,
            lazy: (span, finish, from) => left = lazily(span, finish, from),
          }) as NDArray,
        { signal, onProgress, lazy: true, name },
      );
      opened.value.set(name, array);
      if (left) opened.lazies.set(array, left);
    } catch (error) {
      throw withPath(await damageOf(error, zip, file), file);
    }
  }
  await progress?.end();
  return opened;
}

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
    const size = head.length + array.nbytes;
    const chunks = () => [head, array.unread ? new UnreadBytes(array) : array.bytes];
    if (turns.due()) await turns.take();
    const crc = array.unread ? await sumOf(head, (await ahead.next())!, ahead) : undefined;
    members.push({ name: name + ".npy", method: 0, size, compressed: size, crc, chunks });
  }
  return await inTurns(planZip(members), signal);
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
      const chunks = () => [head, array.unread ? new UnreadBytes(array) : array.bytes];
      members.push({ name: name + ".npy", method: 0, size, compressed: size, crc, chunks });
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

/** A compressed array: it is decompressed from its beginning, once for all of its pieces, and not cached. */
class PackedBytes extends SpanBytes {
  readonly #member: DeflatedSource;

  constructor(member: DeflatedSource, source: Source, ...rest: SpanParts) {
    super(source, ...rest);
    this.#member = member;
  }

  /** Null: reading at an offset costs everything before it. */
  override get plainOffset(): null {
    return null;
  }

  override async readRange(from: number, to: number, options?: ReadOptions): Promise<Uint8Array> {
    return super.plainOffset === null
      ? await super.readRange(from, to, options)
      : await this.fill(from, new Uint8Array(to - from), options);
  }

  protected override async *stored(
    from: number,
    to: number,
    { signal, scratch }: PieceOptions,
  ): AsyncGenerator<Uint8Array> {
    const { offset } = this.span;
    const room = () => scratchOf(scratch, 0, Math.min(PIECE, offset + to - next));
    let next = offset + from, buffer = room(), filled = 0, at = 0;
    for await (const chunk of this.#member.unpacked(signal)) {
      let part = chunk.subarray(Math.max(0, next - at), Math.max(0, offset + to - at));
      at += chunk.length;
      while (part.length > 0) {
        const n = Math.min(part.length, buffer.length - filled);
        buffer.set(part.subarray(0, n), filled);
        filled += n;
        next += n;
        part = part.subarray(n);
        if (filled < buffer.length && next < offset + to) continue;
        yield buffer.subarray(0, filled);
        buffer = room();
        filled = 0;
      }
      // Reading to the end verifies the checksum.
      if (next >= offset + to && offset + to < this.source.size) return;
    }
  }
}
