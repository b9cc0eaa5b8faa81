/**
 * A folder for the length of one call: nobody waits for its answers when the call was stopped, and whatever it does comes as an error of ours.
 *
 * @module
 */
import { isPaddleError, quote, SaveError, SourceError } from "../../errors.ts";
import type { Folder, PutOptions } from "../folder.ts";
import { guarded } from "../sources/guarded_source.ts";
import type { Sink } from "../sink.ts";
import { sinkFailed } from "../sinks/sink_failed.ts";
import type { Source } from "../source.ts";
import { within } from "../waiting/within.ts";

/** Another folder: places differ in how they look at a signal, this one always does. */
class StoppableFolder implements Folder {
  readonly #folder: Folder;
  readonly #signal: AbortSignal | undefined;
  declare hasFolder?: (name: string) => Promise<boolean>;

  /** Until `signal`. */
  constructor(folder: Folder, signal: AbortSignal | undefined) {
    this.#folder = folder;
    this.#signal = signal;
    if (folder.hasFolder) this.hasFolder = (name) => this.#wait(name, () => folder.hasFolder!(name));
  }

  /** What comes too late is closed. */
  async get(name: string): Promise<Source | null> {
    const signal = this.#signal;
    const source = await this.#wait(name, async () => {
      const found = await this.#folder.get(name, { signal });
      if (signal?.aborted) Promise.resolve(found?.close?.()).catch(() => {});
      return found;
    });
    return source && guarded(source, signal);
  }

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
      if (signal?.aborted) Promise.resolve(sink.abort(signal.reason)).catch(() => {});
      return sink;
    }, sinkFailed);
  }

  list(prefix?: string): Promise<string[]> {
    return this.#wait(prefix ?? "", () => this.#folder.list(prefix));
  }

  /** What is left of a call that was stopped is taken away all the same. */
  async delete(name: string): Promise<void> {
    await this.#folder.delete(name);
  }

  async #wait<T>(name: string, work: () => Promise<T>, failure = (cause: unknown) => failed(name, cause)): Promise<T> {
    try {
      return await within((async () => await work())(), Infinity, this.#signal);
    } catch (error) {
      if (this.#signal?.aborted) throw this.#signal.reason;
      // A wrong argument is a TypeError of ours, which somebody else's folder may pass on.
      throw isPaddleError(error) || error instanceof TypeError ? error : failure(error);
    }
  }
}

function failed(name: string, cause: unknown): Error {
  return new SourceError("READ_FAILED", `The folder failed at ${quote(name)}`, { path: name, cause });
}

/** The folder until `signal`, where there is one. */
export function until(folder: Folder, signal: AbortSignal | undefined): Folder {
  return new StoppableFolder(folder, signal);
}
