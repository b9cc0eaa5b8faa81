/**
 * Opens whatever the caller passes as input, as a source or a stream.
 *
 * @module
 */
import type { DirectoryHandle, FileHandle } from "../file_handle.ts";
import { HttpError, PathError, SourceError } from "../../errors.ts";
import { BlobSource } from "../sources/blob_source.ts";
import { BytesSource } from "../sources/bytes_source.ts";
import { FileSource } from "../sources/file_source.ts";
import { guardedSource } from "../sources/guarded_source.ts";
import { HandleSource } from "../sources/handle_source.ts";
import type { Opened, OpenedStream } from "../sources/opened.ts";
import { isSyncHandle, type SyncHandle, SyncHandleSource } from "../sync_handle.ts";
import { checkedFolder, checkedName, type Folder, folderOf } from "../folder.ts";
import { type Fetch, type HttpOptions, shownUrl } from "../http/http_options.ts";
import { openHttp, streamHttp } from "../http/http_source.ts";
import { isEncoded, lengthOf, parseContentRange } from "../http/http_version.ts";
import { homeFolder, homeName } from "../folders/home_folder.ts";
import { hasFileSystem, pathOfUrl } from "../platform.ts";
import type { Source } from "../source.ts";
import { notReadable } from "../argument_errors.ts";
import { stoppableFolder } from "../folders/stoppable_folder.ts";
import { isReadable, urlOf } from "../url_text.ts";
import { within } from "../waiting/within.ts";
import { checkedBytes, isMemory } from "../../words/plain_bytes.ts";

/** A file in a folder. */
export interface FolderEntry {
  /** The folder. */
  folder: Folder;
  /** The file's name in it. */
  name: string;
}

/**
 * Anything that can be read: a path, URL, bytes, Blob, File, stream, Response, file handle, a Source of your own, or a name in a folder.
 */
export type From =
  | string
  | URL
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | Response
  | FileHandle
  | DirectoryHandle
  | SyncHandle
  | Source
  | FolderEntry;

/** How {@linkcode sourceOf} opens. */
export interface SourceOfOptions {
  folder?: Folder;
  signal?: AbortSignal;
  /** Used in place of the global `fetch`. */
  fetch?: Fetch;
  http?: HttpOptions;
  /** Whether the bytes are read once, from first to last. @default {false} */
  onePass?: boolean;
  onWarning?: (warning: { code: string; message: string }) => void;
}

/** Open `from`. */
export async function sourceOf(from: From, options: SourceOfOptions = {}): Promise<Opened> {
  if (typeof from === "string") return await fromText(from, options);
  if (from instanceof URL) return await fromUrl(from, options);
  if (isMemory(from)) return new BytesSource(checkedBytes(from), undefined, { writable: true });
  // Standard input in Bun is a blob without an end.
  if (from instanceof Blob) return from.size === Infinity ? { stream: from.stream() } : await BlobSource.open(from);
  if (from instanceof ReadableStream) return { stream: unlocked(from) };
  if (from instanceof Response) return fromResponse(from);
  if (typeof from === "object" && from !== null) {
    if ("getFile" in from && typeof from.getFile === "function") {
      return await within(HandleSource.open(from), Infinity, options.signal);
    }
    if (isDirectoryHandle(from)) {
      throw new PathError("NOT_A_FILE", `${JSON.stringify(from.name)} is a directory`, { path: from.name });
    }
    if (isSyncHandle(from)) return new SyncHandleSource(from);
    if (isSource(from)) return guardedSource(from, options.signal);
    if ("folder" in from && "name" in from) {
      return await fromFolder(checkedFolder(from.folder), checkedName(from.name), options);
    }
  }
  throw notReadable(from);
}

/** Whether `from` looks like a source. One whose properties cannot even be read counts as such: reading it then reports why. */
function isSource(from: object): from is Source {
  try {
    return "size" in from && "read" in from && typeof from.read === "function";
  } catch {
    return true;
  }
}

function unlocked(stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  if (stream.locked) throw new TypeError("The stream is already locked by another reader");
  return stream;
}

/** Whether `from` is a browser directory handle. */
export function isDirectoryHandle(from: unknown): from is DirectoryHandle {
  return typeof from === "object" && from !== null && "getDirectoryHandle" in from;
}

async function fromText(text: string, options: SourceOfOptions): Promise<Opened> {
  const url = urlOf(text), folder = folderOf(options.folder);
  if (url && (!folder || isReadable(url))) return await fromUrl(url, options);
  if (folder) return await fromFolder(folder, text, options);
  const home = hasFileSystem() || text === "" ? null : await homeFolder();
  return home ? await fromFolder(home, homeName(text), options) : await FileSource.open(text, options);
}

async function fromFolder(folder: Folder, name: string, { signal, onWarning }: SourceOfOptions): Promise<Source> {
  if (name === "" || name.endsWith("/")) {
    throw new PathError("NOT_A_FILE", `${JSON.stringify(name)} names a folder`, { path: name });
  }
  const source = await stoppableFolder(folder, signal).get(name, { onWarning });
  if (!source) {
    throw new SourceError("NOT_FOUND", `There is no file ${JSON.stringify(name)} in the folder`, { path: name });
  }
  return source;
}

async function fromUrl(url: URL, options: SourceOfOptions): Promise<Opened> {
  if (url.protocol === "file:") return await FileSource.open(pathOfUrl(url), options);
  const { signal, onePass, fetch: given, http, onWarning } = options;
  if (url.protocol === "http:" || url.protocol === "https:") {
    return await (onePass ? streamHttp : openHttp)(url, { ...http, fetch: given, signal, onWarning });
  }
  if (url.protocol !== "data:" && url.protocol !== "blob:") {
    throw new TypeError(`Cannot read from ${url.protocol} URLs: file:, http:, https:, blob: and data: can be read`);
  }
  let blob: Blob;
  try {
    // Passed on to fetch, the signal would keep a listener in Node.
    blob = await within(fetch(url).then((response) => response.blob()), Infinity, signal);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new HttpError("HTTP_NETWORK", `Cannot fetch the ${url.protocol} URL`, { path: shownUrl(url), cause: error });
  }
  return new BlobSource(blob);
}

/** Whether the range is the whole file, as it is after a request for `bytes=0-`. */
function isWhole(headers: Headers): boolean {
  const range = parseContentRange(headers.get("content-range") ?? "");
  return range?.start === 0 && range.end === range.total;
}

function fromResponse(response: Response): OpenedStream {
  const name = URL.canParse(response.url) ? shownUrl(new URL(response.url)) : undefined;
  if (!response.ok) {
    response.body?.cancel().catch(() => {});
    throw new HttpError("HTTP_STATUS", `The server answered ${response.status} ${response.statusText}`.trim(), {
      status: response.status,
      path: name,
    });
  }
  if (response.status === 206 && !isWhole(response.headers)) {
    response.body?.cancel().catch(() => {});
    throw new HttpError("HTTP_STATUS", "The response is part of a file, not a whole file", { status: 206, path: name });
  }
  if (response.bodyUsed) throw new TypeError("The body of the Response was already read");
  if (!response.body) {
    throw new HttpError("HTTP_STATUS", "The response has no body", { status: response.status, path: name });
  }
  // With a content encoding, Content-Length counts the encoded bytes; a browser hides the encoding from other origins.
  const isPlain = !isEncoded(response.headers) && response.type !== "cors";
  const size = isPlain ? lengthOf(response.headers.get("content-length")) ?? undefined : undefined;
  return { stream: unlocked(response.body as ReadableStream<Uint8Array>), size, name };
}
