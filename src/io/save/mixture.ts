/**
 * Notices that another process saved the same files at the same time, and that files of both saves are in place in the end.
 *
 * @module
 */
import { quote, SaveError } from "../../errors.ts";
import type { FileSink } from "../sinks/file_sink.ts";
import { sleep } from "../waiting/within.ts";

/** Milliseconds without a change after which the other save counts as over. */
const OVER = 200;
/** Milliseconds between two looks. */
const LOOK = 10;

/**
 * The error to report if another process replaced some, but not all, of the files that this save put in place. Null if all are there, or if
 * all were replaced, as by a later save. As each process looks only once its own files are in place, at least the last one sees the mixture.
 */
export async function mixtureOf(placed: readonly FileSink[]): Promise<SaveError | null> {
  let gone = await replacedOf(placed);
  for (let waited = 0; gone.length > 0 && gone.length < placed.length; waited += LOOK) {
    if (waited >= OVER) return mixed(gone[0].path);
    await sleep(LOOK);
    const now = await replacedOf(placed);
    if (now.length !== gone.length) waited = 0;
    gone = now;
  }
  return null;
}

/** The files that were replaced. On some network file systems, where inode numbers do not last, this may be all of them. */
async function replacedOf(placed: readonly FileSink[]): Promise<FileSink[]> {
  const inPlace = await Promise.all(placed.map((sink) => sink.isInPlace()));
  return placed.filter((_, i) => !inPlace[i]);
}

function mixed(path: string): SaveError {
  const message = `${quote(path)} was saved by another process at the same time: the files are from both saves`;
  const hint = "save again, and let the processes take turns";
  return new SaveError("CONFLICT", message, { path, committed: "unknown", hint });
}
