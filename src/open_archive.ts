/**
 * Opens an archive of model files as a folder.
 *
 * @module
 */
import { otherKindError } from "./codec/detect_kind.ts";
import { FormatError, UnsupportedError } from "./errors.ts";
import { BytesSource } from "./io/sources/bytes_source.ts";
import { withPath } from "./io/drive/drive_from.ts";
import type { Folder } from "./io/folder.ts";
import { seekableSource } from "./io/sources/seekable_source.ts";
import { inflate } from "./io/archives/inflate.ts";
import { type From, sourceOf } from "./io/open/open_source.ts";
import { piecesOf } from "./io/sources/part_source.ts";
import { readFully } from "./io/sources/read_fully.ts";
import { joinInTurns } from "./io/streams/join_in_turns.ts";
import type { Source } from "./io/source.ts";
import { whileCalling } from "./io/waiting/while_calling.ts";
import { BLOCK } from "./io/archives/tar_directory.ts";
import { TarFolder } from "./io/archives/tar_folder.ts";
import { ZipFolder } from "./io/archives/zip_folder.ts";
import type { Disposed } from "./words/disposed.ts";
import type { Limits } from "./limits.ts";
import { limitsOf } from "./io/limits_of.ts";
import { checkOptions, type LoadOptions } from "./options.ts";

/** Options of {@linkcode openArchive}. */
export type OpenArchiveOptions = Pick<LoadOptions, "limits" | "folder" | "signal" | "fetch" | "http" | "onWarning">;

/** A folder that closes its archive when disposed of, as by `await using`. */
export type ArchiveFolder = Folder & Disposed & {
  /** Close the archive: the same, also where a runtime has no `Symbol.asyncDispose`. */
  close(): Promise<void>;
};

const OPTIONS = ["limits", "folder", "signal", "fetch", "http", "onWarning"];

/**
 * Open a tar or zip archive as a folder: official models are distributed as `*_infer.tar`. Files in a tar, and stored files in a zip, are
 * read in place; compressed files in a zip are decompressed as they are read; a `.tar.gz` is decompressed into memory, once; if it was
 * compressed in several pieces, as by `bgzip`, browsers cannot read it. Nothing is written to disk.
 *
 * All names are checked as for a folder: names that lead out of it, links, devices and colliding names are refused, no matter which file is
 * requested later. The checksum of a file in a zip is verified when it is read from its first byte to its last.
 *
 * @throws {FormatError} the archive is not well formed, or is not an archive
 * @throws {PathError} `UNSAFE_PATH`, `LINK_ESCAPE`, `NOT_A_FILE`, `NAME_COLLISION`
 * @throws {UnsupportedError} `UNSUPPORTED_FEATURE`: encrypted, sparse, multi-part, or compressed by a method other than deflate
 * @throws {LimitError} `LIMIT`: maxEntries, maxFolderDepth, maxExpansion, maxStreamBytes
 * @throws {SourceError} the file cannot be found or read
 *
 * @example The parameters of a model that was downloaded as a tar
 * ```ts
 * import { load, openArchive } from "@oarlock/paddle";
 * async function parameters(archive: string, prefix: string) {
 *   await using folder = await openArchive(archive);
 *   return await load(prefix, { folder });
 * }
 * ```
 */
export async function openArchive(from: From, options: OpenArchiveOptions = {}): Promise<ArchiveFolder> {
  checkOptions(options, OPTIONS);
  return await whileCalling(options, (during) => openFolder(from, during));
}

async function openFolder(from: From, options: OpenArchiveOptions): Promise<ArchiveFolder> {
  const { signal } = options;
  const limits = limitsOf(options.limits);
  const source = await seekableSource(await sourceOf(from, options), limits.maxStreamBytes, signal);
  try {
    return await folderOf(source, limits, signal);
  } catch (error) {
    await source.close?.();
    throw withPath(error, source.name);
  }
}

async function folderOf(source: Source, limits: Readonly<Limits>, signal?: AbortSignal): Promise<ArchiveFolder> {
  const head = await headOf(source, signal);
  if (head.length === 0) throw new FormatError("EMPTY", "The file is empty: it is not an archive", { offset: 0 });
  if (startsWith(head, "PK") || isZipWithFront(head)) return await ZipFolder.open(source, { limits, signal });
  if (startsWith(head, "\x1f\x8b")) {
    const tar = await unpack(source, limits, signal);
    await source.close?.();
    return await TarFolder.open(tar, limits, signal);
  }
  for (
    const [magic, what] of [["BZh", "bzip2"], ["\xfd7zXZ\0", "xz"], ["7z\xbc\xaf", "7z"], ["\x28\xb5\x2f\xfd", "zstd"]]
  ) {
    if (startsWith(head, magic)) {
      throw new UnsupportedError(
        "UNSUPPORTED_FEATURE",
        `This archive is compressed by ${what}: tar, tar.gz and zip are supported`,
        {
          offset: 0,
        },
      );
    }
  }
  try {
    return await TarFolder.open(source, limits, signal);
  } catch (error) {
    throw notATar(head, source.size, error) ?? error;
  }
}

/** The error for a file of another kind, if its first header shows that it is no tar archive. */
function notATar(head: Uint8Array, size: number, cause: unknown): FormatError | null {
  const isHeader = String.fromCharCode(...head.subarray(257, 262)) === "ustar";
  if (isHeader || !(cause instanceof FormatError) || cause.offset !== 0) return null;
  return cause.code === "HASH_MISMATCH" || cause.code === "TRUNCATED"
    ? otherKindError(head, size, "an archive", cause)
    : null;
}

async function headOf(source: Source, signal?: AbortSignal): Promise<Uint8Array> {
  return await readFully(source, 0, new Uint8Array(Math.min(BLOCK, source.size)), signal);
}

function startsWith(head: Uint8Array, magic: string): boolean {
  return head.length >= magic.length && [...magic].every((c, i) => head[i] === c.charCodeAt(0));
}

/** Whether the head may be that of a program before a zip archive, as in self-extracting ones. */
function isZipWithFront(head: Uint8Array): boolean {
  return startsWith(head, "#!") || startsWith(head, "MZ");
}

async function unpack(source: Source, limits: Readonly<Limits>, signal?: AbortSignal): Promise<Source> {
  const chunks: Uint8Array[] = [];
  const packed = (stop: AbortSignal) => piecesOf(source, 0, source.size, stop);
  const options = { format: "gzip", compressed: source.size, limits, offset: 0, name: source.name, signal } as const;
  for await (const chunk of inflate(packed, options)) chunks.push(chunk);
  return new BytesSource(await joinInTurns(chunks, signal), source.name);
}
