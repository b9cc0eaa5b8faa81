import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import {
  fromArray,
  isPaddleError,
  NDArray,
  nn,
  NumpyScalar,
  OrderedDict,
  Tensor,
  toObject,
  Tuple,
  utils,
} from "../../mod.ts";
import { type Json, recorded, VERSIONS } from "../optimizer/recorded.ts";

const { guard } = utils.uniqueName;

/** Set a state dict; returns what Paddle returns, and the warnings. */
function set(layer: nn.Layer, state: Map<unknown, unknown> | Record<string, unknown>, options = {}): Json {
  const warnings: string[] = [];
  const onWarning = ({ message }: { message: string }) => void warnings.push(message);
  const { missingKeys, unexpectedKeys } = layer.setStateDict(state, { ...options, onWarning });
  return { missingKeys, unexpectedKeys, warnings };
}

const small = () => new nn.Sequential(new nn.Linear(3, 2), new nn.BatchNorm1D(2));
const numbers = (layer: nn.Layer) => layer.parameters().map((p) => p.toArray());

describe("Layer.setStateDict", () => {
  for (const version of VERSIONS) {
    // Up to 2.4 it returns nothing.
    const cases = recorded(version, "messages")?.cases;
    if (!cases || /^2\.[0-4]/.test(version)) continue;
    const expected = (name: string): Json => {
      const c = cases.find((c: Json) => c.name === `layer, ${name}`);
      const [missing, unexpected] = c.result.dict[0][1].tuple;
      return { missingKeys: missing.list, unexpectedKeys: unexpected.list, warnings: c.warnings ?? [] };
    };

    it(`gives the keys and warnings of Paddle ${version}`, () => {
      guard(() => {
        const a = small(), b = small();
        const state = () => new Map<unknown, unknown>(a.stateDict());
        assert.deepEqual(set(b, a.stateDict()), expected("complete"));
        assert.deepEqual(numbers(b), numbers(a));
        const missing = state();
        missing.delete("0.weight");
        assert.deepEqual(set(b, missing), expected("a key missing"));
        assert.deepEqual(set(b, state().set("more", Tensor.zeros([1]))), expected("an extra key"));
        assert.deepEqual(set(b, state().set("0.weight", Tensor.zeros([2, 3]))), expected("a wrong shape"));
        const table = state().set("StructuredToParameterName@@", new Map());
        assert.deepEqual(set(b, table), expected("a name table"));
        const byName = new Map([...b.stateDict()].map(([, tensor]) => [tensor.name, tensor]));
        assert.deepEqual(set(b, byName, { useStructuredName: false }), expected("parameter names"));
        assert.deepEqual(
          set(b, state(), { useStructuredName: false }),
          expected("structured keys but use_structured_name=False"),
        );
        assert.deepEqual(set(b, {}), expected("empty"));
      });
    });
  }

  it("skips a numpy scalar where an array is expected, as its shape is []", () => {
    const layer = small(), state = new Map<string, unknown>(layer.stateDict());
    // The answer of Paddle 2.6 and 3.3; for a parameter that has no axes either, they stop.
    assert.deepEqual(set(layer, state.set("0.weight", new NumpyScalar("float32", 1))), {
      missingKeys: ["0.weight"],
      unexpectedKeys: ["0.weight"],
      warnings: ["Skip loading for 0.weight. 0.weight receives a shape [], but the expected shape is [3, 2]."],
    });
    const scalar = new nn.Layer();
    scalar.addParameter("s", scalar.createParameter([]));
    assert.throws(() => set(scalar, { s: new NumpyScalar("float32", 1) }), { code: "INVALID_VALUE", at: "s" });
  });

  it("changes nothing when one entry cannot be set, and never casts", () => {
    const layer = small();
    const before = numbers(layer);
    const bad: [string, unknown][] = [
      ["0.weight", Tensor.zeros([3, 2], "float64")],
      ["0.weight", Tensor.zeros([3, 2], "float16")],
      ["0.weight", [[1, 2], [3, 4], [5, 6]]],
      ["0.bias", 3],
      ["0.bias", Tuple.of(1, 2)],
      ["1._variance", new NDArray("uint16", [2])],
    ];
    for (const [key, value] of bad) {
      const state = new Map<string, unknown>([...layer.stateDict()].map(([k, t]) => [k, Tensor.full(t.shape, 9)]));
      assert.throws(() => set(layer, state.set(key, value)), (error) => {
        return isPaddleError(error) && error.code === "INVALID_VALUE" && error.at === key;
      });
      assert.deepEqual(numbers(layer), before);
    }
    assert.throws(() => set(layer, 3 as unknown as Map<unknown, unknown>), isPaddleError);
  });

  it("keeps the tensors, and copies into them", () => {
    const layer = new nn.Linear(2, 1);
    const { weight } = layer;
    const given = fromArray([[1], [2]], "float32");
    set(layer, toObject(new OrderedDict([["weight", given]])));
    assert.equal(layer.weight, weight);
    given.set(7, 0, 0);
    assert.deepEqual(weight.toArray(), [[1], [2]]);
  });

  it("treats a list of another length as a wrong shape, as Paddle does, and uint16 as bfloat16", () => {
    const layer = new nn.Layer();
    layer.addParameter("p", layer.createParameter([2], { dtype: "bfloat16" }));
    const result = set(layer, { p: [1, 2, 3] });
    assert.deepEqual(result.warnings, ["Skip loading for p. p receives the length of 3, but the expected shape is 2"]);
    assert.deepEqual(result, { ...result, missingKeys: ["p"], unexpectedKeys: ["p"] });
    assert.deepEqual(set(layer, { p: null }).missingKeys, ["p"]);
    set(layer, { p: NDArray.fromArray([0x3f80, 0x4000], "uint16") });
    assert.deepEqual(layer.stateDict().get("p")!.toArray(), [1, 2]);
  });

  it("fills every key of a parameter that has two", () => {
    const lstm = new nn.LSTM(2, 2);
    const state = new Map([...new nn.LSTM(2, 2).stateDict()]);
    assert.deepEqual(set(lstm, state), { missingKeys: [], unexpectedKeys: [], warnings: [] });
    assert.deepEqual(numbers(lstm), [...state.values()].slice(0, 4).map((t) => t.toArray()));
    state.delete("0.cell.bias_hh");
    assert.deepEqual(set(lstm, state).missingKeys, ["0.cell.bias_hh"]);
  });

  it("can be strict: then nothing is set when keys are missing or unexpected", () => {
    const layer = new nn.Linear(1, 1);
    const state = { weight: Tensor.full([1, 1], 5), bias: Tensor.full([1], 6) };
    assert.deepEqual(layer.loadStateDict(state), { missingKeys: [], unexpectedKeys: [] });
    const bad = { weight: Tensor.full([1, 1], 7), bia: state.bias };
    assert.throws(() => layer.loadStateDict(bad), /missing: "bias"; unexpected: "bia"$/);
    assert.deepEqual(numbers(layer), [[[5]], [6]]);
  });

  it("names up to five keys of each kind that do not match, and all of them in the error", () => {
    const layer = new nn.Sequential(...Array.from({ length: 4 }, () => new nn.Linear(1, 1)));
    const five = Object.fromEntries([0, 1, 2, 3, 4].map((i) => [`x${i}`, Tensor.zeros([1])]));
    const missing = `missing: "0.weight", "0.bias", "1.weight", "1.bias", "2.weight" and 3 more; `;
    const unexpected = 'unexpected: "x0", "x1", "x2", "x3", "x4"';
    const names = [...layer.stateDict().keys(), ...Object.keys(five)];
    assert.throws(() => layer.loadStateDict(five), (error) => {
      return isPaddleError(error) && error.code === "INVALID_VALUE" &&
        error.message.endsWith(missing + unexpected) && (error as { names?: string[] }).names?.join() === names.join();
    });
  });

  it("tells a missing key from one of another shape, by codes", () => {
    const codes: string[] = [];
    const onWarning = ({ code, at }: { code: string; at?: string }) => void codes.push(`${code} ${at}`);
    new nn.Linear(1, 1).setStateDict({ weight: Tensor.zeros([1, 2]), bias: undefined }, { onWarning });
    assert.deepEqual(codes, ["SHAPE_MISMATCH weight", "MISSING_KEY bias"]);
  });

  it("sends warnings to onWarning, never to the console", () => {
    const { warn } = console;
    const seen: string[] = [], shown: unknown[] = [];
    const onWarning = ({ message }: { message: string }) => void seen.push(message);
    console.warn = (message) => shown.push(message);
    try {
      for (const options of [{}, { onWarning }]) {
        new nn.Linear(1, 1).setDict({ weight: Tensor.zeros([1, 1]) }, options);
        new nn.Linear(1, 1).loadDict({ bias: Tensor.zeros([1]) }, options);
      }
      new nn.Linear(1, 1).loadStateDict({}, { strict: false });
    } finally {
      console.warn = warn;
    }
    assert.deepEqual(shown, []);
    assert.deepEqual(seen, [
      "Skip loading for bias. bias is not found in the provided dict.",
      "Skip loading for weight. weight is not found in the provided dict.",
    ]);
  });
});

