/**
 * The central directory of a zip archive (APPNOTE 4.3 and 4.4): the list of its members, at the end of the file.
 *
 * @module
 */
import { FormatError, PathError, quote, UnsupportedError } from "../../errors.ts";
import { Budget, type Limits } from "../../limits.ts";
import { sameBytes } from "../../words/same_bytes.ts";
import { textFromUtf8 } from "../../words/utf8.ts";
import {
  DIRECTORY_ENTRY,
  DIRECTORY_ENTRY_SIZE,
  ENCRYPTED,
  END,
  END_SIZE,
  IN_ZIP64,
  IN_ZIP64_COUNT,
  LOCAL_HEADER_SIZE,
  ZIP64_END,
  ZIP64_END_SIZE,
  ZIP64_FIELD,
  ZIP64_LOCATOR,
  ZIP64_LOCATOR_SIZE,
} from "../../codec/zip/zip_layout.ts";
import { ArchiveNames } from "./archive_names.ts";
import { readFully } from "../sources/read_fully.ts";
import type { Source } from "../source.ts";
import { Turns } from "../waiting/turns.ts";

/** A file in the archive as the directory describes it; every number is unverified. */
export interface ZipEntry {
  readonly name: string;
  /** The name as stored. */
  readonly nameBytes: Uint8Array;
  readonly flags: number;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly crc: number;
  /** Compressed size in bytes. */
  readonly compressed: number;
  /** Size of the file in bytes. */
  readonly size: number;
  /** Offset of its local header. */
  readonly offset: number;
  /** Offset of what follows: the member must not extend beyond it. */
  end: number;
}

/** How an archive is read. */
export interface ZipOptions {
  limits: Readonly<Limits>;
  /** Names are keys, not paths. @default {false} */
  keys?: boolean;
  signal?: AbortSignal;
}

/** The "made by" value (4.4.2) of entries whose external attributes hold a Unix mode. */
const MADE_ON_UNIX = 3;
/** That of Windows, where some writers, such as PowerShell 5, separate folders by backslashes, as unzip knows. */
const MADE_ON_DOS = 0;
/** File types of a Unix mode, as in stat.h. */
const DIRECTORY = 0x4, FILE = 0x8, LINK = 0xa;

interface DirectoryEnd {
  count: number;
  size: number;
  offset: number;
  /** Offset at which the directory has to end. */
  at: number;
}

/** Read the directory of `source`. */
export async function readZipDirectory(source: Source, options: ZipOptions): Promise<ArchiveNames<ZipEntry>> {
  const end = await findEnd(source, options.signal);
  const budget = new Budget(options.limits);
  budget.check("maxEntries", end.count, end.at);
  if (end.offset + end.size > end.at) {
    throw new FormatError(
      "BAD_LENGTH",
      `The directory of the zip archive claims ${end.size} bytes from byte ${end.offset} on, but ends at ${end.at}`,
      { offset: end.at, actual: end.size },
    );
  }
  if (end.offset + end.size < end.at) {
    throw new FormatError(
      "BAD_FIELD",
      `Bytes lie between the directory of the zip archive and its end (byte ${end.at})`,
      {
        offset: end.at,
      },
    );
  }
  budget.charge(end.size, end.offset);
  const bytes = await readFully(source, end.offset, new Uint8Array(end.size), options.signal);
  const names = new ArchiveNames<ZipEntry>(options);
  let count = 0;
  const entries: ZipEntry[] = [];
  const turns = new Turns(options.signal);
  for (let at = 0; at < bytes.length; count++) {
    if (turns.due()) await turns.take();
    const record = recordAt(bytes, at, end.offset);
    const entry = addEntry(record, names, options.keys);
    if (entry) entries.push(entry);
    at += record.length;
  }
  if (count !== end.count) {
    throw new FormatError("COUNT_MISMATCH", `The zip archive counts ${end.count} members and lists ${count}`, {
      offset: end.at,
      expected: end.count,
      actual: count,
    });
  }
  setEnds(entries, end.offset);
  return names;
}

/** The end record is the last thing in the file; its comment, of up to 64 KiB, extends to the last byte. */
async function findEnd(source: Source, signal?: AbortSignal): Promise<DirectoryEnd> {
  const length = Math.min(source.size, END_SIZE + 0xffff + ZIP64_LOCATOR_SIZE);
  const start = source.size - length;
  const bytes = await readFully(source, start, new Uint8Array(length), signal);
  const view = new DataView(bytes.buffer);
  let early = -1;
  for (let p = length - END_SIZE; p >= 0; p--) {
    if (view.getUint32(p, true) !== END) continue;
    const end = p + END_SIZE + view.getUint16(p + 20, true);
    if (end === length) return await readEnd(source, view, p, start, signal);
    if (end < length && early < 0) early = start + end;
  }
  if (early >= 0) {
    throw new FormatError("TRAILING_DATA", `Bytes follow the zip archive at byte ${early}`, { offset: early });
  }
  throw new FormatError("TRUNCATED", "The zip archive lacks its end record. The download is probably incomplete.", {
    offset: source.size,
  });
}

