/**
 * A caller's sink whose failures, whatever they are, surface as our errors.
 *
 * @module
 */
import { isPaddleError } from "../../errors.ts";
import { FileSink } from "./file_sink.ts";
import type { Sink } from "../sink.ts";
import { closeFailed, sinkFailed } from "../sink_failed.ts";

/** `sink` with its failures as SaveErrors, even if it throws a TypeError. */
export function guardedSink(sink: Sink): Sink {
  if (sink instanceof FileSink) return sink;
  const told = async (work: () => unknown, failed = sinkFailed): Promise<void> => {
    try {
      await work();
    } catch (error) {
      throw isPaddleError(error) ? error : failed(error);
    }
  };
  return {
    get keepsChunks() {
      try {
        return sink.keepsChunks;
      } catch (error) {
        throw sinkFailed(error);
      }
    },
    expect: (size) => told(() => sink.expect?.(size)),
    write: (chunk) => told(() => sink.write(chunk)),
    close: () => told(() => sink.close(), closeFailed),
    abort: (reason) => sink.abort(reason),
  };
}
