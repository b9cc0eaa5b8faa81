/**
 * A folder in the browser's database, for browsers without an origin private file system.
 *
 * @module
 */
import { byCodePoint } from "../../words/code_point_order.ts";
import { PaddleError, SaveError, SourceError } from "../../errors.ts";
import { type Folder, type PutOptions, refuseDiskOptions } from "../folder.ts";
import { Rechunker } from "../streams/rechunker.ts";
import { safeParts } from "../names/safe_name.ts";
import type { Sink } from "../sink.ts";
import type { Source } from "../source.ts";
import { messageOf } from "../message_of.ts";

/** Bytes per row, the unit of reading and writing. */
const ROW = 2 ** 20;
/** Age in milliseconds beyond which the rows of an unfinished save are removed. */
const STALE = 24 * 3600_000;

interface FileRow {
  name: string;
  id: string;
  size: number;
}

/**
 * A folder in IndexedDB. Files are stored as rows of 1 MiB; a file is always either all old or all new.
 *
 * @example A value kept in the browser
 * ```ts
 * import { IndexedDbFolder, load, save, type Value } from "@oarlock/paddle";
 *
 * async function keep(value: Value) {
 *   const folder = new IndexedDbFolder("my-models");
 *   await save(value, "model.pdparams", { folder });
 *   return await load("model.pdparams", { folder });
 * }
 * ```
 */
export class IndexedDbFolder implements Folder {
  readonly #name: string;
  #database: Promise<IDBDatabase> | null = null;

  /** The folder named `database`; each folder is a database of its own. */
  constructor(database = "paddle") {
    this.#name = database;
  }

