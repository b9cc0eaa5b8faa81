/**
 * Reads the members of a tar archive: ustar (POSIX.1-1988), pax (POSIX.1-2001) and GNU's long names.
 *
 * @module
 */
import { textFromUtf8 } from "../../words/utf8.ts";
import { FormatError, PathError, quote, UnsupportedError } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import { ArchiveNames } from "./archive_names.ts";
import { readFully } from "../sources/read_fully.ts";
import type { Source } from "../source.ts";
import { Turns } from "../waiting/turns.ts";

/** Where a file is stored in the archive. */
export interface TarEntry {
  readonly offset: number;
  readonly size: number;
}

/** Block size: headers and files are padded to a multiple of it. */
export const BLOCK = 512;
/** Header fields as POSIX.1-1988 (ustar) lays them out: [start, end). */
const NAME = [0, 100] as const, SIZE = [124, 136] as const, CHECKSUM = [148, 156] as const;
const MAGIC = [257, 263] as const, PREFIX = [345, 500] as const;
/** Offset of the byte that gives a member's type. */
const TYPE_FLAG = 156;
/** Maximum bytes of a long name or a list of extended fields. */
const MAX_EXTENDED = 2 ** 20;
/** Archives are padded with zeros to a multiple of this many bytes. */
const RECORD = 10_240;

/** What extended headers before a file say in place of its own. */
interface Extended {
  path?: string;
  size?: number;
}

/** Read every header of `source`, skipping over the files. */
export async function readTarDirectory(
  source: Source,
  limits: Readonly<Limits>,
  signal?: AbortSignal,
): Promise<ArchiveNames<TarEntry>> {
  const names = new ArchiveNames<TarEntry>({ limits });
  const block = new Uint8Array(BLOCK), turns = new Turns(signal);
  let extended: Extended = {};
  let at = 0;
  for (; at < source.size;) {
    if (turns.due()) await turns.take();
    if (at + BLOCK > source.size) throw truncated(at, BLOCK, source.size);
    await readFully(source, at, block, signal);
    if (block.every((byte) => byte === 0)) break;
    checkSum(block, at);
    const header = readHeader(block, at, extended);
    const data = at + BLOCK, end = data + header.size;
    if (end > source.size) throw truncated(data, header.size, source.size);
    at = data + BLOCK * Math.ceil(header.size / BLOCK);
    if ("xgLK".includes(header.kind)) {
      if (header.size > MAX_EXTENDED) {
        throw new FormatError("BAD_LENGTH", `The extended header at byte ${data} has ${header.size} bytes`, {
          offset: data,
        });
      }
      const text = await readFully(source, data, new Uint8Array(header.size), signal);
      if (header.kind === "x") extended = { ...extended, ...readPax(text, data) };
      else if (header.kind === "g") refuseForAll(readPax(text, data), data);
      else if (header.kind === "L") extended.path = nameOf(text, data);
      continue;
    }
    names.count(data - BLOCK, header.name.length);
    if (header.kind === "5") names.addFolder(header.name, data - BLOCK);
    else names.addFile(header.name, { offset: data, size: header.size }, data - BLOCK);
    extended = {};
  }
  await checkEnd(source, at, signal);
  return names;
}

/** The closing blocks may be followed only by zeros. */
async function checkEnd(source: Source, at: number, signal?: AbortSignal): Promise<void> {
  if (at >= source.size) return;
  const rest = await readFully(source, at, new Uint8Array(Math.min(RECORD, source.size - at)), signal);
  const found = rest.findIndex((byte) => byte !== 0);
  if (found < 0) return;
  throw new FormatError("TRAILING_DATA", `Data follow the end of the tar archive at byte ${at + found}`, {
    offset: at + found,
  });
}

function readHeader(block: Uint8Array, at: number, extended: Extended): { name: string; size: number; kind: string } {
  const kind = block[TYPE_FLAG] === 0 ? "0" : String.fromCharCode(block[TYPE_FLAG]);
  const isExtended = "xgLK".includes(kind);
  const isUstar = String.fromCharCode(...block.subarray(...MAGIC)) === "ustar\0";
  const own = nameOf(block.subarray(...NAME), at);
  const prefix = isUstar ? nameOf(block.subarray(...PREFIX), at + PREFIX[0]) : "";
  const name = (isExtended ? undefined : extended.path) ?? (prefix ? `${prefix}/${own}` : own);
  const size = (isExtended ? undefined : extended.size) ?? numberOf(block.subarray(...SIZE), at + SIZE[0]);
  if (isExtended) return { name, size, kind };
  if (kind === "1" || kind === "2") throw refused("LINK_ESCAPE", name, "a link", at);
  if (kind === "3" || kind === "4" || kind === "6") throw refused("NOT_A_FILE", name, "a device or a FIFO", at);
  if (!"057".includes(kind)) {
    throw new UnsupportedError(
      "UNSUPPORTED_FEATURE",
      `${quote(name)} is of the kind ${quote(kind)} in the tar archive`,
      {
        offset: at + TYPE_FLAG,
        path: name,
      },
    );
  }
  // Before 1988 a folder was a file with a trailing slash. The size of a folder is meaningless. A newer file with a slash and a size is not
  // a folder, as its bytes would be taken for members: its name is refused.
  const isFolder = kind === "5" || (name.endsWith("/") && (block[TYPE_FLAG] === 0 || size === 0));
  return { name, size: isFolder ? 0 : size, kind: isFolder ? "5" : "0" };
}