async function readEnd(
  source: Source,
  view: DataView,
  p: number,
  start: number,
  signal?: AbortSignal,
): Promise<DirectoryEnd> {
  const at = start + p;
  const disks = [view.getUint16(p + 4, true), view.getUint16(p + 6, true)];
  const count = view.getUint16(p + 10, true);
  const end: DirectoryEnd = { count, size: view.getUint32(p + 12, true), offset: view.getUint32(p + 16, true), at };
  if (p >= ZIP64_LOCATOR_SIZE && view.getUint32(p - ZIP64_LOCATOR_SIZE, true) === ZIP64_LOCATOR) {
    return await readEnd64(source, u64(view, p - ZIP64_LOCATOR_SIZE + 8), at - ZIP64_LOCATOR_SIZE, end, signal);
  }
  if (disks.some((disk) => disk !== 0) || view.getUint16(p + 8, true) !== count) throw severalDisks(at);
  return end;
}

/** Read the end record of an archive with more members or bytes than 16 and 32 bits can express (APPNOTE 4.3.14). */
async function readEnd64(
  source: Source,
  at: number,
  before: number,
  short: DirectoryEnd,
  signal?: AbortSignal,
): Promise<DirectoryEnd> {
  if (at + ZIP64_END_SIZE > before) {
    throw new FormatError("BAD_FIELD", `The zip64 end record cannot lie at byte ${at}`, {
      offset: before,
      actual: at,
    });
  }
  const view = new DataView((await readFully(source, at, new Uint8Array(ZIP64_END_SIZE), signal)).buffer);
  if (view.getUint32(0, true) !== ZIP64_END || at + 12 + u64(view, 4) !== before) {
    throw new FormatError("BAD_FIELD", `There is no zip64 end record at byte ${at}`, { offset: at });
  }
  const count = u64(view, 32);
  if (view.getUint32(16, true) !== 0 || view.getUint32(20, true) !== 0 || u64(view, 24) !== count) {
    throw severalDisks(at);
  }
  const end = { count, size: u64(view, 40), offset: u64(view, 48), at };
  const isSame = (short.count === IN_ZIP64_COUNT || short.count === count) && agrees(short.size, end.size) &&
    agrees(short.offset, end.offset);
  if (!isSame) {
    throw new FormatError("BAD_FIELD", "The two end records of the zip archive differ", { offset: short.at });
  }
  return end;
}

function agrees(short: number, long: number): boolean {
  return short === IN_ZIP64 || short === long;
}

function severalDisks(offset: number): UnsupportedError {
  return new UnsupportedError("UNSUPPORTED_FEATURE", "The zip archive is spread over several disks", { offset });
}

/** An entry of the directory as it lies in the file (APPNOTE 4.3.12). */
interface DirectoryRecord {
  /** The bytes from its first one on. */
  readonly view: DataView;
  /** Its offset in the file. */
  readonly offset: number;
  readonly nameBytes: Uint8Array;
  /** The extra fields. */
  readonly extra: Uint8Array;
  /** Length of the whole record in bytes. */
  readonly length: number;
}

/** The record at position `at` of the directory, which begins at offset `base` of the file. */
function recordAt(bytes: Uint8Array, at: number, base: number): DirectoryRecord {
  const offset = base + at, left = bytes.length - at;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, left);
  const isEntry = left >= DIRECTORY_ENTRY_SIZE && view.getUint32(0, true) === DIRECTORY_ENTRY;
  const nameEnd = DIRECTORY_ENTRY_SIZE + (isEntry ? view.getUint16(28, true) : 0);
  const extraEnd = nameEnd + (isEntry ? view.getUint16(30, true) : 0);
  const length = extraEnd + (isEntry ? view.getUint16(32, true) : 0);
  if (!isEntry || length > left) {
    throw new FormatError("BAD_FIELD", `The entry of the zip directory at byte ${offset} is incomplete`, { offset });
  }
  const nameBytes = bytes.subarray(at + DIRECTORY_ENTRY_SIZE, at + nameEnd);
  const extra = bytes.subarray(at + nameEnd, at + extraEnd);
  return { view, offset, nameBytes, extra, length };
}

