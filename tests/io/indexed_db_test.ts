import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { IDBFactory, IDBKeyRange, IDBObjectStore } from "fake-indexeddb";
import { IndexedDbFolder } from "../../mod.ts";

const ROW = 2 ** 20;
const scope = globalThis as { indexedDB?: IDBFactory; IDBKeyRange?: unknown };

const numbered = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251);

async function put(folder: IndexedDbFolder, name: string, bytes: Uint8Array): Promise<void> {
  const sink = await folder.put(name);
  await sink.write(bytes);
  await sink.close();
}

async function bytesOf(
  folder: IndexedDbFolder,
  name: string,
  offset = 0,
  length = 10 * ROW,
): Promise<Uint8Array | null> {
  const source = await folder.get(name);
  if (!source) return null;
  const into = new Uint8Array(length);
  return into.subarray(0, await source.read(offset, into));
}

/** The keys of all rows, as another page sees them. */
async function rowKeys(name = "paddle"): Promise<unknown[]> {
  const result = <T>(request: { result: unknown; onsuccess: unknown }) =>
    new Promise<T>((resolve) => request.onsuccess = () => resolve(request.result as T));
  const database = await result<IDBDatabase>(scope.indexedDB!.open(name, 1));
  const keys = await result<unknown[]>(database.transaction("rows").objectStore("rows").getAllKeys() as never);
  database.close();
  return keys;
}

/** Put a method of a prototype in another's place while `work` runs. */
async function replaced<T extends object, Name extends keyof T>(
  prototype: T,
  name: Name,
  other: (original: T[Name]) => T[Name],
  work: () => Promise<void>,
): Promise<void> {
  const original = prototype[name];
  prototype[name] = other(original);
  try {
    await work();
  } finally {
    prototype[name] = original;
  }
}