function refused(code: "LINK_ESCAPE" | "NOT_A_FILE", name: string, what: string, offset: number): PathError {
  return new PathError(code, `${quote(name)} is ${what} in the tar archive: only files and folders are read`, {
    offset,
    path: name,
  });
}

/** Check the sum of the header's bytes, with its own field as spaces; some old writers summed signed bytes. */
function checkSum(block: Uint8Array, at: number): void {
  const spaces = (CHECKSUM[1] - CHECKSUM[0]) * 0x20;
  let unsigned = spaces, signed = spaces;
  for (let i = 0; i < BLOCK; i++) {
    if (i >= CHECKSUM[0] && i < CHECKSUM[1]) continue;
    unsigned += block[i];
    signed += block[i] << 24 >> 24;
  }
  const said = octalOf(block.subarray(...CHECKSUM));
  if (said === unsigned || said === signed) return;
  throw new FormatError(
    "HASH_MISMATCH",
    `The header at byte ${at} of the tar archive does not match its checksum`,
    {
      offset: at,
      expected: said,
      actual: unsigned,
    },
  );
}

/** A number: octal digits, or base 256 if its first bit is set. */
function numberOf(field: Uint8Array, offset: number): number {
  let value: number | null;
  if (field[0] < 0x80) value = octalOf(field);
  else {
    // A negative number has all its high bits set, and is too large for a safe integer here.
    value = field[0] & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
  }
  if (value !== null && Number.isSafeInteger(value)) return value;
  throw new FormatError("BAD_NUMBER", `The size at byte ${offset} of the tar archive is not a valid number of bytes`, {
    offset,
  });
}

function octalOf(field: Uint8Array): number | null {
  let value = 0, i = 0;
  while (field[i] === 0x20) i++;
  for (; i < field.length && field[i] !== 0 && field[i] !== 0x20; i++) {
    if (field[i] < 0x30 || field[i] > 0x37) return null;
    value = value * 8 + field[i] - 0x30;
  }
  return value;
}

/** Fields of a pax header: `length key=value` and a newline, with the length in decimal and including itself. */
function readPax(bytes: Uint8Array, base: number): Extended {
  const found: Extended = {};
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? "" : String.fromCharCode(...bytes.subarray(at, Math.min(space, at + 9)));
    const end = at + Number(digits);
    if (!/^[0-9]{1,8}$/.test(digits) || end > bytes.length || end <= space || bytes[end - 1] !== 0x0a) {
      throw new FormatError("BAD_FIELD", `The extended field at byte ${base + at} has a wrong length`, {
        offset: base + at,
      });
    }
    const equals = bytes.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) {
      throw new FormatError("BAD_FIELD", `The extended field at byte ${base + at} has no value`, { offset: base + at });
    }
    const key = textFromUtf8(bytes, space + 1, equals) ?? "";
    if (key === "path") found.path = wholeName(bytes.subarray(equals + 1, end - 1), base + equals);
    if (key === "size") {
      const size = String.fromCharCode(...bytes.subarray(equals + 1, Math.min(end - 1, equals + 18)));
      if (!/^[0-9]{1,16}$/.test(size) || !Number.isSafeInteger(Number(size))) {
        throw new FormatError("BAD_NUMBER", `The size at byte ${base + at} is not a valid number of bytes`, {
          offset: base + at,
        });
      }
      found.size = Number(size);
    }
    if (key.startsWith("GNU.sparse.")) {
      throw new UnsupportedError("UNSUPPORTED_FEATURE", "The tar archive has a sparse file", { offset: base + at });
    }
    at = end;
  }
  return found;
}

/** Refuse a name or size for all files: tools disagree about its meaning, and no archive of files has one. */
function refuseForAll({ path, size }: Extended, offset: number): void {
  if (path === undefined && size === undefined) return;
  throw new UnsupportedError("UNSUPPORTED_FEATURE", "The tar archive sets one name or size for all of its files", {
    offset,
  });
}

/** A name that ends at its NUL. */
function nameOf(field: Uint8Array, offset: number): string {
  const nul = field.indexOf(0);
  return wholeName(nul < 0 ? field : field.subarray(0, nul), offset);
}

function wholeName(field: Uint8Array, offset: number): string {
  const name = textFromUtf8(field, 0, field.length);
  if (name === null || !name.isWellFormed()) {
    throw new FormatError("BAD_TEXT", `The name at byte ${offset} of the tar archive is not valid UTF-8`, { offset });
  }
  return name;
}

function truncated(offset: number, wanted: number, size: number): FormatError {
  return new FormatError(
    "TRUNCATED",
    `Truncated tar archive: ${wanted} bytes are expected at byte ${offset}, ${
      Math.max(0, size - offset)
    } are left. The download is probably incomplete.`,
    { offset, expected: wanted, actual: Math.max(0, size - offset) },
  );
}
