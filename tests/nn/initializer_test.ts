import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { createParameter, type DType, fromArray, isPaddleError, nn, seed, setDefaultDtype, utils } from "../../mod.ts";
import { fillNormal, fillUniform } from "../../src/nn/random/distributions.ts";
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
    it(`gives Paddle's values: ${name}(${args.map((x: unknown) => JSON.stringify(x))}) of ${dtype} [${shape}]`, () => {
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

  it("gives nearly all of Paddle's float32 normals to the bit: only logarithms differ in their last digit, now and then", () => {
    seed(7);
    const drawn = new initializer.Normal(0.3, 1.7).make("float32", [64]).toFloat32Array();
    const others = recorded.normal.filter((x: number, i: number) => x !== drawn[i]);
    assert.ok(others.length <= 4, `${others.length} of 64 differ`);
  });

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
    assert.throws(() => new initializer.Uniform(2), withCode("INVALID_VALUE"));
    assert.throws(() => new initializer.Uniform({ high: NaN }), withCode("INVALID_VALUE"));
    assert.throws(() => new initializer.Dirac(0), withCode("INVALID_VALUE"));
    assert.throws(() => new initializer.Dirac(2).make("float32", [3, 1, 1]), withCode("INVALID_VALUE"));
    assert.throws(() => new initializer.Dirac().make("float32", [3, 1]), withCode("INVALID_VALUE"));
    assert.throws(() => new initializer.Bilinear().make("float32", [1, 1, 2, 3]), withCode("INVALID_VALUE"));
    assert.throws(() => new initializer.Orthogonal().make("float32", [3]), withCode("INVALID_VALUE"));
    assert.throws(() => new initializer.Uniform().make("int64", [3]), withCode("INVALID_VALUE"));
    assert.throws(() => seed(0.5), withCode("INVALID_VALUE"));
  });

  it("makes zeros of a Xavier fan of 0, and refuses fans for which Paddle fails", () => {
    for (const Xavier of [initializer.XavierUniform, initializer.XavierNormal]) {
      for (const [fanIn, fanOut] of [[0, 4], [4, 0], [0, 0]]) {
        assert.deepEqual(new Xavier({ fanIn, fanOut }).make("float32", [2]).toArray(), [0, 0]);
      }
      assert.throws(() => new Xavier(-3, 1).make("float32", [2]), withCode("INVALID_VALUE"));
    }
    for (const Kaiming of [initializer.KaimingUniform, initializer.KaimingNormal]) {
      for (const fan of [0, -2, NaN]) {
        assert.throws(() => new Kaiming(fan).make("float32", [2]), withCode("INVALID_VALUE"));
      }
      assert.equal(new Kaiming().make("float32", [0, 5]).size, 0);
    }
  });

  it("assigns lists in full precision, and narrow floats by way of float32, as Paddle does", () => {
    const assigned = (value: number[], dtype: DType) => new initializer.Assign(value).make(dtype).toArray();
    assert.deepEqual(assigned([0.1], "float64"), [0.1]);
    assert.deepEqual(assigned([16777217, -1.9], "int32"), [16777217, -1]);
    assert.deepEqual(assigned([0.1], "float32"), [Math.fround(0.1)]);
    const nearTie = 1 + 2 ** -11 + 2 ** -30;
    assert.deepEqual(assigned([nearTie], "float16"), [1]);
    assert.deepEqual(new initializer.Assign(fromArray([nearTie], "float64")).make("float16").toArray(), [1]);
    assert.deepEqual(assigned([1 + 2 ** -8 + 2 ** -30], "bfloat16"), [1]);
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

  it("draws from a global initializer what Paddle draws for switched-off attributes and packed weights", () => {
    const { Uniform } = initializer;
    // By Paddle 2.6.2 and 3.3.1.
    const weights = [-0.9702154994010925, 0.31576645374298096], biases = [5.802538871765137, 5.469050407409668];
    initializer.setGlobalInitializer(new Uniform(-1, 1), new Uniform(5, 6));
    try {
      seed(7);
      const { weight, bias } = new nn.SyncBatchNorm(2, { weightAttr: false, biasAttr: false });
      assert.deepEqual([weight.toArray(), bias.toArray()], [weights, biases]);
      assert.deepEqual([weight.trainable, bias.trainable], [false, false]);
      seed(7);
      const cell = new nn.GRUCell(1, 1, { weightHhAttr: false, biasIhAttr: false });
      assert.deepEqual(cell.weight_hh!.toArray(), [[-0.06189948320388794], [0.33338987827301025], [
        0.8507325649261475,
      ]]);
      seed(7);
      new nn.GRU(1, 1);
      assert.equal(new nn.Linear(1, 1).weight.at(0, 0), Math.fround(0.6089895));
    } finally {
      initializer.setGlobalInitializer(null);
    }
  });

  it("makes Bilinear's weight float32, whatever the layer's dtype, as Paddle does", () => {
    setDefaultDtype("float64");
    try {
      const { weight, bias } = new nn.Conv2DTranspose(1, 1, 2, { weightAttr: new initializer.Bilinear() });
      assert.deepEqual([weight.dtype, weight.toArray()], ["float32", [[[[1, 0], [0, -0]]]]]);
      assert.equal(bias!.dtype, "float64");
    } finally {
      setDefaultDtype("float32");
    }
  });

  it("draws from the tail of a normal distribution as coarsely as Paddle's float32", () => {
    seed(0);
    const drawn = new initializer.TruncatedNormal(6, 1, -2, 2).make("float32", [4]).toFloat32Array();
    // By Paddle 3.3.1.
    const expected = [1.7327384948730469, 1.5360606908798218, 1.9520912170410156, 1.8504917621612549];
    drawn.forEach((x, i) => assert.ok(Math.abs(x - expected[i]) < 2e-6, `${x} is not ${expected[i]}`));
  });

  it("gives a bound where nearly all of a normal distribution is truncated", () => {
    const above = new initializer.TruncatedNormal(3, 0.001, -2, 1.5).make("float32", [2]);
    assert.deepEqual(above.toArray(), [-2, -2]);
    const below = new initializer.TruncatedNormal(-3, 0.001, -2, 1.5).make("float32", [2]);
    assert.deepEqual(below.toArray(), [1.5, 1.5]);
  });

  it("can be a user's class", () => {
    class Ramp extends initializer.Initializer {
      override make(dtype: "float32", shape: readonly number[]) {
        return fromArray([...Array(shape[0] * shape[1]).keys()], dtype).reshape(shape);
      }
    }
    assert.deepEqual(new nn.Linear(2, 2, new Ramp()).weight.toArray(), [[0, 1], [2, 3]]);
  });

  it("rounds the arguments of TruncatedNormal to float32, for float64 values, too", () => {
    seed(5);
    const drawn = new initializer.TruncatedNormal(0.7, 1.3, -1.1, 2.3).make("float64", [3]);
    // By Paddle 3.3.1.
    const expected = [1.921143867829063, 0.7530766722316429, 0.42760875672771315];
    [...drawn.data as Float64Array].forEach((x, i) => assert.ok(Math.abs(x - expected[i]) < 1e-14, `${x}`));
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

  it("take the dtype among the options, too, and refuse what they do not know", () => {
    guard(() => {
      const p = createParameter([2], { dtype: "float64", isBias: true })!;
      assert.deepEqual([p.name, p.dtype, p.toArray()], ["create_parameter_0.b_0", "float64", [0, 0]]);
      // deno-lint-ignore no-explicit-any
      const loosely = createParameter as (...args: any[]) => unknown;
      assert.throws(() => loosely([2], { isbias: true }), /^TypeError: Unknown option "isbias".* "isBias"/);
      assert.throws(() => loosely([2], "float32", { isbias: true }), /^TypeError: Unknown option "isbias".* "isBias"/);
      assert.throws(() => loosely([2], "flaot32"), /^TypeError: Unknown dtype "flaot32"/);
      assert.throws(
        () => new nn.Layer().createParameter([2], { dtype: "flaot32" as "float32" }),
        /^TypeError: Unknown/,
      );
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
  it("is libstdc++'s std::mt19937_64, seeded through std::seed_seq", () => {
    const drawn: [number, Record<number, bigint>][] = [
      [0, {
        1: 5761556218444793869n,
        312: 13433410050718532118n,
        313: 8888936545452121930n,
        10000: 8055424658763770904n,
      }],
      [1234, {
        1: 12015728179033591597n,
        312: 15018608385158450287n,
        313: 17818864399232843348n,
        10000: 6703431804473874288n,
      }],
      [2 ** 32 - 1, {
        1: 300077552602022093n,
        312: 2180445287934596388n,
        313: 7023834078296438912n,
        10000: 15373564637031126530n,
      }],
    ];
    for (const [seed, expected] of drawn) {
      const engine = new MersenneTwister(seed);
      const found: Record<number, bigint> = {};
      for (let n = 1; n <= 10_000; n++) {
        engine.draw();
        if (n in expected) found[n] = BigInt(engine.high) << 32n | BigInt(engine.low);
      }
      assert.deepEqual(found, expected, `seed ${seed}`);
    }
  });

  it("is seeded randomly in a program that never calls seed", async () => {
    const programs = [
      await import("../../src/nn/random/generator.ts?program=1"),
      await import("../../src/nn/random/generator.ts?program=2"),
    ];
    const [a, b] = programs.map(({ generator }) => {
      generator().draw();
      return [generator().high, generator().low];
    });
    assert.notDeepEqual(a, b);
  });

  it("draws uniform values in range, with the mean and spread of the distribution", () => {
    for (const target of [new Float32Array(200_000), new Float64Array(200_000)]) {
      fillUniform(target, new MersenneTwister(99), 2, 6);
      const { mean, deviation } = momentsOf(target);
      assert.ok(Math.abs(mean - 4) < 0.02 && Math.abs(deviation - 4 / Math.sqrt(12)) < 0.01, `${mean} ± ${deviation}`);
      assert.equal(target.some((x) => x < 2 || x >= 6), false);
    }
  });

  it("draws normal values with the mean and spread of the distribution", () => {
    for (const target of [new Float32Array(200_000), new Float64Array(200_000)]) {
      fillNormal(target, new MersenneTwister(99), 3, 0.5);
      const { mean, deviation } = momentsOf(target);
      assert.ok(Math.abs(mean - 3) < 0.01 && Math.abs(deviation - 0.5) < 0.01, `${mean} ± ${deviation}`);
      const within = (k: number) => target.filter((x) => Math.abs(x - 3) < k * 0.5).length / target.length;
      assert.ok(
        Math.abs(within(1) - 0.6827) < 0.01 && Math.abs(within(2) - 0.9545) < 0.005,
        `${within(1)} ${within(2)}`,
      );
    }
  });

  it("has normal quantiles that its distribution function inverts", () => {
    for (const p of [1e-12, 1e-3, 0.08, 0.5, 0.92, 0.999]) {
      assert.ok(Math.abs(normalCdf(normalQuantile(p)) - p) < 1e-15, String(p));
    }
    assert.ok(Math.abs(normalCdf(-8) - 6.220960574271785e-16) < 1e-28);
  });
});

function momentsOf(values: Float32Array | Float64Array): { mean: number; deviation: number } {
  let sum = 0, squares = 0;
  for (const x of values) [sum, squares] = [sum + x, squares + x * x];
  const mean = sum / values.length;
  return { mean, deviation: Math.sqrt(squares / values.length - mean * mean) };
}

function widened(bits: Iterable<number>): number[] {
  return [...new Float32Array(Uint32Array.from(bits, (b) => b << 16).buffer)];
}
