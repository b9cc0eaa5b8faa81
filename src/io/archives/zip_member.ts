/**
 * One file of a zip archive, as a source.
 *
 * @module
 */
import { crc32, crc32InSteps } from "../../codec/crc32.ts";
import { FormatError, quote } from "../../errors.ts";
import { sameBytes } from "../../words/same_bytes.ts";
import type { Limits } from "../../limits.ts";
import { BytesSource } from "../sources/bytes_source.ts";
import { checkExpansion, inflate, type InflateOptions } from "./inflate.ts";
import { PartSource, piecesOf } from "../sources/part_source.ts";
import { readFully } from "../sources/read_fully.ts";
import { RunningSum } from "./running_sum.ts";
import type { Source } from "../source.ts";
import { joinInTurns } from "../streams/join_in_turns.ts";
import { streamOf } from "../streams/stream_of.ts";
import { inTurns } from "../waiting/turns.ts";
import { readZip64, type ZipEntry } from "./zip_directory.ts";
import { ENCRYPTED, LOCAL_HEADER, LOCAL_HEADER_SIZE, SIZES_FOLLOW } from "../../codec/zip/zip_layout.ts";

/**
 * Open a member: its local header must agree with the directory (RULES.md PATH-8).
 *
 * @throws {FormatError} `BAD_FIELD`, `SIZE_MISMATCH`, `BAD_LENGTH`
 */
export async function openZipMember(
  source: Source,
  entry: ZipEntry,
  limits: Readonly<Limits>,
  signal?: AbortSignal,
): Promise<Source> {
  const { name, size, compressed, method } = entry;
  const start = await dataStart(source, entry, signal);
  if (start + compressed > entry.end) {
    throw new FormatError("BAD_LENGTH", `${quote(name)} reaches beyond byte ${entry.end} of the zip archive`, {
      offset: entry.offset,
      path: name,
    });
  }
  if (method === 0) {
    if (!source.view) return new StoredSource(source, start, size, entry);
    // In memory, checking the sum now is cheaper than updating it with every read.
    checkSum(await inTurns(crc32InSteps(source.view(start, size)), signal), entry);
    return new PartSource(source, start, size, name);
  }
  const options: InflateOptions = { format: "deflate-raw", compressed, limits, offset: start, name };
  checkExpansion(size, options);
  return new DeflatedSource(source, start, entry, options);
}

async function dataStart(source: Source, entry: ZipEntry, signal?: AbortSignal): Promise<number> {
  const { offset, name, nameBytes } = entry;
  const fixed = await readFully(source, offset, new Uint8Array(LOCAL_HEADER_SIZE), signal);
  const view = new DataView(fixed.buffer, fixed.byteOffset, LOCAL_HEADER_SIZE);
  const nameLength = view.getUint16(26, true), extraLength = view.getUint16(28, true);
  const start = offset + LOCAL_HEADER_SIZE + nameLength + extraLength;
  if (view.getUint32(0, true) !== LOCAL_HEADER || start > entry.end) throw differs(entry);
  const rest = await readFully(source, offset + LOCAL_HEADER_SIZE, new Uint8Array(nameLength + extraLength), signal);
  const flags = view.getUint16(6, true);
  if (!sameBytes(rest.subarray(0, nameLength), nameBytes)) throw differs(entry);
  if (view.getUint16(8, true) !== entry.method || (flags & ENCRYPTED) !== 0) throw differs(entry);
  // The checksum and sizes may follow the data; then they are zero here.
  const isLate = (flags & SIZES_FOLLOW) !== 0;
  const crc = view.getUint32(14, true);
  const sizes = readZip64(rest.subarray(nameLength), offset, [view.getUint32(22, true), view.getUint32(18, true)]);
  if (crc !== entry.crc && !(isLate && crc === 0)) throw differs(entry);
  if (sizes.some((n, i) => n !== [entry.size, entry.compressed][i] && !(isLate && n === 0))) {
    throw new FormatError(
      "SIZE_MISMATCH",
      `${quote(name)} has different sizes in its own header and in the zip directory`,
      {
        offset,
        path: name,
        expected: [entry.size, entry.compressed],
        actual: sizes,
      },
    );
  }
  return start;
}

function differs({ offset, name }: ZipEntry): FormatError {
  return new FormatError(
    "BAD_FIELD",
    `The header of ${quote(name)} at byte ${offset} does not match the zip directory`,
    {
      offset,
      path: name,
    },
  );
}

function checkSum(crc: number, { offset, name, crc: expected }: ZipEntry): void {
  if (crc === expected) return;
  throw new FormatError("HASH_MISMATCH", `${quote(name)} does not match its CRC-32 in the zip archive`, {
    offset,
    path: name,
    expected,
    actual: crc,
  });
}