  /** The file `name`. */
  async get(name: string): Promise<Source | null> {
    safeParts(name);
    return await this.#guard(name, async (database) => {
      const row = await value<FileRow | undefined>(store(database, "files").get(name));
      return row ? new RowsSource(database, row) : null;
    });
  }

  /** A sink whose bytes become the file `name` when it is closed. */
  async put(name: string, options?: PutOptions): Promise<Sink> {
    safeParts(name);
    refuseDiskOptions(options, "a database");
    return await this.#guard(name, (database) => Promise.resolve(new RowsSink(database, name)));
  }

  /** Names that start with `prefix`, in code point order. */
  async list(prefix = ""): Promise<string[]> {
    return await this.#guard(prefix, async (database) => {
      const names = await value(store(database, "files").getAllKeys()) as string[];
      return names.filter((name) => name.startsWith(prefix)).sort(byCodePoint);
    });
  }

  /** Remove a file, if it exists. */
  async delete(name: string): Promise<void> {
    safeParts(name);
    await this.#guard(name, async (database) => {
      const transaction = database.transaction(["files", "rows"], "readwrite");
      const end = ended(transaction);
      const files = transaction.objectStore("files");
      const row = await value<FileRow | undefined>(files.get(name));
      if (row) {
        files.delete(name);
        transaction.objectStore("rows").delete(rowsOf(row.id));
      }
      await end;
    });
  }

  /** Close the database; it is reopened at the next use. */
  async close(): Promise<void> {
    const database = await this.#database?.catch(() => null);
    this.#database = null;
    database?.close();
  }

  async #guard<T>(path: string, work: (database: IDBDatabase) => Promise<T>): Promise<T> {
    try {
      return await work(await (this.#database ??= this.#open()));
    } catch (error) {
      throw databaseError(error, path);
    }
  }

  /** Open the database. If that fails, or the browser closes it later, the next use tries again. */
  #open(): Promise<IDBDatabase> {
    const forget = () => {
      if (this.#database === opening) this.#database = null;
    };
    const opening = openDatabase(this.#name, forget);
    opening.catch(forget);
    return opening;
  }
}

/** A file stored in rows. Replacing it deletes them, which tells a reader that it changed. */
class RowsSource implements Source {
  readonly size: number;
  readonly name: string;
  readonly #database: IDBDatabase;
  readonly #id: string;
  /** The row that was read last: consecutive short reads tend to lie in one. */
  #last: { index: number; row: Promise<Uint8Array | undefined> } | null = null;
  #closed = false;

  constructor(database: IDBDatabase, row: FileRow) {
    this.#database = database;
    this.#id = row.id;
    this.size = row.size;
    this.name = row.name;
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    if (this.#closed) throw new TypeError(`${JSON.stringify(this.name)} was closed`);
    const length = Math.min(into.length, this.size - offset);
    if (length <= 0) return 0;
    const first = Math.floor(offset / ROW), last = Math.floor((offset + length - 1) / ROW);
    try {
      const rows = await (first === last ? this.#one(first) : this.#several(first, last));
      let filled = 0;
      for (const row of rows) {
        if (!row) {
          throw new SourceError("SOURCE_CHANGED", `${JSON.stringify(this.name)} was replaced while being read`, {
            path: this.name,
          });
        }
        const from = filled === 0 ? offset % ROW : 0;
        const part = row.subarray(from, Math.min(row.length, from + length - filled));
        into.set(part, filled);
        filled += part.length;
      }
      return filled;
    } catch (error) {
      throw databaseError(error, this.name);
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#last = null;
    return Promise.resolve();
  }

  async #one(index: number): Promise<[Uint8Array | undefined]> {
    if (this.#last?.index !== index) {
      const row = value<Uint8Array | undefined>(store(this.#database, "rows").get([this.#id, index]));
      this.#last = { index, row };
      // After a failure the next read tries again.
      row.catch(() => this.#last = null);
    }
    return [await this.#last.row];
  }

  #several(first: number, last: number): Promise<(Uint8Array | undefined)[]> {
    const rows = store(this.#database, "rows");
    return Promise.all(Array.from({ length: last - first + 1 }, (_, i) => value(rows.get([this.#id, first + i]))));
  }
}

/** Writes rows under an id that nothing refers to yet; the last transaction binds it to the name. */
class RowsSink implements Sink {
  readonly keepsChunks = false;
  readonly #database: IDBDatabase;
  readonly #name: string;
  readonly #id = `${Date.now()}-${crypto.randomUUID()}`;
  readonly #gathered = new Rechunker(ROW);
  #rows = 0;
  #size = 0;
  #isOver = false;
  #closing: Promise<void> | null = null;

  constructor(database: IDBDatabase, name: string) {
    this.#database = database;
    this.#name = name;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#size += chunk.length;
    for (const row of this.#gathered.add(chunk)) await this.#row(row);
  }

  /** The last transaction takes place once: another one would remove the rows as those of an old file. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    const rest = this.#gathered.rest();
    if (rest.length > 0) await this.#row(rest);
    try {
      if (this.#isOver) throw new DOMException("The save was aborted", "AbortError");
      const transaction = this.#database.transaction(["files", "rows"], "readwrite");
      const end = ended(transaction);
      const files = transaction.objectStore("files");
      const old = await value<FileRow | undefined>(files.get(this.#name));
      files.put({ name: this.#name, id: this.#id, size: this.#size } satisfies FileRow);
      if (old) transaction.objectStore("rows").delete(rowsOf(old.id));
      await end;
    } catch (error) {
      throw databaseError(error, this.#name, "write");
    }
  }

  /** Remove the rows, unless the last transaction had already begun: then the file has them. */
  async abort(): Promise<void> {
    this.#isOver = true;
    const transaction = this.#database.transaction(["files", "rows"], "readwrite");
    const end = ended(transaction);
    const row = await value<FileRow | undefined>(transaction.objectStore("files").get(this.#name));
    if (row?.id !== this.#id) transaction.objectStore("rows").delete(rowsOf(this.#id));
    await end;
  }

  async #row(row: Uint8Array): Promise<void> {
    if (this.#isOver) return;
    try {
      const transaction = this.#database.transaction("rows", "readwrite");
      transaction.objectStore("rows").put(row, [this.#id, this.#rows++]);
      await ended(transaction);
    } catch (error) {
      throw databaseError(error, this.#name, "write");
    }
  }
}

/** Open a database. `onClosed` is called if anything else closes it. */
function openDatabase(name: string, onClosed: () => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("files", { keyPath: "name" });
      request.result.createObjectStore("rows");
    };
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      // Another page that deletes the database must not have to wait for us.
      database.onversionchange = () => {
        database.close();
        onClosed();
      };
      // The browser closes it when the user clears the storage.
      database.onclose = onClosed;
      removeStale(database).then(() => resolve(database), reject);
    };
  });
}

/** Remove rows of interrupted saves: an id begins with the time. */
async function removeStale(database: IDBDatabase): Promise<void> {
  const transaction = database.transaction(["files", "rows"], "readwrite");
  const end = ended(transaction);
  const rows = transaction.objectStore("rows");
  const files = await value(transaction.objectStore("files").getAll()) as FileRow[];
  const known = new Set(files.map((row) => row.id));
  for (let range = IDBKeyRange.lowerBound([""]);;) {
    const cursor = await value(rows.openKeyCursor(range));
    if (!cursor) break;
    const [id] = cursor.key as [string, number];
    if (!known.has(id) && Date.now() - Number(id.split("-")[0]) > STALE) rows.delete(rowsOf(id));
    range = IDBKeyRange.lowerBound([id, Infinity], true);
  }
  await end;
}

function rowsOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id, 0], [id, Infinity]);
}

function store(database: IDBDatabase, name: string): IDBObjectStore {
  return database.transaction(name, "readonly").objectStore(name);
}

function value<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function ended(transaction: IDBTransaction): Promise<void> {
  const end = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () =>
      reject(transaction.error ?? new DOMException("The transaction was aborted", "AbortError"));
  });
  // The error of a failed request is reported first, on its own.
  end.catch(() => {});
  return end;
}

function databaseError(cause: unknown, path: string, verb: "use" | "write" = "use"): unknown {
  if (cause instanceof PaddleError || cause instanceof TypeError) return cause;
  if (cause instanceof Error && cause.name === "QuotaExceededError") {
    return new SaveError("DISK_FULL", `There is no room for ${JSON.stringify(path)}`, { path, committed: "no", cause });
  }
  const message = `Cannot ${verb} ${JSON.stringify(path)}: ${messageOf(cause)}`;
  return verb === "write"
    ? new SaveError("WRITE_FAILED", message, { path, committed: "no", cause })
    : new SourceError("READ_FAILED", message, { path, cause });
}
