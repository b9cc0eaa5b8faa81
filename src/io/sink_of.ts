/**
 * From whatever the caller gives to a sink.
 *
 * @module
 */
import { SaveError } from "../errors.ts";
import { FileSink, type FileSinkOptions } from "./file_sink.ts";
import { type Folder, folderOf } from "./folder.ts";
import type { FolderEntry } from "./open_source.ts";
import { pathOfUrl } from "./platform.ts";
import type { Sink } from "./sink.ts";

/** Whatever can be written: a path, `file:` URL, stream, file handle, the user's own Sink, or a name in a folder. */
export type To = string | URL | WritableStream<Uint8Array> | FileSystemFileHandle | Sink | FolderEntry;

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
    return folder ? await folder.put(to) : await FileSink.create(to, options);
  }
  if (to instanceof WritableStream) return new StreamSink(to.getWriter());
  if (typeof to === "object" && to !== null) {
    if ("createWritable" in to && typeof to.createWritable === "function") {
      return new StreamSink((await to.createWritable() as WritableStream<Uint8Array>).getWriter());
    }
    if ("write" in to && typeof to.write === "function" && "close" in to) return to;
    if ("folder" in to && "name" in to) return await to.folder.put(String(to.name));
  }
  throw new TypeError(
    "Cannot save to this: a path, file: URL, WritableStream, file handle, Sink or { folder, name } is wanted",
  );
}

/** A WritableStream as a sink: its back-pressure is waited for, and its end is told apart from a failure. */
class StreamSink implements Sink {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(writer: WritableStreamDefaultWriter<Uint8Array>) {
    this.#writer = writer;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#writer.ready;
    // A stream may keep its chunk for long, and the tensor behind it may change.
    await this.#writer.write(chunk.slice());
  }

  async close(): Promise<void> {
    await this.#writer.close();
  }

  async abort(reason: unknown): Promise<void> {
    await this.#writer.abort(reason);
  }
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
