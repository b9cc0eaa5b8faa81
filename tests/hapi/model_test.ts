import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { load, MemoryFolder, Model, nn, optimizer, save, type StateDict, type Tensor } from "../../mod.ts";

function network(): nn.Sequential {
  return new nn.Sequential(new nn.Linear(4, 3), new nn.Linear(3, 2));
}

describe("Model", () => {
  it("saves parameters and the optimizer's state, and loads both into another", async () => {
    const folder = new MemoryFolder();
    const model = new Model(network());
    const adam = new optimizer.Adam({ parameters: model.network.parameters() });
    for (const parameter of model.network.parameters()) parameter.grad = parameter.clone();
    adam.step();
    model.prepare(adam);
    await model.save("m", { folder });
    assert.deepEqual(await folder.list(), ["m.pdopt", "m.pdparams"]);
    const saved = await load("m.pdparams", { folder }) as StateDict;
    const other = new Model(network());
    await other.load("m.pdparams", { folder, resetOptimizer: true });
    for (const [key, tensor] of other.network.stateDict()) assert.ok(tensor.equals(saved.get(key) as Tensor), key);
    adam.setLr(0.5);
    await model.load("m", { folder });
    assert.deepEqual([...adam.stateDict().keys()], [
      ...(await load("m.pdopt", { folder }) as Map<string, unknown>).keys(),
    ]);
  });

  it("changes nothing when an entry does not fit, unless it is told to skip it", async () => {
    const folder = new MemoryFolder();
    const wide = new nn.Sequential(new nn.Linear(4, 3), new nn.Linear(3, 5));
    await save(wide.stateDict(), "m.pdparams", { folder });
    const model = new Model(network());
    const before = (model.network.stateDict().get("0.weight") as Tensor).bytes.slice();
    await assert.rejects(model.load("m", { folder }), { code: "INVALID_VALUE" });
    assert.deepEqual((model.network.stateDict().get("0.weight") as Tensor).bytes, before);
    const skipped: string[] = [];
    await model.load("m", { folder, skipMismatch: true, onWarning: ({ message }) => skipped.push(message) });
    assert.equal(skipped.length, 2);
    assert.ok((model.network.stateDict().get("0.weight") as Tensor).equals(wide.stateDict().get("0.weight") as Tensor));
  });

  it("needs a file with parameters, and a program for inference", async () => {
    const folder = new MemoryFolder();
    const model = new Model(network());
    await assert.rejects(model.load("absent", { folder }), { code: "NOT_FOUND" });
    await assert.rejects(model.load("m.pdfoo", { folder }), { code: "UNSAFE_PATH" });
    await assert.rejects(model.save("m", { folder, training: false }), TypeError);
  });
});
