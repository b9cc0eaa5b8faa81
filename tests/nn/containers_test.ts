import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { createParameter, isPaddleError, nn, utils } from "../../mod.ts";

const { guard } = utils.uniqueName;
const keys = (layer: nn.Layer) => [...layer.stateDict().keys()].join();
const linear = (n = 1) => new nn.Linear(n, n, { biasAttr: false });
const isInvalid = (error: unknown) => isPaddleError(error) && error.code === "INVALID_VALUE";

describe("nn.Sequential", () => {
  it("is changed as in Paddle: by name, at the end, and before an index", () => {
    const net = new nn.Sequential(linear());
    assert.equal(keys(net.append(linear()).extend([linear()])), "0.weight,1.weight,2.weight");
    const first = net.get(0), inserted = linear();
    assert.equal(keys(net.insert(-3, inserted)), "0.weight,1.weight,2.weight,3.weight");
    assert.ok(net.get(0) === inserted && net.get(1) === first);
    net.delete(1);
    net.set("last", linear());
    assert.equal(keys(net), "0.weight,2.weight,3.weight,last.weight");
    assert.throws(() => net.insert(0, linear()), { code: "INVALID_VALUE", message: /no layer "1"/ });
    assert.equal(keys(net), "0.weight,2.weight,3.weight,last.weight");
    assert.throws(() => net.delete(1), { code: "INVALID_VALUE" });
    assert.throws(() => new nn.Sequential().insert(1, linear()), { code: "INVALID_VALUE" });
  });

  it("inserts before an index whatever the names before it are, as Paddle does", () => {
    const [a, b, c] = [linear(), linear(), linear()];
    const net = new nn.Sequential(["first", a], ["1", b]);
    assert.equal(keys(net.insert(1, c)), "first.weight,1.weight,2.weight");
    assert.deepEqual([...net], [a, c, b]);
    assert.equal(keys(net.insert(3, linear())), "first.weight,1.weight,2.weight,3.weight");
  });

  it("can be extended by its own layers, as a LayerList can", () => {
    const net = new nn.Sequential(linear(), linear());
    assert.equal(keys(net.extend(net)), "0.weight,1.weight,2.weight,3.weight");
    assert.equal(net.get(3), net.get(1));
    const list = new nn.LayerList([linear()]);
    assert.equal(keys(list.extend(list)), "0.weight,1.weight");
  });

  it("gives a part of itself, numbered anew, over the same layers, as a LayerList does", () => {
    guard(() => {
      const net = new nn.Sequential(["a", linear()], ["b", linear()], ["c", linear()]);
      const part = net.slice(1);
      assert.equal(keys(part), "0.weight,1.weight");
      assert.ok(part.get(0) === net.get(1) && part.fullName() === "sequential_1");
      const list = new nn.LayerList(net);
      assert.deepEqual([...list.slice(-2, -1)], [net.get(1)]);
      assert.equal(list.slice(5).length, 0);
      assert.equal(list.slice().fullName(), "layer_list_3");
    });
  });

  it("is created from layers, from pairs, or from a Map", () => {
    assert.equal(keys(new nn.Sequential(linear(), new nn.ReLU(), linear())), "0.weight,2.weight");
    assert.equal(keys(new nn.Sequential(["b", linear()], ["a", linear()])), "b.weight,a.weight");
    assert.equal(keys(new nn.Sequential(new Map([["x", linear()], ["y", linear()]]))), "x.weight,y.weight");
    assert.equal(keys(new nn.Sequential()), "");
  });

  it("keeps the order beyond ten layers", () => {
    const layers = Array.from({ length: 12 }, () => linear());
    const expected = layers.map((_, i) => `${i}.weight`).join();
    assert.equal(keys(new nn.Sequential(...layers)), expected);
  });

  it("gives its layers by index and by name", () => {
    const layers = [linear(), new nn.ReLU()];
    const net = new nn.Sequential(...layers);
    assert.deepEqual([net.get(0), net.get(-1), net.get("1"), net.length, [...net]], [
      layers[0],
      layers[1],
      layers[1],
      2,
      layers,
    ]);
    assert.throws(() => net.get(2), isInvalid);
    assert.throws(() => net.get("2"), isInvalid);
  });
});

describe("nn.LayerList", () => {
  it("grows, changes and shrinks like a Python list", () => {
    const [a, b, c, d] = Array.from({ length: 4 }, () => linear());
    const list = new nn.LayerList([a, b]);
    list.append(c).extend([d]);
    assert.deepEqual([...list], [a, b, c, d]);
    list.insert(1, d);
    assert.deepEqual([...list], [a, d, b, c, d]);
    list.delete(0);
    assert.equal(list.pop(-1), d);
    assert.deepEqual([...list], [d, b, c]);
    list.set(-1, a);
    assert.deepEqual([list.get(2), list.get(-3), list.length], [a, d, 3]);
    assert.equal(keys(list), "0.weight,1.weight,2.weight");
    assert.throws(() => list.get(3), isInvalid);
    assert.throws(() => list.pop(3), isInvalid);
    assert.throws(() => list.append(3 as unknown as nn.Layer), isInvalid);
  });
});

