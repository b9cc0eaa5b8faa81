/**
 * A tar archive as a folder, read in place.
 *
 * @module
 */
import type { Limits } from "../../limits.ts";
import type { ArchiveNames } from "./archive_names.ts";
import { type Folder, readOnly } from "../folder.ts";
import { PartSource } from "../sources/part_source.ts";
import type { Sink } from "../sink.ts";
import type { Source } from "../source.ts";
import { readTarDirectory, type TarEntry } from "./tar_directory.ts";
import { windowed } from "./windowed_source.ts";

/** The files of a tar archive, read in place. It is read-only. */
export class TarFolder implements Folder {
  readonly #source: Source;
  readonly #names: ArchiveNames<TarEntry>;

  private constructor(source: Source, names: ArchiveNames<TarEntry>) {
    this.#source = source;
    this.#names = names;
  }

  /** Read the headers of the archive in `source`. */
  static async open(given: Source, limits: Readonly<Limits>, signal?: AbortSignal): Promise<TarFolder> {
    const source = windowed(given);
    return new TarFolder(source, await readTarDirectory(source, limits, signal));
  }

  /** The file `name`. */
  get(name: string): Promise<Source | null> {
    const entry = this.#names.files.get(name);
    return Promise.resolve(entry ? new PartSource(this.#source, entry.offset, entry.size, name) : null);
  }

  /** An archive is read-only. */
  put(name: string): Promise<Sink> {
    return Promise.reject(readOnly("A tar archive", name));
  }

  /** Names that start with `prefix`, in code point order. */
  list(prefix = ""): Promise<string[]> {
    return Promise.resolve(this.#names.list(prefix));
  }

  /** An archive is read-only. */
  delete(name: string): Promise<void> {
    return Promise.reject(readOnly("A tar archive", name));
  }

  /** Whether there is a folder `name`. */
  hasFolder(name: string): Promise<boolean> {
    return Promise.resolve(this.#names.hasFolder(name));
  }

  /** Close the archive. */
  async close(): Promise<void> {
    await this.#source.close?.();
  }

  /** Calls {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
