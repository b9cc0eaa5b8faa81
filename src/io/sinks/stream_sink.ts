/**
 * A WritableStream as a sink.
 *
 * @module
 */
import { isPaddleError } from "../../errors.ts";
import { takeHandleTurn } from "../waiting/handle_turns.ts";
import type { FileHandle } from "../file_handle.ts";
import { writableOf } from "../writable_handle.ts";
import type { Sink } from "../sink.ts";
import { sinkFailed } from "../sink_failed.ts";

/** Bytes copied and written at a time: small enough for an edge worker. */
const PIECE = 2 ** 20;

/** What to do once the stream has ended. */
export interface SinkEnd {
  /** All bytes are written: move them to their final name, or fail and leave the old file as it was. */
  commit?: () => Promise<void>;
  /** Something failed: undo everything. */
  undo?: () => Promise<void>;
  /** Called once nothing more will be written, after success or failure. */
  over?: () => void;
}

/** A stream that writes to a file. */
export async function fileStreamSink(handle: FileHandle, end?: SinkEnd, signal?: AbortSignal): Promise<StreamSink> {
  // If there is `over`, the folder has already taken the turn.
  const leave = end?.over ?? await takeHandleTurn({ handle }, signal);
  try {
    const stream: WritableStream<Uint8Array> = await writableOf(handle, { signal });
    return new StreamSink(stream.getWriter(), { ...end, over: leave }, { keeps: false });
  } catch (error) {
    leave();
    throw error;
  }
}

/** A WritableStream: its back-pressure is respected, and a failure aborts it instead of closing it. */
export class StreamSink implements Sink {
  /** A chunk is not read after its write. */
  readonly keepsChunks = false;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #end: SinkEnd;
  readonly #keeps: boolean;

  /** Over `writer`, which `keeps` its chunks unless it is finished with each one once the write resolves. */
  constructor(writer: WritableStreamDefaultWriter<Uint8Array>, end: SinkEnd = {}, { keeps = true } = {}) {
    this.#writer = writer;
    this.#end = end;
    this.#keeps = keeps;
  }

  /** Write the chunk. It is copied where the stream may keep it, as the tensor behind it may change. */
  async write(chunk: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < chunk.length; at += PIECE) {
        // Its settling is the back-pressure: a stream without room for a queue is never ready before.
        await this.#writer.write(this.#keeps ? chunk.slice(at, at + PIECE) : chunk.subarray(at, at + PIECE));
      }
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Close the stream. */
  async close(): Promise<void> {
    try {
      await this.#writer.close();
      await this.#end.commit?.();
    } catch (error) {
      // A file has its new bytes only once all of this has succeeded.
      throw this.#failed(error);
    } finally {
      this.#end.over?.();
    }
  }

  /** What a caller's stream fails with is passed on; of a file of ours it is an error of ours. */
  #failed(error: unknown): unknown {
    return this.#keeps || isPaddleError(error) ? error : sinkFailed(error);
  }

  /** Abort the stream. */
  async abort(reason: unknown): Promise<void> {
    try {
      await this.#writer.abort(reason);
    } finally {
      try {
        await this.#end.undo?.();
      } finally {
        this.#end.over?.();
      }
    }
  }
}