describe("a subclass of nn.LayerList with a layer in a field", () => {
  class Blocks extends nn.LayerList {
    norm = linear();
  }
  const [a, b, c] = [linear(), linear(), linear()];

  it("keeps the field's name where Paddle does, and has nothing at its index", () => {
    const list = new Blocks([a, b]);
    assert.equal(keys(list.append(c)), "0.weight,1.weight,norm.weight,3.weight");
    assert.throws(() => list.get(2), isInvalid);
    assert.throws(() => list.delete(2), isInvalid);
    assert.throws(() => list.insert(0, c), isInvalid);
    assert.equal(keys(list), "0.weight,1.weight,norm.weight,3.weight");
    list.insert(4, a);
    assert.equal(keys(list), "0.weight,1.weight,norm.weight,3.weight,4.weight");
    assert.deepEqual([list.get(3), list.get(-1)], [c, a]);
  });

  it("numbers its layers after one is removed, the field's too, as Paddle does", () => {
    const list = new Blocks([a, b]);
    list.delete(0);
    assert.equal(keys(list), "0.weight,1.weight");
    assert.equal(list.get(0), b);
  });

  it("keeps all layers by which it is extended", () => {
    const list = new nn.LayerList();
    list.addSublayer(1, a);
    assert.deepEqual([...list.extend([b, c])], [b, c]);
    assert.equal(keys(list), "1.weight,2.weight");
  });
});

describe("nn.LayerDict", () => {
  it("accepts any names, including those of its methods and of Object", () => {
    const dict = new nn.LayerDict([["keys", linear()], ["constructor", linear()], ["__proto__", linear()]]);
    assert.equal(keys(dict), "keys.weight,constructor.weight,__proto__.weight");
    assert.deepEqual([...dict.keys()], ["keys", "constructor", "__proto__"]);
    assert.ok(dict.get("keys") instanceof nn.Linear && dict.constructor === nn.LayerDict);
  });

  it("is created from an object or a Map, and changes like a Map", () => {
    const [a, b] = [linear(), linear()];
    const dict = new nn.LayerDict({ a });
    dict.set("b", b).update(new Map([["c", a]]));
    assert.deepEqual([[...dict.values()], dict.has("c"), dict.get("d"), dict.length], [[a, b, a], true, undefined, 3]);
    assert.equal(dict.pop("a"), a);
    assert.equal(keys(dict), "b.weight,c.weight");
    assert.deepEqual([...dict].map(([name]) => name), ["b", "c"]);
    assert.throws(() => dict.pop("a"), isInvalid);
    dict.addSublayer("reserved", null);
    dict.clear();
    assert.deepEqual([dict.length, "b" in dict], [0, false]);
  });
});

describe("nn.ParameterList and nn.ParameterDict", () => {
  const parameter = () => createParameter([1])!;

  it("hold parameters in order", () => {
    const [a, b, c] = [parameter(), parameter(), parameter()];
    const list = new nn.ParameterList([a, b]).append(c);
    assert.deepEqual([[...list], list.get(-1), list.length, keys(list)], [[a, b, c], c, 3, "0,1,2"]);
    list.set(0, c);
    assert.equal(list.parameters().length, 2);
    const dict = new nn.ParameterDict({ z: a, a: b }).set("train", c);
    assert.deepEqual([keys(dict), dict.get("train"), dict.length, [...dict.keys()]], ["z,a,train", c, 3, [
      "z",
      "a",
      "train",
    ]]);
    assert.deepEqual([[...dict.values()], [...dict][0]], [[a, b, c], ["z", a]]);
    assert.equal(typeof dict.train, "function");
    assert.throws(() => list.append(linear() as unknown as nn.Parameter), isInvalid);
  });
});

describe("names in nn.ParameterList and nn.ParameterDict", () => {
  const parameter = () => createParameter([1])!;

  it("are refused where Paddle refuses them: with a dot, empty, or taken by something else", () => {
    assert.throws(() => new nn.ParameterDict({ "a.b": parameter() }), isInvalid);
    assert.throws(() => new nn.ParameterDict().update([["", parameter()]]), isInvalid);
    const list = new nn.ParameterList([parameter()]);
    list.addSublayer(1, linear());
    assert.throws(() => list.append(parameter()), { code: "NAME_COLLISION" });
    assert.throws(() => list.get(1), isInvalid);
    list.addParameter("extra", parameter());
    assert.throws(() => list.get(1), isInvalid);
    assert.equal(keys(new nn.ParameterDict({ keys: parameter(), update: parameter() })), "keys,update");
  });
});

describe("arguments of layers", () => {
  it("can be given by position, by name or both, and are kept in config", () => {
    guard(() => {
      const shapes = [
        new nn.Linear(4, 3, null, false),
        new nn.Linear(4, 3, { biasAttr: false }),
        new nn.Linear({ inFeatures: 4, outFeatures: 3, biasAttr: false }),
      ].map((layer) => layer.parameters().map((p) => p.shape));
      assert.deepEqual(shapes, [[[4, 3]], [[4, 3]], [[4, 3]]]);
      const { config } = new nn.Conv2D(3, 8, 3, { stride: 2, padding: 1 });
      assert.deepEqual([config.stride, config.padding, config.dilation, config.dataFormat], [2, 1, 1, "NCHW"]);
      assert.deepEqual(new nn.MaxPool2D(2, { ceilMode: true }).config.ceilMode, true);
    });
  });

  it("are refused when they are unknown, missing or too many", () => {
    const Linear = nn.Linear as unknown as new (...args: unknown[]) => nn.Layer;
    assert.throws(() => new Linear(4), /Linear needs the argument "outFeatures"/);
    assert.throws(() => new Linear(4, 3, { biasAtr: false }), /no argument "biasAtr": the nearest is "biasAttr"/);
    assert.throws(() => new Linear(4, 3, { inFeatures: 4 }), /"inFeatures" twice/);
    assert.throws(() => new Linear(4, 3, null, null, null, 7), /takes 5 arguments by position: got 6/);
    assert.throws(() => new nn.GroupNorm(2, 4, { paddle: "2.x" as "2.4" }), isInvalid);
    assert.throws(() => new nn.ReLU({ axis: 1 }), /ReLU has no argument "axis"/);
  });
});
