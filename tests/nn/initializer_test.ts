import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { createParameter, fromArray, isPaddleError, nn, seed, setDefaultDtype, utils } from "../../mod.ts";
import { fillUniform } from "../../src/nn/random/distributions.ts";
import { MersenneTwister } from "../../src/nn/random/mersenne_twister.ts";
import { normalCdf, normalQuantile } from "../../src/nn/random/normal.ts";
import type { Json } from "../optimizer/recorded.ts";

const { initializer } = nn;
const { guard } = utils.uniqueName;
const recorded = JSON.parse(readFileSync("tests/fixtures/training/paddle-3.3.1/initializers.json", "utf8"));
const classes = initializer as unknown as Record<string, new (...args: unknown[]) => nn.initializer.Initializer>;
const withCode = (code: string) => (error: unknown) => isPaddleError(error) && error.code === code;

/** How far a value may be from Paddle's, in ulps: only logarithms and sums are rounded differently. */
const ULPS: Record<string, number> = {
  Normal: 4,
  TruncatedNormal: 16,
  XavierNormal: 4,
  KaimingNormal: 4,
  Orthogonal: 16,
};
/** The ulp of numbers from 1 to 2. */
const LAST: Record<string, number> = { float64: 2 ** -52, float32: 2 ** -23, float16: 2 ** -10, bfloat16: 2 ** -7 };

describe("nn.initializer", () => {
  for (const { initializer: name, args, shape, dtype, values } of recorded.cases) {
    it(`${name}(${args.map((x: unknown) => JSON.stringify(x))}) of ${dtype} [${shape}] gives Paddle's values`, () => {
      guard(() => {
        seed(1234);
        const p = createParameter(shape, dtype, { defaultInitializer: new classes[name](...args) })!;
        assert.deepEqual([p.dtype, p.shape], [dtype, shape]);
        const actual = dtype === "bfloat16"
          ? widened(p.data as Uint16Array)
          : [...p.astype("float64").data as Float64Array];
        const expected: number[] = dtype === "bfloat16" ? widened(values) : values;
        actual.forEach((x, i) => {
          const bound = (ULPS[name] ?? 0) * LAST[dtype] * Math.max(1, Math.abs(expected[i]));
          assert.ok(Math.abs(x - expected[i]) <= bound, `value ${i} is ${x}, not ${expected[i]}`);
        });
      });
    });
  }

  it("accepts arguments by position, by name or both", () => {
    assert.deepEqual(new initializer.Uniform(-2, { high: 2 }), new initializer.Uniform({ low: -2, high: 2 }));
    assert.deepEqual(new initializer.Normal(), new initializer.Normal(0, 1));
    const wrong = initializer.Normal as unknown as new (...args: unknown[]) => unknown;
    assert.throws(() => new wrong({ men: 1 }), /Normal has no argument "men": the nearest is "mean"/);
    assert.throws(() => new wrong(1, { mean: 2 }), /got the argument "mean" twice/);
    assert.throws(() => new wrong(1, 2, 3), /takes 2 arguments/);
  });

  it("knows the gains of nonlinearities", () => {
    const { "leaky_relu 0.5": leaky, ...gains } = recorded.gains;
    for (const [name, gain] of Object.entries(gains)) assert.equal(initializer.calculateGain(name), gain);
    assert.equal(initializer.calculateGain("leaky_relu", 0.5), leaky);
    assert.throws(() => initializer.calculateGain("swish"), withCode("INVALID_VALUE"));
  });

  it("refuses arguments without a meaning", () => {
    assert.throws(() => new initializer.KaimingNormal({ mode: "fan_out", fanIn: 3 }), withCode("INVALID_VALUE"));
    assert.throws(() => new initializer.KaimingNormal({ mode: "fan" as "fan_in" }), withCode("INVALID_VALUE"));
    assert.throws(() => new initializer.Dirac(0), withCode("INVALID_VALUE"));
    assert.throws(() => new initializer.Dirac(2).make("float32", [3, 1, 1]), withCode("INVALID_VALUE"));
    assert.throws(() => new initializer.Dirac().make("float32", [3, 1]), withCode("INVALID_VALUE"));
    assert.throws(() => new initializer.Bilinear().make("float32", [1, 1, 2, 3]), withCode("INVALID_VALUE"));
    assert.throws(() => new initializer.Orthogonal().make("float32", [3]), withCode("INVALID_VALUE"));
    assert.throws(() => new initializer.Uniform().make("int64", [3]), withCode("INVALID_VALUE"));
    assert.throws(() => seed(0.5), withCode("INVALID_VALUE"));
  });

  it("gives the shape of the assigned value, as Paddle does", () => {
    const { weight } = new nn.Linear(2, 2, { weightAttr: new initializer.Assign([2, 3]) });
    assert.deepEqual([weight.shape, weight.toArray()], [[2], [2, 3]]);
    const given = fromArray([[1, 2], [3, 4]], "float32");
    const copied = new nn.Linear(2, 2, { weightAttr: new initializer.Assign(given) }).weight;
    given.set(9, 0, 0);
    assert.equal(copied.at(0, 0), 1);
  });

  it("can be set globally, except for parameters with their own", () => {
    initializer.setGlobalInitializer(new initializer.Constant(3), new initializer.Constant(4));
    try {
      const norm = new nn.BatchNorm2D(1, { biasAttr: new initializer.Constant(5) });
      assert.deepEqual(norm.parameters().map((p) => p.at(0)), [3, 5, 0, 1]);
      assert.deepEqual(new nn.Linear(1, 1).parameters().map((p) => p.toFloat32Array()[0]), [3, 4]);
    } finally {
      initializer.setGlobalInitializer(null);
    }
    assert.equal(new nn.Linear(1, 1).bias!.at(0), 0);
  });

  it("can be a user's class", () => {
    class Ramp extends initializer.Initializer {
      override make(dtype: "float32", shape: readonly number[]) {
        return fromArray([...Array(shape[0] * shape[1]).keys()], dtype).reshape(shape);
      }
    }
    assert.deepEqual(new nn.Linear(2, 2, new Ramp()).weight.toArray(), [[0, 1], [2, 3]]);
  });

  it("draws values that depend on the lower 32 bits of the seed", () => {
    const values = (n: number) => (seed(n), [...new nn.Linear(2, 2).weight.toFloat32Array()]);
    assert.deepEqual(values(1), values(1));
    assert.notDeepEqual(values(1), values(2));
    // Only the lower 32 bits count, as in Paddle.
    assert.deepEqual(values(2 ** 40 + 7), values(7));
    assert.deepEqual(values(-1), values(2 ** 32 - 1));
  });
});

