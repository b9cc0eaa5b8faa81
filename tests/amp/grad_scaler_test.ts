import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import {
  amp,
  decode,
  encode,
  fromArray,
  full,
  nn,
  NumpyScalar,
  optimizer,
  SelectedRows,
  type Tensor,
  utils,
} from "../../mod.ts";
import { thrownBy } from "../helpers/thrown_by.ts";

const REAL = existsSync("../shared/real") ? "../shared/real" : "tests/fixtures/real";

describe("GradScaler", () => {
  it("writes the state byte for byte as Paddle does, and resumes from it", () => {
    let seen = 0;
    for (const version of ["2.2.2", "2.3.2", "2.4.2", "2.6.2", "3.0.0", "3.1.1", "3.3.1"]) {
      const path = `${REAL}/paddle-${version}/amp/scaler_on.pdopt`;
      if (!existsSync(path)) continue;
      seen++;
      const bytes = readFileSync(path);
      const scaler = new amp.GradScaler({ initLossScaling: 1024, incrEveryNSteps: 1000, decrEveryNNanOrInf: 2 });
      const mine = encode(scaler.stateDict());
      // numpy 2 writes a different module name.
      const newer = encode(scaler.stateDict(), { numpy: 2 });
      assert.ok(bytes.equals(mine) || bytes.equals(newer), version);
      const fresh = new amp.GradScaler();
      fresh.loadStateDict(decode(bytes) as Map<string, unknown>);
      assert.deepEqual(encode(fresh.stateDict()), mine);
      const off = new amp.GradScaler({ enable: false });
      assert.equal(off.stateDict().size, 0);
      off.loadStateDict(new Map());
    }
    assert.ok(seen > 0, "no file of real Paddle was there");
  });

  it("unscales gradients, skips steps that are not finite, and adjusts the scale", () => {
    const [a, b] = ["a", "b"].map((name) => new nn.Parameter("float32", [2], undefined, { name }));
    const sgd = new optimizer.SGD(1, [a, b]);
    const scaler = new amp.GradScaler({ initLossScaling: 8, incrEveryNSteps: 2, decrEveryNNanOrInf: 2 });
    const step = (values: number[]) => {
      a.grad = fromArray(values, "float32");
      b.grad = full([2], scaler.scale(1));
      scaler.step(sgd);
      scaler.update();
      sgd.clearGrad(false);
      return [scaler.lossScaling, scaler.incrCount, scaler.decrCount];
    };
    assert.deepEqual(step([8, 16]), [8, 1, 0]);
    assert.deepEqual([...a.toFloat32Array(), ...b.toFloat32Array()], [-1, -2, -1, -1]);
    assert.deepEqual(step([Infinity, 1]), [8, 0, 1]);
    assert.deepEqual(step([0, NaN]), [4, 0, 0]);
    assert.deepEqual([...b.toFloat32Array()], [-1, -1]);
    assert.deepEqual(step([Infinity, 1]), [4, 0, 1]);
    assert.deepEqual(step([0, 0]), [4, 1, 0]);
    assert.deepEqual(step([0, 0]), [8, 0, 0]);
    assert.deepEqual([...b.toFloat32Array()], [-3, -3]);
  });

  it("computes scales, losses and gradients in float32, to the bit as Paddle 3.3.1", () => {
    const ratios = { incrRatio: 1.7, decrRatio: 0.3, incrEveryNSteps: 1, decrEveryNNanOrInf: 1 };
    const scaler = new amp.GradScaler({ initLossScaling: 1000.1, ...ratios });
    const parameter = new nn.Parameter("float32", [3]);
    const sgd = new optimizer.SGD(1, [parameter]);
    const first = [-0.003299670061096549, -0.007699230220168829, 9.999000758398324e-5];
    const second = [-0.009769611060619354, -0.02279575914144516, 0.0002960488200187683];
    const third = [-0.013575458899140358, -0.031676068902015686, 0.0004113775212317705];
    const steps: [isInfinite: boolean, loss: number, scale: number, after: number[]][] = [
      [false, 1234.6234130859375, 1700.1700439453125, first],
      [true, 2098.860107421875, 510.051025390625, first],
      [false, 629.6580200195312, 867.0867919921875, second],
      [false, 1070.418701171875, 1474.047607421875, third],
      [true, 1819.7117919921875, 442.21429443359375, third],
      [true, 545.91357421875, 132.66429138183594, third],
    ];
    for (const [isInfinite, loss, scale, after] of steps) {
      assert.equal(scaler.scale(1.2345), loss);
      parameter.grad = fromArray([isInfinite ? Infinity : 3.3, 7.7, -0.1], "float32");
      scaler.step(sgd);
      scaler.update();
      assert.deepEqual([scaler.lossScaling, [...parameter.toFloat32Array()]], [scale, after]);
    }
  });

  it("unscales row-sparse and float16 gradients", () => {
    const rows = new nn.Parameter("float32", [3, 1]);
    rows.grad = new SelectedRows([2], 3, full([1, 1], 4));
    const half = new nn.Parameter("float16", [1]);
    half.grad = full([1], 4, "float16");
    const sgd = new optimizer.SGD({ learningRate: 1, parameters: [rows, half], multiPrecision: true });
    new amp.GradScaler({ initLossScaling: 2 }).step(sgd);
    assert.deepEqual([...rows.toFloat32Array(), ...half.toFloat32Array()], [0, 0, -2, -2]);
  });

  it("refuses what Paddle refuses", () => {
    const sgd = new optimizer.SGD(1, [new nn.Parameter("float32", [1])]);
    const scaler = new amp.GradScaler();
    scaler.unscale(sgd);
    assert.match(thrownBy(() => scaler.unscale(sgd)).message, /already been called/);
    scaler.step(sgd);
    assert.match(thrownBy(() => scaler.step(sgd)).message, /since the last update/);
    assert.match(thrownBy(() => scaler.unscale(sgd)).message, /after step/);
    assert.match(thrownBy(() => scaler.loadStateDict(new Map())).message, /empty/);
    const state = scaler.stateDict();
    state.set("incr_count", "x");
    const before = encode(scaler.stateDict());
    thrownBy(() => scaler.loadStateDict(state));
    assert.deepEqual(encode(scaler.stateDict()), before);
    thrownBy(() => new amp.GradScaler({ incrRatio: 1 }));
    thrownBy(() => new amp.GradScaler({ decrRatio: 1 }));
  });

  // As Paddle 2.6 and 3.3 answer, with a device that they take for a GPU.
  describe("with several optimizers, or calls in another order", () => {
    type Calls = (a: optimizer.SGD, b: optimizer.SGD) => void;
    function scaled(gradients: [number, number], calls: (scaler: amp.GradScaler) => Calls) {
      const [a, b] = gradients.map((gradient) => {
        const parameter = new nn.Parameter("float32", [1]);
        parameter.grad = full([1], gradient, "float32");
        return parameter;
      });
      const scaler = new amp.GradScaler({ initLossScaling: 8, incrEveryNSteps: 2, decrEveryNNanOrInf: 1 });
      calls(scaler)(new optimizer.SGD(1, [a]), new optimizer.SGD(1, [b]));
      return [scaler.lossScaling, scaler.incrCount, a.at(0), b.at(0)];
    }

    it("counts what the last step met, not what was unscaled since", () => {
      const found = scaled([Infinity, 8], (scaler) => (a, b) => {
        scaler.step(a);
        scaler.unscale(b);
        scaler.update();
      });
      assert.deepEqual(found, [4, 0, 0, 0]);
      const unstepped = scaled([Infinity, 8], (scaler) => (a) => {
        scaler.unscale(a);
        scaler.update();
      });
      assert.deepEqual(unstepped, [8, 1, 0, 0]);
    });

    it("skips the step of one and not of the other, whose step counts", () => {
      const found = scaled([Infinity, 8], (scaler) => (a, b) => {
        scaler.step(a);
        scaler.step(b);
        scaler.update();
      });
      assert.deepEqual(found, [8, 1, 0, -1]);
    });

    it("never steps with infinity, even if another was unscaled since", () => {
      const found = scaled([Infinity, 8], (scaler) => (a, b) => {
        scaler.unscale_(a);
        scaler.unscale_(b);
        scaler.step(a);
        scaler.step(b);
        scaler.update();
      });
      assert.deepEqual(found, [8, 1, 0, -1]);
    });

    it("skips the step of one that is finite if another was unscaled since that is not, as Paddle does", () => {
      const found = scaled([8, Infinity], (scaler) => (a, b) => {
        scaler.unscale_(a);
        scaler.unscale_(b);
        scaler.step(a);
        scaler.update();
      });
      assert.deepEqual(found, [4, 0, 0, 0]);
    });

    it("minimizes any number of times if its scale stays, and divides every time", () => {
      const parameter = new nn.Parameter("float32", [1]);
      parameter.grad = full([1], 8, "float32");
      const sgd = new optimizer.SGD(1, [parameter]);
      const scaler = new amp.GradScaler({ initLossScaling: 8, useDynamicLossScaling: false });
      scaler.minimize(sgd);
      scaler.minimize(sgd);
      assert.equal(parameter.at(0), -1.125);
    });

    it("minimizes as Paddle does: a step, an update, and another step at every call", () => {
      const twice = scaled([8, 8], (scaler) => (a) => {
        scaler.step(a);
        scaler.minimize(a);
        scaler.minimize(a);
      });
      assert.deepEqual(twice, [16, 0, -2.125, 0]);
      const fixed = scaled([Infinity, 8], (scaler) => (a, b) => {
        scaler.minimize(a);
        scaler.minimize(b);
      });
      assert.deepEqual(fixed, [4, 1, 0, -2]);
    });

    it("counts a skipped step at every update until the next one", () => {
      const found = scaled([Infinity, 8], (scaler) => (a) => {
        scaler.step(a);
        for (let i = 0; i < 3; i++) scaler.update();
      });
      assert.deepEqual(found, [1, 0, 0, 0]);
    });

    it("counts updates before any step as good ones", () => {
      assert.deepEqual(scaled([8, 8], (scaler) => () => [1, 2, 3].forEach(() => scaler.update())).slice(0, 2), [16, 1]);
    });
  });

  it("may be called in any order if its scale stays, and then divides at every call", () => {
    const parameter = new nn.Parameter("float32", [1]);
    parameter.grad = full([1], 8, "float32");
    const sgd = new optimizer.SGD(1, [parameter]);
    const scaler = new amp.GradScaler({ initLossScaling: 8, incrEveryNSteps: 1, useDynamicLossScaling: false });
    assert.ok(scaler.isEnable() && !scaler.isUseDynamicLossScaling());
    scaler.step(sgd);
    scaler.step(sgd);
    scaler.unscale(sgd);
    scaler.step(sgd);
    scaler.update();
    scaler.step(sgd);
    assert.equal(parameter.at(0), -(1 + 1 / 8 + 1 / 64 + 1 / 512));
    assert.deepEqual([scaler.lossScaling, scaler.incrCount], [8, 0]);
  });

  it("creates the optimizer's state at a step that it skips, as Paddle does since 2.5", () => {
    for (const [paddle, count] of [["2.4", 0], ["2.5", 4], ["3.3", 4]] as const) {
      const [p, still, frozen, narrow] = ["p", "still", "frozen", "narrow"].map((name) =>
        new nn.Parameter(name === "narrow" ? "float16" : "float32", [2], undefined, {
          name,
          trainable: name !== "frozen",
        })
      );
      for (const each of [p, frozen]) each.grad = fromArray([Infinity, 1], "float32");
      narrow.grad = fromArray([1, 1], "float32");
      const adam = utils.uniqueName.guard(() => {
        const made = new optimizer.Adam({ parameters: [p, still, frozen, narrow], paddle });
        new amp.GradScaler().step(made);
        return made;
      });
      assert.deepEqual([...p.toFloat32Array()], [0, 0]);
      assert.deepEqual(
        [...adam.stateDict().keys()],
        [
          "p_moment1_0",
          "p_moment2_0",
          "p_beta1_pow_acc_0",
          "p_beta2_pow_acc_0",
        ].slice(0, count),
      );
    }
  });

  it("changes nothing if it is disabled", () => {
    const parameter = new nn.Parameter("float32", [1]);
    parameter.grad = full([1], Infinity, "float32");
    const sgd = new optimizer.SGD(1, [parameter]);
    const scaler = new amp.GradScaler({ enable: false, initLossScaling: 8, incrEveryNSteps: 1 });
    assert.ok(!scaler.isEnable() && !scaler.isUseDynamicLossScaling());
    assert.equal(scaler.scale(3), 3);
    scaler.unscale(sgd);
    scaler.unscale(sgd);
    assert.equal((parameter.grad as Tensor).at(0), Infinity);
    scaler.step(sgd);
    scaler.step(sgd);
    assert.equal(parameter.at(0), -Infinity);
    scaler.update();
    assert.deepEqual([scaler.lossScaling, scaler.incrCount], [8, 0]);
  });

  it("skips a step whose gradient overflows its dtype once the scale is below 1", () => {
    for (const [dtype, gradient] of [["float16", 60_000], ["float32", 3e38]] as const) {
      const parameter = new nn.Parameter(dtype, [1]);
      parameter.grad = full([1], gradient, dtype);
      const sgd = new optimizer.SGD({ learningRate: 1, parameters: [parameter], multiPrecision: true });
      const scaler = new amp.GradScaler({ initLossScaling: 0.5 });
      scaler.step(sgd);
      scaler.update();
      assert.deepEqual([parameter.at(0), scaler.lossScaling], [0, 0.25], dtype);
    }
  });

  it("has Paddle's getters and setters, with their checks", () => {
    const scaler = new amp.GradScaler({ initLossScaling: 1024 });
    const got = () => [
      scaler.getInitLossScaling(),
      scaler.getIncrRatio(),
      scaler.getDecrRatio(),
      scaler.getIncrEveryNSteps(),
      scaler.getDecrEveryNNanOrInf(),
    ];
    assert.deepEqual(got(), [1024, 2, 0.5, 2000, 1]);
    scaler.setInitLossScaling(7.3);
    scaler.setIncrRatio(3);
    scaler.setDecrRatio(0.25);
    scaler.setIncrEveryNSteps(4);
    scaler.setDecrEveryNNanOrInf(2);
    assert.deepEqual(got(), [7.3, 3, 0.25, 4, 2]);
    assert.deepEqual([scaler.lossScaling, scaler.scale(1)], [Math.fround(7.3), Math.fround(7.3)]);
    assert.match(thrownBy(() => scaler.setIncrRatio(1)).message, /new_incr_ratio must be > 1/);
    assert.match(thrownBy(() => scaler.setDecrRatio(1)).message, /new_decr_ratio must be < 1/);
    const methods = ["InitLossScaling", "IncrRatio", "DecrRatio", "IncrEveryNSteps", "DecrEveryNNanOrInf"];
    for (const name of methods) {
      assert.throws(() => Reflect.get(scaler, `set${name}`).call(scaler, "3"), TypeError, name);
    }
    assert.deepEqual(got(), [7.3, 3, 0.25, 4, 2]);
    const again = new amp.GradScaler();
    again.loadStateDict(scaler.stateDict());
    assert.equal(again.getInitLossScaling(), Math.fround(7.3));
    assert.equal(new amp.GradScaler({ enable: false, initLossScaling: 8 }).getInitLossScaling(), 1);
  });

  it("finds what is not finite at the end of a gradient of many values", () => {
    const parameter = new nn.Parameter("float32", [40_000]);
    const sgd = new optimizer.SGD(1, [parameter]);
    for (const [at, skipped] of [[39_999, true], [16_384, true], [-1, false]] as const) {
      const gradient = new Float32Array(40_000).fill(8);
      if (at >= 0) gradient[at] = NaN;
      parameter.grad = fromArray(gradient, "float32");
      const before = parameter.at(39_999);
      const scaler = new amp.GradScaler({ initLossScaling: 8 });
      scaler.step(sgd);
      assert.equal(parameter.at(39_999) === before, skipped, `value ${at}`);
    }
    assert.deepEqual([0, 16_383, 16_384, 39_999].map((i) => parameter.at(i)), [-1, -1, -1, -1]);
  });

  it("takes numpy's numbers from a state, sets all of it, and refuses a scale or flag of another type", () => {
    const state = new amp.GradScaler({ initLossScaling: 4, incrEveryNSteps: 7, useDynamicLossScaling: false })
      .stateDict();
    state.set("incr_count", new NumpyScalar("int64", 3));
    state.set("incr_ratio", new NumpyScalar("float64", 1.5));
    const scaler = new amp.GradScaler();
    scaler.loadStateDict(state);
    assert.deepEqual([scaler.lossScaling, scaler.incrEveryNSteps, scaler.incrCount, scaler.incrRatio], [4, 7, 3, 1.5]);
    assert.equal(scaler.isUseDynamicLossScaling(), false);
    for (const [key, value] of [["scale", 4], ["scale", full([0], 1)], ["use_dynamic_loss_scaling", 1]] as const) {
      const wrong = new Map(state).set(key, value);
      assert.throws(() => scaler.loadStateDict(wrong), { code: "INVALID_VALUE", at: `["${key}"]` });
    }
  });
});
