import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { decode, encode, nn, type StateDict, Tensor, utils } from "../../mod.ts";

const ROOT = existsSync("../shared/real") ? "../shared/real" : "tests/fixtures/real";
const { guard } = utils.uniqueName;

class Block extends nn.Layer {
  fc = new nn.Linear(2, 2);
  norm = new nn.LayerNorm(2);
}

/** The network whose files are in `net`, line by line. */
class Net extends nn.Layer {
  scale = this.createParameter([2]);
  stem = new nn.Sequential(new nn.Conv2D(1, 2, 2), new nn.BatchNorm2D(2), new nn.ReLU());
  blocks = new nn.LayerList([new Block(), new Block()]);
  emb = new nn.Embedding(3, 2);
  rnn = new nn.LSTM(2, 2);
  attn = new nn.MultiHeadAttention(2, 1);
  tied = new nn.Linear(2, 2, { biasAttr: false });
  head = new nn.Linear(2, 2, { biasAttr: false });
  constructor(hasEmpty: boolean) {
    super();
    this.head.weight = this.tied.weight;
    this.registerBuffer("steps", Tensor.fromArray([7n], "int64"));
    this.registerBuffer("mask", Tensor.fromArray([true, false]));
    this.registerBuffer("hidden", Tensor.fromArray([1]), { persistable: false });
    this.registerBuffer("zero_d", Tensor.fromArray(2.5));
    if (hasEmpty) this.registerBuffer("empty", Tensor.zeros([0, 4]));
  }
}

const bytesOf = (path: string) => new Uint8Array(readFileSync(path));
const versions = readdirSync(ROOT).filter((name) => /^paddle-[23]\.[0-9.]+$/.test(name)).sort();

describe("a layer and a file that Paddle saved of the same layer", () => {
  for (const version of versions) {
    const net = `${ROOT}/${version}/net/net.pdparams`;
    if (existsSync(net)) {
      it(`have the same keys, order, names, shapes and dtypes, and the layer loads the values: a network, ${version}`, () => {
        guard(() => {
          const state = decode(bytesOf(net)) as StateDict;
          // 0-D tensors have one axis in files of old versions.
          const layer = new Net(state.has("empty"));
          const shape = (state.get("zero_d") as Tensor).shape;
          layer.registerBuffer("zero_d", Tensor.zeros(shape));
          const what = (tensors: Iterable<[string, unknown]>) =>
            [...tensors].map(([key, value]) => {
              const { name, dtype, shape } = value as Tensor;
              // Paddle does not guarantee the names of buffers.
              return [key, /^(steps|mask|zero_d|empty)$/.test(key) ? "" : name, dtype, shape];
            });
          assert.deepEqual(what(layer.stateDict()), what(state));
          const nothing = { missingKeys: [], unexpectedKeys: [] };
          assert.deepEqual(layer.setStateDict(state, { onWarning: (w) => assert.fail(w.message) }), nothing);
          for (const [key, tensor] of layer.stateDict()) assert.ok(tensor.equals(state.get(key) as Tensor), key);
          assert.equal(layer.head.weight, layer.tied.weight);
        });
      });
    }
    const linear = `${ROOT}/${version}/linear/linear.pdparams`;
    if (existsSync(linear)) {
      it(`have the same bytes when the layer is saved with the same values: a Linear, ${version}`, () => {
        guard(() => {
          const bytes = bytesOf(linear);
          const layer = new nn.Linear(3, 2);
          layer.setStateDict(decode(bytes) as StateDict);
          // The pickle begins with its protocol; numpy 2 writes other module names.
          const numpy = new TextDecoder("latin1").decode(bytes).includes("numpy._core") ? 2 : 1;
          assert.deepEqual(encode(layer, { protocol: bytes[1], numpy }), bytes);
        });
      });
    }
  }

  it("are compared for at least one version", () => {
    for (const name of ["net/net.pdparams", "linear/linear.pdparams"]) {
      assert.ok(versions.some((version) => existsSync(`${ROOT}/${version}/${name}`)), name);
    }
  });
});
