/**
 * From whatever the caller gives to a sink.
 *
 * @module
 */
import { SaveError } from "../errors.ts";
import { FileSink, type FileSinkOptions } from "./file_sink.ts";
import { type Folder, folderOf, refuseWishes } from "./folder.ts";
import type { FolderEntry } from "./open_source.ts";
import { homeFolder, homeName } from "./home_folder.ts";
import { hasFileSystem, pathOfUrl } from "./platform.ts";
import type { Sink } from "./sink.ts";
import { until } from "./stoppable_folder.ts";
import { StreamSink } from "./stream_sink.ts";
import { isSyncHandle, type SyncHandle, SyncHandleSink } from "./sync_handle.ts";

/** Whatever can be written: a path, `file:` URL, stream, file handle, the user's own Sink, or a name in a folder. */
export type To =
  | string
  | URL
  | WritableStream<Uint8Array>
  | FileSystemFileHandle
  | SyncHandle
  | Sink
  | FolderEntry;

/** How {@linkcode sinkOf} opens. */
export interface SinkOfOptions extends FileSinkOptions {
  folder?: Folder;
}

/** Open `to`. */
export async function sinkOf(to: To, options: SinkOfOptions): Promise<Sink> {
  if (to instanceof URL || (typeof to === "string" && to.startsWith("file:"))) {
    const url = new URL(to);
    if (url.protocol !== "file:") {
      throw new TypeError(`Cannot save to ${url.protocol}//: only file: URLs can be written`);
    }
    return await FileSink.create(pathOfUrl(url), options);
  }
  if (typeof to === "string") {
    const folder = folderOf(options.folder);
    if (folder) return await until(folder, options.signal).put(to, options);
    const home = hasFileSystem() ? null : await homeFolder();
    return home ? await home.put(homeName(to), options) : await FileSink.create(to, options);
  }
  if (typeof to === "object" && to !== null && "folder" in to && "name" in to) {
    return await until(to.folder, options.signal).put(String(to.name), options);
  }
  refuseWishes(options, "a stream, handle or sink");
  if (to instanceof WritableStream) return new StreamSink(to.getWriter());
  if (typeof to === "object" && to !== null) {
    if (isSyncHandle(to)) return new SyncHandleSink(to);
    if ("createWritable" in to && typeof to.createWritable === "function") {
      return new StreamSink((await to.createWritable() as WritableStream<Uint8Array>).getWriter());
    }
    if ("write" in to && typeof to.write === "function" && "close" in to) return to;
  }
  throw new TypeError(
    "Cannot save to this: a path, file: URL, WritableStream, file handle, Sink or { folder, name } is wanted",
  );
}

/** The error of a sink that is not ours. */
export function sinkFailed(cause: unknown): SaveError {
  const isFull = cause instanceof Error && cause.name === "QuotaExceededError";
  return new SaveError(
    isFull ? "DISK_FULL" : "SINK_FAILED",
    `The sink failed: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      committed: "no",
      cause,
    },
  );
}
