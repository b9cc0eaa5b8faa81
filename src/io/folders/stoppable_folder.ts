/**
 * A folder for the duration of one call: once the call is aborted, its answers are not waited for; and whatever it throws
 * surfaces as one of our errors.
 *
 * @module
 */
import { isPaddleError, quote, SaveError, SourceError } from "../../errors.ts";
import { type Folder, type GetOptions, noteWrapper, type PutOptions } from "../folder.ts";
import { guardedSource } from "../sources/guarded_source.ts";
import type { Sink } from "../sink.ts";
import { sinkFailed } from "../sink_failed.ts";
import type { Source } from "../source.ts";
import { within } from "../waiting/within.ts";

/** What to do when a call of the folder fails, and with what arrives after an abort. */
interface Waiting<T> {
  failure?: (cause: unknown) => Error;
  release?: (late: T) => unknown;
}

/** Wraps another folder. Folders differ in how they honour a signal; this one always does. */
class StoppableFolder implements Folder {
  readonly #folder: Folder;
  readonly #signal: AbortSignal | undefined;
  declare hasFolder?: (name: string) => Promise<boolean>;

  /** Over `folder`, until `signal` aborts. */
  constructor(folder: Folder, signal: AbortSignal | undefined) {
    this.#folder = folder;
    this.#signal = signal;
    noteWrapper(this, folder);
    if (folder.hasFolder) this.hasFolder = (name) => this.#wait(name, () => folder.hasFolder!(name));
  }

  /** A source that arrives too late is closed. */
  async get(name: string, { onWarning }: GetOptions = {}): Promise<Source | null> {
    const signal = this.#signal;
    const source = await this.#wait(
      name,
      async () => await this.#folder.get(name, onWarning ? { signal, onWarning } : { signal }),
      { release: (late) => late?.close?.() },
    );
    return source && guardedSource(source, signal);
  }

  /** A sink that arrives too late is aborted. */
  put(name: string, options?: PutOptions): Promise<Sink> {
    const signal = this.#signal;
    return this.#wait(name, async () => {
      const sink = await this.#folder.put(name, { ...options, signal });
      if (typeof sink?.write !== "function") {
        throw new SaveError("SINK_FAILED", `The folder gave no sink for ${quote(name)}`, {
          path: name,
          committed: "no",
        });
      }
      return sink;
    }, { failure: sinkFailed, release: (late) => late.abort(signal?.reason) });
  }

  list(prefix?: string): Promise<string[]> {
    return this.#wait(prefix ?? "", async () => {
      const names: unknown = await this.#folder.list(prefix);
      if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
      throw new SourceError("READ_FAILED", "The folder's list is not an array of strings", { path: prefix });
    });
  }

  /** Works after an abort, too: what an aborted call leaves behind has to be removed. */
  async delete(name: string): Promise<void> {
    await this.#folder.delete(name);
  }

  /** Wait for `work`, but not after an abort; what it gives then is released. */
  async #wait<T>(
    name: string,
    work: () => Promise<T>,
    { failure = (cause) => failed(name, cause), release = () => {} }: Waiting<T> = {},
  ): Promise<T> {
    const working = (async () => await work())();
    try {
      return await within(working, Infinity, this.#signal);
    } catch (error) {
      working.then(release).catch(() => {});
      if (this.#signal?.aborted) throw this.#signal.reason;
      // A wrong argument is a TypeError of ours, which a caller's folder may pass on.
      throw isPaddleError(error) || error instanceof TypeError ? error : failure(error);
    }
  }
}

function failed(name: string, cause: unknown): Error {
  return new SourceError("READ_FAILED", `The folder failed at ${quote(name)}`, { path: name, cause });
}

/** `folder`, until `signal` aborts, if there is one. */
export function stoppableFolder(folder: Folder, signal: AbortSignal | undefined): Folder {
  return new StoppableFolder(folder, signal);
}
