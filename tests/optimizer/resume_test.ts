import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { decode, encode, fromArray, full, isPaddleError, nn, optimizer, Tensor, utils, type Value } from "../../mod.ts";
import type { Json } from "./recorded.ts";

function parameter(name: string, dtype: "float32" | "float64" | "bfloat16" = "float32"): nn.Parameter {
  return nn.Parameter.from(fromArray([2, -4], dtype), { name });
}

/** As if in a new process, so that names are the same. */
function anew<T>(make: () => T): T {
  return utils.uniqueName.guard(make);
}

function step(made: { step(): void }, ...parameters: nn.Parameter[]): void {
  for (const p of parameters) p.grad = fromArray([0.5, 0.25], p.dtype);
  made.step();
  for (const p of parameters) p.clearGrad(false);
}

function momentum(p: readonly nn.Parameter[], options: Json = {}): optimizer.Momentum {
  return anew(() => new optimizer.Momentum({ learningRate: 0.5, parameters: p, ...options }));
}

function numbers(state: Map<string, Value>): [string, number[]][] {
  return [...state].map(([key, tensor]) => [key, [...(tensor as Tensor).toFloat32Array()]]);
}

describe("an optimizer whose state is set", () => {
  it("goes back to it, also after it has stepped", () => {
    const p = parameter("p");
    const made = momentum([p]);
    step(made, p);
    const [saved, before] = [encode(made.stateDict()), numbers(made.stateDict())];
    step(made, p);
    assert.notDeepEqual(numbers(made.stateDict()), before);
    made.setStateDict(decode(saved) as Map<Value, Value>);
    assert.deepEqual(numbers(made.stateDict()), before);
  });

  it("has it without the scheduler's part if its rate is fixed, and with it at the end otherwise, as in Paddle 3.3.1", () => {
    const p = parameter("p");
    const scheduler = () => new optimizer.lr.StepDecay({ learningRate: 0.5, stepSize: 2 });
    const made = momentum([p], { learningRate: scheduler() });
    step(made, p);
    const { LR_Scheduler, ...rest } = Object.fromEntries(made.stateDict()) as Json;
    const state = new Map<string, Value>(Object.entries({ LR_Scheduler, master_weights: new Map(), ...rest }));
    const keys = (options: Json) => {
      const other = momentum([parameter("p")], options);
      other.setStateDict(state);
      return [...other.stateDict().keys()];
    };
    assert.deepEqual(keys({}), ["p_velocity_0"]);
    assert.deepEqual(keys({ learningRate: scheduler() }), ["p_velocity_0", "LR_Scheduler"]);
  });

  it("starts the state of a parameter anew that first gets a gradient when all of the set state is in use", () => {
    const [p, q] = [parameter("p"), parameter("q")];
    const first = momentum([p, q]);
    step(first, p);
    const again = momentum([p, q]);
    again.setStateDict(decode(encode(first.stateDict())) as Map<Value, Value>);
    step(again, p);
    step(again, q);
    assert.deepEqual([...again.stateDict().keys()], ["p_velocity_0", "q_velocity_0"]);
  });

  it("needs all of its state up to Paddle 2.4, where the last entry may be missing later, as nothing of the set state is left", () => {
    const make = (paddle: "2.0" | "2.4" | "2.5" | "2.6", p: nn.Parameter) =>
      anew(() => new optimizer.Adam({ learningRate: 0.1, parameters: [p], paddle }));
    for (const [paddle, isLenient] of [["2.0", false], ["2.4", false], ["2.5", true], ["2.6", true]] as const) {
      const p = parameter("p"), first = make(paddle, p);
      step(first, p);
      const whole = first.stateDict(), keys = [...whole.keys()];
      for (const key of keys) {
        const state = new Map<Value, Value>(whole), q = parameter("p"), made = make(paddle, q);
        state.delete(key);
        made.setStateDict(state);
        if (isLenient && key === keys.at(-1)) step(made, q);
        else assert.throws(() => step(made, q), { code: "INVALID_VALUE", at: `["${key}"]` }, `${paddle} ${key}`);
      }
    }
  });

  it("needs no state of a LambdaDecay since Paddle 3.0, but before", () => {
    const make = (paddle: "2.6" | "3.0") => {
      const learningRate = new optimizer.lr.LambdaDecay({ learningRate: 0.5, lrLambda: () => 0.9 });
      return new optimizer.SGD({ learningRate, parameters: [parameter("p")], paddle });
    };
    make("3.0").setStateDict(new Map());
    assert.throws(() => make("2.6").setStateDict(new Map()), { code: "INVALID_VALUE", message: /LR_Scheduler/ });
  });

  it("goes on with its scheduler if the scheduler's state is empty, but before Paddle 3.0 refuses it", () => {
    const make = (paddle: "2.6" | "3.0") => {
      const learningRate = new optimizer.lr.StepDecay({ learningRate: 0.5, stepSize: 1 });
      learningRate.step();
      const made = new optimizer.SGD({ learningRate, parameters: [parameter("p")], paddle });
      made.setStateDict(new Map([["LR_Scheduler", new Map()]]));
      return learningRate.lastEpoch;
    };
    assert.equal(make("3.0"), 1);
    assert.throws(() => make("2.6"), { code: "INVALID_VALUE", message: /last_epoch/ });
  });

  it("takes numpy's uint16 for the bfloat16 of a state", () => {
    const p = parameter("p", "bfloat16");
    const make = () => anew(() => new optimizer.Rprop({ learningRate: 0.5, parameters: [p], multiPrecision: true }));
    const made = make();
    step(made, p);
    const file = encode(made.stateDict());
    const state = decode(file, { returnNumpy: true }) as Map<string, Json>;
    assert.ok([...state.values()].some((array) => array.dtype === "uint16"));
    const value = encode(p);
    const after = [false, true].map((returnNumpy) => {
      p.setValue(decode(value) as Tensor);
      const again = make();
      again.setStateDict(decode(file, { returnNumpy }) as Map<Value, Value>);
      step(again, p);
      return [...p.toFloat32Array()];
    });
    assert.deepEqual(after[1], after[0]);
    const wrong = new Map(state);
    for (const [key, array] of state) if (array.dtype === "uint16") wrong.set(key, full([2], 1, "float16"));
    const refused = make();
    refused.setStateDict(wrong);
    assert.throws(() => step(refused, p), { code: "INVALID_VALUE", message: /dtype not match/ });
  });
});

