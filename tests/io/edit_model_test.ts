import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import {
  detect,
  fluid,
  fromArray,
  isPaddleError,
  jit,
  load,
  MemoryFolder,
  NDArray,
  open,
  recoverStateDict,
  save,
  static as paddleStatic,
  Tensor,
} from "../../mod.ts";
import { replaceBytes } from "../../src/io/disk/undo_journal.ts";
import { heldUp } from "../helpers/held_up.ts";
import { equal } from "./source_contract.ts";

const REAL = "tests/fixtures/real";

/** The files in `folder` by name, in hex. */
function filesOf(folder: string): Map<string, string> {
  return new Map(readdirSync(folder).sort().map((name) => [name, readFileSync(join(folder, name)).toString("hex")]));
}

async function copied(fixture: string, test: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oarlock-edit-"));
  try {
    cpSync(join(REAL, fixture), folder, { recursive: true });
    await test(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Rewrite every array of a model, one by one, checking that other arrays and other files stay the same. */
async function editAll(folder: string, path: string): Promise<void> {
  await using checkpoint = await open(path);
  const names = checkpoint.names();
  assert.ok(names.length > 1);
  const before = new Map<string, NDArray>();
  for (const name of names) before.set(name, await checkpoint.get(name));
  for (const name of names) {
    const files = filesOf(folder);
    const old = before.get(name)!;
    const made = new NDArray(old.dtype, old.shape, old.bytes.map((byte) => byte ^ 1));
    await checkpoint.write(name, made);
    const changed = [...filesOf(folder)].filter(([file, bytes]) => files.get(file) !== bytes);
    assert.equal(changed.length, 1, `${name}: ${changed.map(([file]) => file)}`);
    await using again = await open(path);
    for (const other of names) {
      const due = other === name ? made : before.get(other)!;
      assert.ok(equal((await again.get(other)).bytes, due.bytes), `${other} after ${name}`);
    }
    assert.ok(equal((await checkpoint.get(name)).bytes, made.bytes), `${name} through the same checkpoint`);
    before.set(name, made);
  }
  assert.ok(![...filesOf(folder).keys()].some((name) => name.includes("journal")));
}

describe("writing one tensor in place in a checkpoint of several files", () => {
  it("changes only that tensor in a model with one parameter file", () =>
    copied("paddle-2.4.2/jit-combine", (folder) => editAll(folder, join(folder, "m"))));

  it("changes only that tensor in a folder of Paddle 1.x with a file for each", () =>
    copied("paddle-1.8.5/fluid-infer-separate/d", (folder) => editAll(folder, folder)));

  it("changes only that tensor in the shards of an index", async () => {
    const index = JSON.stringify({ metadata: {}, weight_map: { a: "1.pdparams", b: "2.pdparams" } });
    const folder = new MemoryFolder([["m.index.json", new TextEncoder().encode(index)]]);
    const zeros = () => new Tensor("float32", [40, 50]);
    await save(new Map([["a", zeros()]]), "1.pdparams", { folder });
    await save(new Map([["b", zeros()]]), "2.pdparams", { folder });
    await using checkpoint = await open("m.index.json", { folder });
    const ones = new Tensor("float32", [40, 50], new Float32Array(2000).fill(1));
    await checkpoint.write("b", ones);
    await using again = await open("m.index.json", { folder });
    assert.ok((await again.get("b")).equals(ones) && (await again.get("a")).equals(zeros()));
  });

  it("is refused, without any change, when the two files come from different saves", () =>
    copied("paddle-2.4.2/jit-combine", async (folder) => {
      const path = join(folder, "m.pdiparams"), bytes = readFileSync(path);
      bytes[20] ^= 3;
      writeFileSync(path, bytes);
      await using checkpoint = await open(join(folder, "m"));
      const [name] = checkpoint.names();
      const { dtype, shape } = checkpoint.info(name);
      const error = await checkpoint.write(name, new NDArray(dtype, shape)).then(() => null, (error) => error);
      assert.ok(isPaddleError(error) && error.code === "BAD_SHAPE", String(error));
      assert.ok(readFileSync(path).equals(bytes));
      const other = await checkpoint.write(name, fromArray([1], "int8")).then(() => null, (error) => error);
      assert.ok(isPaddleError(other) && other.code === "INVALID_VALUE");
    }));
});

/** Assert that calls end with the abort of their signal while `file` is being written in place, which goes on. */
async function endWithAbort(
  folder: string,
  file: string,
  calls: Record<string, (options: { signal: AbortSignal }) => Promise<unknown>>,
): Promise<void> {
  const path = join(realpathSync(folder), file), bytes = readFileSync(path);
  let start = () => {};
  const slow = heldUp(path, new Promise<void>((done) => start = done));
  const change = replaceBytes(slow.fs, path, 0, bytes.subarray(0, 1));
  await slow.reached;
  try {
    for (const [name, call] of Object.entries(calls)) {
      const controller = new AbortController(), reason = { name };
      const settled = call({ signal: controller.signal }).then(() => "a value", (error) => error);
      setTimeout(() => controller.abort(reason), 5);
      let timer;
      const late = new Promise((resolve) => timer = setTimeout(() => resolve("nothing"), 5000));
      assert.equal(await Promise.race([settled, late]), reason, `${name} while ${file} is written`);
      clearTimeout(timer);
    }
  } finally {
    start();
    await change;
  }
}

type Loaded = (options: { signal: AbortSignal }) => Promise<unknown>;

describe("a signal that is aborted while a file of a model is written in place", () => {
  it("ends the call that waits for it, whichever file of a prefix it is", () =>
    copied("paddle-2.4.2/jit-combine", async (folder) => {
      const prefix = join(folder, "m");
      const alike: Record<string, Loaded> = {
        open: (options) => open(prefix, options),
        load: (options) => load(prefix, options),
        "jit.load": (options) => jit.load(prefix, options),
        recoverStateDict: (options) => recoverStateDict(prefix, options),
      };
      const files = ["m.pdmodel", "m.second.pdmodel", "m.pdiparams.info"];
      for (const file of files) await endWithAbort(folder, file, alike);
      await endWithAbort(folder, "prop.meta", { "jit.load": (options) => jit.load(join(folder, "prop"), options) });
      // What looks like the index of shards may be a method.
      writeFileSync(join(folder, "m.index.json"), "{}");
      await endWithAbort(folder, "m.index.json", alike);
    }));

  it("ends the call that waits for it, whichever file of a folder of Paddle 1.x it is", () =>
    copied("paddle-1.8.5/fluid-infer-separate/d", async (separate) => {
      const folder = join(separate, "combined");
      await paddleStatic.relayout(separate, folder, { layout: "combined", manifest: true });
      const names = { modelFilename: "__model__", paramsFilename: "__params__" };
      const alike: Record<string, Loaded> = {
        load: (options) => load(folder, { ...names, ...options }),
        loadInferenceModel: (options) => paddleStatic.loadInferenceModel(folder, { ...names, ...options }),
        detect: (options) => detect(folder, options),
      };
      for (const file of [".pdsum", "__model__", "__params__"]) {
        const { detect, ...loads } = alike;
        await endWithAbort(folder, file, file === "__model__" ? { ...loads, detect } : loads);
      }
      rmSync(folder, { recursive: true });
      const model = await paddleStatic.loadInferenceModel(separate);
      const varList = model.program.parameters();
      for (const file of ["__model__", "fc_0.b_0"]) {
        const all: Record<string, Loaded> = {
          open: (options) => open(separate, options),
          loadProgramState: (options) => paddleStatic.loadProgramState(separate, options),
          "fluid.io.loadVars": (options) => fluid.io.loadVars(separate, { vars: varList, ...options }),
        };
        await endWithAbort(separate, file, file === "__model__" ? { open: all.open } : all);
      }
      await endWithAbort(separate, "fc_0.b_0", {
        "loadProgramState of one file": (options) =>
          paddleStatic.loadProgramState(join(separate, "fc_0.b_0"), { varList: varList.slice(0, 1), ...options }),
      });
    }));
});
