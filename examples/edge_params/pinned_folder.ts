/** A folder whose files stay at the version they had when first looked up. */
import { type Folder, isPaddleError, type Source } from "@oarlock/paddle";

/** Used for one request: each file is looked up once, and everything read afterwards is of that version. */
export class PinnedFolder implements Folder {
  readonly #folder: Folder;
  readonly #files = new Map<string, Promise<Source | null>>();
  readonly #versions = new Map<string, string | undefined>();

  constructor(folder: Folder) {
    this.#folder = folder;
  }

  async get(name: string, options?: { signal?: AbortSignal }): Promise<Source | null> {
    let file = this.#files.get(name);
    if (!file) this.#files.set(name, file = this.#folder.get(name, options).catch(noFile));
    const source = await file;
    if (source) this.#versions.set(name, source.version);
    return source && new SharedSource(source);
  }

  list(prefix?: string): Promise<string[]> {
    return this.#folder.list(prefix);
  }

  put(): Promise<never> {
    return Promise.reject(new TypeError("Nothing is put where files are served"));
  }

  delete(): Promise<never> {
    return Promise.reject(new TypeError("Nothing is removed where files are served"));
  }

  /** The versions of all files that were found, as one string; null if one of them has none. */
  version(): string | null {
    const all = [...this.#versions].sort(([one], [other]) => one < other ? -1 : 1);
    return all.some(([, version]) => version === undefined) ? null : JSON.stringify(all);
  }

  /** Whether equal versions guarantee equal bytes: ETags of buckets and servers do, modification times do not. */
  get isStrong(): boolean {
    return [...this.#versions.values()].every((version) => version?.startsWith("etag:"));
  }

  /** Close all files. */
  async close(): Promise<void> {
    for (const file of this.#files.values()) await (await file.catch(() => null))?.close?.();
  }
}

/** A directory is not a file: buckets, which have no directories, say that there is none. */
function noFile(error: unknown): null {
  if (isPaddleError(error) && error.code === "NOT_A_FILE") return null;
  throw error;
}

/** A source shared by several readers, none of which closes it. */
class SharedSource implements Source {
  readonly size: number;
  readonly name: string | undefined;
  readonly costly: boolean | undefined;
  readonly version: string | undefined;
  readonly streamRange?: NonNullable<Source["streamRange"]>;
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
    this.size = source.size;
    this.name = source.name;
    this.costly = source.costly;
    this.version = source.version;
    if (source.streamRange) this.streamRange = (start, end) => source.streamRange!(start, end);
  }

  read(offset: number, into: Uint8Array, options?: { signal?: AbortSignal }): Promise<number> {
    return this.#source.read(offset, into, options);
  }

  async verify(): Promise<void> {
    await this.#source.verify?.();
  }
}
