/**
 * A browser directory handle as a folder: a directory that was picked, or the origin private file system.
 *
 * @module
 */
import { takeHandleTurn } from "../waiting/handle_turns.ts";
import { byCodePoint } from "../../words/code_point_order.ts";
import { PathError, quote, SaveError, UnsupportedError } from "../../errors.ts";
import { DEFAULT_LIMITS } from "../../limits.ts";
import { isTemp, tempName } from "../temp_name.ts";
import type { DirectoryHandle, FileHandle } from "../file_handle.ts";
import { type Folder, type PutOptions, refuseDiskOptions } from "../folder.ts";
import { HandleSource } from "../sources/handle_source.ts";
import { handleError, writableOf, writeError } from "../writable_handle.ts";
import { described } from "../../words/described.ts";
import { hasMethod } from "../../words/plain_object.ts";
import { portableParts, safeParts } from "../names/safe_name.ts";
import type { Sink } from "../sink.ts";
import type { Source } from "../source.ts";
import { fileStreamSink, type SinkEnd } from "../sinks/stream_sink.ts";
import { type SyncHandle, SyncHandleSink } from "../sync_handle.ts";
import { checkNameCount } from "./check_name_count.ts";

/** Members that only some browsers have. */
type MovableHandle = FileHandle & {
  createSyncAccessHandle?: () => Promise<SyncHandle>;
  move?: (parent: DirectoryHandle, name: string) => Promise<void>;
};

/**
 * A directory handle. Names may contain `/`; missing directories are created when a file is put. A file is always either all old or all
 * new, but durability on a disk is not guaranteed.
 *
 * @example A file of a directory that the user picked
 * ```ts
 * import { HandleFolder, load } from "@oarlock/paddle";
 *
 * // The directory that showDirectoryPicker() returns.
 * async function loadFrom(directory: ConstructorParameters<typeof HandleFolder>[0]) {
 *   return await load("model.pdparams", { folder: new HandleFolder(directory) });
 * }
 * ```
 */
export class HandleFolder implements Folder {
  /** The handle itself. */
  readonly handle: DirectoryHandle;

  /** Over a handle from `showDirectoryPicker()`, from drag and drop, or from `navigator.storage.getDirectory()`. */
  constructor(handle: DirectoryHandle) {
    if (!hasMethod(handle, "getFileHandle")) {
      throw new TypeError(`Expected a directory handle: got ${described(handle)}`);
    }
    this.handle = handle;
  }

  /**
   * The file `name`.
   *
   * @throws {PathError} `UNSAFE_PATH`, `NOT_A_FILE`: the name is that of a directory
   * @throws {SourceError} `PERMISSION`, `READ_FAILED`
   */
  async get(name: string): Promise<Source | null> {
    const parts = safeParts(name);
    try {
      const parent = await this.#parent(parts);
      if (!parent) return null;
      return await HandleSource.open(await named(name, () => parent.getFileHandle(parts[parts.length - 1])), name);
    } catch (error) {
      if (isMissing(error)) return null;
      throw handleError(error, name);
    }
  }

  /** A sink whose bytes become the file `name` when it is closed. */
  async put(name: string, options?: PutOptions): Promise<Sink> {
    const parts = (options?.portable ?? true) ? portableParts(name) : safeParts(name);
    refuseDiskOptions(options, "a directory handle");
    await refuseWithoutRoom(this.handle, options?.size, name);
    const last = parts[parts.length - 1];
    try {
      const parent = (await this.#parent(parts, { create: true }))!;
      const leave = await takeHandleTurn({ handle: parent, name: last }, options?.signal);
      try {
        return await this.#sink(parent, last, name, { over: leave }, options?.signal);
      } catch (error) {
        leave();
        throw error;
      }
    } catch (error) {
      if (options?.signal?.aborted) throw error;
      throw writeError(error, name);
    }
  }

  async #sink(
    parent: DirectoryHandle,
    last: string,
    name: string,
    end: SinkEnd,
    signal: AbortSignal | undefined,
  ): Promise<Sink> {
    // A stream that overwrites an old file takes effect only on closing, but a new file must not be visible before it is complete.
    const old = await named(name, () => existing(parent, last));
    if (typeof old?.createWritable === "function") return await fileStreamSink(old, end, signal);
    return await putBeside(parent, last, name, end);
  }

  /** Names of the files in all directories below that start with `prefix`, in code point order. Temporary files of saves are left out. */
  async list(prefix = ""): Promise<string[]> {
    const names: string[] = [];
    const waiting: { directory: DirectoryHandle; path: string; depth: number }[] = [
      { directory: this.handle, path: "", depth: 0 },
    ];
    try {
      for (let next; (next = waiting.pop());) {
        const { directory, path, depth } = next;
        if (depth > DEFAULT_LIMITS.maxFolderDepth) {
          throw new PathError("UNSAFE_PATH", `Directories are nested deeper than ${depth - 1}`, { path });
        }
        for await (const [entry, handle] of entriesOf(directory)) {
          const name = path + entry;
          if (handle.kind === "directory") {
            if (!mayHold(name, prefix)) continue;
            waiting.push({ directory: handle as unknown as DirectoryHandle, path: name + "/", depth: depth + 1 });
          } else if (name.startsWith(prefix) && !isTemp(entry)) names.push(name);
          checkNameCount(names.length, path);
        }
      }
    } catch (error) {
      throw handleError(error, prefix);
    }
    return names.sort(byCodePoint);
  }