/** The state dict passed to a Linear(3, 2), by the name of the call. */
function given(name: string, layer: nn.Linear): Json {
  const ramp = (...shape: number[]) =>
    NDArray.fromArray([...Array(6).keys()].map((i) => i / 8 - 1), "float32")
      .slice(0, shape.reduce((a, b) => a * b)).reshape(shape);
  const [weight, bias] = [ramp(3, 2), ramp(2)];
  const names = () => new Map([[layer.weight.name, weight], [layer.bias!.name, bias]]);
  const states: Record<string, () => Json> = {
    "all there": () => ({ weight, bias }),
    "tensors": () => ({ weight: Tensor.from(weight), bias: Tensor.from(bias) }),
    "one missing": () => ({ weight }),
    "one more": () => ({ weight, bias, more: bias }),
    "table kept": () => ({ weight, bias, "StructuredToParameterName@@": new Map([["weight", "linear_0.w_0"]]) }),
    "other shape": () => ({ weight: ramp(2, 3), bias }),
    "shape [1, 2] for [2]": () => ({ weight, bias: ramp(1, 2) }),
    "float64": () => ({ weight, bias: bias.astype("float64") }),
    "float16 first": () => ({ weight: weight.astype("float16"), bias }),
    "bfloat16 patterns": () => ({ weight, bias: NDArray.fromArray([0x3f80, 0x4000], "uint16") }),
    "list value": () => ({ weight, bias: [1, 2] }),
    "None value": () => ({ weight, bias: null }),
    "int value": () => ({ weight, bias: 3 }),
    "parameter names": names,
    "parameter names, structured": names,
    "structured, parameter names asked": () => ({ weight, bias }),
    "empty": () => ({}),
    "list": () => [weight, bias],
  };
  assert.ok(name in states, `a state dict for the call "${name}"`);
  return states[name]();
}

