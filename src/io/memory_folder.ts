/**
 * A folder in memory.
 *
 * @module
 */
import { BytesSource } from "./bytes_source.ts";
import type { Folder } from "./folder.ts";
import { MemorySink } from "./memory_sink.ts";
import type { Sink } from "./sink.ts";
import type { Source } from "./source.ts";

/**
 * Files in memory: for tests, and for runtimes without files.
 *
 * @example
 * ```ts
 * import { load, MemoryFolder, save } from "@oarlock/paddle";
 * const folder = new MemoryFolder();
 * await save(new Map([["epoch", 3]]), "a.pdparams", { folder });
 * const value = await load("a.pdparams", { folder }) as Map<string, unknown>;
 * if (value.get("epoch") !== 3) throw new Error("lost");
 * ```
 */
export class MemoryFolder implements Folder {
  readonly #files = new Map<string, Uint8Array>();

  /** The file `name`. */
  get(name: string): Promise<Source | null> {
    const bytes = this.#files.get(name);
    return Promise.resolve(bytes ? new BytesSource(bytes, name) : null);
  }

  /** A sink whose bytes become the file `name` when it is closed. */
  put(name: string): Promise<Sink> {
    return Promise.resolve(new MemorySink((bytes) => this.#files.set(name, bytes)));
  }

  /** Names that start with `prefix`, by code unit. */
  list(prefix = ""): Promise<string[]> {
    return Promise.resolve([...this.#files.keys()].filter((name) => name.startsWith(prefix)).sort());
  }

  /** Remove a file. */
  delete(name: string): Promise<void> {
    this.#files.delete(name);
    return Promise.resolve();
  }
}
