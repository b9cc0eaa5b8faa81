import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { decode, encode, fromArray, nn, type StateDict, Tensor, utils } from "../../mod.ts";

describe("nn.Parameter", () => {
  it("has Paddle's defaults", () => {
    const p = utils.uniqueName.guard(() => new nn.Parameter("float32", [2, 3]));
    assert.deepEqual(
      [p.name, p.trainable, p.stopGradient, p.persistable, p.optimizeAttr, p.regularizer, p.needClip, p.grad],
      ["_eager_param_base_0", true, false, true, { learningRate: 1 }, null, true, null],
    );
    assert.ok(p instanceof Tensor);
  });

  it("is trainable when its gradient is not stopped", () => {
    const p = new nn.Parameter("float32", [1], undefined, { trainable: false });
    assert.equal(p.stopGradient, true);
    p.trainable = true;
    assert.equal(p.stopGradient, false);
    p.stopGradient = true;
    assert.equal(p.trainable, false);
  });

  it("sets its gradient to zeros, as Paddle does by default, or drops it", () => {
    const p = nn.Parameter.fromArray([1, 2], "float32");
    p.clearGrad();
    assert.equal(p.grad, null);
    p.grad = fromArray([3, 4], "float32");
    p.clearGrad();
    assert.deepEqual((p.grad as Tensor).toArray(), [0, 0]);
    p.clearGrad(false);
    assert.equal(p.grad, null);
  });

  it("can be set to other values in place, without a cast", () => {
    const p = nn.Parameter.fromArray([1, 2], "float32");
    p.setValue(fromArray([3, 4], "float32"));
    assert.deepEqual(p.toArray(), [3, 4]);
    assert.throws(() => p.setValue(fromArray([3, 4], "float64")), /is float32 \[2\]: got float64 \[2\]/);
    assert.throws(() => p.setValue(fromArray([[3, 4]], "float32")), /got float32 \[1,2\]/);
    assert.deepEqual(p.toArray(), [3, 4]);
  });

  it("is cloned with its attributes", () => {
    const p = nn.Parameter.from(fromArray([1, 2], "float32"), { name: "w", trainable: false, needClip: false });
    const copy = p.clone();
    assert.ok(copy instanceof nn.Parameter && copy.name === "w" && !copy.trainable && !copy.needClip);
    copy.set(5, 0);
    assert.equal(p.at(0), 1);
  });

  it("is saved as a Tensor with its name", () => {
    const p = nn.Parameter.from(fromArray([1, 2], "float32"), { name: "linear_0.w_0" });
    const back = decode(encode(new Map([["weight", p]]))) as StateDict;
    const tensor = back.get("weight") as Tensor;
    assert.equal(tensor.name, "linear_0.w_0");
    assert.deepEqual(tensor.toArray(), [1, 2]);
  });
});
