/**
 * Opens whatever the caller passes as destination, as a sink.
 *
 * @module
 */
import type { FileHandle } from "../file_handle.ts";
import { shownValue } from "../../words/described.ts";
import { FileSink } from "../sinks/file_sink.ts";
import { checkedFolder, checkedName, type Folder, folderOf, type PutOptions, refuseDiskOptions } from "../folder.ts";
import { isNodeStream, notWritable } from "../argument_errors.ts";
import type { FolderEntry } from "./open_source.ts";
import { homeFolder, homeName } from "../folders/home_folder.ts";
import { hasFileSystem, pathOfUrl } from "../platform.ts";
import { portableParts } from "../names/safe_name.ts";
import type { Sink } from "../sink.ts";
import { stoppableFolder } from "../folders/stoppable_folder.ts";
import { fileStreamSink, StreamSink } from "../sinks/stream_sink.ts";
import { isSyncHandle, type SyncHandle, SyncHandleSink } from "../sync_handle.ts";
import { isReadable, urlOf } from "../url_text.ts";

/** Anything that can be written to: a path, `file:` URL, stream, file handle, a Sink of your own, or a name in a folder. */
export type To =
  | string
  | URL
  | WritableStream<Uint8Array<ArrayBuffer>>
  | FileHandle
  | SyncHandle
  | Sink
  | FolderEntry;

/** How {@linkcode sinkOf} opens. */
export interface SinkOfOptions extends PutOptions {
  folder?: Folder;
}

/** Open `to`. */
export async function sinkOf(to: To, options: SinkOfOptions): Promise<Sink> {
  checkWishes(options);
  const url = typeof to === "string" ? urlOf(to) : to instanceof URL ? to : null;
  const folder = folderOf(options.folder);
  if (url && (to instanceof URL || !folder || isReadable(url))) {
    if (url.protocol !== "file:") {
      throw new TypeError(`Cannot save to ${url.protocol} URLs: only file: URLs can be written`);
    }
    return await FileSink.create(pathOfUrl(url), options);
  }
  if (typeof to === "string") {
    if (folder) return await inFolder(folder, to, options);
    const home = hasFileSystem() ? null : await homeFolder();
    return home ? await inFolder(home, homeName(to), options) : await FileSink.create(to, options);
  }
  if (typeof to === "object" && to !== null && "folder" in to && "name" in to) {
    return await inFolder(checkedFolder(to.folder), checkedName(to.name), options);
  }
  refuseDiskOptions(options, "a stream, handle or sink");
  if (to instanceof WritableStream) {
    if (to.locked) throw new TypeError("The stream is already locked by another writer");
    return new StreamSink(to.getWriter());
  }
  if (typeof to === "object" && to !== null) {
    if (isSyncHandle(to)) return new SyncHandleSink(to);
    if ("createWritable" in to && typeof to.createWritable === "function") {
      return await fileStreamSink(to, undefined, options.signal);
    }
    if (isSink(to)) return to;
  }
  throw notWritable(to);
}

/** Whether `to` looks like a sink. One whose properties cannot even be read counts as such: writing to it then reports why. */
function isSink(to: object): to is Sink {
  try {
    return "close" in to && "abort" in to && "write" in to && typeof to.write === "function" && !isNodeStream(to);
  } catch {
    return true;
  }
}

/** A folder has its own rules for names; `portable` applies in any folder. */
async function inFolder(folder: Folder, name: string, options: SinkOfOptions): Promise<Sink> {
  if (options.portable) portableParts(name);
  return await stoppableFolder(folder, options.signal).put(name, options);
}

function checkWishes({ ifUnchanged, preserve }: SinkOfOptions): void {
  if (preserve !== undefined && preserve !== "inode") {
    throw new TypeError(`Option preserve must be "inode": got ${shownValue(preserve)}`);
  }
  if (ifUnchanged === undefined) return;
  const { size, mtimeMs, version } = (ifUnchanged ?? {}) as Record<string, unknown>;
  if (version === null || typeof version === "string") return;
  if (typeof size !== "number" || typeof mtimeMs !== "number") {
    throw new TypeError("Option ifUnchanged must have size and mtimeMs, as the stat of a file has, or a version");
  }
}
