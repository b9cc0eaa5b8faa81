/**
 * A folder in memory.
 *
 * @module
 */
import { byCodePoint } from "../../words/code_point_order.ts";
import { checkedList, checkedPair } from "../argument_errors.ts";
import { BytesSource } from "../sources/bytes_source.ts";
import { PartSource } from "../sources/part_source.ts";
import { type Folder, type PutOptions, refuseDiskOptions } from "../folder.ts";
import { MemorySink } from "../sinks/memory_sink.ts";
import { checkedBytes } from "../../words/plain_bytes.ts";
import { safeParts } from "../names/safe_name.ts";
import type { Sink } from "../sink.ts";
import type { Source } from "../source.ts";

/** A file that gives out only copies of its bytes, so that it does not change with what was loaded from it. */
class FileInMemory extends PartSource {
  readonly edit: Source["edit"];

  constructor(bytes: Uint8Array, name: string) {
    const source = new BytesSource(bytes, name, { writable: true });
    super(source, 0, bytes.length, name);
    this.edit = source.edit;
  }
}

/**
 * Files in memory: for tests, and for runtimes without a file system.
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

  /** With these files, which are not copied. */
  constructor(files: Iterable<readonly [string, Uint8Array]> = []) {
    for (const file of checkedList(files, "a list of names and bytes")) {
      const [name, bytes] = checkedPair(file, "a pair of a name and bytes");
      safeParts(name);
      this.#files.set(name, checkedBytes(bytes));
    }
  }

  /** The file `name`. */
  // deno-lint-ignore require-await
  async get(name: string): Promise<Source | null> {
    safeParts(name);
    const bytes = this.#files.get(name);
    return bytes ? new FileInMemory(bytes, name) : null;
  }

  /** A sink whose bytes become the file `name` when it is closed. */
  // deno-lint-ignore require-await
  async put(name: string, options?: PutOptions): Promise<Sink> {
    safeParts(name);
    refuseDiskOptions(options, "memory");
    return new MemorySink((bytes) => this.#files.set(name, bytes));
  }

  /** Names that start with `prefix`, in code point order. */
  list(prefix = ""): Promise<string[]> {
    return Promise.resolve([...this.#files.keys()].filter((name) => name.startsWith(prefix)).sort(byCodePoint));
  }

  /** Remove a file, if it exists. */
  // deno-lint-ignore require-await
  async delete(name: string): Promise<void> {
    safeParts(name);
    this.#files.delete(name);
  }
}
