import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { readFileSync } from "node:fs";
import {
  type DType,
  fromArray,
  isPaddleError,
  NDArray,
  nn,
  optimizer,
  regularizer,
  SelectedRows,
  zeros,
} from "../../mod.ts";
import { build, type Json } from "./recorded.ts";

/** Rows with the gradients 1, 2, 3, ..., and the parameter after one step of rate 1 from zero, as in Paddle 2.0.2, 2.6.2 and 3.3.1. */
const STEPS: readonly [kind: "SGD" | "Momentum" | "RMSProp" | "Adagrad", rows: number[], after: number[]][] = [
  ["SGD", [3, 0, 2], [-2, 0, -3, -1]],
  ["Momentum", [0, 2, 3], [-1, 0, -2, -3]],
  ["Momentum", [3, 0, 2], [-2, 0, -3, 0]],
  ["Momentum", [3, 2, 1, 0], [0, 0, -2, 0]],
  ["Momentum", [2, 0, 0], [-5, 0, -1, 0]],
  ["RMSProp", [3, 0, 2], [-4.4721, 0, -4.4721, 0]],
  ["RMSProp", [3, 2, 1, 1], [0, -4.4721, -4.4721, -4.4721]],
  ["Adagrad", [3, 2, 1, 0], [-1, -1, -1, -1]],
];

function step(kind: string, rows: number[], options: object = {}): number[] {
  const parameter = nn.Parameter.from(zeros([4, 1], "float32"));
  const classes = optimizer as unknown as Record<string, new (options: object) => optimizer.SGD>;
  const made = new classes[kind]({ learningRate: 1, parameters: [parameter], ...options });
  parameter.grad = new SelectedRows(rows, 4, fromArray(rows.map((_, k) => [k + 1]), "float32"));
  made.step();
  return [...parameter.toFloat32Array()].map((x) => Math.round(x * 1e4) / 1e4 + 0);
}

describe("a gradient with rows in any order", () => {
  for (const [kind, rows, after] of STEPS) {
    it(`moves in ${kind}, for rows [${rows}], the ones that Paddle's kernel finds`, () => {
      assert.deepEqual(step(kind, rows), after);
    });
  }

  it("moves all of them when weight decay has made it dense before the kernel", () => {
    assert.deepEqual(step("RMSProp", [3, 0, 2], { weightDecay: 0.5 }), [-4.4721, 0, -4.4721, -4.4721]);
  });

  it("is decayed for Adam by the parameter's own regularizer or its group's, but not by the optimizer's alone", () => {
    // Two steps, as in Paddle 2.4.2, 2.6.2 and 3.3.1.
    const [L2, decayed, sparse] = [new regularizer.L2Decay(0.1), [
      -0.19997219741344452,
      0.8000130653381348,
      1.8001668453216553,
      2.800103187561035,
      3.8000035285949707,
      4.8000030517578125,
    ], [-0.16025909781455994, 0.8397409319877625, 2, 3, 3.839740753173828, 4.839741230010986]];
    const run = (own: regularizer.Regularizer | null, of: (parameter: nn.Parameter) => object) => {
      const value = fromArray([[0, 1], [2, 3], [4, 5]], "float32");
      const parameter = nn.Parameter.from(value, { name: "p", regularizer: own });
      const adam = new optimizer.Adam({ learningRate: 0.1, ...of(parameter) } as optimizer.AdamOptions);
      for (let i = 0; i < 2; i++) {
        parameter.grad = new SelectedRows([0, 2, 2], 3, fromArray([[1, 2], [3, 4], [5, 6]], "float32"));
        adam.step();
      }
      return [...parameter.toFloat32Array()];
    };
    assert.deepEqual(run(L2, (p) => ({ parameters: [p] })), decayed);
    assert.deepEqual(run(null, (p) => ({ parameters: [{ params: [p], weightDecay: 0.1 }] })), decayed);
    assert.deepEqual(run(L2, (p) => ({ parameters: [{ params: [p] }] })), sparse);
    assert.deepEqual(run(null, (p) => ({ parameters: [{ params: [p] }], weightDecay: 0.1 })), decayed);
    for (const own of [null, L2]) {
      const refused = () => run(own, (p) => ({ parameters: [p], weightDecay: 0.1 }));
      assert.throws(refused, { code: "INVALID_VALUE", message: /with sparse parameters/ });
    }
  });

  it("is clipped by the global norm row by row, before repeated rows are added up", () => {
    const parameter = nn.Parameter.from(fromArray([[1], [1]], "float32"));
    const gradClip = new nn.ClipGradByGlobalNorm(0.3);
    const sgd = new optimizer.SGD({ learningRate: 0.37, parameters: [parameter], gradClip });
    const given = [0.7, 0.1, 0.45].map(Math.fround);
    parameter.grad = new SelectedRows([1, 1, 1], 2, fromArray(given.map((x) => [x]), "float32"));
    sgd.step();
    const f = Math.fround;
    const sum = f(f(given[0] + given[1]) + given[2]);
    const factor = f(f(0.3) / f(Math.sqrt(f(sum * sum))));
    const expected = given.reduce((p, g) => f(p - f(f(0.37) * f(g * factor))), 1);
    assert.equal(parameter.at(1, 0), expected);
  });
});

