/**
 * The members of an `.npz` file: a zip archive with an `.npy` file for each array.
 *
 * @module
 */
import { readNpy, type ReadNpyOptions } from "../codec/npy/read_npy.ts";
import { npyHead } from "../codec/npy/write_npy.ts";
import { planZip, type ZipMember, type ZipPlan } from "../codec/zip/write_zip.ts";
import { crc32 } from "../codec/crc32.ts";
import { FormatError, quote } from "../errors.ts";
import { joinBytes, piecesOf } from "../joined_bytes.ts";
import { Budget, type Limits } from "../limits.ts";
import { numpyArrayOf } from "../model/array_of.ts";
import type { NDArray } from "../ndarray.ts";
import { UnreadBytes } from "../unread_bytes.ts";
import { driveFrom, withPath } from "./drive_from.ts";
import type { Source } from "./source.ts";
import { SpanBytes } from "./span_bytes.ts";
import { streamOf } from "./stream_of.ts";
import { Turns } from "./turns.ts";
import { ZipFolder } from "./zip_folder.ts";
import { DeflatedSource } from "./zip_member.ts";

/** How {@linkcode readNpz} reads. */
export interface ReadNpzOptions {
  limits: Readonly<Limits>;
  float8?: ReadNpyOptions["float8"];
  copy?: boolean;
  signal?: AbortSignal;
}

/** Every array of the archive in `source`, by its name without `.npy`. */
export async function readNpz(source: Source, options: ReadNpzOptions): Promise<Map<string, NDArray>> {
  const { limits, signal, float8 } = options;
  const budget = new Budget(limits);
  const arrays = new Map<string, NDArray>();
  try {
    const zip = await ZipFolder.open(source, { limits, signal, keys: true });
    for (const file of zip.names()) {
      const name = file.endsWith(".npy") ? file.slice(0, -4) : file;
      if (arrays.has(name)) {
        throw new FormatError("DUPLICATE_KEY", `The .npz file has ${quote(name)} twice`, { at: name });
      }
      try {
        const array = await driveFrom(
          (await zip.get(file, { signal }))!,
          (cursor) => readNpy(cursor, { budget, float8 }),
          (content, borrowed) => numpyArrayOf(content, { borrowed }) as NDArray,
          // In one pass the sums of the archive are looked at.
          { signal, copy: options.copy, onePass: true, maxStreamBytes: limits.maxStreamBytes },
        );
        arrays.set(name, array);
      } catch (error) {
        throw withPath(error, file);
      }
    }
  } finally {
    await source.close?.();
  }
  return arrays;
}

/** The arrays of an archive, left in it. */
export interface OpenedNpz {
  value: Map<string, NDArray>;
  lazies: Map<NDArray, SpanBytes>;
}

/** Every array of the archive in `source`, by its name without `.npy`: only heads are read, of packed members only their beginning. */
export async function openNpzArrays(source: Source, options: ReadNpzOptions): Promise<OpenedNpz> {
  const { limits, signal, float8 } = options;
  const budget = new Budget(limits);
  const opened: OpenedNpz = { value: new Map(), lazies: new Map() };
  const zip = await ZipFolder.open(source, { limits, signal, keys: true });
  for (const file of zip.names()) {
    const name = file.endsWith(".npy") ? file.slice(0, -4) : file;
    if (opened.value.has(name)) {
      throw new FormatError("DUPLICATE_KEY", `The .npz file has ${quote(name)} twice`, { at: name });
    }
    try {
      const found = (await zip.get(file, { signal }))!;
      const member = found instanceof DeflatedSource ? found.unkept() : found;
      let left: SpanBytes | null = null;
      const array = await driveFrom(
        member,
        (cursor) => readNpy(cursor, { budget, float8, lazy: true }),
        (content, borrowed) =>
          numpyArrayOf(content, {
            borrowed,
            lazy: (span, finish, from) => left = new SpanBytes(member, span, finish, from),
          }) as NDArray,
        { signal, lazy: true },
      );
      opened.value.set(name, array);
      if (left) opened.lazies.set(array, left);
    } catch (error) {
      throw withPath(error, file);
    }
  }
  return opened;
}

/**
 * Plan an archive of stored arrays: their bytes are not copied. An array that lies in a file is read once for its sum, which the archive has
 * before it, and once more when it is written; it is never held whole.
 */
export async function planNpz(arrays: ReadonlyMap<string, NDArray>, signal?: AbortSignal): Promise<ZipPlan> {
  const members: ZipMember[] = [];
  for (const [name, array] of arrays) {
    const head = npyHead(array);
    const size = head.length + array.nbytes;
    const crc = array.unread ? await sumOf(head, array, signal) : undefined;
    const chunks = () => [head, array.unread ? new UnreadBytes(array) : array.bytes];
    members.push({ name: name + ".npy", method: 0, size, compressed: size, crc, chunks });
  }
  return planZip(members);
}

async function sumOf(head: Uint8Array, array: NDArray, signal?: AbortSignal): Promise<number> {
  let crc = crc32(head, 0);
  for await (const piece of piecesOf(array.unread!, 0, array.nbytes, { signal })) crc = crc32(piece, crc);
  return crc;
}

/** Plan an archive of packed arrays, which are packed now; `signal` is looked at between two pieces. */
export async function planPackedNpz(arrays: ReadonlyMap<string, NDArray>, signal?: AbortSignal): Promise<ZipPlan> {
  const members: ZipMember[] = [];
  for (const [name, array] of arrays) {
    const head = npyHead(array);
    const { bytes, crc } = await deflate(head, array, signal);
    const size = head.length + array.nbytes;
    members.push({ name: name + ".npy", method: 8, size, compressed: bytes.length, crc, chunks: () => [bytes] });
  }
  return planZip(members);
}

/** Bytes that are packed at a time. */
const PIECE = 2 ** 18;

async function deflate(
  head: Uint8Array,
  array: NDArray,
  signal?: AbortSignal,
): Promise<{ bytes: Uint8Array; crc: number }> {
  const packed: Uint8Array[] = [], turns = new Turns(signal);
  let crc = 0;
  const stream = streamOf(async function* () {
    for await (const chunk of chunksOf(head, array, signal)) {
      for (let at = 0; at < chunk.length; at += PIECE) {
        if (turns.due()) await turns.take();
        const piece = chunk.subarray(at, at + PIECE);
        crc = crc32(piece, crc);
        yield piece;
      }
    }
  });
  const packer = new CompressionStream("deflate-raw") as unknown as TransformStream<Uint8Array, Uint8Array>;
  const reader = stream.pipeThrough(packer).getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) packed.push(step.value);
  return { bytes: joinBytes(packed), crc };
}

async function* chunksOf(head: Uint8Array, array: NDArray, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  yield head;
  yield* piecesOf(array.unread ?? array.bytes, 0, array.nbytes, { signal });
}
