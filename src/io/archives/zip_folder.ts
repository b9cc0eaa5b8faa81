/**
 * A zip archive as a folder, read in place.
 *
 * @module
 */
import type { ArchiveNames } from "./archive_names.ts";
import { type Folder, readOnly } from "../folder.ts";
import type { Sink } from "../sink.ts";
import type { Source } from "../source.ts";
import { readZipDirectory, type ZipEntry, type ZipOptions } from "./zip_directory.ts";
import { windowed } from "./windowed_source.ts";
import { openZipMember } from "./zip_member.ts";

/** The files of a zip archive: stored ones are read in place, compressed ones are decompressed when read. It is read-only. */
export class ZipFolder implements Folder {
  readonly #source: Source;
  readonly #names: ArchiveNames<ZipEntry>;
  readonly #options: ZipOptions;

  private constructor(source: Source, names: ArchiveNames<ZipEntry>, options: ZipOptions) {
    this.#source = source;
    this.#names = names;
    this.#options = options;
  }

  /** Read the directory of the archive in `source`. */
  static async open(given: Source, options: ZipOptions): Promise<ZipFolder> {
    const source = windowed(given);
    return new ZipFolder(source, await readZipDirectory(source, options), options);
  }

  /** The file `name`; its header and size are checked now, its CRC-32 when its last byte is read. */
  async get(name: string, options?: { signal?: AbortSignal }): Promise<Source | null> {
    const entry = this.#names.files.get(name);
    return entry ? await openZipMember(this.#source, entry, this.#options.limits, options?.signal) : null;
  }

  /** An archive is read-only. */
  put(name: string): Promise<Sink> {
    return Promise.reject(readOnly("A zip archive", name));
  }

  /** Names that start with `prefix`, in code point order. */
  list(prefix = ""): Promise<string[]> {
    return Promise.resolve(this.#names.list(prefix));
  }

  /** Names in the order of the central directory. */
  names(): string[] {
    return [...this.#names.files.keys()];
  }

  /** An archive is read-only. */
  delete(name: string): Promise<void> {
    return Promise.reject(readOnly("A zip archive", name));
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