  /** Remove a file, if it exists. */
  async delete(name: string): Promise<void> {
    const parts = safeParts(name);
    try {
      const parent = await this.#parent(parts);
      await named(name, async () => await parent?.removeEntry(parts[parts.length - 1]));
    } catch (error) {
      if (!isMissing(error)) throw handleError(error, name);
    }
  }

  /** Whether there is a directory `name`, even an empty one. */
  async hasFolder(name: string): Promise<boolean> {
    const parts = safeParts(name);
    try {
      return await this.#parent([...parts, ""]) !== null;
    } catch (error) {
      throw handleError(error, name);
    }
  }

  /** The directory of a file, or null if it does not exist and is not to be created. */
  async #parent(parts: readonly string[], { create = false } = {}): Promise<DirectoryHandle | null> {
    let directory = this.handle;
    const path = parts.filter((part) => part !== "").join("/");
    for (const part of parts.slice(0, -1)) {
      try {
        const above = directory;
        directory = await named(path, () => above.getDirectoryHandle(part, { create }));
      } catch (error) {
        if (!create && isMissing(error)) return null;
        // If there is a file in place of a directory, the name below it does not exist.
        if (!create && error instanceof DOMException && error.name === "TypeMismatchError") return null;
        throw error;
      }
    }
    return directory;
  }
}

/** The result of `call`. A browser may refuse a name that other systems allow, by a TypeError: that becomes a PathError for `path`. */
async function named<T>(path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new PathError("UNSAFE_PATH", `The browser does not allow the name ${quote(path)}: ${cause.message}`, {
      path,
      cause,
    });
  }
}

/** Whether a directory may hold names that start with `prefix`. */
function mayHold(directory: string, prefix: string): boolean {
  const below = directory + "/";
  return below.startsWith(prefix) || prefix.startsWith(below);
}

/** The origin private file system, whose root has no name, has a quota: a save that exceeds it is refused before it begins. */
async function refuseWithoutRoom(
  { name: root }: DirectoryHandle,
  size: number | undefined,
  name: string,
): Promise<void> {
  const { navigator } = globalThis as { navigator?: { storage?: { estimate?(): Promise<StorageEstimate> } } };
  if (size === undefined || root !== "" || typeof navigator?.storage?.estimate !== "function") return;
  const { quota, usage }: StorageEstimate = await navigator.storage.estimate().catch(() => ({}));
  if (quota === undefined || usage === undefined || size <= quota - usage) return;
  throw new SaveError(
    "DISK_FULL",
    `There is no room for ${quote(name)}: it needs ${size} bytes, ${Math.max(0, quota - usage)} are left`,
    { path: name, committed: "no", hint: "delete what is not needed, or request navigator.storage.persist()" },
  );
}

/** Write to a temporary file, and move it to its name once it is complete. */
async function putBeside(parent: DirectoryHandle, last: string, name: string, { over }: SinkEnd): Promise<Sink> {
  const temp = tempName(last);
  const file = await parent.getFileHandle(temp, { create: true }) as MovableHandle;
  const end: SinkEnd = {
    commit: async () => {
      try {
        await file.move!(parent, last);
      } catch {
        // Not every file system can move, and none onto a file that was created meanwhile.
        await copyInto(file, parent, last);
        // The file has its bytes: a leftover copy is not a failure.
        await parent.removeEntry(temp).catch(() => {});
      }
    },
    undo: () => parent.removeEntry(temp).catch(() => {}),
    over,
  };
  try {
    if (typeof file.createWritable === "function") {
      return await fileStreamSink(file, end);
    }
    // Safari before 26 can write only in workers.
    if (typeof file.createSyncAccessHandle === "function" && typeof file.move === "function") {
      return new SyncHandleSink(await file.createSyncAccessHandle(), end);
    }
    throw new UnsupportedError(
      "UNSUPPORTED_RUNTIME",
      `This browser can write ${JSON.stringify(name)} in a worker only`,
      {
        path: name,
      },
    );
  } catch (error) {
    await end.undo!();
    throw error;
  }
}

/** Copy the bytes of `file` to the name `last`. On failure what was there before is left, and no empty file. */
async function copyInto(file: FileHandle, parent: DirectoryHandle, last: string): Promise<void> {
  const isNew = await existing(parent, last) === null;
  try {
    const bytes = (await file.getFile()).stream();
    await bytes.pipeTo(await writableOf(await parent.getFileHandle(last, { create: true })));
  } catch (error) {
    if (isNew) await parent.removeEntry(last).catch(() => {});
    throw error;
  }
}

function entriesOf(directory: DirectoryHandle): AsyncIterable<[string, { readonly kind: string }]> {
  return (directory as unknown as { entries(): AsyncIterable<[string, { readonly kind: string }]> }).entries();
}

async function existing(directory: DirectoryHandle, name: string): Promise<FileHandle | null> {
  try {
    return await directory.getFileHandle(name);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof DOMException && error.name === "NotFoundError";
}
