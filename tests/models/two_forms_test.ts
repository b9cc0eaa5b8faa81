import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { jit, load, MemoryFolder, open, recoverStateDict, static as staticGraph } from "../../mod.ts";

const REAL = "tests/fixtures/real";
const LEGACY = `${REAL}/paddle-2.6.2/jit-save/m`, PIR = `${REAL}/paddle-3.3.1/jit-save/m`;

const LOADERS: [string, (place: { folder: MemoryFolder; name: string }) => Promise<unknown>][] = [
  ["load", (place) => load(place)],
  ["open", (place) => open(place)],
  ["static.loadInferenceModel", (place) => staticGraph.loadInferenceModel(place)],
  ["jit.load", (place) => jit.load(place)],
  ["recoverStateDict", (place) => recoverStateDict(place)],
];

function modelWith(files: Record<string, Uint8Array | string>, ends = [".pdmodel", ".pdiparams", ".pdiparams.info"]) {
  const all = ends.map((end): [string, Uint8Array] => [`m${end}`, readFileSync(LEGACY + end)]);
  for (const [name, data] of Object.entries(files)) {
    all.push([name, typeof data === "string" ? new TextEncoder().encode(data) : data]);
  }
  return { folder: new MemoryFolder(all), name: "m" };
}

describe("a model's prefix that may mean several things", () => {
  for (const [name, loader] of LOADERS) {
    it(`is not guessed by ${name}: a .json that is no program beside a .pdmodel`, async () => {
      const ambiguous = { code: "AMBIGUOUS_PATH", names: ["m.json", "m.pdmodel"], message: /^"m\.json" is no program/ };
      await assert.rejects(loader(modelWith({ "m.json": '{"rate":0.1}' })), ambiguous);
    });

    it(`is not guessed by ${name}: two programs with different parameters`, async () => {
      const other = readFileSync(`${REAL}/paddle-3.3.1/infer-several/n.json`);
      const ambiguous = { code: "AMBIGUOUS_PATH", names: ["m.json", "m.pdmodel"] };
      await assert.rejects(loader(modelWith({ "m.json": other })), ambiguous);
    });

    it(`is not guessed by ${name}: a model and a folder`, async () => {
      const ambiguous = { code: "AMBIGUOUS_PATH", names: ["m.pdmodel", "m/"] };
      await assert.rejects(loader(modelWith({ "m/__model__": readFileSync(`${LEGACY}.pdmodel`) })), ambiguous);
    });
  }

  it("is read if both programs have the same parameters", async () => {
    const model = await staticGraph.loadInferenceModel(modelWith({ "m.json": readFileSync(`${PIR}.json`) }));
    assert.equal(model.program.form, "json");
  });

  it("is refused with what is wrong with the only program, or with a damaged one of two", async () => {
    await assert.rejects(load(modelWith({ "m.json": '{"rate":0.1}' }, [".pdiparams"])), { code: "WRONG_FORMAT" });
    await assert.rejects(load(modelWith({ "m.json": '{"base_code":' })), { code: "TRUNCATED" });
  });
});