/** All recorded answers, if they are next to the project; otherwise the selection in it. */
const ANSWERS = VERSIONS.flatMap((version) => {
  const paths = [
    `../shared/real/paddle-${version}/setting/expect.json`,
    `tests/fixtures/training/paddle-${version}/setting.json`,
  ];
  const path = paths.find((path) => existsSync(path));
  return path && !/^2\.[0-4]/.test(version) ? [{ version, calls: JSON.parse(readFileSync(path, "utf8")).calls }] : [];
});

describe("Layer.setStateDict of a Linear(3, 2)", () => {
  for (const { version, calls } of ANSWERS) {
    for (const { call, result, warnings = [] } of calls) {
      // The optimizers' calls are compared elsewhere; a float16 layer is none of these.
      if (/^Adam |into a float16 layer$/.test(call)) continue;
      it(`does what Paddle ${version} does: ${call}`, () => {
        guard(() => {
          const layer = new nn.Linear(3, 2);
          layer.weight.setValue(fromArray([[-0.25, -0.1875], [-0.125, -0.0625], [0, 0.0625]], "float32"));
          layer.bias!.setValue(fromArray([-0.5, -0.4375], "float32"));
          const before = numbers(layer);
          const [[, returned], [, error], [, values]] = result.dict;
          const options = { useStructuredName: !/^parameter names$|asked$/.test(call) };
          if (error) {
            assert.throws(() => set(layer, given(call, layer), options), isPaddleError);
            // Paddle has set the entries before it.
            assert.deepEqual(numbers(layer), before);
            return;
          }
          const [missingKeys, unexpectedKeys] = returned.tuple.map((keys: Json) => keys.list);
          assert.deepEqual(set(layer, given(call, layer), options), { missingKeys, unexpectedKeys, warnings });
          const first = layer.parameters().map((p) => [...p.toFloat32Array()].slice(0, 3));
          assert.deepEqual(first, values.list.map((list: Json) => list.list.map((x: Json) => x.float)));
        });
      });
    }
  }
});
