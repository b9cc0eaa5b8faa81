/**
 * A WritableStream as a sink.
 *
 * @module
 */
import type { FileHandle } from "../file_handle.ts";
import { writableOf } from "../sources/handle_source.ts";
import type { Sink } from "../sink.ts";
import { sinkFailed } from "./sink_failed.ts";

/** Bytes that are copied and written at a time: little for an edge worker. */
const PIECE = 2 ** 20;

/** What becomes of what was written. */
export interface SinkEnd {
  /** The bytes are there: give them their name, or fail and leave that as it was. */
  commit?: () => Promise<void>;
  /** Something failed: take everything back. */
  undo?: () => Promise<void>;
}

/** A stream into a file. */
export async function fileStreamSink(handle: FileHandle, end?: SinkEnd, signal?: AbortSignal): Promise<StreamSink> {
  const stream: WritableStream<Uint8Array> = await writableOf(handle, { signal });
  return new StreamSink(stream.getWriter(), end, false);
}

/** A WritableStream: its back-pressure is waited for, and its end is told apart from a failure. */
export class StreamSink implements Sink {
  /** Each chunk is done with when it was written. */
  readonly keepsChunks = false;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #end: SinkEnd;
  readonly #keeps: boolean;

  /** Over `writer`, which `keeps` its chunks unless it is done with one when it has been written. */
  constructor(writer: WritableStreamDefaultWriter<Uint8Array>, end: SinkEnd = {}, keeps = true) {
    this.#writer = writer;
    this.#end = end;
    this.#keeps = keeps;
  }

  /** Write, and copies where the stream may keep its chunks: the tensor behind them may change. */
  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; at += PIECE) {
      await this.#writer.ready;
      await this.#writer.write(this.#keeps ? chunk.slice(at, at + PIECE) : chunk.subarray(at, at + PIECE));
    }
  }

  /** End the stream well. */
  async close(): Promise<void> {
    try {
      await this.#writer.close();
      await this.#end.commit?.();
    } catch (error) {
      // A file has its new bytes when all of this went well, and not before.
      throw this.#keeps ? error : sinkFailed(error);
    }
  }

  /** End the stream as a failure. */
  async abort(reason: unknown): Promise<void> {
    try {
      await this.#writer.abort(reason);
    } finally {
      await this.#end.undo?.();
    }
  }
}
