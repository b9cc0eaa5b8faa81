/**
 * A folder whose answers nobody waits for when a call was stopped.
 *
 * @module
 */
import type { Folder, PutOptions } from "./folder.ts";
import type { Sink } from "./sink.ts";
import type { Source } from "./source.ts";
import { within } from "./within.ts";

/** Another folder for the length of one call: places differ in how they look at a signal, this one always does. */
export class StoppableFolder implements Folder {
  readonly #folder: Folder;
  readonly #signal: AbortSignal;
  declare hasFolder?: (name: string) => Promise<boolean>;

  /** Until `signal`. */
  constructor(folder: Folder, signal: AbortSignal) {
    this.#folder = folder;
    this.#signal = signal;
    if (folder.hasFolder) this.hasFolder = (name) => this.#wait(folder.hasFolder!(name));
  }

  /** What comes too late is closed. */
  get(name: string): Promise<Source | null> {
    const getting = (async () => await this.#folder.get(name, { signal: this.#signal }))();
    getting.then((source) => this.#signal.aborted ? source?.close?.() : undefined).catch(() => {});
    return this.#wait(getting);
  }

  put(name: string, options?: PutOptions): Promise<Sink> {
    const putting = (async () => await this.#folder.put(name, { ...options, signal: this.#signal }))();
    putting.then((sink) => this.#signal.aborted ? sink.abort(this.#signal.reason) : undefined).catch(() => {});
    return this.#wait(putting);
  }

  async list(prefix?: string): Promise<string[]> {
    return await this.#wait(this.#folder.list(prefix));
  }

  /** What is left of a call that was stopped is taken away all the same. */
  async delete(name: string): Promise<void> {
    await this.#folder.delete(name);
  }

  async #wait<T>(work: Promise<T>): Promise<T> {
    return await within(work, Infinity, this.#signal);
  }
}

/** The folder until `signal`, where there is one. */
export function until(folder: Folder, signal: AbortSignal | undefined): Folder {
  return signal ? new StoppableFolder(folder, signal) : folder;
}
