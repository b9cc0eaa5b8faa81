/**
 * Files that a user dropped on a page or chose, as a folder.
 *
 * @module
 */
import { byCodePoint } from "../../words/code_point_order.ts";
import { checkedList, checkedPair } from "../argument_errors.ts";
import { PathError } from "../../errors.ts";
import { BlobSource } from "../sources/blob_source.ts";
import { type Folder, readOnly } from "../folder.ts";
import { shownValue } from "../../words/described.ts";
import { safeParts } from "../names/safe_name.ts";
import type { Sink } from "../sink.ts";
import type { Source } from "../source.ts";

const WANTED = "a File, or a pair of a name and a Blob";

/**
 * A list of files: from `<input type="file">`, from drag and drop, or given as names and blobs. Files of a chosen directory are named by
 * their path below it, with the directory's own name in front, as browsers report it. It is read-only.
 *
 * @example The files of a model that were dropped on a page
 * ```ts
 * import { FileListFolder, load } from "@oarlock/paddle";
 * async function loadDropped(event: DragEvent, prefix: string) {
 *   return await load(prefix, { folder: new FileListFolder(event.dataTransfer!.files) });
 * }
 * ```
 */
export class FileListFolder implements Folder {
  readonly #files = new Map<string, Blob>();

  /**
   * With these files.
   *
   * @throws {PathError} `NAME_COLLISION`: two files have one name
   */
  constructor(files: Iterable<File | readonly [string, Blob]>) {
    for (const entry of checkedList(files, "a list of Files")) {
      const [name, blob] = entry instanceof Blob ? [nameOf(entry), entry] : checkedPair(entry, WANTED);
      if (!(blob instanceof Blob)) throw new TypeError(`Expected ${WANTED}: got ${shownValue(entry)}`);
      safeParts(name);
      if (this.#files.has(name)) {
        throw new PathError("NAME_COLLISION", `Two files have the name ${JSON.stringify(name)}`, { names: [name] });
      }
      this.#files.set(name, blob);
    }
  }

  /** The file `name`. */
  // deno-lint-ignore require-await
  async get(name: string): Promise<Source | null> {
    safeParts(name);
    const blob = this.#files.get(name);
    return blob ? new BlobSource(blob, name) : null;
  }

  /**
   * The folder is read-only.
   *
   * @throws {SaveError} `READ_ONLY`: always
   */
  // deno-lint-ignore require-await
  async put(name: string): Promise<Sink> {
    throw readOnly("A list of files", name);
  }

  /** Names that start with `prefix`, in code point order. */
  list(prefix = ""): Promise<string[]> {
    return Promise.resolve([...this.#files.keys()].filter((name) => name.startsWith(prefix)).sort(byCodePoint));
  }

  /**
   * The folder is read-only.
   *
   * @throws {SaveError} `READ_ONLY`: always
   */
  // deno-lint-ignore require-await
  async delete(name: string): Promise<void> {
    throw readOnly("A list of files", name);
  }
}

function nameOf(file: File): string {
  return "webkitRelativePath" in file && file.webkitRelativePath ? String(file.webkitRelativePath) : file.name;
}
