/**
 * Tells that another process saved the same files at the same time, and whether files of both are in place in the end.
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
 * The error if some of the files, which were put in place, were replaced meanwhile, and others stay; null if there are all of them, or if the
 * other save replaced them all, as if it had come later. Each saver puts its files in place before it looks: of several whose files are mixed
 * in the end, at least the one whose file came last in the last place sees it.
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

/** The files that somebody has replaced. On some network file systems all seem to be, as their inodes do not last. */
async function replacedOf(placed: readonly FileSink[]): Promise<FileSink[]> {
  const are = await Promise.all(placed.map((sink) => sink.isInPlace()));
  return placed.filter((_, i) => !are[i]);
}

function mixed(path: string): SaveError {
  const message = `${quote(path)} was saved by another process at the same time: the files are from both saves`;
  const hint = "save again, and let the processes take turns";
  return new SaveError("CONFLICT", message, { path, committed: "unknown", hint });
}
