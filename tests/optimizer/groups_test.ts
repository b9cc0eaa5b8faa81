import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { fromArray, isPaddleError, nn, optimizer, regularizer, type Tensor, zeros } from "../../mod.ts";
import type { Json } from "./recorded.ts";

const parameter = (name = "p") => nn.Parameter.from(fromArray([2, -4], "float32"), { name });

describe("a parameter group", () => {
  /** The parameters after a step of rate 0.5 with the gradients 0.5, and the first state tensors, as in Paddle 2.6.2 and 3.3.1. */
  const MOMENTS = [0.10000002384185791, -0.050000011920928955, 0.07500001788139343, 0];
  const STEPPED: readonly [kind: "SGD" | "Momentum" | "Adam" | "AdamW", after: number[], states: number[]][] = [
    ["SGD", [1.5, -3.75, 1.625, -4], []],
    ["Momentum", [1.5, -3.75, 1.625, -4], [1, -0.5, 0.75, 0]],
    ["Adam", [1.5, -3.5, 1.5, -4], MOMENTS],
    ["AdamW", [1.25, -4, 1.375, -4.25], Array(4).fill(0.050000011920928955)],
  ];
  for (const [kind, after, states] of STEPPED) {
    it(`takes the optimizer's weight decay unless it has its own: ${kind}`, () => {
      for (const paddle of ["2.6", "3.3"] as const) {
        const [p, q] = [parameter("p"), parameter("q")];
        const parameters = [{ params: [p] }, { params: [q], weightDecay: 0.125 }];
        const made = new optimizer[kind]({ learningRate: 0.5, parameters, weightDecay: 0.25, paddle });
        for (const each of [p, q]) each.grad = fromArray([0.5, 0.5], "float32");
        made.step();
        assert.deepEqual([p, q].flatMap((each) => [...each.toFloat32Array()]), after);
        const first = [...made.stateDict()].filter(([key]) => /moment1|velocity/.test(key));
        assert.deepEqual(first.flatMap(([, tensor]) => [...(tensor as Tensor).toFloat32Array()]), states);
      }
    });
  }

  const WRONG: readonly [what: string, parameters: unknown, says: RegExp, paddle?: "2.1"][] = [
    ["null", [null], /params should be set/],
    ["a number", [3], /params should be set/],
    ["no params", [{ learningRate: 0.5 }], /params should be set/],
    ["another option", [{ params: [], momentun: 1 }], /momentun/],
    ["a Set", [{ params: new Set([parameter()]) }], /ordered collections/],
    ["something else", [{ params: [parameter(), zeros([2])] }], /params of a group are Parameters: got /],
    ["a factor that is a string", [{ params: [], learningRate: "1" }], /learningRate/],
    ["a factor that is null", [{ params: [], learningRate: null }], /learningRate/],
    ["a rule that is a string", [{ params: [], momentum: "0.5" }], /"momentum" must be a number: got "0\.5"/],
    ["a rule that is no boolean", [{ params: [], useNesterov: 1 }], /"useNesterov" must be a boolean: got 1/],
    ["a clip that is none", [{ params: [], gradClip: 1 }], /grad_clip/],
    ["a version that has none", [{ params: [parameter()] }], /before 2\.2 has no parameter groups/, "2.1"],
  ];
  for (const [what, parameters, says, paddle = "3.3"] of WRONG) {
    it(`is refused with what is wrong with it: ${what}`, () => {
      const make = () => new optimizer.Momentum({ parameters: parameters as Json, paddle: paddle as Json });
      assert.throws(make, (error) => says.test((error as Error).message), String(says));
    });
  }
});

