import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { decode, encode, fromArray, NDArray, NumpyScalar, optimizer, Tensor, type Warning } from "../../mod.ts";
import { nearestPow } from "../../src/optimizer/lr/correctly_rounded.ts";
import { floatText } from "../../src/optimizer/python_text.ts";
import { type Json, recorded, sameMessage, scheduler, value, VERSIONS } from "./recorded.ts";
import { thrownBy } from "../helpers/thrown_by.ts";

const { lr } = optimizer;

/** Accepted by Paddle up to 2.5, but refused since, and refused here for every version. */
const NEWER_RULES = ["piecewise empty"];

/** The message of a refused argument. */
function refusal(run: () => unknown): string {
  const { code, message } = thrownBy(run);
  assert.equal(code, "INVALID_VALUE");
  return message;
}

/** A state in the form of the recordings, where 1.0 and 1 are different, as in the file it is saved to. */
function stateOf(state: Map<string, unknown>): unknown {
  const back = decode(encode(state));
  return decode(encode(back));
}

for (const version of VERSIONS) {
  const data = recorded(version, "schedulers");
  if (!data) continue;
  const isPlateau = (c: Json) => c.class === "ReduceOnPlateau";
  const make = (c: Json): Json => scheduler(c.class, c.args, c.class === "LinearWarmup" ? { paddle: version } : {});
  const advance = (s: Json, c: Json, i: number) =>
    isPlateau(c) ? s.step(data.metrics[i % data.metrics.length]) : s.step();

  describe(`schedulers, as Paddle ${version} runs them`, () => {
    for (const c of data.cases) {
      if (NEWER_RULES.includes(c.name) && !c.error) {
        it(`are refused by the rule of newer versions: ${c.name}`, () => void refusal(() => make(c)));
        continue;
      }
      it(`${c.error ? "are refused" : "match in every rate, the state, resuming from it, and step(epoch)"}: ${c.name}`, () => {
        if (c.error) {
          assert.match(refusal(() => make(c)), new RegExp(c.error.message.slice(0, 20)));
          return;
        }
        const s = make(c);
        const rates = [s.lastLr];
        for (let i = 0; i < c.lr.length - 1; i++) {
          advance(s, c, i);
          rates.push(s.lastLr);
        }
        assert.deepEqual(rates, c.lr);
        if (c.stopped) assert.equal(refusal(() => s.step()), c.stopped.message);

        const half = make(c);
        assert.deepEqual([...half.stateDict()], [...value(c.state_new)]);
        for (let i = 0; i < 7; i++) advance(half, c, i);
        assert.deepEqual(stateOf(half.stateDict()), value(c.state_after_7));
        const fresh = make(c);
        const warnings: Warning[] = [];
        fresh.setStateDict(decode(encode(half.stateDict())), { onWarning: (w: Warning) => warnings.push(w) });
        assert.deepEqual(warnings.map((w) => w.message), c.set_state_dict?.warnings ?? []);
        assert.deepEqual(fresh.lastLr, c.resumed.lr[0]);
        // What Paddle does not resume exactly continues here as if never interrupted.
        const wanted = c.class === "CosineAnnealingWarmRestarts" ? c.lr.slice(8, 18) : c.resumed.next;
        const next: number[] = [];
        for (let i = 7; i < 7 + wanted.length; i++) {
          advance(fresh, c, i);
          next.push(fresh.lastLr);
        }
        assert.deepEqual(next, wanted);

        const jumping = make(c);
        for (const [epoch, rate] of c.step_epoch ?? []) {
          if (typeof rate === "object") assert.equal(refusal(() => jumping.step(epoch)), rate.message);
          else {
            jumping.step(epoch);
            assert.equal(jumping.lastLr, rate, `step(${epoch})`);
          }
        }
      });
    }
  });
}

