import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { amp, fromArray, full, nn, optimizer, regularizer, utils } from "../../mod.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const parameters = () => [nn.Parameter.from(fromArray([1, 2], "float32"))];

/** Calls with a text or an object in place of a number, or a text in place of a boolean. */
const WRONG: Record<string, (value: Any) => unknown> = {
  'Momentum: "momentum"': (momentum) => new optimizer.Momentum({ learningRate: 1, momentum, parameters: parameters() }),
  'Lamb: "beta1"': (beta1) => new optimizer.Lamb({ beta1, parameters: parameters() }),
  'Adadelta: "rho"': (rho) => new optimizer.Adadelta({ rho, parameters: parameters() }),
  'Adagrad: "initialAccumulatorValue"': (initialAccumulatorValue) =>
    new optimizer.Adagrad({ learningRate: 1, initialAccumulatorValue, parameters: parameters() }),
  'a parameter group: "rho"': (rho) =>
    new optimizer.RMSProp({ learningRate: 1, parameters: [{ params: parameters(), rho }] }),
  'a parameter group: "learningRate"': (learningRate) =>
    new optimizer.SGD({ learningRate: 1, parameters: [{ params: parameters(), learningRate }] }),
  'LBFGS: "toleranceGrad"': (toleranceGrad) => new optimizer.LBFGS({ toleranceGrad, parameters: parameters() }),
  'GradScaler: "initLossScaling"': (initLossScaling) => new amp.GradScaler({ initLossScaling }),
  'Normal: "mean"': (mean) => new nn.initializer.Normal({ mean }),
  'TruncatedNormal: "b"': (b) => new nn.initializer.TruncatedNormal({ b }),
  'Uniform: "low"': (low) => new nn.initializer.Uniform(low, 1),
  'XavierNormal: "gain"': (gain) => new nn.initializer.XavierNormal({ gain }),
  fanIn: (fanIn) => new nn.initializer.KaimingNormal({ fanIn }),
  'Constant: "value"': (value) => new nn.initializer.Constant({ value }),
  'Orthogonal: "gain"': (gain) => new nn.initializer.Orthogonal({ gain }),
  'L2Decay: "coeff"': (coeff) => new regularizer.L2Decay({ coeff }),
};

describe("an argument of the wrong type", () => {
  for (const [name, make] of Object.entries(WRONG)) {
    it(`is refused instead of causing values that are NaN: ${name}`, () => {
      for (const value of ["0.5", {}, true]) {
        assert.throws(() => make(value), (error) => {
          return error instanceof TypeError && error.message.startsWith(`${name} must be a number: got `);
        });
      }
    });
  }

  it("is refused by schedulers, too, as Paddle refuses it", () => {
    const { InverseTimeDecay, NoamDecay, PolynomialDecay } = optimizer.lr as Any;
    for (const gamma of ["1", {}]) {
      assert.throws(() => new InverseTimeDecay(0.1, gamma), { code: "INVALID_VALUE" });
      assert.throws(() => new NoamDecay({ dModel: 4, warmupSteps: gamma }), { code: "INVALID_VALUE" });
      assert.throws(() => new PolynomialDecay({ learningRate: 1, decaySteps: 2, endLr: gamma }), {
        code: "INVALID_VALUE",
      });
    }
  });

  it("is refused in place of a boolean", () => {
    const useNesterov = "no" as Any;
    assert.throws(() => new optimizer.Momentum({ learningRate: 1, useNesterov, parameters: parameters() }), {
      message: 'Momentum: "useNesterov" must be a boolean: got "no"',
    });
  });
});

describe("an argument of an initializer or regularizer", () => {
  it("can be given by position or by name", () => {
    const { Assign, Constant, Dirac, Orthogonal } = nn.initializer;
    assert.deepEqual([new Constant(2).value, new Constant({ value: 2 }).value, new Constant().value], [2, 2, 0]);
    assert.deepEqual([new Dirac(2).groups, new Dirac({ groups: 2 }).groups, new Dirac().groups], [2, 2, 1]);
    assert.deepEqual([new Orthogonal(2).gain, new Orthogonal({ gain: 2 }).gain, new Orthogonal().gain], [2, 2, 1]);
    for (const assign of [new Assign([[1, 2]]), new Assign({ value: [[1, 2]] })]) {
      assert.deepEqual(assign.value.toArray(), [[1, 2]]);
    }
    for (const Decay of [regularizer.L1Decay, regularizer.L2Decay]) {
      assert.deepEqual([new Decay(2).coeff, new Decay({ coeff: 2 }).coeff, new Decay().coeff], [2, 2, 0]);
    }
    assert.throws(() => new regularizer.L2Decay({ coef: 1 } as Any), /^TypeError: L2Decay has no argument "coef"/);
  });
});

