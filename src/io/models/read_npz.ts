/**
 * Reads the arrays of an `.npz` file: a zip archive with one `.npy` file per array.
 *
 * @module
 */
import { readAnyNpy, readNpy, type ReadNpyOptions } from "../../codec/npy/read_npy.ts";
import { FormatError, isPaddleError, quote, UnsupportedError } from "../../errors.ts";
import { Budget, type Limits } from "../../limits.ts";
import { numpyArrayOf } from "../../model/array_of.ts";
import type { NDArray, PieceOptions } from "../../ndarray.ts";
import { allocate } from "../../words/allocate.ts";
import { driveFrom, withPath } from "../drive/drive_from.ts";
import { type ProgressEvent, progressOfFiles } from "../progress.ts";
import type { Source } from "../source.ts";
import { type ReadOptions, scratchOf, SpanBytes, type SpanParts } from "../lazy/span_bytes.ts";
import { RefusedArray } from "../../words/refused_array.ts";
import { Turns } from "../waiting/turns.ts";
import { readFully } from "../sources/read_fully.ts";
import type { ZipOptions } from "../archives/zip_directory.ts";
import { ZipFolder } from "../archives/zip_folder.ts";
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
    const zip = await openZip(source, { limits, signal, keys: true });
    const turns = new Turns(signal);
    for (const file of zip.names()) {
      if (turns.due()) await turns.take();
      const name = arrayName(file, arrays);
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
        throw inArchive(await damageOf(error, zip, file), file);
      }
    }
    await progress?.end();
  } finally {
    await source.close?.();
  }
  return arrays;
}

async function openZip(source: Source, options: ZipOptions): Promise<ZipFolder> {
  try {
    return await ZipFolder.open(source, options);
  } catch (error) {
    if (!isPaddleError(error) || error.code !== "TRUNCATED" || source.size < 2) throw error;
    const [p, k] = await readFully(source, 0, new Uint8Array(2), options.signal);
    // An archive whose end is missing begins as one.
    if (p === 0x50 && k === 0x4b) throw error;
    throw new FormatError("WRONG_FORMAT", "This is not an .npz file: it neither begins nor ends as a zip archive", {
      offset: 0,
      cause: error,
    });
  }
}

/** The name of the array in `file`, which must be another than those of `known`. */
function arrayName(file: string, known: ReadonlyMap<string, unknown>): string {
  const name = file.endsWith(".npy") ? file.slice(0, -4) : file;
  if (!known.has(name)) return name;
  throw new FormatError("DUPLICATE_KEY", `The .npz file has ${quote(name)} twice`, { at: name });
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

/** The error for `file`, with the way to the other arrays if it holds what no array here can hold, such as strings. */
function inArchive(error: unknown, file: string): unknown {
  if (!(error instanceof UnsupportedError) || error.code !== "UNSUPPORTED_DTYPE") return withPath(error, file);
  return refused(error, file, "openNpz reads the other arrays of the archive one by one");
}

function refused(cause: UnsupportedError, file: string, hint?: string): UnsupportedError {
  const { message, offset, actual } = cause, at = file.replace(/\.npy$/, "");
  return new UnsupportedError("UNSUPPORTED_DTYPE", message, { offset, actual, path: file, at, hint, cause });
}

/** Bytes of a member that are read first: enough for the header of most arrays. */
const HEADER = 256;

/** The arrays of an archive, left unread. */
export interface OpenedNpz {
  /** Those of dtypes that no array here can have are RefusedArrays. */
  value: Map<string, NDArray | RefusedArray>;
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
  const zip = await openZip(source, { limits, signal, keys: true });
  const turns = new Turns(signal);
  for (const file of zip.names()) {
    if (turns.due()) await turns.take();
    const name = arrayName(file, opened.value);
    try {
      const found = (await zip.get(file, { signal }))!;
      const member = found instanceof DeflatedSource ? found.unkept() : found;
      const lazily = (...parts: SpanParts) =>
        found instanceof DeflatedSource ? new PackedBytes(found, member, ...parts) : new SpanBytes(member, ...parts);
      let left: SpanBytes | null = null;
      const array = await driveFrom(
        member,
        (cursor) => readAnyNpy(cursor, { budget, float8, lazy: true }),
        (content, borrowed) =>
          content instanceof RefusedArray ? content : numpyArrayOf(content, {
            borrowed,
            lazy: (span, finish, from) => left = lazily(span, finish, from),
          }) as NDArray,
        { signal, onProgress, lazy: true, name, window: HEADER },
      );
      opened.value.set(
        name,
        array instanceof RefusedArray
          ? new RefusedArray(array.dtype, array.shape, refused(array.refusal, file))
          : array,
      );
      if (left) opened.lazies.set(array as NDArray, left);
    } catch (error) {
      throw inArchive(await damageOf(error, zip, file), file);
    }
  }
  await progress?.end();
  return opened;
}

/** Bytes of a compressed array that are given at a time. */
const PIECE = 2 ** 18;

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
    if (super.plainOffset === null) return await super.readRange(from, to, options);
    const bytes = await this.fill(from, allocate(to - from), options);
    await this.verify(options);
    return bytes;
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