describe("a step of several groups", () => {
  it("changes no parameter if a gradient of the last one does not fit", () => {
    const [p, q] = [parameter("p"), parameter("q")];
    const made = new optimizer.Momentum({ learningRate: 0.5, parameters: [{ params: [p] }, { params: [q] }] });
    p.grad = fromArray([0.5, 0.5], "float32");
    q.grad = fromArray([0.5], "float32");
    assert.throws(() => made.step(), { code: "INVALID_VALUE" });
    assert.deepEqual([...p.toFloat32Array(), ...q.toFloat32Array()], [2, -4, 2, -4]);
    q.grad = fromArray([0.5, 0.5], "float32");
    made.step();
    assert.deepEqual([...p.toFloat32Array(), ...q.toFloat32Array()], [1.75, -4.25, 1.75, -4.25]);
  });
});

describe("a parameter whose group is refused", () => {
  it("keeps its own options", () => {
    for (const wrong of [{ momentum: "0.5" }, { gradClip: 1 }] as Json[]) {
      const p = parameter();
      const parameters = [{ params: [p], learningRate: 0.5, weightDecay: new regularizer.L1Decay(0.5), ...wrong }];
      assert.throws(() => new optimizer.Momentum({ parameters }));
      assert.deepEqual([p.optimizeAttr.learningRate, p.regularizer], [1, null]);
    }
  });
});

describe("the parameters of an optimizer", () => {
  const WRONG: readonly [what: string, parameters: unknown][] = [
    ["null", null],
    ["a string", "p"],
    ["a number", 3],
    ["one parameter", parameter()],
    ["a state dict", new Map([["p", parameter()]])],
    ["an object that cannot be iterated", { params: [] }],
    ["a list of parameters and something else", [parameter(), zeros([2])]],
  ];
  for (const [what, parameters] of WRONG) {
    it(`are refused if they are not Parameters: ${what}`, () => {
      assert.throws(
        () => new optimizer.SGD({ learningRate: 1, parameters: parameters as Json }),
        (error) => error instanceof TypeError || isPaddleError(error) && error.code === "INVALID_VALUE",
      );
    });
  }

  it("may be none", () => {
    new optimizer.SGD({ learningRate: 1, parameters: [] }).step();
  });

  for (const dtype of ["int32", "float16"] as const) {
    it(`are refused at a step, with the reason, if Paddle does not change them: ${dtype}`, () => {
      const p = nn.Parameter.from(zeros([2], dtype), { name: "p" });
      p.grad = zeros([2], "float32");
      const step = (multiPrecision: boolean) =>
        new optimizer.SGD({ learningRate: 1, parameters: [p], multiPrecision }).step();
      const hint = ", and float16 and bfloat16 with multiPrecision";
      const message = `p is ${dtype}: optimizers change float32 and float64${dtype === "float16" ? hint : ""}`;
      assert.throws(() => step(false), { code: "UNSUPPORTED_DTYPE", message });
      if (dtype === "int32") assert.throws(() => step(true), { code: "UNSUPPORTED_DTYPE", message });
    });
  }

  it("of 20,000 elements count as a whole in Lamb's norms, not piece by piece", () => {
    const n = 20_000;
    const p = nn.Parameter.from(fromArray(Array.from({ length: n }, (_, i) => i < n / 2 ? 1 : 3), "float64"));
    p.grad = fromArray(Array.from({ length: n }, (_, i) => i % 2 ? 0.5 : -0.25), "float64");
    new optimizer.Lamb({ learningRate: 0.1, parameters: [p], lambWeightDecay: 0.01 }).step();
    // After one step the direction is the gradient's sign, save for epsilon, and the decay.
    const f = Math.fround;
    const directions = Array.from({ length: n }, (_, i) => {
      const g = i % 2 ? 0.5 : -0.25;
      return g / (Math.abs(g) + f(1e-6)) + f(0.01) * (i < n / 2 ? 1 : 3);
    });
    const norm = (values: number[]) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
    const step = 0.1 * Math.sqrt(n / 2 * (1 + 9)) / norm(directions);
    for (const i of [0, 1, n / 2, n - 2, n - 1]) {
      const wanted = (i < n / 2 ? 1 : 3) - step * directions[i];
      assert.ok(Math.abs(p.at(i) as number - wanted) < 1e-6, `${i}: ${p.at(i)} is about ${wanted}`);
    }
  });
});
