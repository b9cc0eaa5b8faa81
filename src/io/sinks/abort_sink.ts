/**
 * Aborts a sink whose save failed.
 *
 * @module
 */
import { FileSink } from "./file_sink.ts";
import type { Sink } from "../sink.ts";
import { within } from "../waiting/within.ts";

/** Milliseconds that a sink has to clean up: after an abort of the call, and after any other failure. */
const STOPPED = 20, FAILED = 30_000;

/** Undo what was begun. A file at a path is always waited for; any other sink of an aborted call may be stuck in its last chunk forever. */
export async function abortSink(sink: Sink, reason: unknown, signal: AbortSignal | undefined): Promise<void> {
  const aborting: Promise<unknown> = (async () => await sink.abort(reason))();
  if (sink instanceof FileSink) await aborting;
  else await (signal?.aborted ? within(aborting, STOPPED) : within(aborting, FAILED, signal));
}
