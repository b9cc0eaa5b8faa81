/**
 * Writes zip archives (APPNOTE 4.3), with zip64 fields where needed.
 *
 * @module
 */
import { ValueError } from "../../errors.ts";
import { StepPace } from "../../words/steps.ts";
import type { Chunk } from "../../words/unread_bytes.ts";
import { crc32InSteps } from "../crc32.ts";
import {
  DIRECTORY_ENTRY,
  DIRECTORY_ENTRY_SIZE,
  END,
  END_SIZE,
  IN_ZIP64,
  IN_ZIP64_COUNT,
  LOCAL_HEADER,
  LOCAL_HEADER_SIZE,
  UTF8_NAME,
  ZIP64_END,
  ZIP64_END_SIZE,
  ZIP64_FIELD,
  ZIP64_LOCATOR,
  ZIP64_LOCATOR_SIZE,
} from "./zip_layout.ts";

/** A file to be put into an archive. */
export interface ZipMember {
  name: string;
  /** 0 stored, 8 deflated. */
  method: 0 | 8;
  /** Size of the file in bytes. */
  size: number;
  /** Its size in the archive. */
  compressed: number;
  /** CRC-32 of the file. May be omitted for a stored file without stand-ins, in which case it is computed from the chunks. */
  crc?: number;
  /** Its bytes as stored in the archive, starting over with each call. */
  chunks: () => Iterable<Chunk>;
}

/** An archive ready to be written: its size is known before its first byte. */
export interface ZipPlan {
  size: number;
  chunks(): Generator<Chunk, void>;
}

/** Format versions that a reader needs: for folders and deflate, and for zip64 (4.4.3). */
const VERSION = 20, ZIP64_VERSION = 45;
/** Made on Unix: the external attributes hold a file mode (4.4.2). */
const UNIX = 0x0300;
/** 1980-01-01, the earliest date of the format; being constant, it makes equal content give equal bytes. */
const DATE = 0x21;

/** Plan an archive of `members`, in this order; in steps, between which other work may run. */
export function* planZip(members: readonly ZipMember[]): Generator<void, ZipPlan> {
  const placed: { member: ZipMember; name: Uint8Array; at: number }[] = [];
  let at = 0, directory = 0;
  const pace = new StepPace();
  for (const member of members) {
    if (pace.isDue(16)) yield;
    const name = new TextEncoder().encode(member.name);
    if (name.length > 0xffff) {
      throw new ValueError("INVALID_VALUE", "A name in a zip archive has at most 65,535 bytes", { at: member.name });
    }
    placed.push({ member, name, at });
    directory += centralHeader(member, name, at, 0).length;
    at += localHeader(member, name, 0).length + member.compressed;
  }
  const end = endRecords(members.length, directory, at);
  return {
    size: at + directory + end.length,
    *chunks() {
      const sums: number[] = [];
      for (const { member, name } of placed) {
        const crc = member.crc ?? (yield* sumOf(member));
        sums.push(crc);
        yield localHeader(member, name, crc);
        yield* member.chunks();
      }
      for (const [i, { member, name, at }] of placed.entries()) yield centralHeader(member, name, at, sums[i]);
      yield end;
    },
  };
}

const NOTHING = new Uint8Array(0);

/** The checksum of a member in memory. Yields empty chunks on the way, so that other work may run. */
function* sumOf(member: ZipMember): Generator<Chunk, number> {
  let crc = 0;
  for (const chunk of member.chunks() as Iterable<Uint8Array>) {
    const steps = crc32InSteps(chunk, crc);
    let step = steps.next();
    for (; !step.done; step = steps.next()) yield NOTHING;
    crc = step.value;
  }
  return crc;
}

function localHeader({ method, size, compressed }: ZipMember, name: Uint8Array, crc: number): Uint8Array {
  const isLong = size >= IN_ZIP64 || compressed >= IN_ZIP64;
  const out = new Fields(LOCAL_HEADER_SIZE + name.length + (isLong ? 20 : 0));
  out.u32(LOCAL_HEADER).u16(isLong ? ZIP64_VERSION : VERSION).u16(UTF8_NAME).u16(method).u16(0).u16(DATE).u32(crc);
  out.u32(isLong ? IN_ZIP64 : compressed).u32(isLong ? IN_ZIP64 : size).u16(name.length).u16(isLong ? 20 : 0).put(name);
  if (isLong) out.u16(ZIP64_FIELD).u16(16).u64(size).u64(compressed);
  return out.bytes;
}

function centralHeader(member: ZipMember, name: Uint8Array, at: number, crc: number): Uint8Array {
  const { method, size, compressed } = member;
  const isLong = size >= IN_ZIP64 || compressed >= IN_ZIP64, isFar = at >= IN_ZIP64;
  const extra = (isLong ? 16 : 0) + (isFar ? 8 : 0);
  const out = new Fields(DIRECTORY_ENTRY_SIZE + name.length + (extra > 0 ? 4 + extra : 0));
  const version = extra > 0 ? ZIP64_VERSION : VERSION;
  out.u32(DIRECTORY_ENTRY).u16(UNIX | version).u16(version).u16(UTF8_NAME).u16(method).u16(0).u16(DATE).u32(crc);
  out.u32(isLong ? IN_ZIP64 : compressed).u32(isLong ? IN_ZIP64 : size).u16(name.length).u16(extra > 0 ? 4 + extra : 0);
  // No comment, the first disk, a regular file that its owner may write.
  out.u16(0).u16(0).u16(0).u32(0o100600 * 0x10000).u32(isFar ? IN_ZIP64 : at).put(name);
  if (extra > 0) out.u16(ZIP64_FIELD).u16(extra);
  if (isLong) out.u64(size).u64(compressed);
  if (isFar) out.u64(at);
  return out.bytes;
}

function endRecords(count: number, size: number, at: number): Uint8Array {
  const isLong = count >= IN_ZIP64_COUNT || size >= IN_ZIP64 || at >= IN_ZIP64;
  const out = new Fields(END_SIZE + (isLong ? ZIP64_END_SIZE + ZIP64_LOCATOR_SIZE : 0));
  if (isLong) {
    out.u32(ZIP64_END).u64(44).u16(UNIX | ZIP64_VERSION).u16(ZIP64_VERSION).u32(0).u32(0).u64(count).u64(count).u64(
      size,
    ).u64(at);
    out.u32(ZIP64_LOCATOR).u32(0).u64(at + size).u32(1);
  }
  const short = Math.min(count, IN_ZIP64_COUNT);
  out.u32(END).u16(0).u16(0).u16(short).u16(short).u32(Math.min(size, IN_ZIP64)).u32(Math.min(at, IN_ZIP64)).u16(0);
  return out.bytes;
}

/** Writes consecutive little-endian numbers. */
class Fields {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(length: number) {
    const buffer = new ArrayBuffer(length);
    this.bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }

  u16(value: number): this {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
    return this;
  }

  u64(value: number): this {
    return this.u32(value % 2 ** 32).u32(Math.floor(value / 2 ** 32));
  }

  put(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }
}
