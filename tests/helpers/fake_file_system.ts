/** The browser's File System API in memory, with its errors: handles, streams, locks and snapshots as in the WHATWG standard. */

interface Entry {
  bytes: Uint8Array;
  /** Incremented with every change: a File of an older state cannot be read. */
  version: number;
  locked: number;
}

interface Directory {
  entries: Map<string, Entry | Directory>;
}

/** What a fake browser supports. */
export interface FakeTraits {
  /** Whether `createWritable` supports `mode`. @default {true} */
  exclusive?: boolean;
  /** Whether files have `createWritable`. @default {true} */
  writable?: boolean;
  /** Whether files have `move`, as in the origin private file system. @default {true} */
  movable?: boolean;
  /** The quota, in bytes. @default {Infinity} */
  quota?: number;
}

function fail(name: string): never {
  throw new DOMException(`fake ${name}`, name);
}

function checkName(name: string): void {
  if (name === "" || name === "." || name === ".." || name.includes("/")) throw new TypeError("Name is not allowed");
}

/** The names that lead from one directory to another below it. */
function pathTo(from: Directory, to: Directory | null): string[] | null {
  if (from === to) return [];
  for (const [name, entry] of from.entries) {
    const rest = "entries" in entry ? pathTo(entry, to) : null;
    if (rest) return [name, ...rest];
  }
  return null;
}

/** What handles refer to: two handles may refer to the same entry. */
const directories = new WeakMap<object, Directory>();
const files = new WeakMap<object, () => { parent: Directory; name: string }>();

/** The root directory of an empty file system. */
export function fakeDirectory(
  traits: FakeTraits = {},
  directory: Directory = { entries: new Map() },
): FileSystemDirectoryHandle {
  const find = (name: string) => {
    checkName(name);
    return directory.entries.get(name);
  };
  const handle = {
    kind: "directory",
    name: "",
    // deno-lint-ignore require-await
    async isSameEntry(other: object) {
      return directories.get(other) === directory;
    },
    // deno-lint-ignore require-await
    async resolve(other: object) {
      return pathTo(directory, directories.get(other) ?? null);
    },
    // deno-lint-ignore require-await
    async getDirectoryHandle(name: string, { create = false } = {}) {
      let entry = find(name);
      if (!entry) {
        if (!create) fail("NotFoundError");
        entry = { entries: new Map() };
        directory.entries.set(name, entry);
      }
      if (!("entries" in entry)) fail("TypeMismatchError");
      return fakeDirectory(traits, entry);
    },
    // deno-lint-ignore require-await
    async getFileHandle(name: string, { create = false } = {}) {
      let entry = find(name);
      if (!entry) {
        if (!create) fail("NotFoundError");
        entry = { bytes: new Uint8Array(0), version: 0, locked: 0 };
        directory.entries.set(name, entry);
      }
      if ("entries" in entry) fail("TypeMismatchError");
      return fakeFile(traits, directory, name);
    },
    // deno-lint-ignore require-await
    async removeEntry(name: string, { recursive = false } = {}) {
      const entry = find(name);
      if (!entry) fail("NotFoundError");
      if ("entries" in entry && entry.entries.size > 0 && !recursive) fail("InvalidModificationError");
      if (!("entries" in entry) && entry.locked > 0) fail("NoModificationAllowedError");
      directory.entries.delete(name);
    },
    async *entries() {
      for (const [name, entry] of [...directory.entries]) {
        yield [name, "entries" in entry ? fakeDirectory(traits, entry) : fakeFile(traits, directory, name)];
      }
    },
    directory,
  };
  directories.set(handle, directory);
  return handle as unknown as FileSystemDirectoryHandle;
}