describe("a folder in a browser's database", () => {
  beforeEach(() => {
    scope.indexedDB = new IDBFactory();
    scope.IDBKeyRange = IDBKeyRange;
  });
  it("keeps a file whose sink is closed once more, and aborted after that", async () => {
    const folder = new IndexedDbFolder(), sink = await folder.put("a"), bytes = numbered(ROW + 5);
    await sink.write(bytes);
    await Promise.all([sink.close(), sink.close()]);
    await sink.close();
    await sink.abort(new Error("late"));
    assert.deepEqual(await bytesOf(folder, "a"), bytes);
    await folder.close();
  });
  afterEach(() => {
    delete scope.indexedDB;
    delete scope.IDBKeyRange;
  });

  it("reads from any offset in files of several rows, and nothing past their end", async () => {
    const folder = new IndexedDbFolder(), bytes = numbered(2 * ROW + 10);
    await put(folder, "a", bytes);
    assert.equal((await rowKeys()).length, 3);
    for (
      const [offset, length] of [
        [0, 10],
        [ROW - 5, 10],
        [ROW, 10],
        [ROW - 1, ROW + 2],
        [2 * ROW - 1, 1],
        [2 * ROW, 99],
        [5, 3 * ROW],
        [bytes.length, 5],
        [bytes.length + 5, 5],
      ]
    ) {
      assert.deepEqual(
        await bytesOf(folder, "a", offset, length),
        bytes.subarray(offset, offset + length),
        `${offset}`,
      );
    }
    await put(folder, "whole rows", bytes.subarray(0, 2 * ROW));
    for (const [offset, length] of [[2 * ROW - 1, 5], [2 * ROW, 5], [2 * ROW + 1, 5], [ROW, 2 * ROW]]) {
      const read = await bytesOf(folder, "whole rows", offset, length);
      assert.deepEqual(
        read,
        bytes.subarray(Math.min(offset, 2 * ROW), Math.min(offset + length, 2 * ROW)),
        `${offset}`,
      );
    }
    const source = (await folder.get("a"))!;
    const into = new Uint8Array(4);
    for (const offset of [3, ROW + 3, 7, 2 * ROW + 3]) {
      assert.equal(await source.read(offset, into), 4);
      assert.deepEqual(into, bytes.slice(offset, offset + 4));
    }
    await source.close?.();
    await assert.rejects(source.read(0, into), { name: "TypeError", message: /"a" was closed/ });
    await folder.close();
  });

  it("keeps no rows of files that were replaced, deleted or given up", async () => {
    const folder = new IndexedDbFolder();
    await put(folder, "a", numbered(2 * ROW));
    await put(folder, "b", numbered(10));
    await put(folder, "a", numbered(5));
    assert.equal((await rowKeys()).length, 2);
    const sink = await folder.put("a");
    await sink.write(numbered(ROW + 1));
    assert.equal((await rowKeys()).length, 3);
    await sink.abort(new Error("given up"));
    assert.equal((await rowKeys()).length, 2);
    assert.deepEqual(await bytesOf(folder, "a"), numbered(5));
    await folder.delete("a");
    await folder.delete("nothing");
    assert.equal((await rowKeys()).length, 1);
    assert.deepEqual(await folder.list(), ["b"]);
    await folder.close();
  });

  it("has the old file or the new one when a save is given up while it ends", async () => {
    const seen = new Set<number>();
    for (let turns = 0; turns < 12; turns++) {
      const folder = new IndexedDbFolder(`given-up-${turns}`);
      await put(folder, "a", numbered(5));
      const sink = await folder.put("a");
      await sink.write(numbered(10));
      const closing = sink.close();
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setTimeout(resolve));
      if (turns === 11) await closing;
      await Promise.allSettled([closing, sink.abort(new Error("given up"))]);
      const bytes = (await bytesOf(folder, "a"))!;
      assert.deepEqual(bytes, numbered(bytes.length));
      assert.equal((await rowKeys(`given-up-${turns}`)).length, 1);
      seen.add(bytes.length);
      await folder.close();
    }
    assert.deepEqual([...seen].sort((a, b) => a - b), [5, 10]);
  });

  it("tells who reads a file that it was replaced", async () => {
    const folder = new IndexedDbFolder();
    await put(folder, "a", numbered(3 * ROW));
    const source = (await folder.get("a"))!;
    await put(folder, "a", numbered(3 * ROW));
    for (const length of [10, 2 * ROW]) {
      await assert.rejects(source.read(0, new Uint8Array(length)), { code: "SOURCE_CHANGED", path: "a" });
    }
    await folder.close();
  });

  it("removes what a save left that was cut off, a day later and not before", async () => {
    const folder = new IndexedDbFolder(), { now } = Date;
    await put(folder, "kept", numbered(ROW + 1));
    const cutOff = await folder.put("a");
    await cutOff.write(numbered(ROW));
    await folder.close();
    try {
      for (const [hours, rows] of [[23, 3], [25, 2], [50, 2]]) {
        Date.now = () => now() + hours * 3600_000;
        assert.deepEqual(await folder.list(), ["kept"]);
        assert.equal((await rowKeys()).length, rows, `after ${hours} hours`);
        await folder.close();
      }
    } finally {
      Date.now = now;
    }
    assert.deepEqual(await bytesOf(folder, "kept"), numbered(ROW + 1));
    await folder.close();
  });

  it("can be used again after another page deleted the database", async () => {
    const folder = new IndexedDbFolder();
    await put(folder, "a", numbered(5));
    await new Promise<void>((resolve, reject) => {
      const request = scope.indexedDB!.deleteDatabase("paddle");
      request.onsuccess = () => resolve();
      request.onerror = request.onblocked = () => reject(new Error("it had to wait"));
    });
    assert.deepEqual(await folder.list(), []);
    await put(folder, "b", numbered(7));
    assert.deepEqual(await bytesOf(folder, "b"), numbered(7));
    await folder.close();
  });

  it("is opened once for many calls", async () => {
    let opened = 0;
    const counting = (open: IDBFactory["open"]) =>
      function (this: IDBFactory, ...args: Parameters<IDBFactory["open"]>) {
        opened++;
        return open.apply(this, args);
      };
    await replaced(IDBFactory.prototype, "open", counting as never, async () => {
      const folder = new IndexedDbFolder();
      await Promise.all([folder.list(), folder.get("a")]);
      await folder.list();
      assert.equal(opened, 1);
      await folder.close();
      await folder.list();
      assert.equal(opened, 2);
      await folder.close();
    });
  });

  it("says so when it cannot be opened, and tries again at the next use", async () => {
    const folder = new IndexedDbFolder();
    const failing = (open: IDBFactory["open"]) => (): never => {
      IDBFactory.prototype.open = open;
      throw new DOMException("not in this mode", "InvalidStateError");
    };
    await replaced(IDBFactory.prototype, "open", failing as never, async () => {
      await assert.rejects(folder.get("a"), { code: "READ_FAILED", path: "a", message: /not in this mode/ });
      assert.equal(await folder.get("a"), null);
    });
    await folder.close();
  });

  const FAILURES = [["QuotaExceededError", "DISK_FULL"], ["DataError", "WRITE_FAILED"]];
  for (const [name, code] of FAILURES) {
    it(`leaves the old file when writing fails with a ${name}, and says ${code}`, async () => {
      const folder = new IndexedDbFolder();
      await put(folder, "a", numbered(5));
      for (const when of ["rows", "files"]) {
        const failing = (original: IDBObjectStore["put"]) =>
          function (this: IDBObjectStore, ...args: Parameters<IDBObjectStore["put"]>) {
            if (this.name === when) throw new DOMException("no more", name);
            return original.apply(this, args);
          };
        await replaced(IDBObjectStore.prototype, "put", failing as never, async () => {
          const sink = await folder.put("a");
          const writing = (async () => {
            await sink.write(numbered(ROW + 1));
            await sink.close();
          })();
          await assert.rejects(writing, { code, path: "a", committed: "no" });
          await sink.abort(new Error("failed"));
        });
        assert.deepEqual(await bytesOf(folder, "a"), numbered(5), when);
        assert.equal((await rowKeys()).length, 1);
      }
      await folder.close();
    });
  }
});
