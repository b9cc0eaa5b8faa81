import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { isPaddleError, nn, seed, type Tensor, utils } from "../../mod.ts";
import { type Json, recorded, VERSIONS } from "../optimizer/recorded.ts";
import { makeLayer } from "./make_layer.ts";

/** Check that a random value is Paddle's: uniform ones to the bit, normal ones up to the rounding of a logarithm. */
function sameDraw(actual: number, expected: number, initializer: string): void {
  const bound = initializer === "Normal" ? 2 ** -22 * Math.max(1, Math.abs(expected)) : 0;
  assert.ok(Math.abs(actual - expected) <= bound, `${actual} is not ${expected}`);
}

function checkEntry([key, tensor]: [string, Tensor], expected: Json): void {
  assert.equal(key, expected.key);
  assert.ok(tensor instanceof nn.Parameter);
  const { name, shape, dtype, trainable, stopGradient, persistable, optimizeAttr } = tensor;
  assert.deepEqual({ name, shape, dtype, trainable, stopGradient, persistable, optimizeAttr }, {
    name: expected.name,
    shape: expected.shape,
    dtype: expected.dtype,
    trainable: expected.trainable,
    stopGradient: expected.stop_gradient,
    persistable: expected.persistable,
    optimizeAttr: { learningRate: expected.optimize_attr?.learning_rate ?? 1 },
  });
  const values = [...tensor.toFloat32Array()];
  if ("constant" in expected) assert.deepEqual(new Set(values), new Set([Math.fround(expected.constant)]));
  if (expected.seen) {
    sameDraw(Math.min(...values), expected.seen.min, expected.init.initializer);
    sameDraw(Math.max(...values), expected.seen.max, expected.init.initializer);
  }
  if (expected.zero_rows) {
    const zero = (tensor.toArray() as number[][]).flatMap((row, i) => row.every((x) => x === 0) ? [i] : []);
    assert.deepEqual(zero, expected.zero_rows);
  }
}

for (const version of VERSIONS) {
  const data = recorded(version, "layers");
  if (!data) continue;
  describe(`layers, as in Paddle ${version}`, () => {
    for (const c of data.cases) {
      it(`${c.error ? "are refused" : "match what was recorded"}: ${c.name}`, () => {
        seed(7);
        utils.uniqueName.guard(() => {
          const create = () => makeLayer([c.class, c.args, c.options], version);
          if (c.error) {
            assert.throws(create, (error) => isPaddleError(error) && error.code === "INVALID_VALUE");
            return;
          }
          const layer = create();
          assert.equal(layer.fullName(), c.full_name);
          const state = [...layer.stateDict()];
          assert.deepEqual(state.map(([key]) => key), c.state.map((row: Json) => row.key));
          state.forEach((entry, i) => checkEntry(entry, c.state[i]));
          assert.deepEqual(layer.namedParameters().map(([key]) => key), c.named_parameters);
          assert.deepEqual(
            layer.namedBuffers().map(([key, b]) => [key, b.name, b.shape, b.persistable, b.stopGradient]),
            c.named_buffers,
          );
          assert.deepEqual(
            layer.namedSublayers().map(([key, l]) => [key, classOf(l), l.fullName()]),
            c.named_sublayers,
          );
          assert.equal(layer.training, c.training);
        });
      });
    }
  });
}

describe("nn.Transformer", () => {
  it("can have no encoder layers, for which Paddle uses up the names of one all the same", () => {
    utils.uniqueName.guard(() => {
      const net = new nn.Transformer({
        dModel: 2,
        nhead: 1,
        numEncoderLayers: 0,
        numDecoderLayers: 1,
        dimFeedforward: 3,
      });
      const names = [...net.stateDict()].map(([key, { name }]) => `${key} ${name}`);
      assert.deepEqual(names.slice(0, 3), [
        "encoder.norm.weight layer_norm_2.w_0",
        "encoder.norm.bias layer_norm_2.b_0",
        "decoder.layers.0.self_attn.q_proj.weight linear_6.w_0",
      ]);
      assert.equal((net.decoder as nn.TransformerDecoder).layers.length, 1);
      assert.throws(() => new nn.Transformer({ numDecoderLayers: -1 }), (error) => isPaddleError(error));
    });
  });
});

function classOf(layer: nn.Layer): string {
  return (layer.constructor as unknown as { className: string }).className;
}