function fakeFile(traits: FakeTraits, parent: Directory, name: string): FileSystemFileHandle {
  let at = { parent, name };
  const entryNow = (): Entry => {
    const entry = at.parent.entries.get(at.name);
    if (!entry || "entries" in entry) fail("NotFoundError");
    return entry;
  };
  const room = (size: number) => {
    if (size > (traits.quota ?? Infinity)) fail("QuotaExceededError");
  };
  const handle = {
    kind: "file",
    get name() {
      return at.name;
    },
    // deno-lint-ignore require-await
    async isSameEntry(other: object) {
      const theirs = files.get(other)?.();
      return theirs?.parent === at.parent && theirs.name === at.name;
    },
    // deno-lint-ignore require-await
    async getFile() {
      const entry = entryNow(), { version } = entry;
      return snapshot(
        entry.bytes,
        at.name,
        () => at.parent.entries.get(at.name) === entry && entry.version === version,
      );
    },
    // deno-lint-ignore require-await
    async createWritable({ keepExistingData = false, mode = "siloed" } = {}) {
      const entry = entryNow(), isAlone = mode === "exclusive" && traits.exclusive !== false;
      if (entry.locked === Infinity || (isAlone && entry.locked > 0)) fail("NoModificationAllowedError");
      entry.locked = isAlone ? Infinity : entry.locked + 1;
      const release = () => entry.locked = isAlone ? 0 : entry.locked - 1;
      let bytes = keepExistingData ? entry.bytes.slice() : new Uint8Array(0), position = 0;
      const stream = new WritableStream({
        write(chunk: Uint8Array | { type: "write"; position?: number; data: Uint8Array }) {
          const { data, position: to } = chunk instanceof Uint8Array ? { data: chunk, position: undefined } : chunk;
          position = to ?? position;
          try {
            room(position + data.length);
          } catch (error) {
            // The stream cannot be aborted any more: browsers release its lock when a write fails.
            release();
            throw error;
          }
          if (position + data.length > bytes.length) {
            const larger = new Uint8Array(position + data.length);
            larger.set(bytes);
            bytes = larger;
          }
          bytes.set(data, position);
          position += data.length;
        },
        close() {
          release();
          entry.bytes = bytes;
          entry.version++;
        },
        abort() {
          release();
        },
      });
      // The API's stream has its own write() and close().
      return Object.assign(stream, {
        async write(chunk: unknown) {
          const writer = stream.getWriter();
          try {
            await writer.write(chunk as Uint8Array);
          } finally {
            writer.releaseLock();
          }
        },
        close: () => {
          const writer = stream.getWriter();
          return writer.close();
        },
        getWriter: WritableStream.prototype.getWriter.bind(stream),
        abort: WritableStream.prototype.abort.bind(stream),
      });
    },
    // deno-lint-ignore require-await
    async createSyncAccessHandle() {
      const entry = entryNow();
      if (entry.locked !== 0) fail("NoModificationAllowedError");
      entry.locked = Infinity;
      let open = true;
      const alive = () => open || fail("InvalidStateError");
      return {
        read(into: Uint8Array, { at = 0 } = {}) {
          alive();
          const part = entry.bytes.subarray(at, at + into.length);
          into.set(part);
          return part.length;
        },
        write(data: Uint8Array, { at = 0 } = {}) {
          alive();
          room(at + data.length);
          const larger = new Uint8Array(Math.max(entry.bytes.length, at + data.length));
          larger.set(entry.bytes);
          larger.set(data, at);
          entry.bytes = larger;
          entry.version++;
          return data.length;
        },
        getSize: () => alive() && entry.bytes.length,
        truncate(size: number) {
          alive();
          const bytes = new Uint8Array(size);
          bytes.set(entry.bytes.subarray(0, size));
          entry.bytes = bytes;
          entry.version++;
        },
        flush: () => void alive(),
        close() {
          open = false;
          entry.locked = 0;
        },
      };
    },
    // deno-lint-ignore require-await
    async move(target: unknown, newName: string) {
      const entry = entryNow(), { directory } = target as { directory: Directory };
      checkName(newName);
      if (entry.locked !== 0) fail("NoModificationAllowedError");
      at.parent.entries.delete(at.name);
      at = { parent: directory, name: newName };
      directory.entries.set(newName, entry);
      entry.version++;
    },
  };
  files.set(handle, () => at);
  if (traits.writable === false) delete (handle as Partial<typeof handle>).createWritable;
  if (traits.movable === false) delete (handle as Partial<typeof handle>).move;
  return handle as unknown as FileSystemFileHandle;
}

/** A File whose bytes can be read as long as the file has not changed since. */
function snapshot(bytes: Uint8Array, name: string, isCurrent: () => boolean): File {
  const file = new File([bytes as Uint8Array<ArrayBuffer>], name);
  const guarded = (part: Blob): Blob => {
    const slice = part.slice.bind(part), read = part.arrayBuffer.bind(part);
    return Object.assign(part, {
      slice: (start?: number, end?: number) => guarded(slice(start, end)),
      // deno-lint-ignore require-await
      arrayBuffer: async () => isCurrent() ? read() : fail("NotReadableError"),
    });
  };
  return guarded(file) as File;
}
