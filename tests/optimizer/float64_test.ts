import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { existsSync, readFileSync } from "node:fs";
import {
  decode,
  encode,
  fromArray,
  isPaddleError,
  type NDArray,
  nn,
  optimizer,
  SelectedRows,
  utils,
} from "../../mod.ts";
import { type Json, named } from "./recorded.ts";

const SHAPES = [[2, 3], [9]];

/** Parameters with an optimizer of the recorded class. */
function model(data: Json, c: Json, version: string): { parameters: nn.Parameter[]; made: Json } {
  return utils.uniqueName.guard(() => {
    const parameters = SHAPES.map((shape, k) =>
      nn.Parameter.from(fromArray(data.start[k].flat(), "float64").reshape(shape), { name: `p${k}` })
    );
    const options = { learningRate: 0.037, parameters, ...named(c.args), paddle: version };
    return { parameters, made: new (optimizer as Json)[c.class](options) };
  });
}

function step({ parameters, made }: ReturnType<typeof model>, gradients: number[][]): void {
  parameters.forEach((p, k) => p.grad = fromArray(gradients[k], "float64").reshape(p.shape));
  made.step();
  made.clearGrad();
}

for (const version of ["2.4.2", "2.6.2", "3.3.1"]) {
  const path = `tests/fixtures/training/paddle-${version}/float64.json`;
  assert.ok(existsSync(path));
  const data = JSON.parse(readFileSync(path, "utf8"));

  describe(`float64 parameters, as Paddle ${version} trains them`, () => {
    for (const c of data.cases) {
      const name = `${c.class}(${JSON.stringify(c.args)})`;
      // A bug in 2.4 only: the versions before and after compute it.
      if (c.error && c.args.centered) continue;
      if (c.error) {
        it(`are refused, as by Paddle, and do not change: ${name}`, () => {
          const m = model(data, c, version);
          assert.throws(
            () => step(m, data.gradients[0]),
            (e) => isPaddleError(e) && e.code === "UNSUPPORTED_DTYPE",
          );
          m.parameters.forEach((p, k) => assert.deepEqual([...p.data as Float64Array], data.start[k].flat()));
        });
        continue;
      }
      it(`match to the bit, as does the state, even through a file in the middle: ${name}`, () => {
        const first = model(data, c, version);
        for (const gradients of data.gradients.slice(0, 3)) step(first, gradients);
        const again = model(data, c, version);
        again.parameters.forEach((p, k) => p.setValue(first.parameters[k]));
        again.made.setStateDict(decode(encode(first.made.stateDict())));
        for (const gradients of data.gradients.slice(3)) {
          step(first, gradients);
          step(again, gradients);
        }
        for (const { parameters, made } of [first, again]) {
          assert.deepEqual(parameters.map((p) => [...p.data as Float64Array]), c.after);
          const state = [...made.stateDict()].map(([key, v]: [string, NDArray]) => [
            key,
            v.dtype,
            [...v.shape],
            [...v.data as Float64Array].map(Number),
          ]);
          assert.deepEqual(state, c.state);
        }
      });
    }
  });
}

describe("float64 parameters", () => {
  for (const dtype of ["float32", "float16", "bfloat16"] as const) {
    it(`take a gradient of ${dtype} by its values, dense or by rows`, () => {
      const gradient = fromArray([[0.5, -2], [1, 0.25], [3, -0.125]], dtype);
      const twice = new SelectedRows([1, 1, 0], 3, gradient);
      for (
        const [grad, moved] of [[gradient, [-0.5, 2, -1, -0.25, -3, 0.125]], [twice, [-3, 0.125, -1.5, 1.75, 0, 0]]]
      ) {
        const p = new nn.Parameter("float64", [3, 2]);
        const sgd = new optimizer.SGD({ learningRate: 1, parameters: [p] });
        p.grad = grad as NDArray | SelectedRows;
        sgd.step();
        assert.deepEqual([...p.data as Float64Array].map((x) => x + 0), moved);
      }
    });
  }
});

describe("float64 gradients", () => {
  it("are refused for other parameters, so that nothing is rounded implicitly", () => {
    const p = nn.Parameter.from(fromArray([1, 2], "float32"));
    const sgd = new optimizer.SGD({ learningRate: 0.5, parameters: [p] });
    p.grad = fromArray([1, 1], "float64");
    assert.throws(() => sgd.step(), (e) => isPaddleError(e) && e.code === "UNSUPPORTED_DTYPE");
  });

  it("use the learning rate in the dtype of the first parameter", () => {
    const make = (dtype: "float32" | "float64") => nn.Parameter.from(fromArray([0.5], dtype));
    for (const [first, rate] of [["float32", Math.fround(0.037)], ["float64", 0.037]] as const) {
      const [a, b] = [make(first), make("float64")];
      a.grad = b.grad = fromArray([0.25], "float32");
      new optimizer.SGD({ learningRate: 0.037, parameters: [a, b] }).step();
      assert.equal((b.data as Float64Array)[0], 0.5 - rate * 0.25);
    }
  });

  it("use the product with a parameter's factor in the same dtype", () => {
    const make = (dtype: "float32" | "float64", learningRate: number) =>
      nn.Parameter.from(fromArray([0.5], dtype), { optimizeAttr: { learningRate } });
    const f = Math.fround;
    for (const [first, rate] of [["float32", f(f(0.037) * f(1.3))], ["float64", 0.037 * 1.3]] as const) {
      const [a, b] = [make(first, 1), make("float64", 1.3)];
      a.grad = b.grad = fromArray([0.25], "float32");
      new optimizer.SGD({ learningRate: 0.037, parameters: [a, b] }).step();
      assert.equal((b.data as Float64Array)[0], 0.5 - rate * 0.25);
    }
  });

  it("multiply rate and factor in the same dtype before 2.3, too, where both are float32 first", () => {
    const f = Math.fround;
    const p = nn.Parameter.from(fromArray([0.5], "float64"), { optimizeAttr: { learningRate: 1.3 } });
    p.grad = fromArray([0.25], "float64");
    new optimizer.SGD({ learningRate: 0.037, parameters: [p], paddle: "2.0" }).step();
    assert.equal((p.data as Float64Array)[0], 0.5 - f(0.037) * f(1.3) * 0.25);
  });
});