describe("arguments of layers that Paddle 3.3 added", () => {
  /** Keys, names and dtypes of a layer's parameters. */
  const parametersOf = (make: () => nn.Layer) =>
    utils.uniqueName.guard(() => make().namedParameters().map(([key, { name, dtype }]) => `${key} ${name} ${dtype}`));

  it("switch parameters off and set their dtype, as in Paddle", () => {
    const table: [() => nn.Layer, string[]][] = [
      [() => new nn.Conv2D(2, 4, 3, { bias: false }), ["weight conv2d_0.w_0 float32"]],
      [
        () => new nn.Conv1D(2, 4, 3, { dtype: "float64" }),
        ["weight conv1d_0.w_0 float64", "bias conv1d_0.b_0 float64"],
      ],
      [() => new nn.Conv3D(2, 4, 3, { dtype: "float16", bias: false }), ["weight conv3d_0.w_0 float16"]],
      [() => new nn.LayerNorm([4], { elementwiseAffine: false }), []],
      [() => new nn.LayerNorm(4, { bias: false }), ["weight layer_norm_0.w_0 float32"]],
      [
        () => new nn.LayerNorm(4, { dtype: "float64" }),
        ["weight layer_norm_0.w_0 float64", "bias layer_norm_0.b_0 float64"],
      ],
      [() => new nn.GroupNorm(2, 4, { affine: false }), []],
      [() => new nn.GroupNorm(2, 4, { biasAttr: false }), ["weight group_norm_0.w_0 float32"]],
      [
        () => new nn.GroupNorm(2, 4, { biasAttr: false, paddle: "3.2" }),
        ["weight group_norm_0.w_0 float32", "bias group_norm_0.b_0 float32"],
      ],
      [
        () => new nn.GroupNorm(2, 4, { dtype: "float64" }),
        ["weight group_norm_0.w_0 float64", "bias group_norm_0.b_0 float64"],
      ],
      [() => new nn.Embedding(3, 4, { maxNorm: 1, dtype: "bfloat16" }), ["weight embedding_0.w_0 bfloat16"]],
    ];
    for (const [make, expected] of table) assert.deepEqual(parametersOf(make), expected);
  });

  it("let an Embedding share and freeze a weight", () => {
    const ones = () => nn.Parameter.from(full([3, 2], 1), { trainable: false });
    const given = ones(), shared = new nn.Embedding(3, 2, { _weight: given });
    assert.equal(shared.weight, given);
    assert.equal(given.trainable, true);
    const padded = new nn.Embedding(3, 2, 1, { _weight: ones(), _freeze: true, weightAttr: false } as Any);
    assert.deepEqual(padded.weight.toArray(), [[1, 1], [0, 0], [1, 1]]);
    assert.equal(padded.weight.trainable, false);
    assert.equal(new nn.Embedding(3, 2, { _freeze: true }).weight.trainable, false);
    // As in Paddle, attributes win over _freeze.
    assert.equal(new nn.Embedding(3, 2, { _freeze: true, weightAttr: true }).weight.trainable, true);
    assert.equal(new nn.Embedding(3, 2, { weightAttr: { trainable: false } }).weight.trainable, false);
    assert.throws(() => new nn.Embedding(2, 2, { _weight: ones() }), { code: "INVALID_VALUE", message: /\[2, 2\]/ });
    assert.throws(() => new nn.Embedding(3, 2, { _weight: full([3, 2], 1) as Any }), { code: "INVALID_VALUE" });
  });

  it("are refused where older versions have another: an Embedding's maxNorm in the place of sparse", () => {
    assert.throws(() => new (nn as Any).Embedding(3, 2, null, 2), {
      message: 'Embedding: "sparse" must be a boolean: got 2',
    });
  });

  it("can only be given by name, except those that Paddle takes by position", () => {
    const { Conv2D } = nn as Any;
    assert.throws(() => new Conv2D(2, 4, 3, 1, 0, 1, 1, "zeros", null, null, "NCHW", false), TypeError);
    assert.throws(() => new Conv2D(2, 4, 3, { bias: 0 }), { message: 'Conv2D: "bias" must be a boolean: got 0' });
    const { config } = new nn.Dropout(0.1, true, 1) as Any;
    assert.deepEqual([config.p, config.inplace, config.axis], [0.1, true, 1]);
    assert.throws(() => new Conv2D(2, 4, { kernelSize: {} }), { code: "INVALID_VALUE" });
  });
});