const recorded: Json = JSON.parse(readFileSync("tests/fixtures/training/rows.json", "utf8"));

describe("rows of several columns, clipped or of float64", () => {
  for (const { paddle, class: kind, rows, dtype, clip, after } of recorded.cases) {
    it(`match Paddle ${paddle} after two steps, to the bit: ${kind}, rows [${rows}], ${clip?.[0] ?? dtype}`, () => {
      const parameter = nn.Parameter.from(fromArray(recorded.start, dtype as DType));
      const options = { learningRate: 0.37, parameters: [parameter], paddle: paddle.slice(0, 3) };
      const made = new (optimizer as Json)[kind]({ ...options, gradClip: clip && build({ clip }) });
      for (let i = 0; i < 2; i++) {
        parameter.grad = new SelectedRows(rows, 4, fromArray(recorded.values, dtype as DType));
        made.step();
      }
      assert.deepEqual([...parameter.data as Float32Array], after);
    });
  }

  it("count for a global norm in the order in which they were passed, as in Paddle 3.3.1", () => {
    for (const { rows: order, first } of recorded.norms) {
      const rows = Array.from({ length: 1005 }, (_, i) => order === "ascending" ? i : 1004 - i);
      const parameter = nn.Parameter.from(zeros([1005, 1], "float32"));
      parameter.grad = new SelectedRows(rows, 1005, fromArray(rows.map((_, i) => [i === 0 ? 4096 : 1]), "float32"));
      new optimizer.SGD({ learningRate: 1, parameters: [parameter], gradClip: new nn.ClipGradByGlobalNorm(1) }).step();
      assert.equal(parameter.at(rows[0], 0), first, order);
    }
  });

  const LONG = 17_000;
  /** Two steps of rows as long as several pieces of an update. */
  const long = (kind: "SGD" | "Momentum" | "Adagrad", isDense: boolean, gradClip: nn.GradClip | null = null) => {
    const numbers = Float32Array.from({ length: 3 * LONG }, (_, i) => ((i * 37) % 101 - 50) / 64);
    const parameter = nn.Parameter.from(zeros([4, LONG], "float32"));
    const made = new optimizer[kind]({ learningRate: 0.5, parameters: [parameter], gradClip });
    for (let t = 0; t < 2; t++) {
      const value = new NDArray("float32", [3, LONG], numbers.slice());
      if (isDense) {
        const sum = zeros([4, LONG], "float32");
        const data = sum.data as Float32Array;
        for (let i = 0; i < LONG; i++) {
          data[i] = numbers[LONG + i];
          data[2 * LONG + i] = numbers[i] + numbers[2 * LONG + i];
        }
        parameter.grad = sum;
      } else parameter.grad = new SelectedRows([2, 0, 2], 4, value);
      made.step();
    }
    return parameter;
  };
  for (const kind of ["SGD", "Momentum", "Adagrad"] as const) {
    it(`are added up and spread when they are long: ${kind} moves as with the same gradient made dense`, () => {
      assert.ok(long(kind, false).equals(long(kind, true)));
      const clip = new nn.ClipGradByNorm(1000);
      assert.ok(long(kind, false, clip).equals(long(kind, true, clip)), "ClipGradByNorm");
    });
  }
});

