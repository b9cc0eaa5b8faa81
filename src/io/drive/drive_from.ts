/**
 * Runs a decoder over whatever `from` was opened as, and closes it afterwards.
 *
 * @module
 */
import type { Cursor, Decoder } from "../../codec/cursor.ts";
import { PaddleError } from "../../errors.ts";
import { driveSource } from "./drive_source.ts";
import { driveStream } from "./drive_stream.ts";
import type { Opened } from "../sources/opened.ts";
import { type ProgressEvent, progressOf } from "../progress.ts";
import type { Source } from "../source.ts";

/** How {@linkcode driveFrom} reads. */
export interface DriveFromOptions {
  signal?: AbortSignal;
  onProgress?: (event: ProgressEvent) => void;
  /** Never return payloads as views of the caller's memory. @default {false} */
  copy?: boolean;
  /** Leave the payloads of a source unread, and the source open. @default {false} */
  lazy?: boolean;
  /** Data of arrays that are assembled or reordered later may be left unread: `finish` reads it. @default {false} */
  deferSome?: boolean;
  /** Everything is read once, in order: a source that supports it is read as a stream. @default {false} */
  onePass?: boolean;
  maxStreamBytes?: number;
  /** Bytes of a source read at a time for structure. */
  window?: number;
  /** Name of the only tensor in the file, for progress events. */
  name?: string;
}

/**
 * Decode `opened` and shape the result with `finish`, which is passed whether payloads are views of the
 * caller's memory. Errors name the file.
 */
export async function driveFrom<T, R>(
  opened: Opened,
  make: (cursor: Cursor) => Decoder<T>,
  finish: (content: T, borrowed: boolean) => R | Promise<R>,
  options: DriveFromOptions = {},
): Promise<R> {
  const { signal, copy, lazy, deferSome, onePass, maxStreamBytes, window } = options;
  const isStream = "stream" in opened;
  const progress = progressOf(options.onProgress, "load", opened.size);
  const onProgress = progress ? (loaded: number) => progress.at(loaded, options.name) : undefined;
  let done = false;
  try {
    const stream = isStream ? opened.stream : onePass && !lazy ? opened.readAll?.() : undefined;
    const content = stream
      ? await driveStream(make, stream, { size: opened.size, signal, maxStreamBytes, onProgress })
      : await driveSource(make, opened as Source, { lazy, deferSome, copy, signal, onProgress, window });
    if (stream && !isStream) await opened.verify?.();
    const shaped = finish(content, !isStream && !copy && isMemory(opened));
    const result = shaped instanceof Promise ? await shaped : shaped;
    progress?.check();
    signal?.throwIfAborted();
    await progress?.end(options.name);
    done = true;
    return result;
  } catch (error) {
    throw withPath(error, opened.name);
  } finally {
    if (!isStream && !(lazy && done)) await opened.close?.();
  }
}

/** Whether a source's payloads are views of memory. */
function isMemory(source: Source): boolean {
  return "view" in source;
}

/** `error` itself, with the path of its file added if it has none. */
export function withPath(error: unknown, path: string | undefined): unknown {
  if (path === undefined || !(error instanceof PaddleError) || error.path !== undefined) return error;
  // A caller's source may throw one that is frozen.
  if (!Object.isExtensible(error)) return error;
  Object.defineProperty(error, "path", { value: path, enumerable: true, configurable: true });
  return error;
}
