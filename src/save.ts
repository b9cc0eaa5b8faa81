/**
 * Saves a value to a file: `paddle.save`.
 *
 * @module
 */
import { PaddleError, SaveError, type Warning } from "./errors.ts";
import { abortSink } from "./io/sinks/abort_sink.ts";
import { FileSink } from "./io/sinks/file_sink.ts";
import { guardedSink } from "./io/sinks/guarded_sink.ts";
import { type Progress, progressOf } from "./io/progress.ts";
import { pour } from "./io/save/pour.ts";
import type { Sink } from "./io/sink.ts";
import { sinkFailed } from "./io/sink_failed.ts";
import { sinkOf, type To } from "./io/open/sink_of.ts";
import { deferredValueOf } from "./io/lazy/deferred_value.ts";
import { loadLazyArrays } from "./io/lazy/load_lazy_arrays.ts";
import { textLengthsOf } from "./io/save/text_lengths.ts";
import { inTurns } from "./io/waiting/turns.ts";
import { stoppable } from "./io/waiting/within.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { draftEncoding, type Plan } from "./encode.ts";
import { checkOptions, type EncodeOptions, SAVE_OPTIONS, type SaveOptions } from "./options.ts";
import type { Value } from "./values.ts";

/** What {@linkcode save} did. */
export interface SaveReport {
  /** Number of bytes written. */
  bytes: number;
  /** Whether the file and its name were synced to disk; false if the target cannot guarantee it (streams, browsers). */
  durable: boolean;
  /** SHA-256 of the file as hex, if it was read back: see the option `verify`. */
  sha256?: string;
  /** Warnings about oddities that did not stop the save, such as a lock that cannot be removed (`LEFTOVER`). */
  warnings: Warning[];
}

/**
 * Write a value as `paddle.save` does: a state dict with its name table, other objects as pickles, one tensor as a binary record with
 * `useBinaryFormat`, a Program as the bytes of its file. A path always leads to the complete old file or the complete new one, whatever
 * fails.
 *
 * Apart from the value, it uses less than 32 MiB of memory, whatever the size. Unread arrays of a checkpoint, or a whole checkpoint, are
 * copied from its file to the new one in pieces. For protocol 2, which stores the length of an array's text before it, they are read twice
 * unless the file has them as such text already. A stream, or a sink that keeps its chunks, gets copies: the engine may let some 100 MiB of
 * them pile up before it frees them.
 *
 * @throws {ValueError} `INVALID_VALUE`: something in the value cannot be saved; nothing was created
 * @throws {SaveError} writing failed; `committed` says whether the target changed
 * @throws {PathError} `NOT_A_FILE`: the target is not a regular file
 *
 * @example Save into memory
 * ```ts
 * import { load, MemoryFolder, save } from "@oarlock/paddle";
 * const folder = new MemoryFolder();
 * const report = await save(new Map([["epoch", 3]]), "run.pdparams", { folder });
 * if (report.bytes === 0) throw new Error("nothing written");
 * ```
 */
export async function save(value: Value | Checkpoint, to: To, options: SaveOptions = {}): Promise<SaveReport> {
  checkOptions(options, SAVE_OPTIONS);
  options.signal?.throwIfAborted();
  const read = deferredValueOf(value);
  // A value without unread parts is checked and shaped right now, before the caller can modify it, unless that takes several steps.
  const whole = read ? await read(options) : value;
  return await saveChunks(await planSaving(whole, options), to, options);
}

/** Check and shape a value that may have arrays in files; these stay there, and nothing is written yet. */
export async function planSaving(value: Value, options: EncodeOptions & { signal?: AbortSignal }): Promise<Plan> {
  const { signal } = options;
  const { pickled, isText, plan } = await inTurns(draftEncoding(value, options), signal);
  // CPython shares one object for each single byte, so arrays of one byte must be read.
  await loadLazyArrays(pickled, signal, 2);
  return await inTurns(isText ? plan(await textLengthsOf(pickled, signal)) : plan(), signal);
}

/** Write what was planned, as every file that this library writes is. */
export async function saveChunks(
  plan: Plan,
  to: To,
  options: SaveOptions,
): Promise<SaveReport> {
  const { signal, onProgress } = options;
  signal?.throwIfAborted();
  const progress = progressOf(onProgress, "save", plan.size);
  const sink = guardedSink(
    await sinkOf(to, {
      size: plan.size,
      folder: options.folder,
      mkdir: options.mkdir ?? true,
      verify: options.verify,
      ifUnchanged: options.ifUnchanged,
      lock: options.lock,
      requireDurable: options.requireDurable,
      preserve: options.preserve,
      portable: options.portable,
      signal,
    }),
  );
  try {
    const isFile = sink instanceof FileSink;
    await stoppable(() => sink.expect?.(plan.size), signal);
    // If the sink does not keep chunks, they may reuse memory.
    const chunks = sink.keepsChunks === false ? plan.reusing?.() : undefined;
    await pour(chunks ?? plan.chunks, sink, { size: plan.size, signal, onWritten: progress?.at });
    if (isFile) await sink.prepare();
    progress?.check();
    // If the call is aborted while the sink is closing, it is unknown whether the target has the file.
    if (isFile) await sink.close();
    else await stoppable(() => sink.close(), signal);
  } catch (error) {
    throw await failed(error, sink, signal, progress);
  }
  const warnings = sink instanceof FileSink ? [...plan.warnings, ...sink.warnings] : plan.warnings;
  for (const warning of warnings) options.onWarning?.(warning);
  await progress?.end();
  const report: SaveReport = { bytes: plan.size, durable: false, warnings };
  if (!(sink instanceof FileSink)) return report;
  report.durable = sink.durable;
  if (sink.sha256 !== undefined) report.sha256 = sink.sha256;
  return report;
}

/** Undo what was begun, and return the error to report, which is the first failure. */
async function failed(
  error: unknown,
  sink: Sink,
  signal: AbortSignal | undefined,
  progress: Progress | null,
): Promise<unknown> {
  if (error instanceof SaveError && error.committed === "yes") return error;
  try {
    await abortSink(sink, error, signal);
  } catch {
    // The first failure is more informative than the failed clean-up.
  }
  if (signal?.aborted) return signal.reason;
  if (progress?.threw(error)) return error;
  if (error instanceof PaddleError || error instanceof TypeError) return error;
  return sink instanceof FileSink ? error : sinkFailed(error);
}
