import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { amp, decode, encode, fromArray, full, isPaddleError, nn, optimizer, SelectedRows } from "../../mod.ts";

const REAL = existsSync("../shared/real") ? "../shared/real" : "tests/fixtures/real";

function refusal(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    assert.ok(isPaddleError(error), String(error));
    return error.message;
  }
  return assert.fail("nothing was refused");
}

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
    assert.deepEqual(step([0, 0]), [4, 1, 0]);
    assert.deepEqual(step([0, 0]), [8, 0, 0]);
    assert.deepEqual([...b.toFloat32Array()], [-3, -3]);
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
    assert.match(refusal(() => scaler.unscale(sgd)), /already been called/);
    scaler.step(sgd);
    assert.match(refusal(() => scaler.step(sgd)), /since the last update/);
    assert.match(refusal(() => scaler.unscale(sgd)), /after step/);
    assert.match(refusal(() => scaler.loadStateDict(new Map())), /empty/);
    const state = scaler.stateDict();
    state.set("incr_count", "x");
    const before = encode(scaler.stateDict());
    refusal(() => scaler.loadStateDict(state));
    assert.deepEqual(encode(scaler.stateDict()), before);
    refusal(() => new amp.GradScaler({ incrRatio: 1 }));
    refusal(() => new amp.GradScaler({ decrRatio: 1 }));
  });
});