describe("schedulers", () => {
  const data = recorded("3.3.1", "schedulers");

  for (const r of data.refused) {
    if (!r.error) {
      it(`accept ${r.class}(${JSON.stringify(r.args)})`, () => {
        assert.ok(scheduler(r.class, r.args) instanceof lr.LRScheduler);
      });
      continue;
    }
    it(`refuse ${r.class}(${JSON.stringify(r.args)})`, () => {
      const message = refusal(() => scheduler(r.class, r.args));
      assert.ok(sameMessage(message, r.error.message), `${message}, Paddle: ${r.error.message}`);
    });
  }

  for (const c of data.set_state_dict) {
    it(`accept or refuse a state as Paddle does: ${c.name}`, () => {
      const s: Json = c.name.startsWith("ReduceOnPlateau")
        ? new lr.ReduceOnPlateau({ learningRate: 0.5 })
        : c.name.startsWith("LinearWarmup of a number")
        ? new lr.LinearWarmup({ learningRate: 0.5, warmupSteps: 5, startLr: 0, endLr: 0.5 })
        : c.name.startsWith("LinearWarmup")
        ? new lr.LinearWarmup({
          learningRate: new lr.StepDecay({ learningRate: 0.5, stepSize: 3 }),
          warmupSteps: 5,
          startLr: 0,
          endLr: 0.5,
        })
        : new lr.StepDecay({ learningRate: 0.5, stepSize: 5 });
      assert.deepEqual([...s.stateDict()], [...value(c.before)]);
      const warnings: string[] = [];
      const set = () => s.setStateDict(value(c.state), { onWarning: (w: Warning) => warnings.push(w.message) });
      if (c.name.endsWith("a text")) {
        // Paddle accepts it, and fails at the next step.
        refusal(set);
        return;
      }
      if (c.error) {
        const message = refusal(set);
        assert.ok(
          c.error.type === "KeyError" ? message.includes("LinearWarmup_LR") : message === c.error.message,
          message,
        );
      } else set();
      assert.deepEqual(warnings, c.warnings ?? []);
      if (c.after.result) assert.deepEqual(s.stateDict(), value(c.after.result));
      if (!c.then.result) return;
      const [now, , after] = value(c.then.result);
      assert.equal(s.lastLr, now instanceof Tensor ? now.at(0) : now);
      s.step();
      assert.equal(s.lastLr, after);
    });
  }

  it("report each rate as Paddle's verbose does", () => {
    const lines: string[] = [];
    const verbose = (line: string) => lines.push(line);
    const s = new lr.StepDecay({ learningRate: 0.5, stepSize: 2, verbose });
    s.step();
    s.step(7);
    assert.deepEqual(lines, data.verbose[0].printed);
    lines.length = 0;
    const plateau = new lr.ReduceOnPlateau({ learningRate: 0.5, patience: 0, verbose });
    for (const metric of [1, 2, 3]) plateau.step(metric);
    assert.deepEqual(lines, data.verbose[1].printed);
  });

  it("print floats as Python does", () => {
    const texts: [number, string][] = [
      [1, "1.0"],
      [0.5, "0.5"],
      [1e-5, "1e-05"],
      [0.00012, "0.00012"],
      [1.5e-7, "1.5e-07"],
      [1e15, "1000000000000000.0"],
      [1e16, "1e+16"],
      [1.25e22, "1.25e+22"],
      [123456.75, "123456.75"],
      [-0, "-0.0"],
      [NaN, "nan"],
      [-Infinity, "-inf"],
    ];
    for (const [x, text] of texts) assert.equal(floatText(x), text);
  });

  it("keep the best metric as the caller gave it", () => {
    const metrics = new Map<string, Json>([
      ["1.0", 1],
      ["numpy float32", new NumpyScalar("float32", 1)],
      ["numpy [1]", fromArray([1], "float64")],
      ["numpy [2]", fromArray([1, 2], "float64")],
      ["Tensor [2]", Tensor.fromArray([1, 2], "float32")],
      ["text", "a"],
      ["nan", NaN],
    ]);
    for (const c of data.plateau_metrics) {
      // An int is 1.0 in JavaScript; the state after the other could not be recorded, and follows below.
      if (c.metrics === "int 1" || c.metrics === "Tensor [1]") continue;
      assert.ok(metrics.has(c.metrics), `a metric for ${c.metrics}`);
      const metric = metrics.get(c.metrics);
      const s = new lr.ReduceOnPlateau({ learningRate: 0.5 });
      if (c.error) {
        const message = refusal(() => s.step(metric));
        assert.ok(sameMessage(message, c.error.message), message);
      } else s.step(metric);
      assert.deepEqual([...s.stateDict()], [...value(c.state.result)], c.metrics);
    }
    const s = new lr.ReduceOnPlateau({ learningRate: 0.5 });
    s.step(Tensor.fromArray([1], "float32"));
    assert.equal(s.stateDict().get("best"), 1);
  });

  it("compare a metric at the threshold in the precision in which Paddle does", () => {
    const python = (x: number) => x;
    const scalar = (x: number) => new NumpyScalar("float32", Math.fround(x));
    const rank0 = (x: number) => NDArray.fromArray([x], "float32").reshape([]);
    const array = (x: number) => NDArray.fromArray([x], "float32");
    const half = (x: number) => NDArray.fromArray([x], "float16");
    const tensor = (x: number) => Tensor.fromArray([x], "float32");
    const wide = (x: number) => Tensor.fromArray([x], "float64");
    type Make = (x: number) => optimizer.lr.Metric;
    /** Best, metric, whether that is better: in 2.1, 2.6 and 3.3, as these answer. */
    const cases: [Make, number, Make, number, "rel" | "abs", boolean[]][] = [
      [python, 1.01, python, 1.0201000001, "rel", [true, true, true]],
      [scalar, 1.01, scalar, 1.0201, "rel", [true, true, false]],
      [rank0, 1.01, rank0, 1.0201, "rel", [true, true, false]],
      [array, 1.01, array, 1.0201, "rel", [false, false, false]],
      [half, 1.04, half, 1.0504, "rel", [false, false, false]],
      [tensor, 1.01, tensor, 1.0201, "rel", [false, false, false]],
      [wide, 1, wide, 1.01, "abs", [true, true, false]],
      [wide, 1, wide, 1.01, "rel", [true, false, false]],
      // As after a resume, when the best metric is another kind of number.
      [python, 1.02, tensor, 1.0302, "rel", [false, false, false]],
      [scalar, 1.01, tensor, 1.0201, "rel", [false, false, false]],
      [scalar, 1.01, python, 1.0201, "rel", [true, true, false]],
      [array, 1.01, python, 1.0201, "rel", [false, false, false]],
    ];
    for (const [best, x, metric, y, thresholdMode, wanted] of cases) {
      const found = (["2.1", "2.6", "3.3"] as const).map((paddle) => {
        const s = new lr.ReduceOnPlateau(0.5, { mode: "max", threshold: 0.01, thresholdMode, paddle });
        s.step(best(x));
        s.step(metric(y));
        return s.numBadEpochs === 0;
      });
      assert.deepEqual(found, wanted, `${best.name}, then ${metric.name} ${thresholdMode}`);
    }
    assert.throws(() => new lr.ReduceOnPlateau(0.5, { paddle: "x" as never }), { code: "INVALID_VALUE" });
  });

  it("save a best metric that is a Tensor as that Paddle does: a numpy scalar, or a float since 2.5", () => {
    const best = (paddle: "2.4" | "2.5") => {
      const s = new lr.ReduceOnPlateau(0.5, { paddle });
      s.step(Tensor.fromArray([1], "float32"));
      return s.stateDict().get("best");
    };
    assert.deepEqual([best("2.4"), best("2.5")], [new NumpyScalar("float32", 1), 1]);
  });

  it("save 1.0 as a float and an epoch as an int", () => {
    const bytes = encode(new lr.StepDecay({ learningRate: 1, stepSize: 2 }).stateDict());
    // BINFLOAT 1.0, BININT1 0
    assert.ok(Buffer.from(bytes).includes(Buffer.from([0x47, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0])));
    assert.ok(Buffer.from(bytes).includes(Buffer.from([0x4b, 0])));
  });

  it("may be user classes, with their own fields and more keys in the state", () => {
    class Warm extends lr.LRScheduler {
      slope: number;
      peak = 0;
      constructor(options: { learningRate: number; slope: number }) {
        super({ learningRate: options.learningRate });
        this.slope = options.slope;
      }
      getLr(): number {
        const rate = this.baseLr + this.slope * this.lastEpoch;
        this.peak = Math.max(this.peak, rate);
        return rate;
      }
      protected override stateKeys(): string[] {
        return ["last_epoch", "last_lr", "peak"];
      }
    }
    const s = new Warm({ learningRate: 0.5, slope: 0.25 });
    s.step();
    s.step();
    assert.deepEqual(s.stateDict(), new Map([["last_epoch", 2], ["last_lr", 1], ["peak", 1]]));
    const again = new Warm({ learningRate: 0.5, slope: 0.25 });
    again.setStateDict(s.stateDict());
    again.step();
    assert.deepEqual([again.lastLr, again.peak], [1.25, 1.25]);
  });

  it("resume warm restarts exactly at every epoch", () => {
    for (const [T0, TMult] of [[5, 1], [3, 2], [2, 3]]) {
      const make = () => new lr.CosineAnnealingWarmRestarts({ learningRate: 0.5, T0, TMult, etaMin: 0.01 });
      const whole = make();
      for (let epoch = 0; epoch < 60; epoch++) {
        const fresh = make();
        fresh.setStateDict(whole.stateDict());
        const next = make();
        next.step(epoch + 1);
        whole.step();
        fresh.step();
        assert.equal(fresh.lastLr, whole.lastLr, `T0 ${T0}, TMult ${TMult}, epoch ${epoch}`);
      }
    }
  });

  it("report their first rate when they are created, not when they are used", () => {
    const learningRate = 0.5;
    const all: Record<string, Record<string, unknown>> = {
      NoamDecay: { learningRate, dModel: 4, warmupSteps: 2 },
      PiecewiseDecay: { boundaries: [1], values: [0.5, 0.1] },
      NaturalExpDecay: { learningRate, gamma: 0.5 },
      InverseTimeDecay: { learningRate, gamma: 0.5 },
      PolynomialDecay: { learningRate, decaySteps: 5 },
      LinearWarmup: { learningRate, warmupSteps: 2, startLr: 0, endLr: 1 },
      ExponentialDecay: { learningRate, gamma: 0.5 },
      MultiStepDecay: { learningRate, milestones: [1] },
      StepDecay: { learningRate, stepSize: 1 },
      LambdaDecay: { learningRate, lrLambda: () => 1 },
      CosineAnnealingDecay: { learningRate, TMax: 4 },
      MultiplicativeDecay: { learningRate, lrLambda: () => 1 },
      OneCycleLR: { maxLearningRate: 1, totalSteps: 4 },
      CyclicLR: { baseLearningRate: 0.1, maxLearningRate: 1, stepSizeUp: 2 },
      LinearLR: { learningRate, totalSteps: 3 },
      CosineAnnealingWarmRestarts: { learningRate, T0: 2 },
    };
    for (const [name, options] of Object.entries(all)) {
      const lines: string[] = [], verbose = (line: string) => lines.push(line);
      const Scheduler = lr[name as "StepDecay"] as unknown as new (options: unknown) => unknown;
      new Scheduler({ verbose, ...options });
      assert.deepEqual(lines.map((line) => line.replace(/ [^ ]*\.$/, "")), [`Epoch 0: ${name} set learning rate to`]);
    }
  });

  it("refuse null and strings in place of numbers, which would stop or spoil the rate", () => {
    const bad: [string, Record<string, unknown>][] = [
      ["StepDecay", { stepSize: 2, gamma: null }],
      ["MultiStepDecay", { milestones: [2], gamma: null }],
      ["LinearLR", { totalSteps: 3, endFactor: null }],
      ["CosineAnnealingWarmRestarts", { T0: 3, etaMin: "0.1" }],
      ["MultiplicativeDecay", { lrLambda: 0.9 }],
    ];
    for (const name of ["factor", "patience", "threshold", "cooldown", "minLr", "epsilon"]) {
      bad.push(["ReduceOnPlateau", { [name]: null }]);
    }
    for (const [name, more] of bad) {
      const Scheduler = lr[name as "StepDecay"] as unknown as new (options: unknown) => unknown;
      assert.throws(
        () => new Scheduler({ learningRate: 0.5, ...more }),
        { code: "INVALID_VALUE" },
        JSON.stringify(more),
      );
    }
  });

  it("refuse an epoch between two when each has a factor, as Paddle does", () => {
    const s = new lr.MultiplicativeDecay(0.5, () => 0.5);
    s.step(2);
    assert.throws(() => s.step(2.5), { code: "INVALID_VALUE" });
    assert.deepEqual([s.lastLr, s.lastEpoch], [0.125, 2.5]);
  });

  it("also accept Paddle's arguments by position", () => {
    assert.equal(new lr.StepDecay(0.5, 2, 0.1, 1).lastLr, 0.05);
    assert.equal(new lr.StepDecay(0.5, { stepSize: 2, gamma: 0.1, lastEpoch: 1 }).lastLr, 0.05);
    assert.equal(new lr.LinearWarmup(new lr.ExponentialDecay(0.5, 0.5), 2, 0, 1, { paddle: "2.0" }).lastLr, 0);
    assert.equal(new lr.ReduceOnPlateau(0.25, "max").lastLr, 0.25);
    class Constant extends lr.LRScheduler {
      getLr(): number {
        return this.baseLr;
      }
    }
    assert.deepEqual([new Constant(0.5, 3).lastLr, new Constant(0.5, 3).lastEpoch], [0.5, 4]);
    assert.throws(() => new lr.StepDecay(0.5, 2, { stepSize: 3 } as never), /twice/);
  });

  it("refuse an unknown option, and suggest the nearest", () => {
    assert.throws(() => scheduler("StepDecay", { learning_rate: 0.5, step_sise: 2 }), /stepSize/);
  });

  it("have Python's powers in every runtime", () => {
    // From CPython 3.11; JavaScript engines are off by one ulp for some of them.
    const powers: [number, number, number][] = [
      [0.9, 7, 0.4782969000000001],
      [0.95, 500, 7.274491561439054e-12],
      [10, -2, 0.01],
      [0.1, 320, 1e-320],
      [-0.5, 3, -0.125],
      [2, 1023, 8.98846567431158e307],
      [7, -1.5, 0.05399492471560389],
    ];
    for (const [x, y, power] of powers) {
      assert.equal(lr.pow(x, y), power, `${x} ** ${y}`);
      assert.equal(nearestPow(x, y), power, `${x} ** ${y}`);
    }
    // A tie rounds to even.
    assert.equal(nearestPow(3, 34), 16677181699666568);
    assert.deepEqual([lr.pow(0, 0), lr.pow(1, NaN), lr.pow(-1, Infinity), lr.pow(0.5, 2000)], [1, 1, 1, 0]);
    assert.deepEqual([lr.pow(-0.5, 2000), lr.pow(-0.5, 2001)], [0, -0]);
    for (const [x, y] of [[0, -1], [-8, 1 / 3], [10, 400]]) refusal(() => lr.pow(x, y));
  });
});
