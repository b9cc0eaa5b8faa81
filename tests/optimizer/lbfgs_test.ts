import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { decode, encode, fromArray, isPaddleError, NDArray, nn, optimizer, SelectedRows, Tensor } from "../../mod.ts";
import { existsSync, readFileSync } from "node:fs";
import { closureOf } from "./closures.ts";
import { type Json, named, recorded, value } from "./recorded.ts";

const { start, gradients } = recorded("3.3.1", "optimizers");
const messages = recorded("3.3.1", "messages");
const SHAPES: Record<string, number[]> = { weight: [3, 2], bias: [2] };

/** loss = sum((w - g1)^2) + sum((b - g1)^2), as recorded. */
function model() {
  const parameters = Object.entries(SHAPES).map(([name, shape]) =>
    nn.Parameter.from(fromArray(start[name], "float32").reshape(shape), { name })
  );
  const lbfgs = new optimizer.LBFGS({ learningRate: 0.5, maxIter: 3, historySize: 4, parameters });
  const closure = () => {
    let loss = 0;
    for (const p of parameters) {
      const target = Float32Array.from(gradients[0][p.name]);
      const difference = (p.data as Float32Array).map((x, i) => x - target[i]);
      p.grad = fromArray(difference.map((x) => 2 * x), "float32").reshape(p.shape);
      loss += difference.reduce((sum, x) => sum + x * x, 0);
    }
    return loss;
  };
  return { parameters, lbfgs, closure };
}

/** Check that keys, types and sizes are equal, and numbers up to rounding. */
function close(actual: Json, wanted: Json, at: string): void {
  if (wanted instanceof Map) {
    assert.deepEqual([...actual.keys()], [...wanted.keys()], at);
    for (const [key, item] of wanted) close(actual.get(key), item, `${at}.${key}`);
  } else if (Array.isArray(wanted)) {
    assert.equal(actual.length, wanted.length, at);
    wanted.forEach((item, i) => close(actual[i], item, `${at}[${i}]`));
  } else if (wanted instanceof NDArray) {
    assert.ok(actual instanceof Tensor, at);
    assert.deepEqual([actual.dtype, [...actual.shape]], [wanted.dtype, [...wanted.shape]], at);
    [...wanted.data as Float32Array].forEach((x, i) => close((actual.data as Float32Array)[i], x, `${at}[${i}]`));
  } else if (typeof wanted === "number") {
    assert.ok(Math.abs(actual - wanted) <= 1e-5 * Math.max(1, Math.abs(wanted)), `${at}: ${actual}, Paddle ${wanted}`);
  } else assert.equal(actual, wanted, at);
}

