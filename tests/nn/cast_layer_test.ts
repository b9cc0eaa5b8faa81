import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { type DType, fromArray, full, type NDArray, nn, optimizer, SelectedRows, Tensor } from "../../mod.ts";

/** Floats, integers, a parameter with two names, and a BatchNorm, which is treated in its own way. */
function network() {
  const net = new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1D(2), new nn.BatchNorm(2));
  net.registerBuffer("ids", Tensor.from(fromArray([0, 1, 2], "int64")));
  net.registerBuffer("f", Tensor.from(full([2], 1)), { persistable: false });
  Object.assign(net, { plain: Tensor.from(full([1], 1, "float64")), tied: (net.get(0) as nn.Linear).weight });
  return net;
}

/** The dtypes, each once for the keys that have it. */
function dtypes(net: nn.Layer): Record<string, string> {
  const by: Record<string, string> = {};
  for (const [key, { dtype }] of net.toStaticStateDict()) by[dtype] = by[dtype] ? `${by[dtype]} ${key}` : key;
  return by;
}

const LINEAR = "0.weight 0.bias", ONE_D = "1.weight 1.bias 1._mean 1._variance", PLAIN = ONE_D.replaceAll("1.", "2.");
const ALL = `tied ids f plain ${LINEAR} ${ONE_D} ${PLAIN}`;

// As Paddle 2.6.2 and 3.3.1 answer; float16 as bfloat16, since on a CPU it does nothing there.
describe("a layer that is cast", () => {
  it("has everything in another dtype, integers too", () => {
    for (const dtype of ["bfloat16", "float16", "float64", "int32"] as const) {
      assert.deepEqual(dtypes(network().to({ dtype })), { [dtype]: ALL });
    }
  });

  it("has its floats in float32", () => {
    assert.deepEqual(dtypes(network().float()), { int64: "ids", float32: ALL.replace("ids ", "") });
  });

  it("has its floats in half precision, but for nn.BatchNorm's", () => {
    for (const dtype of ["float16", "bfloat16"] as const) {
      const floats = `tied f plain ${LINEAR} ${ONE_D}`;
      assert.deepEqual(dtypes(network()[dtype]()), { int64: "ids", [dtype]: floats, float32: PLAIN });
    }
  });

  it("casts those of a class of its own, as Paddle compares types", () => {
    class Own extends nn.BatchNorm {}
    assert.equal(new Own(2).bfloat16().weight!.dtype, "bfloat16");
  });

  it("keeps its tensors, with their names, attributes and values, and takes a state dict of the new dtype", () => {
    const net = network(), linear = net.get(0) as nn.Linear, { weight } = linear;
    const before = { ...weight }, rounded = weight.astype("bfloat16");
    assert.equal(weight.data.length, 4);
    net.bfloat16();
    assert.equal(linear.weight, weight);
    assert.equal(net.stateDict().get("tied"), weight);
    assert.deepEqual({ ...weight }, { ...before, dtype: "bfloat16", nbytes: 8 });
    assert.deepEqual(weight.bytes, rounded.bytes);
    assert.ok(weight.equals(rounded));
    const state = new Map([...net.stateDict()].map(([key, tensor]) => [key, tensor.clone().fill(2)]));
    assert.deepEqual(net.setStateDict(state), { missingKeys: [], unexpectedKeys: [] });
    assert.deepEqual([...weight.toFloat32Array()], [2, 2, 2, 2]);
  });

  it("has gradients of the new dtype, and can be trained", () => {
    const net = new nn.Linear(2, 2), { weight, bias } = net;
    weight.grad = new SelectedRows([1], 2, full([1, 2], 0.5));
    bias!.grad = full([2], 0.5);
    net.to({ dtype: "float64" });
    assert.equal((weight.grad as SelectedRows).value.dtype, "float64");
    assert.equal((bias!.grad as NDArray).dtype, "float64");
    new optimizer.SGD({ learningRate: 0.1, parameters: net.parameters() }).step();
    assert.deepEqual([...bias!.data as Float64Array], [-0.05, -0.05]);
  });

  it("refuses a dtype of which Paddle has no Tensors", () => {
    const net = network();
    assert.throws(() => net.to({ dtype: "uint32" }), { code: "INVALID_VALUE", message: /no Tensor of uint32/ });
    assert.throws(() => net.to({ dtype: "half" as DType }), TypeError);
    assert.throws(() => net.to({} as { dtype: DType }), TypeError);
    assert.equal((net.get(0) as nn.Linear).weight.dtype, "float32");
  });
});
