import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs, {
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "@std/testing/bdd";
import {
  DirectoryFolder,
  encode,
  isPaddleError,
  load,
  MemoryFolder,
  open,
  save,
  type SaveOptions,
  type Sink,
  type StateDict,
  Tensor,
  type Value,
} from "../../mod.ts";
import { replaceBytes, replaceFile } from "../../src/io/disk/undo_journal.ts";
import { cutOff } from "../helpers/cut_off.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";
import { codeOf } from "../helpers/code_of.ts";
import { takesLittle, timeOf } from "../helpers/soon.ts";

function inFolder(test: (folder: string, path: string) => Promise<void>): Promise<void> {
  return inTempFolder((folder) => test(folder, join(folder, "a.pdparams")));
}

function state(value: number, count = 30): Map<string, Tensor> {
  return new Map([["w", new Tensor("float32", [count], new Float32Array(count).fill(value), { name: "w_0" })]]);
}

/** Why tests of names and files that Windows does not have are skipped, or false. */
const IS_WINDOWS = process.platform === "win32" ? "Windows does not have them" : false;

async function first(path: string): Promise<unknown> {
  return ((await load(path) as StateDict).get("w") as Tensor).at(0);
}

describe("a path with half a surrogate pair, in whose place systems take another character", () => {
  it("is refused for saving, reading and editing, and nothing is stored", () =>
    inTempFolder(async (folder) => {
      // Not by join: Bun's puts another character in its place.
      for (const path of [`${folder}/a\ud800.pdparams`, `${folder}/a\udc00/a.pdparams`]) {
        for (
          const call of [save(state(1), path), load(path), open(path)]
        ) {
          await assert.rejects(call, { code: "UNSAFE_PATH", path });
        }
        assert.throws(() => new DirectoryFolder(path), { code: "UNSAFE_PATH" });
      }
      assert.deepEqual(readdirSync(folder), []);
    }));
});

describe("the verify option of save", () => {
  it("reads the file back and reports its SHA-256; false skips both", () =>
    inFolder(async (_, path) => {
      const { sha256 } = await save(state(1, 3_000_000), path);
      assert.equal(sha256, createHash("sha256").update(readFileSync(path)).digest("hex"));
      assert.equal((await save(state(1), path, { verify: false })).sha256, undefined);
      assert.equal(
        (await save(state(1, 17_000_000), path)).sha256,
        undefined,
        "64 MiB and more only where it is asked for",
      );
    }));

  it("keeps the old file when the disk gives back other bytes than were written", () =>
    inFolder(async (folder, path) => {
      await save(state(1), path);
      const spoil = ({ loaded, total }: { loaded: number; total?: number }) => {
        if (loaded === total) return;
        const temp = readdirSync(folder).find((name) => name.endsWith(".pdtmp"))!;
        const file = fs.openSync(join(folder, temp), "r+");
        fs.writeSync(file, new Uint8Array([7]), 0, 1, 20);
        fs.closeSync(file);
      };
      // The event is sent when the first bytes are written.
      const next = state(2, 4_300_000);
      assert.equal(await codeOf(save(next, path, { onProgress: spoil })), "WRITE_FAILED");
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
      assert.equal(await first(path), 1);
      await save(next, path, { onProgress: spoil, verify: false });
      assert.notDeepEqual(readFileSync(path), Buffer.from(encode(next)), "without it nobody looks");
    }));
});

describe("a value that changes while it is saved", () => {
  it("gives an error when its length was announced before, and leaves nothing behind", async () => {
    const bytes = new Uint8Array(3_000_000);
    const value = new Map([["a", new Tensor("uint8", [10])], ["b", new Tensor("uint8", [bytes.length], bytes)]]);
    const calls: string[] = [];
    const sink: Sink = {
      // The protocol 2 string has a different length now.
      write: () => void (bytes.fill(255), calls.push("write")),
      close: () => void calls.push("close"),
      abort: () => void calls.push("abort"),
    };
    assert.equal(await codeOf(save(value, sink, { protocol: 2 })), "SOURCE_CHANGED");
    assert.deepEqual([calls.includes("close"), calls.at(-1)], [false, "abort"]);
  });

  const CHANGES: [string, (state: Map<string, unknown>) => void][] = [
    ["an entry that is deleted", (state) => state.delete("epoch")],
    ["an entry that is added", (state) => state.set("more", 1)],
    ["a list that grows", (state) => (state.get("list") as number[]).push(1)],
    ["an array that is replaced by a shorter one", (state) => state.set("w", new Tensor("uint8", [1]))],
  ];
  for (const [what, change] of CHANGES) {
    it(`is refused rather than saved with ${what}`, async () => {
      const large = () => new Tensor("uint8", [2 ** 20]);
      const state = new Map<string, Value>([["v", large()], ["w", large()], ["list", [1]], ["epoch", 1]]);
      let isClosed = false, isChanged = false;
      const write = () => {
        if (!isChanged) change(state);
        isChanged = true;
      };
      const sink: Sink = { write, close: () => void (isClosed = true), abort() {} };
      assert.deepEqual([await codeOf(save(state, sink)), isClosed], ["SOURCE_CHANGED", false]);
    });
  }
});

describe("the ifUnchanged option of save", () => {
  it("is refused where files have no versions, with where it can be given", async () => {
    const folder = new MemoryFolder();
    await assert.rejects(save(1, "a", { folder, ifUnchanged: { version: null } }), {
      name: "TypeError",
      message: "Option ifUnchanged has no meaning for memory: only a file given by path or in a bucket can have it",
    });
    await assert.rejects(save(1, "a", { folder, lock: true }), /only a file given by path can have it/);
  });

  it("has the state that it had when the file was put, whatever becomes of the object", () =>
    inTempFolder(async (folder) => {
      const wished = { version: null as string | null };
      const sink = await new DirectoryFolder(folder).put("a", { ifUnchanged: wished });
      wished.version = "mtime:1";
      await sink.write(Uint8Array.of(1));
      await sink.close();
      assert.deepEqual(readdirSync(folder), ["a"]);
    }));

  it("accepts what stat() returns, and also compares the inode", () =>
    inFolder(async (_, path) => {
      await save(state(1), path);
      const stat = statSync(path);
      await save(state(2), path, { ifUnchanged: stat });
      assert.equal(await first(path), 2);
      const now = statSync(path);
      const other: SaveOptions = { ifUnchanged: { size: now.size, mtimeMs: now.mtimeMs, ino: now.ino + 1 } };
      assert.equal(await codeOf(save(state(3), path, other)), "CONFLICT");
      assert.equal(await codeOf(save(state(3), path, { ifUnchanged: stat })), "CONFLICT");
      assert.equal(await first(path), 2);
      await assert.rejects(save(state(3), path, { ifUnchanged: {} as { size: number; mtimeMs: number } }), TypeError);
    }));
});

describe("the lock option of save", () => {
  it("holds <name>.lock with the process id during the save, and removes it", () =>
    inFolder(async (folder, path) => {
      let held = "";
      await save(state(1, 3_000_000), path, {
        lock: true,
        onProgress: () => held ||= readFileSync(path + ".lock", "utf8"),
      });
      assert.match(held, new RegExp(`^${process.pid} 2`));
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
    }));

  it("gives a CONFLICT when the lock is held, and takes over one that is ten minutes old", () =>
    inFolder(async (folder, path) => {
      await save(state(1), path);
      writeFileSync(path + ".lock", "1 somebody\n");
      assert.equal(await codeOf(save(state(2), path, { lock: true })), "CONFLICT");
      assert.equal(readFileSync(path + ".lock", "utf8"), "1 somebody\n", "it is the other's still");
      const old = new Date(Date.now() - 601_000);
      utimesSync(path + ".lock", old, old);
      await save(state(2), path, { lock: true });
      assert.equal(await first(path), 2);
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
    }));

  it("does not remove a lock that another process has taken over", () =>
    inFolder(async (_, path) => {
      let count = 0;
      const steal = () => count++ === 0 && writeFileSync(path + ".lock", "2 another\n");
      await save(state(1, 3_000_000), path, { lock: true, onProgress: steal });
      assert.equal(readFileSync(path + ".lock", "utf8"), "2 another\n");
    }));

  it("does not mind that its lock was removed meanwhile", () =>
    inFolder(async (_, path) => {
      const remove = () => rmSync(path + ".lock", { force: true });
      const { warnings } = await save(state(1, 3_000_000), path, { lock: true, onProgress: remove });
      assert.deepEqual(warnings, []);
    }));
});

describe("the preserve option of save", () => {
  it("writes into the existing file, so that its other hard links have the new bytes", () =>
    inFolder(async (folder, path) => {
      await save(state(1, 100_000), path);
      const twin = join(folder, "twin");
      linkSync(path, twin);
      const { ino } = statSync(path);
      for (const count of [200_000, 10, 5_000_000]) {
        await save(state(count, count), path, { preserve: "inode" });
        assert.equal(statSync(path).ino, ino);
        assert.deepEqual(readFileSync(twin), Buffer.from(encode(state(count, count))));
        assert.deepEqual(readdirSync(folder).sort(), ["a.pdparams", "twin"]);
      }
      await save(state(1), join(folder, "new"), { preserve: "inode" });
      assert.equal(await first(join(folder, "new")), 1);
      await assert.rejects(save(state(1), path, { preserve: "links" as "inode" }), TypeError);
    }));

  it("leaves the old or the new bytes after a crash at any call of the file system", async () => {
    for (const [before, after] of [[20_000, 300], [300, 20_000]]) {
      const old = encode(state(1, before)), next = encode(state(2, after));
      const seen = new Set<string>();
      for (let calls = 0;; calls++) {
        let finished = false;
        await inFolder(async (folder, path) => {
          writeFileSync(path, old);
          writeFileSync(path + ".new", next);
          const crashing = cutOff(calls);
          await replaceFile(crashing.fs, path, path + ".new").catch(() => {});
          finished = crashing.calls() <= calls;
          await load(path);
          const bytes = readFileSync(path);
          assert.ok(bytes.equals(old) || bytes.equals(next), `cut off before call ${calls}: ${bytes.length} bytes`);
          assert.deepEqual(readdirSync(folder).sort(), ["a.pdparams", "a.pdparams.new"]);
          seen.add(bytes.equals(old) ? "old" : "new");
        });
        if (finished) break;
      }
      assert.deepEqual([...seen], ["old", "new"]);
    }
  });

  it("saves a checkpoint over the file that its arrays are read from", () =>
    inFolder(async (_, path) => {
      await save(state(1, 100_000), path);
      const checkpoint = await open(path);
      await save(checkpoint, path, { preserve: "inode" });
      await checkpoint.close();
      assert.deepEqual(readFileSync(path), Buffer.from(encode(state(1, 100_000))));
    }));
});

describe("the journal of an interrupted change in place", () => {
  it("does not undo a later save over the file", () =>
    inFolder(async (folder, path) => {
      await save(state(1), path);
      for (let after = 0; !existsSync(path + ".pdundo"); after++) {
        const crashing = cutOff(after);
        await replaceBytes(crashing.fs, path, 100, new Uint8Array(10)).catch(() => {});
        assert.ok(crashing.calls() > after, "no journal was ever left");
      }
      await save(state(2), path);
      assert.equal(await first(path), 2);
      assert.deepEqual(readFileSync(path), Buffer.from(encode(state(2))));
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
    }));

  it("does not change a file of the same length that replaced the old one", () =>
    inFolder(async (folder, path) => {
      await save(state(1), path);
      const isWhole = () =>
        existsSync(path + ".pdundo") && readFileSync(path + ".pdundo").subarray(48, 72).some(Boolean);
      for (let after = 0; !isWhole(); after++) {
        rmSync(path + ".pdundo", { force: true });
        await replaceBytes(cutOff(after).fs, path, 100, new Uint8Array(10)).catch(() => {});
      }
      writeFileSync(join(folder, "other"), encode(state(3)));
      fs.renameSync(join(folder, "other"), path);
      assert.equal(await first(path), 3);
    }));
});

describe("the mkdir option of save", () => {
  it("creates no folders when it is false, and a failed save leaves none, however deep", () =>
    inFolder(async (folder) => {
      assert.equal(await codeOf(save(state(1), join(folder, "x", "a"), { mkdir: false })), "WRITE_FAILED");
      const stop = () => {
        throw new Error("enough");
      };
      await assert.rejects(save(state(1, 3_000_000), join(folder, "x", "y", "z", "a"), { onProgress: stop }), /enough/);
      assert.deepEqual(readdirSync(folder), []);
    }));
});

describe("the portable option of save", () => {
  it("refuses names that are invalid on Windows: by default in folders, for paths only when true", () =>
    inFolder(async (path) => {
      const folder = new DirectoryFolder(path);
      assert.equal(await codeOf(save(state(1), "a<b", { folder })), "UNSAFE_PATH");
      assert.equal(await codeOf(save(state(1), join(path, "a<b"), { portable: true })), "UNSAFE_PATH");
      assert.equal(
        await codeOf(save(state(1), "nul.txt", { folder: new MemoryFolder(), portable: true })),
        "UNSAFE_PATH",
      );
    }));

  it(
    "lets them pass elsewhere: in folders only when false, for paths by default",
    { skip: IS_WINDOWS },
    () =>
      inFolder(async (path) => {
        const folder = new DirectoryFolder(path);
        await save(state(1), "a<b", { folder, portable: false });
        await save(state(2), join(path, "a<b"));
        assert.equal(await first(join(path, "a<b")), 2);
        assert.equal(await codeOf(save(state(1), "../a", { folder, portable: false })), "UNSAFE_PATH");
      }),
  );
});

describe("a save to something other than a regular file", () => {
  it("is refused at once for pipes and devices", { skip: IS_WINDOWS }, () =>
    inFolder(async (folder) => {
      const pipe = join(folder, "pipe");
      assert.equal(spawnSync("mkfifo", [pipe]).status, 0);
      symlinkSync(pipe, join(folder, "link"));
      for (const path of [pipe, join(folder, "link"), "/dev/null", "/dev/zero"]) {
        await takesLittle(path, () =>
          timeOf(async () => {
            assert.equal(await codeOf(save(state(1), path)), "NOT_A_FILE", path);
            assert.equal(await codeOf(load(path)), "NOT_A_FILE", path);
          }));
      }
      assert.deepEqual(readdirSync(folder).sort(), ["link", "pipe"]);
    }));

  const notLinux = process.platform === "linux" ? false : "only Linux shows open files as paths";
  it("is refused for this process's own output, even if that is a file, so that nothing written there is lost", {
    skip: notLinux,
  }, () =>
    inFolder(async (folder) => {
      const file = join(folder, "log");
      const fd = openSync(file, "a");
      try {
        writeSync(fd, "a line\n");
        symlinkSync(`/dev/fd/${fd}`, join(folder, "link"));
        for (const path of [`/dev/fd/${fd}`, `/proc/self/fd/${fd}`, join(folder, "link")]) {
          assert.equal(await codeOf(save(state(1), path)), "NOT_A_FILE", path);
          assert.equal(await codeOf(save(state(1), path, { preserve: "inode" })), "NOT_A_FILE", path);
        }
        writeSync(fd, "another\n");
        assert.equal(readFileSync(file, "utf8"), "a line\nanother\n");
      } finally {
        closeSync(fd);
      }
    }));
});

describe("the temporary file of a save", () => {
  it("avoids names that exist, and never follows a link there", () =>
    inFolder(async (folder, path) => {
      const victim = join(folder, "victim"), random = crypto.getRandomValues;
      writeFileSync(victim, "mine");
      const planted = (seed: number) => `.a.pdparams.${seed.toString(16).padStart(2, "0").repeat(8)}.pdtmp`;
      for (const seed of [1, 2]) symlinkSync("victim", join(folder, planted(seed)));
      let seed = 0;
      crypto.getRandomValues = ((into: Uint8Array) => into.fill(++seed)) as typeof random;
      try {
        await save(state(1), path);
        assert.equal(seed, 3);
        seed = 0;
        writeFileSync(join(folder, planted(3)), "another's");
        assert.equal(await codeOf(save(state(2), path)), "WRITE_FAILED");
        assert.equal(seed, 3, "three names are tried");
      } finally {
        crypto.getRandomValues = random;
      }
      assert.equal(await first(path), 1);
      assert.equal(readFileSync(victim, "utf8"), "mine");
      assert.ok(lstatSync(join(folder, planted(1))).isSymbolicLink());
      assert.equal(readFileSync(join(folder, planted(3)), "utf8"), "another's");
    }));

  it("fits beside a name of 255 bytes", () =>
    inFolder(async (folder) => {
      const name = "é".repeat(127) + "a";
      await save(state(1), join(folder, name));
      assert.deepEqual(readdirSync(folder), [name]);
    }));
});

describe("saving over an existing file", () => {
  const isRoot = process.getuid?.() === 0;
  it(
    "keeps its owner and mode when that is permitted",
    { skip: isRoot ? false : "only root may change owners" },
    () =>
      inFolder(async (_, path) => {
        await save(state(1), path);
        fs.chmodSync(path, 0o4640);
        fs.chownSync(path, 1234, 2345);
        fs.chmodSync(path, 0o4640);
        await save(state(2), path);
        const { uid, gid, mode } = statSync(path);
        assert.deepEqual([uid, gid, mode & 0o7777], [1234, 2345, 0o4640]);
      }),
  );
});

describe("a path that cannot be saved to", () => {
  it("with a name too long for an undo journal beside it can be replaced, but not changed in place", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a".repeat(250));
      await save(state(1), path);
      const failures = [
        save(state(2), path, { preserve: "inode" }),
        open(path).then(async (checkpoint) => {
          try {
            await checkpoint.write("w", state(2).get("w")!);
          } finally {
            await checkpoint.close();
          }
        }),
      ];
      for (const failure of await Promise.allSettled(failures)) {
        const { code, committed } = (failure as PromiseRejectedResult).reason;
        assert.deepEqual([code, committed], ["WRITE_FAILED", "no"]);
      }
      assert.deepEqual([await first(path), readdirSync(folder).length], [1, 1]);
      await save(state(3), path);
      assert.equal(await first(path), 3);
    }));

  it("in a working directory that is gone fails with an error of this library, as loading from there does", async () => {
    const before = process.cwd(), folder = mkdtempSync(join(tmpdir(), "oarlock-options-"));
    try {
      process.chdir(folder);
      rmSync(folder, { recursive: true });
      const isOurs = (error: unknown) => assert.ok(isPaddleError(error), `${error}`);
      // Bun keeps the path in mind, and a save creates it again.
      await save(1, "a").catch(isOurs);
      await load("b").then(() => assert.fail(), isOurs);
    } finally {
      process.chdir(before);
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