/** A member that is stored uncompressed. Once all of its bytes were read, roughly in order, its CRC-32 is verified. */
class StoredSource extends PartSource {
  readonly #entry: ZipEntry;
  #sum = new RunningSum();
  /** Of all bytes; null until they were read. If it is wrong, every later read fails, too. */
  #crc: number | null = null;

  constructor(source: Source, offset: number, size: number, entry: ZipEntry) {
    super(source, offset, size, entry.name);
    this.#entry = entry;
    const now = this.readSync;
    if (now) {
      this.readSync = (at, into) => {
        const n = now(at, into);
        this.#add(at, into.subarray(0, n));
        return n;
      };
    }
  }

  override async read(offset: number, into: Uint8Array, options?: { signal?: AbortSignal }): Promise<number> {
    const n = await super.read(offset, into, options);
    this.#add(offset, into.subarray(0, n));
    return n;
  }

  /** All bytes, with the CRC-32 verified. */
  readAll(): ReadableStream<Uint8Array> {
    return streamOf((signal) => this.#pieces(signal));
  }

  async *#pieces(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (this.#crc !== null) checkSum(this.#crc, this.#entry);
    this.#sum = new RunningSum();
    this.#crc = null;
    yield* piecesOf(this, 0, this.size, signal);
    if (this.size === 0) checkSum(0, this.#entry);
  }

  #add(offset: number, bytes: Uint8Array): void {
    this.#crc ??= this.#sum.add(offset, bytes, this.size);
    if (this.#crc !== null) checkSum(this.#crc, this.#entry);
  }
}

/** A compressed member: one pass decompresses it on the fly; a read at an offset decompresses it whole, once. */
export class DeflatedSource implements Source {
  readonly size: number;
  readonly name: string;
  readonly #source: Source;
  readonly #start: number;
  readonly #entry: ZipEntry;
  readonly #options: InflateOptions;
  #whole: Promise<BytesSource> | null = null;

  constructor(source: Source, start: number, entry: ZipEntry, options: InflateOptions) {
    this.#source = source;
    this.#start = start;
    this.#entry = entry;
    this.#options = options;
    this.size = entry.size;
    this.name = entry.name;
  }

  async read(offset: number, into: Uint8Array, _options?: { signal?: AbortSignal }): Promise<number> {
    // A failed attempt is not cached: the next read tries again.
    this.#whole ??= this.#unpack().catch((error) => {
      this.#whole = null;
      throw error;
    });
    return (await this.#whole).readSync(offset, into);
  }

  /** All bytes in one pass. */
  readAll(): ReadableStream<Uint8Array> {
    return streamOf((signal) => this.unpacked(signal));
  }

  /** The same member without a cache: each read decompresses it from the beginning, no further than requested. */
  unkept(): Source {
    return {
      size: this.size,
      name: this.name,
      read: (offset, into, options) => this.#readUnkept(offset, into, options?.signal),
      verify: () => this.verify(),
    };
  }

  /** Check that the archive has not changed. */
  async verify(): Promise<void> {
    await this.#source.verify?.();
  }

  async #readUnkept(offset: number, into: Uint8Array, signal?: AbortSignal): Promise<number> {
    let at = 0, filled = 0;
    for await (const chunk of this.unpacked(signal)) {
      const from = Math.max(0, offset + filled - at);
      if (from < chunk.length) {
        const part = chunk.subarray(from, from + into.length - filled);
        into.set(part, filled);
        filled += part.length;
      }
      at += chunk.length;
      // Reading to the end verifies the sum.
      if (filled === into.length && offset + filled < this.size) break;
    }
    return filled;
  }

  async #unpack(): Promise<BytesSource> {
    // The size is only a claim, bounded by maxExpansion; memory is allocated as bytes arrive.
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.unpacked()) chunks.push(chunk);
    return new BytesSource(await joinInTurns(chunks), this.name);
  }

  /** All bytes as they are decompressed, with the CRC-32 verified at the end. */
  async *unpacked(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const start = this.#start, entry = this.#entry;
    let crc = 0, size = 0;
    const packed = (stop: AbortSignal) => piecesOf(this.#source, start, start + entry.compressed, stop);
    for await (const chunk of inflate(packed, { ...this.#options, signal })) {
      size += chunk.length;
      if (size > entry.size) throw this.#wrongSize(size);
      crc = crc32(chunk, crc);
      yield chunk;
    }
    if (size !== entry.size) throw this.#wrongSize(size);
    checkSum(crc, entry);
  }

  #wrongSize(actual: number): FormatError {
    const { name, size, offset } = this.#entry;
    return new FormatError("SIZE_MISMATCH", `${quote(name)} does not unpack to ${size} bytes`, {
      offset,
      path: name,
      expected: size,
      actual,
    });
  }
}
