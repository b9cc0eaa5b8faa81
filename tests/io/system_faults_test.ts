import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { lstatSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process_ from "node:process";
import { describe, it } from "@std/testing/bdd";
import {
  cleanupTemps,
  crypto,
  DirectoryFolder,
  encode,
  isPaddleError,
  load,
  open,
  type PathError,
  recoverFolder,
  save,
  SaveError,
  type SaveReport,
  SourceError,
  static as paddleStatic,
  Tensor,
  type Warning,
} from "../../mod.ts";
import { takeLock } from "../../src/io/disk/file_lock.ts";
import { type Fs, systemCode } from "../../src/io/platform.ts";
import { withFault } from "../helpers/failing_system.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

const CODES = ["EIO", "ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EMFILE"];
const MODEL = "tests/fixtures/real/paddle-3.1.1/infer-model.oldir";

function state(fill: number): Map<string, Tensor> {
  const data = new Float32Array(100_000).fill(fill);
  return new Map([["w", new Tensor("float32", [data.length], data, { name: "w_0" })]]);
}

/** Everything in a folder, with the temporary files of a pending save, and folders of nothing else, separate from the others. */
function contentOf(folder: string): { files: string; temps: string[] } {
  const files: [string, string][] = [], temps: string[] = [];
  for (const name of (readdirSync(folder, { recursive: true }) as string[]).sort()) {
    if (/\.pdtmp$|\.pdundo$|\.lock$|\.old-[0-9a-f]{16}$/.test(name)) temps.push(name);
    else if (!/\.(pdtmp|old-[0-9a-f]{16})[/\\]/.test(name)) {
      const path = join(folder, name), stat = lstatSync(path);
      // The id of a save is new each time.
      const bytes = stat.isFile() && !name.endsWith(".pdsum") ? readFileSync(path, "base64").slice(-2000) : "";
      files.push([name, bytes]);
    }
  }
  const isOfTemps = (name: string) =>
    temps.some((temp) => isIn(temp, name)) && !files.some(([other, bytes]) => bytes !== "" && isIn(other, name));
  return { files: JSON.stringify(files.filter(([name]) => !isOfTemps(name))), temps };
}

function isIn(name: string, folder: string): boolean {
  return name.startsWith(folder) && /^[/\\]/.test(name.slice(folder.length));
}

interface Way {
  before: (folder: string) => unknown;
  run: (folder: string) => Promise<unknown>;
  /** What a later reader does. */
  later?: (folder: string) => Promise<unknown>;
  /** It only reads, or removes leftovers. */
  readsOnly?: boolean;
}

const OLD = encode(state(1)), NEW = state(2);
const overOld = (folder: string) => writeFileSync(join(folder, "a"), OLD);
const saving = (options: Parameters<typeof save>[2], name = "a") => (folder: string) =>
  save(NEW, join(folder, name), options);
const modelIn = (name: string) => (folder: string) => cpSync(MODEL, join(folder, name), { recursive: true });

async function writeTensor(folder: string): Promise<void> {
  const checkpoint = await open(join(folder, "a"));
  try {
    await checkpoint.write("w", NEW.get("w")!);
  } finally {
    await checkpoint.close();
  }
}

/** The warnings of a function that returns the names of files. */
async function warned(run: (onWarning: (warning: Warning) => void) => Promise<unknown>): Promise<Partial<SaveReport>> {
  const warnings: Warning[] = [];
  await run((warning) => warnings.push(warning));
  return { warnings };
}

/** It encrypts the same bytes in the same way each time. */
const CIPHER = new crypto.Cipher({ cipherName: "AES_ECB_PKCSPadding" });

const WAYS: Record<string, Way> = {
  "save over a file": { before: overOld, run: saving({ requireDurable: true }) },
  "save of a new file": { before: () => {}, run: saving({}, "x/y/a") },
  "save through a link, with a lock": {
    before: (folder) => {
      overOld(folder);
      symlinkSync("a", join(folder, "link"));
    },
    run: saving({ lock: true }, "link"),
  },
  "save of an encrypted file over another": {
    before: overOld,
    run: (folder) => CIPHER.encryptToFile(encode(NEW), new Uint8Array(16), join(folder, "a")),
  },
  "save in place": {
    before: overOld,
    run: saving({ preserve: "inode" }),
    later: (folder) => load(join(folder, "a")),
  },
  "one tensor written in place": {
    before: overOld,
    run: writeTensor,
    later: (folder) => load(join(folder, "a")),
  },
  "one tensor written in place, of a file with a manifest": {
    before: (folder) => {
      overOld(folder);
      const files = [{ name: "a", size: OLD.length, sha256: "0".repeat(64) }];
      writeFileSync(join(folder, "b.pdsum"), JSON.stringify({ pdsum: 1, id: "", files }));
    },
    run: writeTensor,
    later: (folder) => load(join(folder, "a")),
  },
  "a model over another, with a manifest": {
    before: modelIn("."),
    run: (folder) =>
      warned((onWarning) => paddleStatic.relayout(join(MODEL, "m"), join(folder, "m"), { manifest: true, onWarning })),
  },
  "a model over another that has a manifest, without one": {
    before: (folder) => {
      modelIn(".")(folder);
      writeFileSync(join(folder, "m.pdmodel"), "old");
      const files = [{ name: "m.pdmodel", size: 3, sha256: "0".repeat(64) }];
      writeFileSync(join(folder, "m.pdsum"), JSON.stringify({ pdsum: 1, id: "", files }));
    },
    run: (folder) => warned((onWarning) => paddleStatic.relayout(join(MODEL, "m"), join(folder, "m"), { onWarning })),
  },
  "a model in new folders": {
    before: () => {},
    run: (folder) =>
      paddleStatic.relayout(join(MODEL, "m"), join(folder, "x/y"), { layout: "combined", manifest: true }),
  },
  "a folder as a whole": {
    before: (folder) => {
      mkdirSync(join(folder, "m"));
      writeFileSync(join(folder, "m/__model__"), "old");
    },
    run: (folder) =>
      warned((onWarning) =>
        paddleStatic.relayout(join(MODEL, "m"), join(folder, "m"), { layout: "combined", wholeFolder: true, onWarning })
      ),
    later: (folder) => recoverFolder(join(folder, "m")),
  },
  "recoverFolder": {
    before: (folder) => {
      modelIn("m.old-0123456789abcdef")(folder);
      modelIn(".m.0123456789abcdef.pdtmp")(folder);
    },
    run: (folder) => recoverFolder(join(folder, "m")),
    later: (folder) => recoverFolder(join(folder, "m")),
    readsOnly: true,
  },
  "cleanupTemps": {
    before: (folder) => writeFileSync(join(folder, ".a.0123456789abcdef.pdtmp"), ""),
    run: (folder) => cleanupTemps(folder, { olderThan: 0 }),
    readsOnly: true,
  },
  "load": { before: overOld, run: (folder) => load(join(folder, "a")), readsOnly: true },
  "load of a model": { before: modelIn("."), run: (folder) => load(join(folder, "m")), readsOnly: true },
  "open and get": {
    before: overOld,
    run: async (folder) => {
      const checkpoint = await open(join(folder, "a"));
      try {
        return await checkpoint.get("w");
      } finally {
        await checkpoint.close();
      }
    },
    readsOnly: true,
  },
};

function inFolder<T>(before: Way["before"], test: (folder: string) => Promise<T>): Promise<T> {
  return inTempFolder(async (folder) => {
    await before(folder);
    return await test(folder);
  });
}

/** What is wrong with the outcome of an operation; null if nothing is. */
function faultOf(
  outcome: { value?: unknown; error?: unknown },
  folder: string,
  { old, next }: { old: string; next: string },
  way: Way,
  persists: boolean,
): string | null {
  const { files, temps } = contentOf(folder), { error } = outcome;
  if (error === undefined) {
    if (way.readsOnly) return null;
    if (files !== next) return "it says that all went well";
    if (!persists) return temps.length > 0 ? `leaves ${temps}` : null;
    const { warnings } = (outcome.value ?? {}) as Partial<SaveReport>;
    const untold = temps.filter((name) => warnings && !warnings.some(({ message }) => message.includes(name)));
    return untold.length > 0 ? `leaves ${untold} without a warning` : null;
  }
  if (!isPaddleError(error)) return `is the system's own error: ${error}`;
  if (way.readsOnly) return null;
  // The file that cannot be read may be the one to save, or the one that already exists.
  if (error instanceof SourceError) return files !== old || temps.length > 0 ? "has begun before it read" : null;
  if (!(error instanceof SaveError)) return `is no SaveError but ${error.code}`;
  if (error.committed === undefined) return `does not say whether the file is there: ${error.message}`;
  if (error.committed === "no" && files !== old) return "says no, and the old files are not there";
  if (error.committed === "yes" && files !== next) return "says yes, and the new files are not there";
  // A single fault can be undone.
  if (!persists && error.committed === "unknown") return "does not know whether the file is there";
  const untold = temps.filter((name) => !error.leftovers?.some((left) => left.endsWith(name)));
  return untold.length > 0 ? `leaves ${untold} and does not say so` : null;
}

describe("what the user of Deno did not grant", { skip: !("Deno" in globalThis) }, () => {
  it("is PERMISSION, whether a file is opened or a folder listed", () =>
    inTempFolder((folder) => {
      const code = `import { DirectoryFolder, load } from ${
        JSON.stringify(new URL("../../mod.ts", import.meta.url).href)
      };
        const path = ${JSON.stringify(folder)}, code = (work) => work.catch((error) => error.code);
        console.log(await code(load(path + "/w")), await code(new DirectoryFolder(path).list()));`;
      const flags = ["--no-config", "--no-check", "--no-prompt", "--allow-env"];
      const { stdout } = spawnSync(process_.execPath, ["run", ...flags, "--ext=js", "-"], {
        input: code,
        encoding: "utf8",
      });
      assert.equal(stdout, "PERMISSION PERMISSION\n");
    }));
});

describe("a failing system call", () => {
  for (const [name, way] of Object.entries(WAYS)) {
    it(`gives a PaddleError, and leaves the old or the new files: ${name}`, async () => {
      const wrong = new Set<string>();
      const { total, ...sides } = await inFolder(way.before, async (folder) => {
        const old = contentOf(folder).files;
        const { error, calls } = await withFault(-1, "", () => way.run(folder));
        assert.equal(error, undefined);
        return { old, next: contentOf(folder).files, total: calls.length };
      });
      assert.ok(total > 2, `${total} calls`);
      for (let at = 0; at < total; at++) {
        const code = CODES[at % CODES.length];
        for (const [one, persists] of [[code, false], ["EIO", true]] as const) {
          await inFolder(way.before, async (folder) => {
            const outcome = await withFault(at, one, () => way.run(folder), persists);
            const isWholeFolder = way.run === WAYS["a folder as a whole"].run;
            // What cannot be restored now is restored by recoverFolder, and the error says so.
            const fault = persists && isWholeFolder ? null : faultOf(outcome, folder, sides, way, persists);
            if (fault) wrong.add(`${outcome.calls[at]} (${one}${persists ? ", always" : ""}) ${fault}`);
            if (!way.later) return;
            await way.later(folder);
            const { files } = contentOf(folder);
            if (files !== sides.old && files !== sides.next) wrong.add(`${outcome.calls[at]} (${one}): neither, later`);
          });
        }
      }
      assert.deepEqual([...wrong], []);
    });
  }

  for (const [name, way] of Object.entries(WAYS)) {
    if (way.readsOnly) continue;
    it(`that has done its work leaves no more behind than one that has not: ${name}`, async () => {
      const { old, next, calls } = await inFolder(way.before, async (folder) => {
        const old = contentOf(folder).files, { calls } = await withFault(-1, "", () => way.run(folder));
        return { old, next: contentOf(folder).files, calls };
      });
      const wrong = new Set<string>();
      for (const [at, call] of calls.entries()) {
        if (!["rename", "link", "mkdir", "rm", "unlink", "remove", "rmdir"].includes(call)) continue;
        await inFolder(way.before, async (folder) => {
          const outcome = await withFault(at, "EIO", () => way.run(folder), false, true);
          const fault = faultOf(outcome, folder, { old, next }, way, false);
          if (fault) wrong.add(`${call} ${at} ${fault}`);
        });
      }
      assert.deepEqual([...wrong], []);
    });
  }

  for (const name of ["save over a file", "a model over another, with a manifest", "a folder as a whole"]) {
    it(`is ignored when a rename took place despite its error: ${name}`, async () => {
      const way = WAYS[name];
      const { next, calls } = await inFolder(way.before, async (folder) => {
        const { calls } = await withFault(-1, "", () => way.run(folder));
        return { next: contentOf(folder).files, calls };
      });
      const renames = calls.flatMap((call, at) => call === "rename" ? [at] : []);
      assert.ok(renames.length > 0);
      for (const at of renames) {
        await inFolder(way.before, async (folder) => {
          const { error } = await withFault(at, "EIO", () => way.run(folder), false, true);
          assert.equal(error, undefined);
          assert.deepEqual(contentOf(folder), { files: next, temps: [] });
        });
      }
    });
  }

  for (const name of ["save over a file", "a model over another, with a manifest"]) {
    it(`leaves nothing when a file or link was made despite its error: ${name}`, async () => {
      const way = WAYS[name];
      const { calls } = await inFolder(way.before, (folder) => withFault(-1, "", () => way.run(folder)));
      const made = calls.flatMap((call, at) => call === "open" || call === "link" ? [at] : []);
      assert.ok(made.length > 1);
      for (const at of made) {
        await inFolder(way.before, async (folder) => {
          await withFault(at, "EIO", () => way.run(folder), false, true);
          assert.deepEqual(contentOf(folder).temps, []);
        });
      }
    });
  }

  it("that keeps an old file from being put back keeps a link to it, which the error names", () =>
    inFolder(modelIn("."), async (folder) => {
      const run = () => paddleStatic.relayout(join(MODEL, "m"), join(folder, "m"), { manifest: true });
      const before = readFileSync(join(folder, "m.pdiparams"));
      const { calls } = await inFolder(modelIn("."), () => withFault(-1, "", run));
      rmSync(folder, { recursive: true });
      modelIn(".")(folder);
      const second = calls.indexOf("rename", calls.indexOf("rename") + 1);
      const error = (await withFault(second, "EIO", run, true)).error as SaveError;
      assert.equal(error.committed, "unknown");
      assert.deepEqual(error.leftovers?.map((left) => readFileSync(left).equals(before)), [true]);
      assert.deepEqual(contentOf(folder).temps.map((name) => join(folder, name)), error.leftovers);
    }));

  it("finds an outdated manifest until the files are in place, which tells a mixture of two saves", () => {
    const { before, run } = WAYS["a model over another that has a manifest, without one"];
    return inFolder(before, async (folder) => {
      const { calls } = await withFault(-1, "", () => run(folder));
      assert.ok(calls.findLastIndex((call) => ["remove", "unlink"].includes(call)) > calls.lastIndexOf("rename"));
      assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith(".pdsum")), []);
    });
  });

  it("when a file is compared with what it was is reported as that, not as a CONFLICT", () =>
    inFolder(overOld, async (folder) => {
      const { size, mtimeMs } = lstatSync(join(folder, "a"));
      const run = () => save(NEW, join(folder, "a"), { ifUnchanged: { size, mtimeMs } });
      const { calls } = await inFolder(overOld, () => withFault(-1, "", run));
      overOld(folder);
      utimesSync(join(folder, "a"), mtimeMs / 1000, mtimeMs / 1000);
      const { error } = await withFault(calls.lastIndexOf("stat"), "EACCES", run);
      assert.deepEqual([(error as SaveError).code, (error as SaveError).committed], ["READ_ONLY", "no"]);
      rmSync(join(folder, "a"));
      await assert.rejects(run(), { code: "CONFLICT", committed: "no" });
    }));

  it("is compensated when the undo journal could not be removed at first", () =>
    inFolder(overOld, async (folder) => {
      const { run } = WAYS["one tensor written in place"];
      const { calls } = await withFault(-1, "", () => run(folder));
      const { error } = await withFault(calls.lastIndexOf("rm"), "EBUSY", () => run(folder));
      assert.equal(error, undefined);
      assert.deepEqual(readdirSync(folder), ["a"]);
    }));

  for (
    const [name, syncsBefore] of [
      ["save in place", 2],
      ["one tensor written in place", 1],
      ["a folder as a whole", 2],
    ] as const
  ) {
    it(`ends a save that relies on names that did not reach the disk, before anything changes: ${name}`, async () => {
      const { before, run } = WAYS[name];
      for (const [code, isLost] of [["EIO", true], ["ESTALE", true], ["EINVAL", false]] as const) {
        await inFolder(before, async (folder) => {
          const old = contentOf(folder);
          const { calls } = await inFolder(before, (other) => withFault(-1, "", () => run(other)));
          const syncs = calls.flatMap((call, at) => call === "handle.sync" ? [at] : []);
          const { error } = await withFault(syncs[syncsBefore], code, () => run(folder));
          if (!isLost) return assert.equal(error, undefined, "some systems cannot sync a folder");
          assert.equal((error as SaveError).committed, "no");
          assert.deepEqual(contentOf(folder), old);
        });
      }
    });
  }

  for (
    const [name, files] of [["save over a file", 1], ["a model in new folders", 3], ["a folder as a whole", 2]] as const
  ) {
    it(`that cuts the power finds files synced before their names, and the names after that: ${name}`, async () => {
      const { before, run } = WAYS[name];
      const { calls } = await inFolder(before, (folder) => withFault(-1, "", () => run(folder)));
      const syncs = calls.flatMap((call, at) => call === "handle.sync" ? [at] : []);
      assert.ok(syncs.filter((at) => at < calls.indexOf("rename")).length >= files, `${calls}`);
      assert.ok(syncs.at(-1)! > calls.lastIndexOf("rename"), `${calls}`);
    });
  }

  for (const [name, options] of [["over a file", {}], ["in place", { preserve: "inode" }]] as const) {
    it(`ends a save that must be durable, whichever sync it is: ${name}`, async () => {
      const run = saving({ requireDurable: true, ...options });
      const { calls } = await inFolder(overOld, (folder) => withFault(-1, "", () => run(folder)));
      const syncs = calls.flatMap((call, at) => call === "handle.sync" ? [at] : []);
      for (const at of syncs) {
        const { error } = await inFolder(overOld, (folder) => withFault(at, "EIO", () => run(folder)));
        assert.equal((error as SaveError).committed, at === syncs.at(-1) ? "yes" : "no", `${at} of ${syncs}`);
      }
    });
  }

  for (const name of ["save over a file", "save in place", "one tensor written in place"]) {
    it(`is DISK_FULL when there is no room, the quota is used up, or files may not grow: ${name}`, async () => {
      const { before, run } = WAYS[name];
      for (const code of ["ENOSPC", "EDQUOT", "EFBIG"]) {
        await inFolder(before, async (folder) => {
          const { calls } = await withFault(-1, "", () => run(folder));
          overOld(folder);
          const first = await withFault(calls.indexOf("handle.write"), code, () => run(folder));
          assert.deepEqual([code, (first.error as SaveError).code], [code, "DISK_FULL"]);
          // A file changed in place cannot be restored either.
          const last = await withFault(calls.lastIndexOf("handle.write"), code, () => run(folder), true);
          assert.deepEqual([code, (last.error as SaveError).code], [code, "DISK_FULL"]);
        });
      }
    });
  }

  it("is SYNC_FAILED when the new file cannot be synced, and the old one stays", () => {
    const { before, run } = WAYS["save over a file"];
    return inFolder(before, async (folder) => {
      const { calls } = await withFault(-1, "", () => run(folder));
      overOld(folder);
      const { error } = await withFault(calls.indexOf("handle.sync"), "EIO", () => run(folder));
      const { code, committed, cause } = error as SaveError;
      assert.deepEqual([code, committed, systemCode(cause)], ["SYNC_FAILED", "no", "EIO"], String(calls));
    });
  });

  it("has the code of its number where a runtime has no name for it", () => {
    // As Deno's writeFile and its other calls, and Node, report a quota that is used up.
    const errors = [
      Object.assign(new Error("UNKNOWN: unknown error, write"), { code: "UNKNOWN", errno: -122 }),
      new Error("Quota exceeded (os error 122)"),
      Object.assign(new Error("Unknown system error -122"), { code: "Unknown system error -122" }),
      Object.assign(new Error("write failed"), { errno: 122 }),
    ];
    assert.deepEqual(errors.map(systemCode), errors.map(() => "EDQUOT"));
    assert.equal(systemCode(Object.assign(new Error("unknown error"), { code: "UNKNOWN", errno: -4094 })), "UNKNOWN");
  });

  it("does not hide a file that another process replaces at that moment, nor where a link leads", () =>
    inFolder(overOld, async (folder) => {
      // Bun has no real path of such a file for a moment.
      const looks = (calls: string[]) => calls.flatMap((call, at) => /^real[pP]ath/.test(call) ? [at] : []);
      const read = () => load(join(folder, "a"));
      const found = looks((await withFault(-1, "", read)).calls);
      assert.ok(found.length > 0);
      for (const at of found) assert.equal((await withFault(at, "ENOENT", read)).error, undefined);
      mkdirSync(join(folder, "inside"));
      symlinkSync("../a", join(folder, "inside/link"));
      const follow = () => new DirectoryFolder(join(folder, "inside")).get("link");
      for (const at of looks((await withFault(-1, "", follow)).calls)) {
        const { error } = await withFault(at, "ENOENT", follow);
        assert.equal((error as PathError)?.code, "LINK_ESCAPE");
      }
    }));

  it("while a lock is written leaves no lock, so that the next save can take it", () =>
    inFolder(overOld, async (folder) => {
      const { calls } = await withFault(-1, "", () => saving({ lock: true })(folder));
      const { error } = await withFault(
        calls.indexOf("handle.writeFile"),
        "ENOSPC",
        () => saving({ lock: true })(folder),
      );
      assert.deepEqual([(error as SaveError).code, readdirSync(folder)], ["DISK_FULL", ["a"]]);
      await saving({ lock: true })(folder);
    }));

  it("while a lock is created has its own code, not CONFLICT, and the lock that stays is named", () =>
    inFolder(overOld, async (folder) => {
      const run = () => saving({ lock: true })(folder);
      const { calls } = await withFault(-1, "", run);
      const { error } = await withFault(calls.indexOf("open"), "EROFS", run);
      assert.deepEqual([(error as SaveError).code, (error as SaveError).committed], ["READ_ONLY", "no"]);
      const fails = (code: string) => () => Promise.reject(Object.assign(new Error("said by the test"), { code }));
      const full = { open: () => Promise.resolve({ writeFile: fails("ENOSPC"), close: () => {} }), rm: fails("EBUSY") };
      const name = join(folder, "b");
      await assert.rejects(
        takeLock({ promises: full } as unknown as Fs, name, name),
        ({ code, leftovers }: SaveError) => {
          assert.deepEqual([code, leftovers], ["DISK_FULL", [`${name}.lock`]]);
          return true;
        },
      );
    }));

  it("that finds a lock just released never moves the lock of the process that took it since", () =>
    inFolder(overOld, async (folder) => {
      const lock = join(folder, "a.lock");
      writeFileSync(lock, "another process");
      const run = () => saving({ lock: true })(folder);
      const { calls } = await withFault(-1, "", run);
      const at = calls.indexOf("stat", calls.lastIndexOf("open"));
      assert.ok(at > 0, `${calls}`);
      const outcome = await withFault(at, "ENOENT", run);
      assert.equal((outcome.error as SaveError).code, "CONFLICT");
      assert.deepEqual(outcome.calls.filter((name) => name === "rename" || name === "link"), []);
      assert.equal(readFileSync(lock, "utf8"), "another process");
    }));

  it("while a lock is removed after the save is a warning that names the lock", () =>
    inFolder(overOld, async (folder) => {
      const { calls } = await withFault(-1, "", () => saving({ lock: true })(folder));
      const told: string[] = [];
      const onWarning = ({ code, message }: Warning) => told.push(`${code}: ${message}`);
      const { value, error } = await withFault(
        calls.lastIndexOf("rm"),
        "EBUSY",
        () => saving({ lock: true, onWarning })(folder),
        true,
      );
      assert.equal(error, undefined);
      const lock = join(folder, "a.lock");
      assert.deepEqual(readdirSync(folder).sort(), ["a", "a.lock"]);
      assert.deepEqual(told, [`LEFTOVER: "${join(folder, "a")}" is saved, but "${lock}" cannot be removed`]);
      assert.deepEqual((value as SaveReport).warnings.map(({ code }) => code), ["LEFTOVER"]);
    }));

  it("while folders are created leaves none of them, and is reported with its own code", () =>
    inFolder(() => {}, async (folder) => {
      const inFolders = saving({}, "x/y/z/a");
      const { calls } = await withFault(-1, "", () => inFolders(folder));
      rmSync(join(folder, "x"), { recursive: true });
      const { error } = await withFault(
        calls.indexOf("mkdir", calls.indexOf("mkdir") + 1),
        "ENOSPC",
        () => inFolders(folder),
      );
      assert.deepEqual([(error as SaveError).code, readdirSync(folder)], ["DISK_FULL", []]);
    }));

  it("during cleanup is reported beside the first failure, which remains the cause", () =>
    inFolder(overOld, async (folder) => {
      const counted = await withFault(-1, "", () => saving({})(folder));
      overOld(folder);
      const at = counted.calls.indexOf("handle.sync");
      const rm = Object.assign(new Error("EBUSY: said by the test"), { code: "EBUSY" });
      const outcome = await withFault(at, "ENOSPC", async () => {
        const failing = (process_.getBuiltinModule as unknown as (name: string) => typeof import("node:fs"))("node:fs");
        const { promises } = failing;
        const stubborn = new Proxy(promises, {
          get: (target, key) => key === "rm" ? () => Promise.reject(rm) : Reflect.get(target, key),
        });
        const inner = process_.getBuiltinModule;
        process_.getBuiltinModule = ((name: string) =>
          name !== "node:fs" ? (inner as unknown as (name: string) => unknown)(name) : new Proxy(failing, {
            get: (target, key) =>
              key === "promises" ? stubborn : Reflect.get(target, key),
          })) as typeof inner;
        try {
          await saving({})(folder);
        } finally {
          process_.getBuiltinModule = inner;
        }
      });
      const error = outcome.error as SaveError;
      assert.deepEqual([error.code, error.committed], ["DISK_FULL", "no"]);
      assert.ok(error.cause instanceof AggregateError);
      assert.deepEqual(error.cause.errors.map(({ code }) => code), ["ENOSPC", "EBUSY"]);
      assert.deepEqual(error.leftovers, readdirSync(folder).filter((name) => name !== "a").map((n) => join(folder, n)));
    }));
});
