import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "@std/testing/bdd";
import { encode, load, type PaddleError, SaveError } from "../../mod.ts";
import { replaceBytes, replaceFile } from "../../src/io/disk/undo_journal.ts";
import type { Fs } from "../../src/io/platform.ts";
import { withFault } from "../helpers/failing_system.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

const OLD = encode(new Map<string, number | string>([["epoch", 1], ["name", "x".repeat(1000)]]));

function inFolder(test: (path: string, folder: string) => Promise<void>): Promise<void> {
  return inTempFolder(async (folder) => {
    const path = join(folder, "a.pdparams");
    fs.writeFileSync(path, OLD);
    await test(path, folder);
  });
}

/** The file system, with `before` called with the name of each operation and of the file that it is about. */
function watched(before: (operation: string, path: string) => void): Fs {
  const around = <T extends object>(target: T, kind: string, of?: string): T =>
    new Proxy(target, {
      get(_, key) {
        const call = Reflect.get(target, key);
        if (typeof call !== "function") return call;
        return async (...values: unknown[]) => {
          const path = of ?? String(values[0]);
          before(kind + String(key), path);
          const result = await call.apply(target, values);
          return key === "open" ? around(result, "handle.", path) : result;
        };
      },
    });
  return { ...fs, promises: around(fs.promises, "") } as Fs;
}

const namesIn = (folder: string) => fs.readdirSync(folder).sort();

/** A file system that reads and writes at most `most` bytes at a time. */
function sparing(most: number): Fs {
  const open = async (path: string, flags: string) => {
    const handle = await fs.promises.open(path, flags);
    return new Proxy(handle, {
      get(_, key) {
        const call = Reflect.get(handle, key);
        if (typeof call !== "function") return call;
        if (key !== "read" && key !== "write") return call.bind(handle);
        return (bytes: Uint8Array, start: number, length: number, position: number) =>
          call.call(handle, bytes, start, Math.min(length, most), position);
      },
    });
  };
  return { ...fs, promises: { ...fs.promises, open } } as unknown as Fs;
}

const failing = (code: string) => Object.assign(new Error(`${code}: said by the test`), { code });

/** Leave a change of the whole file that was interrupted when half of it was done. */
function interrupt(path: string, pid = process.pid, old = OLD): void {
  fs.writeFileSync(path, old.slice().fill(0, old.length / 2));
  writeJournal(path, { pid, size: old.length, offset: 0 }, old);
}

/** Put a journal beside a file: at `offset`, it had these bytes. */
function writeJournal(path: string, { pid = process.pid, size = OLD.length, offset = 0 }, old: Uint8Array): void {
  const { ino } = fs.statSync(path, { bigint: true });
  const head = new Uint8Array(72), view = new DataView(head.buffer);
  head.set(new TextEncoder().encode("PDUNDO2\n"));
  [BigInt(pid), ino, BigInt(size), BigInt(offset), BigInt(old.length)]
    .forEach((value, i) => view.setBigUint64(8 + 8 * i, value, true));
  const hash = createHash("sha256").update(head.subarray(0, 48)).update(old).digest();
  head.set(hash.subarray(0, 24), 48);
  fs.writeFileSync(path + ".pdundo", head);
  fs.appendFileSync(path + ".pdundo", old);
}

