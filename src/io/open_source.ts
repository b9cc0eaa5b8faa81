/**
 * From whatever the caller gives to a source or a stream.
 *
 * @module
 */
import { HttpError, SourceError } from "../errors.ts";
import { BlobSource } from "./blob_source.ts";
import { BytesSource } from "./bytes_source.ts";
import { FileSource } from "./file_source.ts";
import { type Folder, folderOf } from "./folder.ts";
import { pathOfUrl } from "./platform.ts";
import type { Source } from "./source.ts";

/** A stream that is read once. */
export interface OpenedStream {
  readonly stream: ReadableStream<Uint8Array>;
  /** Bytes it has, where that is known. */
  readonly size?: number;
  readonly name?: string;
}

/** What `from` was opened as. */
export type Opened = Source | OpenedStream;

/** A file in a folder. */
export interface FolderEntry {
  /** Where names live. */
  folder: Folder;
  /** The name there. */
  name: string;
}

/** Whatever can be read: a path, URL, bytes, Blob, File, stream, Response, file handle, the user's own Source, or a name in a folder. */
export type From =
  | string
  | URL
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | Response
  | FileSystemFileHandle
  | Source
  | FolderEntry;

/** How {@linkcode sourceOf} opens. */
export interface SourceOfOptions {
  folder?: Folder;
  signal?: AbortSignal;
}

/** Open `from`. */
export async function sourceOf(from: From, options: SourceOfOptions = {}): Promise<Opened> {
  if (typeof from === "string") return await fromText(from, options);
  if (from instanceof URL) return await fromUrl(from, options);
  if (ArrayBuffer.isView(from)) return new BytesSource(new Uint8Array(from.buffer, from.byteOffset, from.byteLength));
  if (from instanceof ArrayBuffer) return new BytesSource(new Uint8Array(from));
  if (from instanceof Blob) return new BlobSource(from);
  if (from instanceof ReadableStream) return { stream: from };
  if (from instanceof Response) return fromResponse(from);
  if (typeof from === "object" && from !== null) {
    if ("getFile" in from && typeof from.getFile === "function") return new BlobSource(await from.getFile());
    if ("read" in from && typeof from.read === "function" && "size" in from) return from;
    if ("folder" in from && "name" in from) return await fromFolder(from.folder, String(from.name));
  }
  throw new TypeError(
    "Cannot read from this: a path, URL, bytes, Blob, File, ReadableStream, Response, file handle, Source or { folder, name } is wanted",
  );
}

/** An absolute URL has a scheme of two letters or more: `C:` is a drive. */
function schemeOf(text: string): string | null {
  const colon = text.indexOf(":");
  const scheme = colon > 1 ? text.slice(0, colon).toLowerCase() : "";
  return ["file", "http", "https", "blob", "data"].includes(scheme) ? scheme : null;
}

async function fromText(text: string, options: SourceOfOptions): Promise<Opened> {
  if (schemeOf(text)) return await fromUrl(new URL(text), options);
  const folder = folderOf(options.folder);
  return folder ? await fromFolder(folder, text) : await FileSource.open(text);
}

async function fromFolder(folder: Folder, name: string): Promise<Source> {
  const source = await folder.get(name);
  if (!source) {
    throw new SourceError("NOT_FOUND", `There is no file ${JSON.stringify(name)} in the folder`, { path: name });
  }
  return source;
}

async function fromUrl(url: URL, { signal }: SourceOfOptions): Promise<Opened> {
  if (url.protocol === "file:") return await FileSource.open(pathOfUrl(url));
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new HttpError("HTTP_NETWORK", `Cannot fetch ${shown(url)}`, { path: shown(url), cause: error });
  }
  return fromResponse(response, shown(url));
}

function fromResponse(response: Response, name = response.url || undefined): OpenedStream {
  if (!response.ok) {
    response.body?.cancel().catch(() => {});
    throw new HttpError("HTTP_STATUS", `The server answered ${response.status} ${response.statusText}`.trim(), {
      status: response.status,
      path: name,
    });
  }
  if (!response.body) {
    throw new HttpError("HTTP_STATUS", "The answer has no body", { status: response.status, path: name });
  }
  // With a content encoding the length is that of the encoded bytes.
  const length = response.headers.get("content-encoding") ? null : response.headers.get("content-length");
  const size = length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
  return { stream: response.body as ReadableStream<Uint8Array>, size, name };
}

/** A URL without user info and query (hardening H-PATH-10). */
function shown(url: URL): string {
  if (url.protocol === "data:" || url.protocol === "blob:") return url.protocol;
  return url.origin + url.pathname;
}