/** Add what a record describes to `names`, which may be keys; returns its entry, or null for a folder. */
function addEntry(record: DirectoryRecord, names: ArchiveNames<ZipEntry>, areKeys = false): ZipEntry | null {
  const { offset, nameBytes, view } = record;
  names.count(offset, nameBytes.length);
  const given = nameOf(record), isDos = !areKeys && view.getUint8(5) === MADE_ON_DOS && !given.includes("/");
  const name = isDos ? given.replaceAll("\\", "/") : given;
  refuseLinks(record, name);
  if (name.endsWith("/")) {
    names.addFolder(name, offset);
    return null;
  }
  const entry = entryOf(record, name);
  names.addFile(name, entry, offset);
  return entry;
}

function nameOf({ nameBytes, offset }: DirectoryRecord): string {
  const name = textFromUtf8(nameBytes, 0, nameBytes.length);
  // Encoding a well-formed string gives its bytes again.
  if (name !== null && sameBytes(new TextEncoder().encode(name), nameBytes)) return name;
  throw new FormatError("BAD_TEXT", `The name in the zip directory at byte ${offset} is not valid UTF-8`, { offset });
}

/** Refuse Unix links and devices, which the creator of the archive may have stored (RULES.md PATH-8). */
function refuseLinks({ view, offset }: DirectoryRecord, name: string): void {
  if (view.getUint8(5) !== MADE_ON_UNIX) return;
  const kind = (view.getUint32(38, true) >>> 28) & 0xf;
  if (kind === 0 || kind === FILE || kind === DIRECTORY) return;
  const isLink = kind === LINK;
  throw new PathError(
    isLink ? "LINK_ESCAPE" : "NOT_A_FILE",
    `${quote(name)} is ${isLink ? "a link" : "not a regular file"} in the zip archive: only files and folders are read`,
    { offset, path: name },
  );
}

/** The file that a record describes, if it is stored in a way that is supported. */
function entryOf({ view, offset, nameBytes, extra }: DirectoryRecord, name: string): ZipEntry {
  const flags = view.getUint16(8, true), method = view.getUint16(10, true), crc = view.getUint32(16, true);
  if (flags & ENCRYPTED) {
    throw new UnsupportedError("UNSUPPORTED_FEATURE", `${quote(name)} is encrypted in the zip archive`, {
      offset,
      path: name,
    });
  }
  if (method !== 0 && method !== 8) {
    throw new UnsupportedError(
      "UNSUPPORTED_FEATURE",
      `${quote(name)} uses compression method ${method}: only stored (0) and deflated (8) are supported`,
      { offset, path: name, actual: method },
    );
  }
  const short = [view.getUint32(24, true), view.getUint32(20, true), view.getUint32(42, true)];
  const [size, compressed, localHeader] = readZip64(extra, offset, short);
  if (method === 0 && size !== compressed) {
    throw new FormatError(
      "SIZE_MISMATCH",
      `${quote(name)} is stored, yet has two different sizes: ${size} and ${compressed}`,
      { offset, path: name, expected: size, actual: compressed },
    );
  }
  return { name, nameBytes: nameBytes.slice(), flags, method, crc, compressed, size, offset: localHeader, end: 0 };
}

/**
 * The numbers `short`, some of which may be in the zip64 field of an extra field, in this order: size,
 * compressed size, offset (APPNOTE 4.5.3).
 */
export function readZip64(extra: Uint8Array, offset: number, short: readonly number[]): number[] {
  if (!short.includes(IN_ZIP64)) return [...short];
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength);
  for (let p = 0; p + 4 <= extra.length;) {
    const end = p + 4 + view.getUint16(p + 2, true);
    if (end > extra.length) break;
    if (view.getUint16(p, true) === ZIP64_FIELD) {
      let at = p + 4;
      return short.map((value) => {
        if (value !== IN_ZIP64) return value;
        if (at + 8 > end) throw badZip64(offset);
        at += 8;
        return u64(view, at - 8);
      });
    }
    p = end;
  }
  throw badZip64(offset);
}

function badZip64(offset: number): FormatError {
  return new FormatError(
    "BAD_FIELD",
    `A size of the zip member at byte ${offset} refers to a zip64 field that is missing`,
    {
      offset,
    },
  );
}

/** Set where each member must end; members must not overlap each other or the directory. */
function setEnds(entries: ZipEntry[], directory: number): void {
  const byOffset = entries.toSorted((a, b) => a.offset - b.offset);
  byOffset.forEach((entry, i) => {
    entry.end = i + 1 < byOffset.length ? byOffset[i + 1].offset : directory;
    const least = entry.offset + LOCAL_HEADER_SIZE + entry.nameBytes.length + entry.compressed;
    if (least <= entry.end) return;
    throw new FormatError(
      "BAD_LENGTH",
      `${
        quote(entry.name)
      } occupies bytes ${entry.offset} to ${least} according to the directory, but something else begins at ${entry.end}`,
      { offset: entry.offset, path: entry.name, expected: entry.end, actual: least },
    );
  });
}

/** A u64; above 2^53 the nearest double, which is too large just the same. */
function u64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}