describe("LBFGS", () => {
  for (const [name, steps] of [["LBFGS, new", 0], ["LBFGS, one step", 1], ["LBFGS, two steps", 2]] as const) {
    it(`has parameters, losses and a state that are close to Paddle's: ${name}`, () => {
      const { parameters, lbfgs, closure } = model();
      const losses = Array.from({ length: steps }, () => lbfgs.step(closure));
      const wanted = value(messages.cases.find((c: Json) => c.name === name).result);
      losses.forEach((loss, i) => close(loss, wanted.get("losses")[i].at(), `loss ${i}`));
      for (const p of parameters) close(p, wanted.get("parameters").get(p.name), p.name);
      close(lbfgs.stateDict(), wanted.get("state"), "state");
    });
  }

  it("resumes from a saved state as if uninterrupted", () => {
    const whole = model();
    const first = model();
    for (const m of [whole, first]) m.lbfgs.step(m.closure);
    const again = model();
    again.parameters.forEach((p, i) => p.setValue(first.parameters[i]));
    again.lbfgs.setStateDict(decode(encode(first.lbfgs.stateDict())) as Map<string, unknown>);
    for (const m of [whole, again]) m.lbfgs.step(m.closure);
    again.parameters.forEach((p, i) => assert.ok(p.equals(whole.parameters[i])));
    assert.deepEqual(encode(again.lbfgs.stateDict()), encode(whole.lbfgs.stateDict()));
  });

  it("keeps only its counts when the first gradient is zero", () => {
    const { parameters, lbfgs } = model();
    const flat = () => {
      for (const p of parameters) p.grad = fromArray(new Float32Array(p.size), "float32").reshape(p.shape);
      return 1;
    };
    lbfgs.step(flat);
    assert.deepEqual(lbfgs.stateDict(), new Map([["state", new Map([["func_evals", 1], ["n_iter", 0]])]]));
    lbfgs.setStateDict(lbfgs.stateDict());
    lbfgs.step(flat);
    assert.deepEqual(lbfgs.stateDict(), new Map([["state", new Map([["func_evals", 2], ["n_iter", 0]])]]));
  });

  it("refuses another line search, and states of other sizes without a change", () => {
    const { lbfgs, closure, parameters } = model();
    const refused = (body: () => unknown) => assert.throws(body, (e) => isPaddleError(e));
    isRefused(() => new optimizer.LBFGS({ parameters, lineSearchFn: "armijo" as Json }));
    isRefused(() => new optimizer.LBFGS({}));
    lbfgs.step(closure);
    const before = encode(lbfgs.stateDict());
    for (const none of [new Map(), {}]) refused(() => lbfgs.setStateDict(none as Json));
    const state = lbfgs.stateDict();
    (state.get("state") as Map<string, unknown>).set("prev_flat_grad", fromArray([1, 2], "float32"));
    refused(() => lbfgs.setStateDict(state));
    (state.get("state") as Map<string, unknown>).delete("d");
    refused(() => lbfgs.setStateDict(state));
    refused(() => lbfgs.step(() => "x" as Json));
    assert.deepEqual(encode(lbfgs.stateDict()), before);
  });

  const isRefused = (run: () => unknown) => assert.throws(run, (e) => isPaddleError(e) && e.code === "INVALID_VALUE");

  it("accepts arguments of Paddle that its steps ignore, with a warning", () => {
    const p = nn.Parameter.from(fromArray([3], "float32"));
    const heard: string[] = [];
    const onWarning = ({ code, message }: { code: string; message: string }) => heard.push(`${code} ${message}`);
    const gradClip = new nn.ClipGradByValue({ max: 0.01 });
    const made = new optimizer.LBFGS(0.5, 1, null, 0, 0, 10, null, [p], 8, gradClip, "x", { onWarning });
    assert.deepEqual(heard.map((line) => line.split(" ").slice(0, 2).join(" ")), [
      "UNUSED_OPTION weightDecay",
      "UNUSED_OPTION gradClip",
    ]);
    made.step(() => {
      p.grad = fromArray([2], "float32");
      return 1;
    });
    // The first direction is -g, its length min(1, 1/|g|) * rate.
    assert.deepEqual([...p.toFloat32Array()], [3 - 0.25 * 2]);
    new optimizer.LBFGS({ parameters: [p], name: "x", onWarning: () => assert.fail("a name is no reason") });
    isRefused(() => new optimizer.LBFGS({ parameters: [p], weightDecay: "much" as Json }));
    isRefused(() => new optimizer.LBFGS({ parameters: [p], gradClip: {} as Json }));
    isRefused(() => new optimizer.LBFGS({ parameters: [{ params: [p] }] as Json }));
  });

  const path = "tests/fixtures/training/paddle-3.3.1/lbfgs.json";
  assert.ok(existsSync(path));
  const { cases } = JSON.parse(readFileSync(path, "utf8"));
  const nameOf = (c: Json) => `${c.dtype} ${c.kind} ${JSON.stringify(c.args)}`;
  for (const c of cases.filter((c: Json) => c.kind !== "scripted")) {
    it(`has losses, values and a state that match to the bit: ${nameOf(c)}`, () => replay(c));
  }

  it("searches, stops and goes on where Paddle does, whatever the closure answers", () => {
    const scripted = cases.filter((c: Json) => c.kind === "scripted");
    assert.ok(scripted.length > 20);
    for (const c of scripted) replay(c, nameOf(c));
  });

  it("stops at its tolerances as Paddle does, which rounds them to the parameters' dtype", () => {
    /** Loss and gradient of each call, options, and how often Paddle 3.3.1 calls. */
    const stops: [script: [loss: number, gradient: number][], options: object, calls: number, iterations: number][] = [
      [[[5, 0.5], [0, 0.25], [2, 0.75]], { toleranceChange: 0.25 }, 2, 2],
      [[[5, 0.5], [0, 0.25], [2, 0.75]], { toleranceChange: 0.25 + 1e-12 }, 2, 2],
      [[[5, 2], [0, 1.5], [2, 1]], { toleranceChange: 1 }, 2, 1],
      [[[5, 2], [0, 1.5], [2, 1]], { toleranceChange: 1 - 1e-12 }, 2, 1],
      [[[5, 2], [0, 1.5], [2, 1]], { toleranceChange: 0.99 }, 3, 2],
      [[[5, 2], [4.5, 1.5], [2, 1]], { toleranceChange: 0.5 }, 3, 2],
      [[[5, 2], [4.5, 1.5], [2, 1]], { toleranceChange: 0.5 + 1e-12 }, 2, 1],
      [[[5, 2], [0, 0.5], [2, 1]], { toleranceGrad: 0.5 }, 2, 1],
      [[[5, 2], [0, 0.5], [2, 1]], { toleranceGrad: 0.5 - 1e-12 }, 2, 1],
      [[[5, 2], [0, 0.5], [2, 1]], { toleranceGrad: 0.49 }, 3, 2],
    ];
    for (const [script, options, wanted, iterations] of stops) {
      const p = nn.Parameter.from(fromArray([3], "float32"));
      const made = new optimizer.LBFGS({ learningRate: 1, maxIter: 3, parameters: [p], ...options });
      let calls = 0;
      made.step(() => {
        const [loss, gradient] = script[calls++];
        p.grad = fromArray([gradient], "float32");
        return loss;
      });
      const state = made.stateDict().get("state") as Map<string, unknown>;
      assert.deepEqual([calls, state.get("n_iter")], [wanted, iterations], JSON.stringify([script, options]));
    }
  });

  it("clears gradients to zeros or to none", () => {
    const p = nn.Parameter.from(fromArray([3], "float32"));
    const made = new optimizer.LBFGS({ parameters: [p] });
    p.grad = fromArray([2], "float32");
    made.clearGrad();
    assert.deepEqual((p.grad as NDArray).toArray(), [0]);
    made.clearGrad(false);
    assert.equal(p.grad, null);
  });

  it("refuses counts that are not whole numbers above 0, and parameters of another dtype than the first", () => {
    const of = (dtype: "float32" | "float64" | "float16") => new nn.Parameter(dtype, [1]);
    for (const count of [0, -1, 1.5]) {
      isRefused(() => new optimizer.LBFGS({ parameters: [of("float32")], maxIter: count }));
      isRefused(() => new optimizer.LBFGS({ parameters: [of("float32")], historySize: count }));
    }
    isRefused(() => new optimizer.LBFGS({ parameters: [of("float32"), of("float64")] }));
    isRefused(() => new optimizer.LBFGS({ parameters: [of("float16")] }));
    new optimizer.LBFGS({ parameters: [of("float64"), of("float64")], maxIter: 1, historySize: 1 });
  });

  it("refuses a gradient of another shape or dtype, or of some rows, and changes nothing", () => {
    const parameter = nn.Parameter.from(fromArray([1, 2], "float32")), before = parameter.toArray();
    const rows = new SelectedRows([0], 2, fromArray([[1]], "float32"));
    for (const grad of [fromArray([1], "float32"), fromArray([1, 2], "int32"), fromArray([[1, 2]], "float32"), rows]) {
      const lbfgs = new optimizer.LBFGS({ parameters: [parameter] });
      isRefused(() =>
        lbfgs.step(() => {
          parameter.grad = grad as Json;
          return 1;
        })
      );
      assert.deepEqual(parameter.toArray(), before);
    }
  });
});

