import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import {
  decode,
  encode,
  fromArray,
  isPaddleError,
  nn,
  optimizer,
  type StateDict,
  Tensor,
  utils,
  type Value,
} from "../../mod.ts";
import { recorded, VERSIONS } from "../optimizer/recorded.ts";

const { guard } = utils.uniqueName;

class Net extends nn.Layer {
  extra = this.createParameter([2]);
  fc = new nn.Linear(2, 2);
  other = this.createParameter([3], { isBias: true });
  plain: Tensor;
  shared: nn.Linear;
  again: nn.Parameter;
  none = null;
  constructor() {
    super();
    this.registerBuffer("kept", Tensor.zeros([1]));
    this.registerBuffer("dropped", Tensor.zeros([1]), { persistable: false });
    this.plain = Tensor.zeros([1]);
    this.shared = this.fc;
    this.again = this.fc.weight;
  }
}

const names = (pairs: Iterable<readonly [string, Tensor]>) => [...pairs].map(([key, { name }]) => [key, name]);
const withCode = (code: string) => (error: unknown) => isPaddleError(error) && error.code === code;

describe("nn.Layer", () => {
  it("registers what its fields are assigned, in order and with names as in Paddle", () => {
    let seen = 0;
    for (const version of VERSIONS) {
      const counters = recorded(version, "layers")?.counters;
      if (!counters) continue;
      seen++;
      guard(() => {
        const two = [new nn.Linear(2, 2), new nn.Linear(2, 2)];
        const of = (...layers: nn.Layer[]) => layers.flatMap((layer) => layer.parameters().map((p) => p.name));
        assert.deepEqual(of(...two), counters["two Linear"]);
        assert.deepEqual(of(new nn.Conv2D(1, 1, 1)), counters["a Conv2D after them"]);
        assert.deepEqual(of(new nn.Linear(2, 2)), counters["a Linear after it"]);
        guard(() => assert.deepEqual(of(new nn.Linear(2, 2)), counters["inside unique_name.guard()"]));
        assert.deepEqual(of(new nn.Linear(2, 2)), counters["after the guard"]);
        guard("pre_", () => assert.deepEqual(of(new nn.Linear(2, 2)), counters["inside unique_name.guard('pre_')"]));
        for (const which of ["class Net", "a second Net"]) {
          const net = new Net();
          assert.equal(net.fullName(), counters[`${which}: full_name`]);
          // Paddle does not guarantee a buffer's own name.
          const state = names(net.stateDict()).map(([key, name]) => [key, key === "kept" ? "" : name]);
          const expected = counters[`${which}: state`].map(([k, name]: string[]) => [k, k === "kept" ? "" : name]);
          assert.deepEqual(state, expected);
          if (which === "a second Net") continue;
          assert.deepEqual(names(net.namedParameters()), counters["class Net: named_parameters"]);
          assert.deepEqual(net.namedBuffers().map(([key]) => key), counters["class Net: named_buffers"]);
          assert.deepEqual(net.namedSublayers().map(([key]) => key), counters["class Net: named_sublayers"]);
        }
        class CamelCaseHTTPNet extends nn.Layer {}
        assert.equal(new CamelCaseHTTPNet().fullName(), counters["class CamelCaseHTTPNet: full_name"]);
        assert.equal(new nn.Layer("My_Scope").fullName(), counters["Layer(name_scope='My_Scope')"]);
        assert.equal(new nn.Sequential().fullName(), counters["Sequential full_name"]);
        assert.deepEqual(of(new nn.Linear(2, 2, { name: "mine" })), counters["Linear(name='mine')"]);
      });
    }
    assert.ok(seen > 0, "no recording has names");
  });

  it("is named after its class, or its className", () => {
    class MyLinear extends nn.Linear {}
    class N extends nn.Layer {
      static readonly className = "BigNet2D";
    }
    class M extends N {}
    guard(() => {
      assert.deepEqual([new MyLinear(1, 1), new N(), new M()].map((l) => l.fullName()), [
        "my_linear_0",
        "big_net2d_0",
        "m_0",
      ]);
      assert.equal(new MyLinear(1, 1).weight.name, "my_linear_1.w_0");
    });
  });

  it("is named as in a single process if its class is one of Paddle's tensor-parallel ones", () => {
    class ColumnParallelLinear extends nn.Layer {}
    class RowParallelLinear extends nn.Layer {}
    class VocabParallelEmbedding extends nn.Layer {}
    guard(() => {
      const names = [ColumnParallelLinear, RowParallelLinear, VocabParallelEmbedding].map((Class) =>
        new Class().fullName()
      );
      assert.deepEqual(names, ["linear_0", "linear_1", "embedding_0"]);
      assert.equal(new nn.Layer("row_parallel_linear").fullName(), "row_parallel_linear_0");
    });
  });

  it("leaves private fields, methods and getters of a subclass alone", () => {
    class Counter extends nn.Layer {
      #calls = 0;
      #hidden = new nn.Linear(1, 1);
      fc = new nn.Linear(2, 1);
      call(): number {
        return ++this.#calls + this.#secret();
      }
      #secret(): number {
        return this.#hidden.weight.size * 10;
      }
      get calls(): number {
        return this.#calls;
      }
      set gain(value: number) {
        this.#calls = value;
      }
    }
    const counter = new Counter();
    assert.deepEqual([counter.call(), counter.call(), counter.calls], [11, 12, 2]);
    counter.gain = 7;
    assert.equal(counter.calls, 7);
    assert.deepEqual([...counter.stateDict().keys()], ["fc.weight", "fc.bias"]);
    assert.ok(counter instanceof nn.Layer && counter instanceof Counter);
  });

  it("can change what a name stands for, and forgets what is deleted", () => {
    const layer = new nn.Layer() as nn.Layer & Record<string, unknown>;
    const keys = () => [layer.stateDict(), layer.toStaticStateDict()].map((state) => [...state.keys()].join());
    layer.a = Tensor.zeros([1]);
    assert.deepEqual(keys(), ["", "a"]);
    layer.a = new nn.Linear(1, 1, { biasAttr: false });
    layer.b = new nn.ReLU();
    assert.deepEqual(keys(), ["a.weight", "a.weight"]);
    layer.a = layer.createParameter([1]);
    assert.deepEqual(keys(), ["a", "a"]);
    delete layer.a;
    assert.deepEqual([...keys(), "a" in layer], ["", "", false]);
    // Registering a buffer that was not saved makes it a saved one.
    layer.c = Tensor.zeros([1]);
    layer.registerBuffer("c", Tensor.full([1], 2));
    assert.deepEqual(keys(), ["c", "c"]);
    layer.c = Tensor.full([1], 3);
    assert.equal(layer.stateDict().get("c")!.at(0), 3);
    delete layer.c;
    delete layer.b;
    assert.deepEqual(layer.children(), []);
  });

  it("behaves as a plain object for all other fields", () => {
    const layer = new nn.Layer() as nn.Layer & Record<string, unknown>;
    layer.list = [new nn.Linear(1, 1)];
    layer.number = 3;
    layer[Symbol.for("x") as unknown as string] = new nn.Linear(1, 1);
    assert.deepEqual([layer.stateDict().size, layer.number], [0, 3]);
    assert.deepEqual(Object.keys(layer), ["training", "list", "number"]);
  });

  it("refuses a field value that does not fit what the name stands for", () => {
    const layer = new nn.Linear(1, 1) as unknown as Record<string, unknown>;
    assert.throws(() => layer.weight = 3, withCode("INVALID_VALUE"));
    assert.throws(() => layer.weight = fromArray([1]), withCode("INVALID_VALUE"));
    layer.weight = null;
    assert.deepEqual([...(layer as unknown as nn.Layer).stateDict().keys()], ["bias"]);
    layer.weight = new nn.Parameter("float32", [1]);
    assert.deepEqual([...(layer as unknown as nn.Layer).stateDict().keys()], ["weight", "bias"]);
    class Forgetful extends nn.Linear {
      // @ts-ignore: what a program without types, or with a forgotten `declare`, does
      weight;
    }
    assert.throws(() => new Forgetful(1, 1), /declare weight/);
  });

  it("adds parameters, buffers and sublayers by name, and refuses invalid names", () => {
    const layer = new nn.Layer();
    const p = layer.addParameter("p", layer.createParameter([1]));
    assert.equal((layer as unknown as { p: unknown }).p, p);
    layer.addSublayer("0", new nn.ReLU());
    layer.addSublayer("train", new nn.Linear(1, 1));
    assert.equal(typeof layer.train, "function");
    assert.deepEqual([...layer.stateDict().keys()], ["p", "train.weight", "train.bias"]);
    layer.registerBuffer("b", null);
    assert.throws(() => layer.addParameter("a.b", p), withCode("INVALID_VALUE"));
    assert.throws(() => layer.addParameter("", p), withCode("INVALID_VALUE"));
    assert.throws(() => layer.addParameter("0", p), withCode("NAME_COLLISION"));
    assert.throws(() => layer.addParameter("b", p), withCode("NAME_COLLISION"));
    assert.throws(() => layer.addParameter("apply", p), withCode("NAME_COLLISION"));
    assert.throws(() => layer.registerBuffer("p", Tensor.zeros([1])), withCode("NAME_COLLISION"));
    assert.throws(() => layer.registerBuffer("q", p), withCode("INVALID_VALUE"));
    assert.throws(() => layer.addSublayer("x", 3 as unknown as nn.Layer), withCode("INVALID_VALUE"));
  });

  it("shows under a name that a layer was added over what Paddle shows, and saves both", () => {
    const added = new nn.ReLU();
    const over: [what: string, fill: (layer: nn.Layer) => unknown, keys: string[], isShown: boolean][] = [
      ["a buffer", (layer) => layer.registerBuffer("a", Tensor.zeros([1])), ["a"], true],
      ["a tensor", (layer) => Object.assign(layer, { a: Tensor.zeros([1]) }), [], true],
      ["a parameter", (layer) => layer.addParameter("a", layer.createParameter([1])), ["a"], false],
      ["a number", (layer) => Object.assign(layer, { a: 3 }), [], false],
      ["another layer", (layer) => layer.addSublayer("a", new nn.Tanh()), [], true],
    ];
    for (const [what, fill, keys, isShown] of over) {
      const layer = new nn.Layer();
      fill(layer);
      assert.equal(layer.addSublayer("a", added), added);
      assert.equal(Reflect.get(layer, "a") === added, isShown, what);
      assert.deepEqual(layer.children(), [added], what);
      assert.deepEqual([...layer.stateDict().keys()], keys, what);
    }
  });

  it("refuses what is not a Parameter, a Tensor or a Layer, but reserves a name with null", () => {
    const layer = new nn.Layer();
    const wrong = Tensor.zeros([1]) as nn.Parameter;
    assert.throws(() => layer.addParameter("p", wrong), {
      code: "INVALID_VALUE",
      message: /takes a Parameter or null/,
    });
    const array = fromArray([1]) as Tensor;
    assert.throws(() => layer.registerBuffer("b", array), { code: "INVALID_VALUE", message: /takes a Tensor/ });
    assert.throws(() => layer.registerBuffer("b", Tensor.zeros([1]), { persistible: true } as object), TypeError);
    assert.equal(layer.addParameter("p", null), null);
    assert.equal(layer.addSublayer("s", null), null);
    layer.registerBuffer("b", null);
    const shown = layer as unknown as Record<string, unknown>;
    assert.deepEqual([shown.p, shown.s, shown.b], [null, null, null]);
    for (const [name, kind] of [["p", "parameter"], ["s", "sublayer"], ["b", "buffer"]]) {
      assert.throws(() => shown[name] = 3, {
        code: "INVALID_VALUE",
        message: new RegExp(`The ${kind} "${name}" can be`),
      });
    }
    assert.deepEqual([layer.parameters(), layer.children(), layer.buffers()], [[], [], []]);
  });

  it("lists a child once that has two names, and leaves out reserved ones", () => {
    const layer = new nn.Layer() as nn.Layer & Record<string, unknown>;
    layer.addSublayer("none", null);
    layer.a = new nn.ReLU();
    layer.b = layer.a;
    assert.deepEqual(layer.namedChildren(), [["a", layer.a]]);
    assert.deepEqual(layer.sublayers(), [layer.a]);
  });

  it("names buffers that have no name", () => {
    guard(() => {
      const layer = new nn.Layer() as nn.Layer & Record<string, Tensor>;
      layer.registerBuffer("a", Tensor.zeros([1]));
      layer.b = Tensor.zeros([1]);
      layer.c = Tensor.from(Tensor.zeros([1]), { name: "mine" });
      assert.deepEqual(layer.buffers().map(({ name }) => name), ["_buffers_a_0", "_buffers_b_0", "mine"]);
    });
  });

  it("calls hooks for static state dicts, too, and not when a state dict is set", () => {
    const layer = new nn.Linear(1, 1);
    layer.registerStateDictHook((state) => void state.delete("bias"));
    assert.deepEqual([...layer.toStaticStateDict().keys()], ["weight"]);
    assert.throws(() => layer.toStaticStateDict({ prefix: "x" } as unknown as nn.StateDictOptions), TypeError);
    assert.throws(() => layer.loadStateDict({ weight: Tensor.zeros([1, 1]) }), /missing: "bias"$/);
    assert.throws(() => layer.loadStateDict({}, { strikt: true } as object), TypeError);
    assert.throws(() => layer.setStateDict({}, { useStructuredNames: true } as object), TypeError);
  });

  it("detects a layer that contains itself", () => {
    const a = new nn.Layer(), b = new nn.Layer();
    a.addSublayer("b", b);
    b.addSublayer("a", a);
    assert.throws(() => a.stateDict(), withCode("CYCLE"));
    assert.deepEqual(a.sublayers({ includeSelf: true }), [a, b]);
  });

  it("sets training and evaluation mode for all sublayers", () => {
    const net = new Net();
    assert.equal(net.eval(), net);
    assert.deepEqual([net.training, net.fc.training], [false, false]);
    net.train();
    assert.deepEqual([net.training, net.fc.training], [true, true]);
    const seen: string[] = [];
    guard(() =>
      new nn.Sequential(new nn.ReLU(), new nn.Sequential(new nn.ReLU())).apply((l) => seen.push(l.fullName()))
    );
    assert.deepEqual(seen, ["re_lu_0", "re_lu_1", "sequential_0", "sequential_1"]);
  });

  it("makes state dicts with a prefix, without sublayers, into a given dict, and with all buffers", () => {
    const net = new Net();
    const prefixed = net.stateDict({ structuredNamePrefix: "net.", includeSublayers: false });
    assert.deepEqual([...prefixed.keys()], ["net.extra", "net.other", "net.again", "net.kept"]);
    assert.equal(net.stateDict({ destination: prefixed }), prefixed);
    assert.deepEqual([...net.toStaticStateDict({ includeSublayers: false }).keys()].slice(3), [
      "kept",
      "dropped",
      "plain",
    ]);
    assert.throws(() => net.stateDict({ prefix: "x" } as unknown as nn.StateDictOptions), TypeError);
  });

  it("runs hooks on its state dicts", () => {
    const net = new nn.Sequential(new nn.Linear(1, 1));
    const remove = net.registerStateDictHook((state) => void state.delete("0.bias"));
    assert.deepEqual([...net.stateDict().keys()], ["0.weight"]);
    assert.deepEqual(net.setStateDict({}, { onWarning: () => {} }).missingKeys, ["0.weight", "0.bias"]);
    remove();
    assert.equal(net.stateDict().size, 2);
  });

  it("runs a hook as often as it is registered", () => {
    const net = new nn.Layer();
    let calls = 0;
    const hook = () => void calls++;
    const remove = net.registerStateDictHook(hook);
    net.registerStateDictHook(hook);
    net.stateDict();
    assert.equal(calls, 2);
    remove();
    remove();
    net.stateDict();
    assert.equal(calls, 3);
  });

  it("keeps the dict that a hook of a layer below replaces for itself, as Paddle does", () => {
    const below = new nn.Sequential(new nn.Linear(1, 1));
    const net = new nn.Sequential(new nn.Linear(1, 1), below);
    const withoutBias = (state: Map<string, Tensor>) => new Map([...state].filter(([key]) => !key.endsWith("bias")));
    const remove = below.registerStateDictHook(withoutBias);
    assert.deepEqual([...net.stateDict().keys()], ["0.weight", "0.bias", "1.0.weight", "1.0.bias"]);
    assert.deepEqual([...below.stateDict().keys()], ["0.weight"]);
    remove();
    net.registerStateDictHook(withoutBias);
    assert.deepEqual([...net.stateDict().keys()], ["0.weight", "1.0.weight"]);
  });

  it("clears the gradients of trainable parameters", () => {
    const { weight, bias } = new nn.Linear(1, 1);
    weight.grad = fromArray([[2]], "float32");
    bias!.grad = fromArray([3], "float32");
    bias!.trainable = false;
    const layer = new nn.Layer();
    layer.addParameter("weight", weight);
    layer.addParameter("bias", bias);
    layer.clearGradients();
    assert.deepEqual([weight.grad, bias!.grad].map((g) => (g as Tensor).toArray()), [[[0]], [3]]);
    layer.clearGradients(false);
    assert.equal(weight.grad, null);
  });
});

describe("a Layer passed to save", () => {
  const roundTrip = (value: Value) => decode(encode(value));

  it("is written as its state dict", () => {
    const net = new nn.Linear(3, 2);
    assert.deepEqual(encode(net), encode(net.stateDict()));
  });

  it("is written inside other values, with its parameters' names", () => {
    const net = new nn.Linear(3, 2);
    const back = roundTrip(new Map<string, unknown>([["model", net], ["all", [net]], ["epoch", 3]])) as StateDict;
    const weight = (back.get("model") as StateDict).get("weight") as Tensor;
    assert.ok(weight.equals(net.weight) && weight.name === net.weight.name);
    assert.equal((back.get("all") as StateDict[])[0].size, 2);
    assert.equal(back.get("epoch"), 3);
  });

  it("is accepted, unlike a scheduler", () => {
    const scheduler = new optimizer.lr.NoamDecay({ dModel: 1, warmupSteps: 2 });
    assert.throws(() => encode(new Map([["lr", scheduler]])), withCode("INVALID_VALUE"));
  });
});
