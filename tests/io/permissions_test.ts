import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { describe, it } from "@std/testing/bdd";
import { fromArray, load, save, static as staticModule } from "../../mod.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

const MODEL = "tests/fixtures/real/paddle-3.1.1/infer-model.oldir/m";

/** What every verb is called with: `at(name)` is a path in the folder. */
const CALLS = `
  const change = async (file) => {
    await using checkpoint = await open(file);
    const [name] = checkpoint.names();
    await checkpoint.write(name, await checkpoint.get(name));
  };
  const calls = {
    load: () => load(at("a.pdparams")),
    open: async () => await (await open(at("a.pdparams"))).close(),
    "load of what is not there": () => load(at("b.pdparams")),
    "load with a journal": () => load(at("hot.pdparams")),
    "load of a folder": () => load(at("f")),
    "open of a folder": async () => await (await open(at("f"))).close(),
    loadInferenceModel: () => loadInferenceModel(at("f")),
    loadProgramState: () => loadProgramState(at("f")),
    write: () => change(at("w.pdparams")),
    "write without permission for the journal": () => change(at("v.pdparams")),
  };
  for (const [name, call] of Object.entries(calls)) {
    const code = await call().then(() => "", (error) => [error.code ?? error.message, error.hint].join(" ").trim());
    if (code) console.log(name, code);
  }`;

describe("Node with the narrowest permissions", { skip: "Deno" in globalThis }, () => {
  it("reads a file that alone may be read: looking for the journal beside it throws there", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams"), builtin = process.getBuiltinModule;
      await save(new Map([["w", fromArray([1, 2])]]), path);
      const existsSync = () => {
        throw Object.assign(new Error("Access to this API has been restricted"), { code: "ERR_ACCESS_DENIED" });
      };
      // deno-lint-ignore no-explicit-any
      (process as any).getBuiltinModule = (name: any) =>
        // deno-lint-ignore no-explicit-any
        name === "node:fs" ? { ...(builtin as any)(name), existsSync } : builtin(name);
      try {
        assert.ok(await load(path) instanceof Map);
      } finally {
        process.getBuiltinModule = builtin;
      }
    }));
});

describe("Deno with the narrowest permissions", { skip: !("Deno" in globalThis) }, () => {
  it("is asked for nothing beside the file or the folder that is read, and the file and its journal that are written", () =>
    inTempFolder(async (folder) => {
      const at = (name: string) => join(folder, name), value = new Map([["w", fromArray([1, 2])]]);
      for (const name of ["a", "hot", "v", "w"]) await save(value, at(`${name}.pdparams`));
      await staticModule.relayout(await staticModule.loadInferenceModel(MODEL), at("f"), { layout: "folder" });
      // A journal that another process has begun.
      const head = new Uint8Array(72);
      new TextEncoder().encodeInto("PDUNDO2\n", head);
      new DataView(head.buffer).setBigUint64(8, BigInt(process.ppid), true);
      writeFileSync(at("hot.pdparams.pdundo"), head);
      const journals = ["hot.pdparams.pdundo", "w.pdparams.pdundo"];
      const read = ["a.pdparams", "b.pdparams", "hot.pdparams", "f", "v.pdparams", "w.pdparams", ...journals].map(at);
      const written = ["v.pdparams", "w.pdparams", "w.pdparams.pdundo"].map(at), audit = at("audit.jsonl");
      const code = `import { load, open, static as s } from ${
        JSON.stringify(new URL("../../mod.ts", import.meta.url).href)
      };
        const { loadInferenceModel, loadProgramState } = s, at = (name) => ${JSON.stringify(folder)} + "/" + name;`;
      const flags = ["--no-config", "--no-check", "--no-prompt", `--allow-read=${read}`, `--allow-write=${written}`];
      const { stdout, stderr } = spawnSync(process.execPath, ["run", ...flags, "--ext=js", "-"], {
        input: code + CALLS,
        encoding: "utf8",
        env: { ...process.env, DENO_AUDIT_PERMISSIONS: audit },
      });
      assert.ok(existsSync(audit), stderr);
      const asked = new Set<string>();
      for (const line of readFileSync(audit, "utf8").trim().split("\n")) {
        const { permission, value } = JSON.parse(line), granted = permission === "read" ? read : written;
        const isFile = permission === "read" || permission === "write";
        if (isFile && (granted.includes(value) || granted.includes(dirname(value)))) continue;
        if (isFile || permission === "run") asked.add(`${permission} ${value}`);
      }
      assert.deepEqual([...asked], [`read ${at("v.pdparams.pdundo")}`], "only this cannot do without");
      assert.equal(
        stdout,
        "load of what is not there NOT_FOUND a model takes permission to read its folder\nwrite without permission for the journal READ_ONLY\n",
      );
    }));
});
