import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { decode, encode, full, NDArray, nn, optimizer, type StateDict, Tensor, utils } from "../../mod.ts";
import type { Json } from "./recorded.ts";

const REAL = existsSync("../shared/real") ? "../shared/real" : "tests/fixtures/real";
const MODELS = [
  "adam",
  "adam_name",
  "adam_amsgrad",
  "adamax",
  "adamw",
  "adagrad",
  "adadelta",
  "momentum",
  "nadam",
  "radam",
  "rmsprop",
  "rprop",
  "asgd",
  "lamb",
];
const CLASSES: Record<string, string> = {
  adam: "Adam",
  adam_name: "Adam",
  adam_amsgrad: "Adam",
  adamax: "Adamax",
  adamw: "AdamW",
  adagrad: "Adagrad",
  adadelta: "Adadelta",
  momentum: "Momentum",
  nadam: "NAdam",
  radam: "RAdam",
  rmsprop: "RMSProp",
  rprop: "Rprop",
  asgd: "ASGD",
  lamb: "Lamb",
};
const OPTIONS: Record<string, Json> = {
  adam_name: { name: "X" },
  adam_amsgrad: { amsgrad: true },
  asgd: { batchNum: 2 },
};

function outline(state: Map<string, unknown>): unknown[][] {
  return [...state].map(([key, v]) => v instanceof Tensor ? [key, v.name, v.dtype, [...v.shape]] : [key]);
}

describe("optimizer states saved by Paddle", () => {
  const versions = readdirSync(REAL).filter((name) => /^paddle-[23]/.test(name)).map((name) => name.slice(7)).sort();
  for (const version of versions) {
    const folder = `${REAL}/paddle-${version}/optimizers`;
    if (!existsSync(folder)) continue;
    it(`resume from the files of Paddle ${version}, with the same keys in the same order`, () => {
      let seen = 0;
      for (const name of MODELS) {
        const path = `${folder}/${name}.pdopt`;
        if (!existsSync(path) || (name === "lamb" && /^2\.[012]/.test(version))) continue;
        const state = decode(readFileSync(path)) as StateDict;
        const owners = ["w_0", "b_0"].map((part) => [...state.keys()].find((key) => key.includes(`.${part}_`))!);
        const made = utils.uniqueName.guard(() => {
          const parameters = owners.map((key, i) => {
            const parameter = new nn.Parameter("float32", i === 0 ? [3, 2] : [2], undefined, {
              name: key.match(/^.*?\.[wb]_0/)![0],
            });
            parameter.grad = full(parameter.shape, 0.5);
            return parameter;
          });
          const options = { learningRate: 0.1, parameters, paddle: version, ...OPTIONS[name] };
          const o = new (optimizer as Json)[CLASSES[name]](options);
          o.setStateDict(state, { onWarning: () => {} });
          o.step();
          return o;
        });
        assert.deepEqual(outline(made.stateDict()), outline(state), name);
        seen++;
      }
      assert.ok(seen > 0);
    });
  }

  it("may contain master weights, which the next step uses", () => {
    const path = `${REAL}/paddle-3.3.1/amp/by_hand.pdopt`;
    const state = decode(readFileSync(path)) as StateDict;
    const master = (state.get("master_weights") as Map<string, Tensor>).get("linear_0.w_0")!;
    const moment = state.get("linear_0.w_0_fp32_master_0_moment1_0") as Tensor;
    const parameter = nn.Parameter.from(master.astype("bfloat16"), { name: "linear_0.w_0" });
    parameter.grad = full([3, 2], 1, "bfloat16");
    const scheduler = new optimizer.lr.StepDecay({ learningRate: 1, stepSize: 1 });
    const adam = utils.uniqueName.guard(() =>
      new optimizer.Momentum({ learningRate: scheduler, parameters: [parameter], multiPrecision: true })
    );
    adam.setStateDict(new Map([...state, ["linear_0.w_0_fp32_master_0_velocity_0", moment]]));
    assert.equal(adam.getLr(), 0.5);
    const before = [...master.data as Float32Array], velocity = [...moment.data as Float32Array];
    adam.step();
    const after = (adam.stateDict().get("master_weights") as Map<string, Tensor>).get("linear_0.w_0")!;
    assert.equal(after.name, "linear_0.w_0_fp32_master_0");
    const f = Math.fround;
    const wanted = before.map((p, i) => f(p - f(0.5 * f(f(f(0.9) * velocity[i]) + 1))));
    assert.deepEqual([...after.data as Float32Array], wanted);
    assert.deepEqual([...master.data as Float32Array], before, "the loaded tensors stay as they are");
  });

  it("resume from the .pdopt of paddle.Model", () => {
    let seen = 0;
    const folders = versions.map((version) => [version, `${REAL}/paddle-${version}/model-save/train`]);
    for (const [version, folder] of [...folders, ["3.3.1", "tests/fixtures/training/model"]]) {
      const [params, path] = ["pdparams", "pdopt"].map((end) => `${folder}/m.${end}`);
      if (!existsSync(path)) continue;
      seen++;
      const state = decode(readFileSync(path)) as StateDict;
      const network = decode(readFileSync(params)) as StateDict;
      const made = utils.uniqueName.guard(() => {
        const parameters = [...network.values()].filter((v): v is Tensor => v instanceof NDArray)
          .filter((v) => [...state.keys()].some((key) => key.startsWith(`${v.name}_`))).map((v) => {
            const parameter = nn.Parameter.from(v.clone(), { name: v.name });
            parameter.grad = full(v.shape, 0);
            return parameter;
          });
        const isAdam = [...state.keys()].some((key) => key.includes("_moment1_"));
        const o = isAdam
          ? new optimizer.Adam({ parameters, paddle: version as "3.3" })
          : new optimizer.Momentum({ parameters, paddle: version as "3.3" });
        o.setStateDict(state);
        o.step();
        return o;
      });
      const kept = outline(made.stateDict());
      assert.ok(kept.length > 0);
      assert.deepEqual(kept, outline(state).filter(([key]) => key !== "LR_Scheduler"), version);
      assert.ok(encode(made.stateDict()).length > 0);
    }
    assert.ok(seen > 0, "no file of paddle.Model was there");
  });
});
