import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs, { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "@std/testing/bdd";
import { DirectoryFolder, distributed, fluid, isPaddleError, setDefaultFolder } from "../../mod.ts";
import { fromArray, load, save, type StateDict } from "../../mod.ts";
import { withFault } from "../helpers/failing_system.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";
import { codeOf } from "../helpers/code_of.ts";
import { takesLittle, timeOf } from "../helpers/soon.ts";

function inFolder(test: (root: string, folder: DirectoryFolder) => Promise<void>): Promise<void> {
  return inTempFolder((base) => {
    const root = join(base, "root");
    mkdirSync(join(root, "sub"), { recursive: true });
    writeFileSync(join(base, "secret"), "secret");
    writeFileSync(join(root, "a"), "a");
    return test(root, new DirectoryFolder(root));
  });
}

describe("a directory as a folder", () => {
  it("follows links inside, but none that lead out", () =>
    inFolder(async (root, folder) => {
      symlinkSync("../secret", join(root, "out"));
      symlinkSync("..", join(root, "up"));
      symlinkSync("/etc", join(root, "etc"));
      symlinkSync("../a", join(root, "sub", "in"));
      symlinkSync("loop", join(root, "loop"));
      symlinkSync("nowhere", join(root, "dangling"));
      for (const name of ["out", "up/secret", "etc/passwd"]) {
        assert.equal(await codeOf(folder.get(name)), "LINK_ESCAPE", name);
      }
      for (const name of ["up/new", "etc/new"]) {
        assert.equal(await codeOf(folder.put(name)), "LINK_ESCAPE", name);
        assert.equal(await codeOf(folder.delete(name)), "LINK_ESCAPE", name);
      }
      const source = (await folder.get("sub/in"))!;
      assert.equal(source.size, 1);
      await source.close!();
      assert.equal(await folder.get("dangling"), null);
      assert.notEqual(await codeOf(folder.get("loop")), "null");
      assert.equal(readFileSync(join(root, "..", "secret"), "utf8"), "secret");
      const outside = (await new DirectoryFolder(root, { trusted: true }).get("out"))!;
      assert.equal(outside.size, 6, "unless the caller trusts the name");
      await outside.close!();
    }));

  it("reports the system's error when it cannot resolve where a name leads", () =>
    inFolder(async (root, folder) => {
      symlinkSync("../secret", join(root, "out"));
      for (
        const [code, read, saved, shown] of [
          ["EIO", "READ_FAILED", "WRITE_FAILED", "EIO"],
          ["EACCES", "PERMISSION", "READ_ONLY", "EACCES"],
          // Of Node with --permission
          ["ERR_ACCESS_DENIED", "PERMISSION", "READ_ONLY", "EACCES"],
        ]
      ) {
        const works = [[() => folder.get("out"), read], [() => folder.put("out"), saved], [
          () => folder.list(),
          read,
        ]] as const;
        for (const [work, expected] of works) {
          let failed = 0;
          for (const at of [0, 1]) {
            const { error, calls } = await withFault(at, code, work);
            if (!calls[at]?.startsWith("realpath") && !calls[at]?.startsWith("realPath")) continue;
            failed++;
            assert.ok(isPaddleError(error), `${calls}: ${error}`);
            assert.equal(error.code, expected, String(calls));
            assert.ok(error.message.includes(shown), error.message);
          }
          assert.ok(failed > 0, `no call of ${work} failed`);
        }
      }
    }));

  it("follows no link that leads out, however its own path is written", () =>
    inFolder(async (root) => {
      symlinkSync("..", join(root, "up"));
      for (const path of [root + "/.".repeat(20), root + "/", root + "/sub/..".repeat(5), root + "/".repeat(30)]) {
        const same = new DirectoryFolder(path);
        assert.equal(await codeOf(same.put("up/new")), "LINK_ESCAPE", path);
        assert.equal(await codeOf(same.delete("up/secret")), "LINK_ESCAPE", path);
      }
    }));

  it("is where the system finds its path, also with .. after a link", () =>
    inFolder(async (root) => {
      mkdirSync(join(root, "deep", "er"), { recursive: true });
      mkdirSync(join(root, "deep", "x"));
      symlinkSync(join("deep", "er"), join(root, "link"));
      writeFileSync(join(root, "deep", "x", "there"), "there");
      for (const options of [{}, { trusted: true }]) {
        const folder = new DirectoryFolder(`${root}/link/../x`, options);
        assert.deepEqual(await folder.list(), ["there"]);
        assert.deepEqual(await new DirectoryFolder(`${root}/link/..`, options).list("x/"), ["x/there"]);
        const source = await folder.get("there");
        assert.equal(source?.size, 5);
        await source?.close?.();
        await save(new Map([["w", 1]]), "sub/one.pdparams", { folder });
        assert.deepEqual(readdirSync(join(root, "deep", "x", "sub")), ["one.pdparams"]);
        await folder.delete("sub/one.pdparams");
        assert.deepEqual(readdirSync(join(root, "deep", "x", "sub")), []);
        rmSync(join(root, "deep", "x", "sub"), { recursive: true });
        const later = new DirectoryFolder(`${root}/link/../later`, options);
        await fluid.saveDygraph(new Map([["w", fromArray([1], "float32")]]), "m", { folder: later });
        assert.deepEqual(readdirSync(join(root, "deep", "later")), ["m.pdopt"]);
        rmSync(join(root, "deep", "later"), { recursive: true });
      }
    }));

  it("opens no stream beside a file's bytes and no device on Windows", () =>
    inFolder(async (root) => {
      writeFileSync(join(root, "sub", "a:b"), "x");
      const folder = new DirectoryFolder(root, { portable: false });
      const source = await folder.get("sub/a:b");
      assert.equal(source?.size, 1);
      await source?.close?.();
      const platform = Object.getOwnPropertyDescriptor(process, "platform")!;
      Object.defineProperty(process, "platform", { configurable: true, value: "win32" });
      try {
        for (const name of ["sub/a:b", "sub/a::$DATA", "a. ", "NUL", "sub/con.txt"]) {
          assert.equal(await codeOf(folder.get(name)), "UNSAFE_PATH", name);
          assert.equal(await codeOf(folder.put(name)), "UNSAFE_PATH", name);
        }
        assert.deepEqual(await folder.list("sub/"), ["sub/a:b"]);
      } finally {
        Object.defineProperty(process, "platform", platform);
      }
    }));

  it("puts no file through a link that leads out", () =>
    inFolder(async (root, folder) => {
      symlinkSync("../secret", join(root, "out"));
      symlinkSync("../new", join(root, "dangling"));
      symlinkSync("a", join(root, "inside"));
      for (const name of ["out", "dangling"]) assert.equal(await codeOf(folder.put(name)), "LINK_ESCAPE");
      assert.equal(readFileSync(join(root, "..", "secret"), "utf8"), "secret");
      const sink = await folder.put("inside");
      await sink.write(new Uint8Array(2));
      await sink.close();
      assert.equal(readFileSync(join(root, "a")).length, 2);
    }));

  it("lists everything, even what it does not open: names that are refused, and links that lead out by their own name", () =>
    inFolder(async (root, folder) => {
      symlinkSync("../secret", join(root, "out"));
      symlinkSync("..", join(root, "up"));
      symlinkSync("../..", join(root, "sub", "up"));
      for (const odd of ["~odd", "back\\slash", "new\nline"]) {
        mkdirSync(join(root, odd));
        writeFileSync(join(root, odd, "x"), "x");
        symlinkSync("../sub", join(root, odd, "in"));
        symlinkSync("../..", join(root, odd, "up"));
      }
      writeFileSync(join(root, "sub", "b"), "b");
      const odd = ["back\\slash", "new\nline", "~odd"].flatMap((name) =>
        ["in/b", "in/up", "up", "x"].map((end) => `${name}/${end}`)
      );
      const names = ["a", "out", "sub/b", "sub/up", "up", ...odd].sort();
      assert.deepEqual(await folder.list(), names);
      assert.deepEqual(await folder.list("sub/"), ["sub/b", "sub/up"]);
      assert.deepEqual(await folder.list("u"), ["up"]);
      for (const name of ["out", "up", "sub/up"]) assert.equal(await codeOf(folder.get(name)), "LINK_ESCAPE", name);
      for (const name of odd) assert.equal(await codeOf(folder.get(name)), "UNSAFE_PATH", name);
      await assert.rejects(folder.list("up/"), { code: "LINK_ESCAPE" });
      const trusted = new DirectoryFolder(join(root, "~odd"), { trusted: true });
      assert.deepEqual((await trusted.list()).filter((name) => !name.includes("up")), ["in/b", "x"]);
    }));

  it("has no models, checkpoints or variables in folders that lead out", () =>
    inFolder(async (root, folder) => {
      symlinkSync("..", join(root, "up"));
      symlinkSync("sub", join(root, "inside"));
      const state = new Map([["w", fromArray([1], "float32")]]);
      const vars = [{ name: "w", dtype: "float32", shape: [1] }] as unknown as fluid.io.SaveVarsOptions["vars"];
      const save = { folder, vars, parameters: state };
      await fluid.io.saveVars(join(root, ".."), { ...save, folder: undefined });
      await distributed.saveStateDict(state, join(root, ".."));
      const before = readdirSync(join(root, "..")).sort();
      for (const [name, code] of [["..", "UNSAFE_PATH"], ["sub/../..", "UNSAFE_PATH"], ["up", "LINK_ESCAPE"]]) {
        const calls = {
          loadVars: () => fluid.io.loadVars(name, { folder, vars: vars! }),
          saveVars: () => fluid.io.saveVars(name, save),
          "saveVars of a whole folder": () => fluid.io.saveVars(name, { ...save, wholeFolder: true }),
          loadStateDict: () => distributed.loadStateDict(state, name, { folder }),
          saveStateDict: () => distributed.saveStateDict(state, name, { folder }),
        };
        for (const [what, call] of Object.entries(calls)) await assert.rejects(call(), { code }, `${what} ${name}`);
      }
      assert.deepEqual(readdirSync(join(root, "..")).sort(), before);
      await fluid.io.saveVars("inside", save);
      assert.deepEqual(readdirSync(join(root, "sub")), ["w"]);
    }));

  it("gives regular files only, and does not wait for a pipe", () =>
    inFolder(async (root, folder) => {
      execFileSync("mkfifo", [join(root, "pipe")]);
      await takesLittle("pipe", () => timeOf(async () => assert.equal(await codeOf(folder.get("pipe")), "NOT_A_FILE")));
      assert.equal(await codeOf(folder.get("sub")), "NOT_A_FILE");
    }));

  it("of tensors is refused with the name of a dangling link", () =>
    inFolder(async (root) => {
      rmSync(join(root, "a"));
      await save(fromArray([1], "float32"), join(root, "w"), { useBinaryFormat: true });
      assert.deepEqual([...(await load(root) as StateDict).keys()], ["w"]);
      symlinkSync("nowhere", join(root, "dangling"));
      await assert.rejects(load(root), { name: "PathError", code: "MISSING_PART", path: "dangling" });
    }));

  it("refuses a name that would be stored as another", () =>
    inFolder(async (root, folder) => {
      writeFileSync(join(root, "\ufffdx"), "x");
      for (const name of ["\ud800x", "x\udfff", "d/\udfff\ud800"]) {
        assert.equal(await codeOf(folder.put(name)), "UNSAFE_PATH");
        assert.equal(await codeOf(folder.get(name)), "UNSAFE_PATH");
      }
    }));

  it("accepts only names that are valid on every system, unless portable is false", () =>
    inFolder(async (root, folder) => {
      const names = [
        "a:b",
        "a<b",
        "a>b",
        'a"b',
        "a|b",
        "a?b",
        "a*b",
        "a.",
        "a ",
        "CON",
        "nul.txt",
        "nul .txt",
        "com1",
        "LPT9.x",
        "COM¹",
        "CONIN$",
        "d/aux",
      ];
      for (const name of names) assert.equal(await codeOf(folder.put(name)), "UNSAFE_PATH", name);
      for (const name of ["CONTROL", "com", "COM10", "nul_", "nul x.txt", "x.con"]) {
        await (await folder.put(name)).abort(null);
      }
      const sink = await new DirectoryFolder(root, { portable: false }).put("0:fc");
      await sink.write(new Uint8Array(1));
      await sink.close();
      assert.deepEqual(await folder.list("0"), ["0:fc"]);
    }));

  it("may be the default folder for bare names", () =>
    inFolder(async (root, folder) => {
      setDefaultFolder(folder);
      try {
        await save(new Map([["w", fromArray([1, 2], "float32")]]), "run.pdparams");
        assert.deepEqual([...(await load("run.pdparams") as StateDict).keys()], ["w"]);
      } finally {
        setDefaultFolder(null);
      }
      assert.ok(readFileSync(join(root, "run.pdparams")).length > 0);
    }));

  it("that is removed while a name is looked up has no such file, in place of a link that leads out", () =>
    inFolder(async (root, folder) => {
      let looks = 0;
      const restore = beforeEachLook(() => ++looks === 2 && rmSync(root, { recursive: true }));
      try {
        assert.equal(await folder.get("a"), null);
      } finally {
        restore();
      }
      assert.ok(looks > 2, `${looks} looks`);
    }));
});

/** Calls `hook` before a path's links are resolved; gives what ends that. */
function beforeEachLook(hook: () => unknown): () => void {
  // deno-lint-ignore no-explicit-any
  const global = globalThis as any, deno = global.Deno;
  if (deno) {
    const { realPath } = deno;
    deno.realPath = (path: string) => (hook(), realPath(path));
    return () => void (deno.realPath = realPath);
  }
  const { native } = fs.realpath;
  // deno-lint-ignore no-explicit-any
  (fs.realpath as any).native = (...args: Parameters<typeof native>) => (hook(), native(...args));
  return () => void (fs.realpath.native = native);
}