describe("master weights that are set", () => {
  const make = (p: nn.Parameter) => momentum([p], { multiPrecision: true });
  const state = (master: Value): Map<string, Value> => new Map([["master_weights", new Map([["p", master]])]]);

  it("are copied, and replace those that are there", () => {
    const p = parameter("p", "bfloat16");
    const made = make(p);
    step(made, p);
    const own = made.stateDict().get("p_fp32_master_0_velocity_0") as Tensor;
    const given = Tensor.fromArray([8, 9], "float32");
    made.setStateDict(new Map([...state(given), ["p_fp32_master_0_velocity_0", own.clone()]]));
    step(made, p);
    assert.deepEqual([...given.toFloat32Array()], [8, 9]);
    const [[name, master]] = made.stateDict().get("master_weights") as Map<string, Tensor>;
    assert.equal(name, "p");
    assert.deepEqual([master.name, master.persistable], ["p_fp32_master_0", true]);
    assert.ok(master.at(0) as number > 7, String(master.at(0)));
    made.setStateDict(
      new Map<string, Value>([["master_weights", new Map()], ["p_fp32_master_0_velocity_0", own.clone()]]),
    );
    assert.equal(made.stateDict().has("master_weights"), false);
  });

  it("name the state of their parameter by their own names", () => {
    const p = parameter("p", "bfloat16");
    const made = make(p);
    made.setStateDict(
      new Map<string, Value>([
        ...state(Tensor.from(fromArray([8, 9], "float32"), { name: "m" })),
        ["m_velocity_0", Tensor.from(fromArray([1, 1], "float32"))],
      ]),
    );
    step(made, p);
    assert.deepEqual([...made.stateDict().keys()], ["m_velocity_0", "master_weights"]);
  });

  it("are refused if they are no arrays of float32, or not of the parameter's shape", () => {
    assert.throws(() => make(parameter("p", "bfloat16")).setStateDict(state(3)), { message: /is an array: got/ });
    for (const wrong of [fromArray([8, 9], "float64"), fromArray([8, 9, 10], "float32")]) {
      const p = parameter("p", "bfloat16");
      const made = make(p);
      made.setStateDict(state(wrong));
      assert.throws(
        () => step(made, p),
        (error) => isPaddleError(error) && /master weight of p is float32 \[2\]/.test(error.message),
      );
    }
  });
});

