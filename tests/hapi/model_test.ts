import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import {
  amp,
  fluid,
  fromArray,
  load,
  MemoryFolder,
  Model,
  NDArray,
  nn,
  optimizer,
  save,
  type StateDict,
  static as paddleStatic,
  Tensor,
} from "../../mod.ts";
import { good, scriptedServer } from "../helpers/scripted_server.ts";

function network(): nn.Sequential {
  return new nn.Sequential(new nn.Linear(4, 3), new nn.Linear(3, 2));
}

function bytesOf(folder: MemoryFolder, name: string): Promise<Uint8Array> {
  return paddleStatic.loadFromFile({ folder, name });
}

describe("Model", () => {
  it("saves parameters and the optimizer's state, and loads them into another", async () => {
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

  it("saves and loads the scaler's state as Paddle 2.4 and later do, even with resetOptimizer", async () => {
    const folder = new MemoryFolder();
    const model = new Model(network());
    model.prepare(null, new amp.GradScaler({ initLossScaling: 512, incrEveryNSteps: 7 }));
    await model.save("m", { folder });
    assert.deepEqual(await folder.list(), ["m.pdparams", "m.pdscaler"]);
    const scaler = new amp.GradScaler();
    const other = new Model(network());
    await other.load("m", { folder });
    other.prepare(null, scaler);
    await other.load("m", { folder, resetOptimizer: true });
    assert.deepEqual([scaler.lossScaling, scaler.incrEveryNSteps], [512, 7]);
    await folder.delete("m.pdscaler");
    other.scaler!.loadStateDict = () => assert.fail("there is nothing to set");
    await other.load("m", { folder });
    await save(new Map(), "m.pdscaler", { folder });
    await other.load("m", { folder });
    await save([1], "m.pdscaler", { folder });
    await assert.rejects(other.load("m", { folder }), { code: "WRONG_FORMAT" });
    const disabled = new Model(network());
    disabled.prepare(null, new amp.GradScaler({ enable: false }));
    await disabled.save("n", { folder });
    assert.deepEqual(await folder.list("n"), ["n.pdparams"]);
  });

  it("changes nothing when an entry does not fit, unless skipMismatch is set", async () => {
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

  it("gives an optimizer the state of a static graph under its dynamic names", async () => {
    const folder = new MemoryFolder();
    const linear = new nn.Linear(4, 3), weight = linear.weight, bias = linear.bias!;
    const at = (n: number) => fromArray([n], "float32");
    await save(linear.stateDict(), "m.pdparams", { folder });
    const state: [string, NDArray][] = [
      ["@LR_DECAY_COUNTER@", fromArray([41n], "int64")],
      [`${weight.name}_moment1_0`, at(1)],
      [`${weight.name}_beta1_pow_acc_2`, at(2)],
      [`${bias.name}_velocity_12`, at(3)],
      ["other_moment1_7", at(4)],
    ];
    await save(new Map(state), "m.pdopt", { folder });
    const given: Map<string, unknown>[] = [];
    const model = new Model(linear);
    model.prepare({
      stateDict: () => new Map(),
      setStateDict: (found) => given.push(new Map<string, unknown>(found as Map<string, unknown>)),
    });
    await model.load("m", { folder });
    const plain = [...given[0]].map(([key, value]) => [key, value instanceof NDArray ? value.at(0) : value]);
    assert.deepEqual(
      new Map(plain as [string, unknown][]),
      new Map<string, unknown>([
        ["global_step", 42],
        [`${weight.name}_moment1_0`, 1],
        [`${weight.name}_beta1_pow_acc_2`, 2],
        [`${weight.name}_beta1_pow_acc_0`, 2],
        [`${bias.name}_velocity_12`, 3],
        [`${bias.name}_velocity_0`, 3],
        ["other_moment1_7", 4],
      ]),
    );
    await model.load("m", { folder, resetOptimizer: true });
    assert.equal(given.length, 1);
  });

  it("gives the state of a large network as fast as that of a small one", async () => {
    const folder = new MemoryFolder(), count = 4000;
    const numbers = Array.from({ length: count }, (_, i) => i);
    const tensors = new Map(
      numbers.map((i) => [`${i}`, new Tensor("float32", [1], undefined, { name: `linear_${i}.w_0` })]),
    );
    await save(tensors, "m.pdparams", { folder });
    await save(new Map(numbers.map((i) => [`linear_${i}.w_0_moment_1`, i])), "m.pdopt", { folder });
    const given: ReadonlyMap<unknown, unknown>[] = [];
    const model = new Model({ stateDict: () => tensors, setStateDict: () => {} });
    model.prepare({ stateDict: () => new Map(), setStateDict: (found) => given.push(found) });
    await model.load("m", { folder });
    assert.equal(given[0].size, 2 * count);
    assert.equal(given[0].get(`linear_${count - 1}.w_0_moment_0`), count - 1);
  });

  it("leaves the optimizer alone only if skipMismatch skips something, as Paddle does", async () => {
    const folder = new MemoryFolder();
    const linear = new nn.Linear(4, 3);
    await save(linear.stateDict(), "m.pdparams", { folder });
    await save(new Map([[`${linear.weight.name}_velocity_0`, linear.weight]]), "m.pdopt", { folder });
    let taken = 0;
    const model = new Model<nn.Layer>(linear);
    model.prepare({ stateDict: () => new Map(), setStateDict: () => void taken++ });
    await model.load("m", { folder, skipMismatch: true });
    assert.equal(taken, 1);
    const other = new Model(new nn.Linear(4, 2));
    other.prepare(model.optimizer);
    await other.load("m", { folder, skipMismatch: true });
    assert.equal(taken, 1);
  });

  it("ignores an empty optimizer file, and refuses files without a dict before anything is set", async () => {
    const folder = new MemoryFolder();
    const linear = new nn.Linear(4, 3);
    const model = new Model(linear);
    model.prepare({ stateDict: () => new Map(), setStateDict: () => assert.fail("there is nothing to set") });
    await save(new nn.Linear(4, 3).stateDict(), "m.pdparams", { folder });
    await save([1, 2], "m.pdopt", { folder });
    const before = linear.weight.bytes.slice();
    const refused = (file: string) => ({
      code: "WRONG_FORMAT",
      message: `"${file}" does not hold a dict: got an Array`,
    });
    await assert.rejects(model.load("m", { folder }), refused("m.pdopt"));
    assert.deepEqual(linear.weight.bytes, before);
    await save(new Map(), "m.pdopt", { folder });
    await model.load("m", { folder });
    assert.notDeepEqual(linear.weight.bytes, before);
    await save([1, 2], "m.pdparams", { folder });
    await assert.rejects(model.load("m", { folder }), refused("m.pdparams"));
  });

  it("is saved without an optimizer file when there is no state, and names the keys that a file lacks", async () => {
    const folder = new MemoryFolder();
    const model = new Model(network());
    model.prepare({ stateDict: () => new Map(), setStateDict: () => {} });
    await model.save("m", { folder });
    assert.deepEqual(await folder.list(), ["m.pdparams"]);
    const state = model.network.stateDict();
    state.delete("1.bias");
    await save(state as StateDict, "m.pdparams", { folder });
    await assert.rejects(model.load("m", { folder }), { message: /"1\.bias" is not in the file/ });
    await assert.rejects(model.save("", { folder }), TypeError);
    const program = paddleStatic.deserializeProgram(
      readFileSync("tests/fixtures/real/paddle-2.6.2/infer-several/n.pdmodel"),
    );
    await assert.rejects(model.save("m", { folder, program }), { name: "TypeError", message: /training: false/ });
  });

  it("saves the inference model of the caller's program, with the network's values and names", async () => {
    const program = paddleStatic.deserializeProgram(
      readFileSync("tests/fixtures/real/paddle-2.6.2/load-places/dir/net.pdmodel"),
    );
    const layer = new nn.Linear(4, 2), folder = new MemoryFolder();
    [layer.weight.name, layer.bias!.name] = ["linear_0.w_0", "linear_0.b_0"];
    await new Model(new nn.Sequential(layer)).save("m", { folder, training: false, program });
    assert.deepEqual(await folder.list(), ["m.pdiparams", "m.pdiparams.info", "m.pdmodel"]);
    const state = await load("m", { folder }) as StateDict;
    assert.deepEqual([...state.keys()].sort(), ["0.bias", "0.weight"]);
    assert.ok((state.get("0.weight") as Tensor).equals(layer.weight));
  });

  it("is loaded from a URL with a query, as of a signed link, which each of its files gets", async () => {
    const folder = new MemoryFolder(), model = new Model(network());
    model.prepare(null, new amp.GradScaler());
    await model.save("m", { folder });
    const files = new Map<string, Uint8Array>();
    for (const name of await folder.list()) files.set(`/a/${name}?sig=1&x=.`, await bytesOf(folder, name));
    const server = await scriptedServer((asked) => {
      const bytes = files.get(asked.path);
      return bytes ? good(asked, bytes) : { status: 404 };
    });
    try {
      for (const path of [`${server.url}/a/m?sig=1&x=.`, new URL(`${server.url}/a/m.pdparams?sig=1&x=.#top`)]) {
        const other = new Model(network());
        other.prepare(null, new amp.GradScaler());
        await other.load(path);
        const [found, wanted] = [other, model].map(({ network }) => network.stateDict().get("0.weight")!.bytes);
        assert.deepEqual(found, wanted);
        const [dict] = await fluid.loadDygraph(path);
        assert.ok(dict.has("0.weight"));
      }
      assert.ok(server.asked.some(({ path }) => path === "/a/m.pdscaler?sig=1&x=."));
      // A file that is not there costs one request: no model is looked for.
      const asked = server.asked.map(({ path }) => path.slice("/a/m.".length, path.indexOf("?")));
      const each = ["pdparams", "pdopt", "pdscaler", "pdparams", "pdopt"];
      assert.deepEqual(asked, [...each, ...each]);
    } finally {
      await server.close();
    }
  });

  it("needs a file with parameters, and a program for inference", async () => {
    const folder = new MemoryFolder();
    const model = new Model(network());
    await assert.rejects(model.load("absent", { folder }), { code: "NOT_FOUND" });
    await assert.rejects(model.load("m.pdfoo", { folder }), { code: "UNSAFE_PATH" });
    await assert.rejects(model.save("m", { folder, training: false }), TypeError);
  });
});