describe("an undo journal", () => {
  it("whose file cannot be restored is a HOT_JOURNAL, or stays unread, and the next reading restores it", async () => {
    const codes = new Set<string>();
    const total = await inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams");
      fs.writeFileSync(path, OLD);
      interrupt(path);
      return (await withFault(-1, "", () => load(path))).calls.length;
    });
    for (let at = 0; at < total; at++) {
      await inFolder(async (path, folder) => {
        interrupt(path);
        const { value, error, calls } = await withFault(at, "EIO", () => load(path));
        if (error) codes.add((error as PaddleError).code);
        else assert.equal((value as Map<string, unknown>).get("epoch"), 1, `${calls[at]} failed`);
        assert.equal((await load(path) as Map<string, unknown>).get("epoch"), 1, `${calls[at]} had failed`);
        assert.deepEqual([namesIn(folder), fs.readFileSync(path).equals(OLD)], [["a.pdparams"], true]);
      });
    }
    assert.ok(codes.has("HOT_JOURNAL"), [...codes].join());
    assert.deepEqual([...codes].filter((code) => code !== "HOT_JOURNAL" && code !== "READ_FAILED"), []);
  });

  it("is applied once for all who open its file at about the same time", () =>
    inFolder(async (path, folder) => {
      const old = encode(new Map([["text", "x".repeat(2 ** 24)]]));
      interrupt(path, process.pid, old);
      const readings: Promise<unknown>[] = [];
      for (let i = 0; i < 20; i++) {
        readings.push(load(path));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      for (const value of await Promise.all(readings)) assert.ok((value as Map<string, unknown>).has("text"));
      assert.deepEqual(namesIn(folder), ["a.pdparams"]);
    }));

  it("of a process that may be alive is left to it, until neither it nor the file has changed for long", async () => {
    const { kill } = process;
    for (
      const [mayLook, minutes, isLeft] of [[true, 9, true], [true, 11, false], [false, 0, true], [false, 2, false]]
    ) {
      await inFolder(async (path, folder) => {
        interrupt(path, process.ppid);
        const then = Date.now() / 1000 - 60 * Number(minutes);
        for (const name of [path, path + ".pdundo"]) fs.utimesSync(name, then, then);
        if (!mayLook) process.kill = () => assert.fail("NotCapable: Requires run access");
        try {
          const code = await load(path).then(() => "", ({ code }) => code);
          assert.deepEqual([mayLook, minutes, code], [mayLook, minutes, isLeft ? "HOT_JOURNAL" : ""]);
        } finally {
          process.kill = kill;
        }
        assert.deepEqual(namesIn(folder), ["a.pdparams", ...isLeft ? ["a.pdparams.pdundo"] : []]);
        assert.equal(fs.readFileSync(path).equals(OLD), !isLeft);
      });
    }
  });

  it("that another process creates first is a CONFLICT, and is left to it", () =>
    inFolder(async (path, folder) => {
      const begun = watched((operation, name) => {
        if (operation !== "open" || !name.endsWith(".pdundo") || fs.existsSync(name)) return;
        // Between the look for a journal and the creation of one.
        if (++looks === 2) fs.writeFileSync(name, "another process's");
      });
      let looks = 0;
      await assert.rejects(replaceBytes(begun, path, 0, Uint8Array.of(1)), { code: "CONFLICT", committed: "no" });
      assert.deepEqual(namesIn(folder), ["a.pdparams", "a.pdparams.pdundo"]);
      assert.ok(fs.readFileSync(path).equals(OLD));
    }));

  it("is removed when the change is aborted, whenever that is, and the rejection is the reason", async () => {
    for (const when of ["before", "handle.write", "handle.sync", "handle.close"]) {
      await inFolder(async (path, folder) => {
        const controller = new AbortController(), reason = new Error("enough"), { signal } = controller;
        if (when === "before") controller.abort(reason);
        const calls: string[] = [];
        const aborting = watched((operation, name) => {
          calls.push(operation);
          if (operation === when && name.endsWith(".pdundo")) controller.abort(reason);
        });
        const rejected = await replaceBytes(aborting, path, 0, Uint8Array.of(1), { signal }).catch((error) => error);
        assert.equal(rejected, reason, when);
        assert.deepEqual(namesIn(folder), ["a.pdparams"], when);
        assert.ok(fs.readFileSync(path).equals(OLD), when);
        if (when === "before") assert.deepEqual(calls, []);
      });
    }
  });

  it("stays when the old bytes cannot be put back, and the error says so; the next reading puts them back", () =>
    inFolder(async (path, folder) => {
      const other = path + ".new";
      fs.writeFileSync(other, OLD.slice().fill(7));
      let writes = 0;
      const full = watched((operation, name) => {
        if (operation === "handle.truncate" && name === path) throw failing("EIO");
        if (operation === "handle.write" && name === path && ++writes > 1) throw failing("ENOSPC");
      });
      const error = await replaceFile(full, path, other).catch((error) => error);
      assert.ok(error instanceof SaveError);
      assert.deepEqual([error.code, error.committed, error.leftovers], ["WRITE_FAILED", "unknown", [path + ".pdundo"]]);
      assert.ok(fs.readFileSync(path).equals(OLD.slice().fill(7)));
      assert.equal((await load(path) as Map<string, unknown>).get("epoch"), 1);
      assert.deepEqual(namesIn(folder), ["a.pdparams", "a.pdparams.new"]);
    }));

  it("names its writer before it has any of the old bytes", () =>
    inFolder(async (path) => {
      const writers: bigint[] = [];
      const looking = watched((operation, name) => {
        if (operation !== "handle.read" || name !== path) return;
        writers.push(new DataView(new Uint8Array(fs.readFileSync(path + ".pdundo")).buffer).getBigUint64(8, true));
      });
      await replaceBytes(looking, path, 0, Uint8Array.of(1));
      assert.deepEqual(writers, [BigInt(process.pid)]);
    }));

  it("holds a file of any size, which is put back whole", () =>
    inFolder(async (path, folder) => {
      const old = new Uint8Array(9 * 2 ** 20 + 5), other = join(folder, "other");
      new Uint32Array(old.buffer, 0, old.length >> 2).forEach((_, i, all) => all[i] = i * 2654435761);
      fs.writeFileSync(path, old);
      fs.writeFileSync(other, old.slice(5 * 2 ** 20).fill(7));
      let failures = 0;
      const failingOnce = watched((operation, name) => {
        if (operation === "handle.truncate" && name === path && failures++ === 0) throw failing("ENOSPC");
      });
      await assert.rejects(replaceFile(failingOnce, path, other), { code: "DISK_FULL", committed: "no" });
      assert.ok(fs.readFileSync(path).equals(old));
      await replaceFile(fs as unknown as Fs, path, other);
      assert.ok(fs.readFileSync(path).equals(fs.readFileSync(other)));
      assert.deepEqual(namesIn(folder), ["a.pdparams", "other"]);
    }));

  it("is not applied to another file of the same size in its file's place", () =>
    inFolder(async (path, folder) => {
      interrupt(path);
      const other = encode(new Map<string, number | string>([["epoch", 2], ["name", "y".repeat(1000)]]));
      assert.equal(other.length, OLD.length);
      fs.writeFileSync(path + ".new", other);
      fs.renameSync(path + ".new", path);
      assert.equal((await load(path) as Map<string, unknown>).get("epoch"), 2);
      assert.deepEqual(namesIn(folder), ["a.pdparams"]);
    }));

  it("of bytes beyond the end of its file is none: the file does not grow by what lies beside it", () =>
    inFolder(async (path, folder) => {
      for (const offset of [OLD.length - 1, OLD.length, 2 ** 40]) {
        writeJournal(path, { offset }, new Uint8Array(2));
        await load(path);
        assert.ok(fs.readFileSync(path).equals(OLD), `${offset}`);
        assert.deepEqual(namesIn(folder), ["a.pdparams"]);
      }
    }));

  it("of a file that was being replaced as a whole is applied whatever its length is by now", async () => {
    for (const length of [0, OLD.length - 1, OLD.length + 1000]) {
      await inFolder(async (path, folder) => {
        interrupt(path);
        fs.writeFileSync(path, new Uint8Array(length).fill(7));
        await load(path);
        assert.ok(fs.readFileSync(path).equals(OLD), `${length}`);
        assert.deepEqual(namesIn(folder), ["a.pdparams"]);
      });
    }
  });

  it("and the change itself are whole when the system takes and gives few bytes at a time", () =>
    inFolder(async (path, folder) => {
      const wanted = fs.readFileSync(path).fill(7, 300, 900);
      await replaceBytes(sparing(100), path, 300, new Uint8Array(600).fill(7));
      assert.ok(fs.readFileSync(path).equals(wanted));
      await assert.rejects(replaceBytes(sparing(0), path, 0, new Uint8Array(600)), {
        code: "WRITE_FAILED",
        committed: "no",
      });
      assert.ok(fs.readFileSync(path).equals(wanted));
      assert.deepEqual(namesIn(folder), ["a.pdparams"]);
    }));

  it("of a file that becomes shorter while it is made changes nothing", () =>
    inFolder(async (path, folder) => {
      let isCut = false;
      const cutting = watched((operation, name) => {
        if (isCut || operation !== "handle.read" || name !== path) return;
        isCut = true;
        fs.truncateSync(path, 10);
      });
      await assert.rejects(replaceBytes(cutting, path, 300, new Uint8Array(600)), { committed: "no" });
      assert.equal(fs.statSync(path).size, 10);
      assert.deepEqual(namesIn(folder), ["a.pdparams"]);
    }));
});