/** Six steps as Paddle took them; of some runs the last state was recorded, too. */
function replay(c: Json, name?: string): void {
  let offset = 0;
  const parameters = c.shapes.map((shape: number[]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return nn.Parameter.from(fromArray(c.start.slice(offset, offset += size), c.dtype).reshape(shape));
  });
  const made = new optimizer.LBFGS({ ...named(c.args), parameters });
  const evaluate = closureOf(c.kind, parameters, c.factors);
  let calls = 0;
  const closure = () => {
    calls++;
    return evaluate();
  };
  for (const wanted of c.steps) {
    const loss = made.step(closure);
    const x = parameters.flatMap((p: nn.Parameter) => [...p.data as Float64Array]);
    assert.deepEqual([loss, calls, x], [wanted.loss, wanted.calls, wanted.x], name);
  }
  const { state } = c.steps[5];
  if (!state) return;
  const found = [...made.stateDict().get("state") as Map<string, unknown>];
  assert.deepEqual(found.map(([key, v]) => [key, plain(key, v)]), state, name);
}

function plain(key: string, v: unknown): Json {
  if (v instanceof NDArray) return { dtype: v.dtype, shape: [...v.shape], data: [...v.data as Float64Array] };
  if (key === "al") {
    const values = (v as unknown[]).filter((x) => x !== null);
    return { length: (v as unknown[]).length, values: values.map((x) => plain("", x)) };
  }
  if (Array.isArray(v)) return v.map((x) => plain("", x));
  // alpha is the int 0 where the line search found no point.
  return typeof v === "number" && (key === "prev_loss" || (key === "alpha" && v !== 0)) ? { float: v } : v;
}