describe("an optimizer of Paddle 2.0", () => {
  it("has the velocities of all parameters at once, also of frozen ones, in Momentum", () => {
    const [p, q, whole] = [parameter("p"), parameter("q", "float64"), nn.Parameter.from(full([2], 1, "int32"))];
    q.stopGradient = true;
    const made = momentum([p, q, whole], { paddle: "2.0" });
    assert.deepEqual([...made.stateDict().keys()], ["p_velocity_0", "q_velocity_0"]);
  });

  /** After one step of rate 0.5 with the gradients 0.5 and 0.3: the parameter, then the states, as Paddle 2.0.2 has them. */
  const FLOAT64: Record<string, [after: number[], ...states: number[][]]> = {
    Adam: [
      [1.5000000099999997, -4.499999983333334],
      [0.050000011920928955, 0.03000000715255737],
      [0.00024999678134918213, 8.999884128570556e-5],
      [0.8099999570846563],
      [0.9980010257234575],
    ],
    AdamW: [
      [1.4900000195367429, -4.48000000240682],
      [0.050000011920928955, 0.03000000715255737],
      [0.00024999678134918213, 8.999884128570556e-5],
      [0.8099999570846563],
      [0.9980010257234575],
    ],
    Adamax: [[1.5, -4.5], [0.050000011920928955, 0.03000000715255737], [0.5, 0.3], [0.8099999570846563]],
    Adagrad: [[1.5774235878197995, -4.344122809984546], [0.3500000014901161, 0.19000000149011612]],
    Lamb: [
      [0.15981922470501164, -5.2703285851443065],
      [0.050000011920928955, 0.03000000715255737],
      [0.00024999678134918213, 8.999884128570556e-5],
      [0.7289999420642869],
      [0.9970030375466014],
    ],
  };
  for (const [kind, wanted] of Object.entries(FLOAT64)) {
    it(`begins the state of float64 parameters with float32 numbers, to the bit: ${kind}`, () => {
      const p = parameter("p", "float64");
      const more = kind === "Adagrad" ? { initialAccumulatorValue: 0.1 } : {};
      const made = new (optimizer as Json)[kind]({ learningRate: 0.5, parameters: [p], paddle: "2.0", ...more });
      p.grad = fromArray([0.5, 0.3], "float64");
      made.step();
      const values = [p, ...made.stateDict().values()].map((tensor) => [...tensor.data as Float64Array]);
      assert.deepEqual(values, wanted);
    });
  }
});

describe("limits of clips", () => {
  it("are float32 for float32 gradients", () => {
    // 0.1 is not a float32.
    const f = Math.fround;
    const after = (gradClip: nn.GradClip, gradient: number) => {
      const p = nn.Parameter.from(full([1], 0), { name: "p" });
      p.grad = full([1], gradient);
      new optimizer.SGD({ learningRate: 1, parameters: [p], gradClip }).step();
      return p.at(0);
    };
    assert.equal(after(new nn.ClipGradByValue(0.1), 3), -f(0.1));
    assert.equal(after(new nn.ClipGradByValue(0.1), -3), f(0.1));
    for (const gradient of [3, 7, 11]) {
      assert.equal(after(new nn.ClipGradByNorm(0.1), gradient), -f(f(f(0.1) / gradient) * gradient));
      assert.equal(after(new nn.ClipGradByGlobalNorm(0.1), gradient), -f(f(f(0.1) / gradient) * gradient));
    }
  });
});