describe("createParameter and ParamAttr", () => {
  it("give a parameter what the attribute says", () => {
    guard(() => {
      const attr = new nn.ParamAttr("mine", new initializer.Constant(2), 0.5, null, false);
      const p = createParameter([2], "float64", { attr })!;
      assert.deepEqual([p.name, p.dtype, p.toArray(), p.trainable, p.optimizeAttr, p.needClip], [
        "mine",
        "float64",
        [2, 2],
        false,
        { learningRate: 0.5 },
        true,
      ]);
      assert.equal(createParameter([2], "float32", { attr: { needClip: false } })!.needClip, false);
      assert.equal(createParameter([2], "float32", { attr: "other" })!.name, "other");
      assert.equal(createParameter([2], "float32", { attr: false }), null);
      assert.equal(createParameter([2], "float32", { attr: "x", name: "own" })!.name, "own");
    });
  });

  it("count names as Paddle does", () => {
    guard(() => {
      const names = [createParameter([2])!, createParameter([2], "float32", { isBias: true })!].map((p) => p.name);
      assert.deepEqual(names, ["create_parameter_0.w_0", "create_parameter_1.b_0"]);
    });
  });

  it("refuse a name that is taken, a bad shape and a bad attribute", () => {
    guard(() => {
      createParameter([2], "float32", { name: "a" });
      assert.throws(() => createParameter([2], "float32", { name: "a" }), withCode("NAME_COLLISION"));
      assert.throws(() => createParameter([-1]), withCode("INVALID_VALUE"));
      assert.throws(() => createParameter([2], "int64"), withCode("INVALID_VALUE"));
      for (
        const attr of [{ name: "" }, { learningRate: "1" }, { trainable: 1 }, { initializer: 3 }, 7, [1]] as Json[]
      ) {
        assert.throws(() => createParameter([2], "float32", { attr }), withCode("INVALID_VALUE"));
      }
      assert.throws(() => new nn.ParamAttr({ nam: "x" } as Json), /has no argument "nam"/);
    });
    guard(() => assert.equal(createParameter([2], "float32", { name: "a" })!.name, "a"));
  });

  it("use the default dtype, unless the layer has its own", () => {
    try {
      setDefaultDtype("float16");
      const dtypes = (layer: nn.Layer) => [...new Set(layer.parameters().map((p) => p.dtype))];
      assert.deepEqual(dtypes(new nn.Linear(1, 1)), ["float16"]);
      // Running statistics are never float16.
      assert.deepEqual(dtypes(new nn.BatchNorm2D(1)), ["float32"]);
      assert.deepEqual(dtypes(new nn.BatchNorm(1, { dtype: "float64" })), ["float64"]);
      assert.deepEqual(dtypes(new nn.LSTM(1, 2)), ["float16"]);
      assert.throws(() => setDefaultDtype("int8"), withCode("INVALID_VALUE"));
    } finally {
      setDefaultDtype("float32");
    }
  });
});

describe("the random generator", () => {
  it("draws uniform values in range, with the mean of the distribution", () => {
    const target = new Float32Array(200_000);
    fillUniform(target, new MersenneTwister(99), 2, 6);
    const mean = target.reduce((a, b) => a + b, 0) / target.length;
    assert.ok(Math.abs(mean - 4) < 0.02 && Math.min(...target.slice(0, 1000)) >= 2);
    assert.equal(target.some((x) => x < 2 || x >= 6), false);
  });

  it("has normal quantiles that its distribution function inverts", () => {
    for (const p of [1e-12, 1e-3, 0.08, 0.5, 0.92, 0.999]) {
      assert.ok(Math.abs(normalCdf(normalQuantile(p)) - p) < 1e-15, String(p));
    }
    assert.ok(Math.abs(normalCdf(-8) - 6.220960574271785e-16) < 1e-28);
  });
});

function widened(bits: Iterable<number>): number[] {
  return [...new Float32Array(Uint32Array.from(bits, (b) => b << 16).buffer)];
}
