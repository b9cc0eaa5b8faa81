import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { fromArray, type NDArray, nn, optimizer, regularizer, type Tensor, utils } from "../../mod.ts";

const { Adam, Adamax, AdamW, ASGD, Lamb, Momentum, Rprop, SGD } = optimizer;
type Precision = "float32" | "float64";

function parameterOf(values: readonly number[], dtype: Precision = "float32"): nn.Parameter {
  return utils.uniqueName.guard(() => nn.Parameter.from(fromArray(values, dtype), { name: "p" }));
}

function numbers(array: unknown): number[] {
  return Array.from((array as NDArray).toArray() as number[], Number);
}

function stateOf(made: optimizer.Optimizer, kind: string): unknown {
  return [...made.stateDict()].find(([key]) => new RegExp(`^p_${kind}_\\d+$`).test(key))?.[1];
}

/** Take a step for each list of gradients; returns a reader of the state. */
function train(made: optimizer.Optimizer, steps: readonly (readonly number[])[]): (kind: string) => number[] {
  const [parameter] = made.parameters;
  for (const gradient of steps) {
    parameter.grad = fromArray(gradient, parameter.dtype);
    made.step();
  }
  return (kind) => numbers(stateOf(made, kind));
}

// What Paddle 3.3.1 says; tests/oracle/extremes.ts compares more of it.
describe("gradients and parameters that are NaN, infinite or empty", () => {
  for (const Class of [Adam, AdamW]) {
    it(`leave ${Class.className}'s largest second moment as it is, in float32`, () => {
      const parameters = [parameterOf([0.5, 0.5])];
      const state = train(new Class({ parameters, amsgrad: true }), [[1, 1], [NaN, 0.5]]);
      assert.deepEqual(state("moment2_max"), [0.0009999871253967285, state("moment2")[1]]);
      assert.deepEqual(state("moment2")[0], NaN);
      assert.deepEqual(Number.isNaN(numbers(parameters[0])[0]), true);
    });
  }

  it("become Adam's largest second moment in float64", () => {
    const state = train(new Adam({ parameters: [parameterOf([0.5], "float64")], amsgrad: true }), [[1], [NaN]]);
    assert.deepEqual(state("moment2_max"), [NaN]);
  });

  for (const dtype of ["float32", "float64"] as const) {
    it(`leave Adamax's norm with the next gradient, in ${dtype}`, () => {
      const state = train(new Adamax({ parameters: [parameterOf([0.5], dtype)] }), [[NaN], [-0.25]]);
      assert.deepEqual(state("inf_norm"), [0.25]);
      assert.deepEqual(state("moment"), [NaN]);
    });

    it(`make L1Decay's gradient NaN, in ${dtype}`, () => {
      const weightDecay = new regularizer.L1Decay(0.1), parameters = [parameterOf([NaN, -0.5], dtype)];
      const velocity = train(new Momentum({ parameters, weightDecay }), [[1, 1]])("velocity");
      assert.deepEqual(velocity, [NaN, dtype === "float32" ? Math.fround(1 - Math.fround(0.1)) : 0.9]);
    });

    it(`make Rprop's parameter NaN, in ${dtype}`, () => {
      const parameters = [parameterOf([0.5, 0.5, NaN], dtype)];
      const state = train(new Rprop({ parameters, learningRate: 0.25 }), [[NaN, 1, 1]]);
      assert.deepEqual(numbers(parameters[0]), [NaN, 0.25, NaN]);
      assert.deepEqual(state("prevs"), [NaN, 1, NaN]);
    });

    it(`change nothing at SGD's rate of 0, in ${dtype}`, () => {
      const parameters = [parameterOf([0.5, 0.5], dtype)];
      train(new SGD({ parameters, learningRate: 0 }), [[NaN, Infinity]]);
      assert.deepEqual(numbers(parameters[0]), [0.5, 0.5]);
    });
  }

  it("count no steps of a parameter without elements, but in Adamax", () => {
    const steps = [[], []], parameters = () => [parameterOf([])];
    for (const Class of [Adam, AdamW, Lamb]) {
      assert.deepEqual(train(new Class({ parameters: parameters() }), steps)("beta1_pow_acc"), [Math.fround(0.9)]);
    }
    assert.deepEqual(train(new ASGD({ parameters: parameters() }), steps)("m"), [0]);
    assert.deepEqual(train(new Adamax({ parameters: parameters() }), steps)("beta1_pow_acc"), [0.7289999127388]);
  });

  it("give a parameter without elements no state before 3.3", () => {
    const adam = new Adam({ parameters: [parameterOf([])], paddle: "3.0" });
    train(adam, [[]]);
    assert.deepEqual([...adam.stateDict().keys()], []);
    const newest = new Adam({ parameters: [parameterOf([])] });
    train(newest, [[]]);
    assert.deepEqual((stateOf(newest, "moment1") as Tensor).shape, [0]);
  });
});