describe("a row-sparse gradient that was cleared", () => {
  // Numbers of Paddle 3.3.1, those of 2.6.2 and 3.0.0, too.
  for (
    const [kind, first, second] of [["Momentum", 0.8999999761581421, 0.7099999785423279], [
      "Adam",
      0.9255865812301636,
      0.8397409319877625,
    ]] as const
  ) {
    it(`leaves the parameter and the state of ${kind} alone until there is another, as in Paddle`, () => {
      const parameter = new nn.Parameter("float32", [4, 2], new Float32Array(8).fill(1));
      const made = new optimizer[kind]({ learningRate: 0.1, parameters: [parameter] });
      const step = (rows: number[]) => {
        if (rows.length > 0) {
          parameter.grad = new SelectedRows(rows, 4, fromArray(rows.map(() => [1, 1]), "float32"));
        }
        made.step();
        made.clearGrad();
        return [0, 1, 2, 3].map((row) => parameter.at(row, 0));
      };
      assert.deepEqual(step([1, 2]), [1, first, first, 1]);
      assert.deepEqual(step([]), [1, first, first, 1]);
      assert.deepEqual(step([1, 2]), [1, second, second, 1]);
    });
  }
});

describe("a row-sparse gradient without rows", () => {
  // Numbers of Paddle 3.3.1, where an Embedding that was given no ids has such a gradient.
  const RATES: readonly [kind: "SGD" | "Momentum" | "Adam" | "Lamb", options: object, after: number[]][] = [
    ["Momentum", {}, [0.8999999761581421, 0.8999999761581421]],
    ["Momentum", { weightDecay: 0.1 }, [0.8899999856948853, 0.8899999856948853]],
    ["SGD", { weightDecay: 0.1 }, [0.8899999856948853, 0.8810999989509583]],
    ["Adam", {}, [0.9255865812301636, 0.9255865812301636]],
    ["Lamb", {}, [0.8000293970108032, 0.8000293970108032]],
  ];
  for (const [kind, options, after] of RATES) {
    it(`moves the parameter as Paddle does: ${kind}(${JSON.stringify(options)})`, () => {
      const parameter = new nn.Parameter("float32", [4, 2], new Float32Array(8).fill(1));
      const made = new optimizer[kind]({ learningRate: 0.1, parameters: [parameter], ...options });
      const found = [[1], []].map((rows) => {
        parameter.grad = new SelectedRows(rows, 4, zeros([rows.length, 2]).fill(1));
        made.step();
        return parameter.at(1, 0);
      });
      assert.deepEqual(found, after);
      const powers = [...made.stateDict()].filter(([key]) => key.includes("beta1_pow")).map(([, power]) => power);
      for (const power of powers) assert.equal((power as NDArray).at(0), 0.809999942779541);
    });
  }
});

describe("a row-sparse gradient", () => {
  const value = (shape: number[]) => zeros(shape, "float32");
  const WRONG: readonly [what: string, SelectedRows, says: RegExp][] = [
    ["another height", new SelectedRows([0], 5, value([1, 2])), /of height 4 .*got 5/],
    ["another width", new SelectedRows([0], 4, value([1, 3])), /with a value \[1,2\].*got 4, \[1,3\]/],
    ["rows without values", new SelectedRows([0, 1], 4, value([1, 2])), /with a value \[2,2\]/],
    ["a row after the last", new SelectedRows([0, 4], 4, value([2, 2])), /has no row 4/],
    ["a row before the first", new SelectedRows([-1, 0], 4, value([2, 2])), /has no row -1/],
    ["half a row", new SelectedRows([0, 1.5], 4, value([2, 2])), /has no row 1\.5/],
    ["values of float64", new SelectedRows([0], 4, zeros([1, 2], "float64")), /is float64/],
    ["integers", new SelectedRows([0], 4, zeros([1, 2], "int32")), /int32/],
  ];
  for (const [what, grad, says] of WRONG) {
    it(`is refused before anything changes if it does not fit the parameter: ${what}`, () => {
      const parameter = nn.Parameter.from(zeros([4, 2], "float32"));
      const other = nn.Parameter.from(zeros([1], "float32"));
      other.grad = fromArray([1], "float32");
      parameter.grad = grad;
      const made = new optimizer.SGD({ learningRate: 1, parameters: [other, parameter] });
      assert.throws(() => made.step(), (error) => isPaddleError(error) && says.test(error.message));
      assert.equal(other.at(0), 0);
    });
  }

  it("may have no rows at all, and then moves nothing", () => {
    const parameter = nn.Parameter.from(zeros([4, 2], "float32"));
    parameter.grad = new SelectedRows([], 4, value([0, 2]));
    new optimizer.SGD({ learningRate: 1, parameters: [parameter], gradClip: new nn.ClipGradByGlobalNorm(1) }).step();
    assert.ok(parameter.equals(nn.Parameter.from(zeros([4, 2], "float32"))));
  });
});
