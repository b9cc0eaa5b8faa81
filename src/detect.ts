/**
 * Detects the kind of a file.
 *
 * @module
 */
import { detectKind, type FileKind, HEAD_BYTES } from "./codec/detect_kind.ts";
import { driveFrom } from "./io/drive/drive_from.ts";
import { type From, sourceOf } from "./io/open/open_source.ts";
import { notASingleFile } from "./io/models/not_a_single_file.ts";
import { checkOptions } from "./options.ts";
import type { Folder } from "./io/folder.ts";
import type { Fetch, HttpOptions } from "./io/http/http_options.ts";

export type { FileKind } from "./codec/detect_kind.ts";

/** Options of {@linkcode detect}. */
export interface DetectOptions {
  /** The folder in which a bare name is looked up. */
  folder?: Folder | undefined;
  /** Used to fetch URLs instead of the global function. */
  fetch?: Fetch | undefined;
  /** How URLs are fetched. */
  http?: HttpOptions | undefined;
  /** Aborts the call. */
  signal?: AbortSignal | undefined;
}

/**
 * The kind of a file, by its first bytes. At most 4 KiB are read, which are consumed from a stream.
 *
 * @throws {SourceError} the file cannot be found or read; for the prefix or folder of a model, `hint` says what reads it
 *
 * @example
 * ```ts
 * import { detect, encode } from "@oarlock/paddle";
 * if (await detect(encode([1, 2, 3])) !== "pickle") throw new Error("not seen");
 * ```
 */
export async function detect(from: From, options: DetectOptions = {}): Promise<FileKind> {
  checkOptions(options, ["folder", "signal", "fetch", "http"]);
  options.signal?.throwIfAborted();
  try {
    return await kindOf(from, options);
  } catch (error) {
    throw await notASingleFile(error, from, options, "detect");
  }
}

async function kindOf(from: From, options: DetectOptions): Promise<FileKind> {
  const opened = await sourceOf(from, options);
  return await driveFrom(
    opened,
    function* (cursor) {
      yield cursor.need(HEAD_BYTES);
      const head = cursor.bytes.slice(cursor.pos, Math.min(cursor.end, cursor.pos + HEAD_BYTES));
      return detectKind(head, cursor.total);
    },
    (kind) => kind,
    { signal: options.signal },
  );
}
