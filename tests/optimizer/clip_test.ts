import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { fromArray, nn, optimizer } from "../../mod.ts";

type Version = NonNullable<optimizer.OptimizerOptions["paddle"]>;

/** Parameters of 0 after a step of rate 1, whose gradients were clipped to a global norm of 1. */
function clipped(gradients: readonly number[], dtype: "float32" | "float64", paddle: Version): number[] {
  const parameters = gradients.map((g, i) => {
    const parameter = new nn.Parameter(dtype, [1], undefined, { name: `p${i}` });
    parameter.grad = fromArray([g], dtype);
    return parameter;
  });
  const gradClip = new nn.ClipGradByGlobalNorm(1);
  new optimizer.SGD({ learningRate: 1, parameters, gradClip, paddle }).step();
  return parameters.map((parameter) => parameter.at(0) as number);
}

describe("a global norm", () => {
  /** A square that swallows single ones, and how many of them there are: the first parameter shows how many were added up before. */
  const BIG = { float32: 4096, float64: 2 ** 27 };
  const ADDED = {
    float32: {
      6: -1,
      7: -0.9999998807907104,
      8: -0.9999997615814209,
      16: -0.9999995231628418,
      32: -0.9999990463256836,
    },
    float64: { 6: -1, 7: -1, 8: -1, 16: -0.9999999999999998, 32: -0.9999999999999993 },
  };
  for (const dtype of ["float32", "float64"] as const) {
    for (const [count, first] of Object.entries(ADDED[dtype])) {
      it(`adds up the squares of ${Number(count) + 1} ${dtype} parameters in the order of Paddle, to the bit`, () => {
        const gradients = [BIG[dtype], ...Array(Number(count)).fill(1)];
        for (const paddle of ["2.1.3", "2.6.2", "3.0.0", "3.3.1"] as const) {
          assert.equal(clipped(gradients, dtype, paddle)[0], first, paddle);
        }
        // 2.4 and 2.5 add one after the other.
        for (const paddle of ["2.4.2", "2.5.2"] as const) {
          assert.equal(clipped(gradients, dtype, paddle)[0], -1, paddle);
        }
      });
    }
  }

  it("is NaN for all parameters if it is NaN for one; before Paddle 3.0 it then clips nothing", () => {
    for (const paddle of ["3.0.0", "3.3.1"] as const) {
      assert.deepEqual(clipped([NaN, 3, 4], "float32", paddle), [NaN, NaN, NaN]);
    }
    for (const paddle of ["2.0.2", "2.4.2", "2.5.2", "2.6.2"] as const) {
      assert.deepEqual(clipped([NaN, 3, 4], "float32", paddle), [NaN, -3, -4]);
    }
  });

  it("leaves the gradients of parameters without needClip alone, and is taken of nothing if all are", () => {
    const p = new nn.Parameter("float32", [1], undefined, { name: "p", needClip: false });
    p.grad = fromArray([8], "float32");
    const gradClip = new nn.ClipGradByGlobalNorm(1);
    new optimizer.SGD({ learningRate: 1, parameters: [p], gradClip }).step();
    assert.equal(p.at(0), -8);
  });
});

describe("bounds of a gradient's values", () => {
  it("are rounded to float32 before Paddle 2.3, also for float64", () => {
    for (const [paddle, bound] of [["2.0.2", Math.fround(0.1)], ["2.2.2", Math.fround(0.1)], ["2.4.2", 0.1]] as const) {
      const p = new nn.Parameter("float64", [2], undefined, { name: "p" });
      p.grad = fromArray([3, -3], "float64");
      new optimizer.SGD({ learningRate: 1, parameters: [p], gradClip: new nn.ClipGradByValue(0.1), paddle }).step();
      assert.deepEqual(p.toArray(), [-bound, bound], paddle);
    }
  });
});
