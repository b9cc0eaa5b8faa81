import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { decode, encode, fromArray, isPaddleError, NDArray, nn, SelectedRows, Tensor, type Value } from "../../mod.ts";
import { type Json, recorded, value, VERSIONS } from "./recorded.ts";
import { NAMES, Run } from "./run.ts";

/** Refused by some versions only; here they follow the rule of the versions that take them. */
const TAKEN = [
  "sgd l1",
  "sgd attr",
  "momentum l1",
  "rmsprop centered",
  "rmsprop centered momentum",
  "momentum multi tensor",
  "adam multi tensor",
];

function isOld(version: string, major: number, minor: number): boolean {
  const [a, b] = version.split(".").map(Number);
  return a < major || (a === major && b < minor);
}

/** The steps of a case as the newest Paddle that takes it recorded them. */
function stepsWhereTaken(part: string, name: string): Json {
  for (const version of [...VERSIONS].reverse()) {
    const found = recorded(version, part)?.cases.find((c: Json) => c.name === name);
    if (found?.steps && !found.error && !found.varies) return found.steps;
  }
  return assert.fail(`no Paddle takes ${name}`);
}

function arrays(values: Record<string, number[]>, shapes: Record<string, number[]>): Map<string, NDArray> {
  return new Map(NAMES.map((name) => [name, fromArray(values[name], "float32").reshape(shapes[name])]));
}

/** Keys, names, shapes, dtypes and values in order, as plain data. */
function plain(v: Value): unknown {
  if (v instanceof NDArray) {
    return {
      dtype: v.dtype,
      shape: [...v.shape],
      data: [...v.data as Float32Array],
      name: v instanceof Tensor ? v.name : "",
    };
  }
  return v instanceof Map ? [...v].map(([key, item]) => [key, plain(item)]) : v;
}

for (const version of VERSIONS) {
  const data = recorded(version, "optimizers");
  if (!data) continue;
  const shapes = { weight: [3, 2], bias: [2] };

  describe(`optimizers, as Paddle ${version} runs them`, () => {
    for (const c of data.cases) {
      const start = () => arrays(data.start, shapes);
      /** The parameters after each of the five steps. */
      const stepped = (run: Run) =>
        [0, 1, 2, 3, 4].map((i) => {
          run.step(arrays(data.gradients[i], shapes));
          return run.values();
        });
      if (c.error && TAKEN.includes(c.name)) {
        it(`are accepted where this version refuses them, and match one that accepts them to the bit: ${c.name}`, () => {
          assert.deepEqual(stepped(new Run(c, start(), version)), stepsWhereTaken("optimizers", c.name));
        });
        continue;
      }
      // Its own rule since 2.6, which refuses it only on the CPU: the rate of a parameter is multiplied throughout.
      if (c.error && c.name === "adamw lr_ratio" && !isOld(version, 2, 6)) {
        it(`scale rates with lr_ratio just as with the parameters' own factors, to the bit: ${c.name}`, () => {
          const { lr_ratio: _, ...args } = c.args;
          const attr = (learning_rate: number) => ({ attr: { learning_rate } });
          const factors = { ...c, args, layer_args: { weight_attr: attr(0.25), bias_attr: attr(0.5) } };
          assert.deepEqual(stepped(new Run(c, start(), version)), stepped(new Run(factors, start(), version)));
          assert.notDeepEqual(
            stepped(new Run(c, start(), version)),
            stepped(new Run({ ...c, args }, start(), version)),
          );
        });
        continue;
      }
      if (c.error) {
        it(`are refused: ${c.name}`, () => {
          assert.throws(() => new Run(c, start(), version), (e) => isPaddleError(e) || e instanceof TypeError);
        });
        continue;
      }
      it(`match in parameters and states after each step, to the bit: ${c.name}`, () => {
        const run = new Run(c, arrays(data.start, shapes), version);
        const scheduler = c.args.learning_rate?.scheduler;
        assert.deepEqual(plain(run.optimizer.stateDict()), plain(value(c.state_new)));
        assert.equal(run.optimizer.getLr(), c.lr[0]);
        let saved: Uint8Array | null = null;
        let values: Map<string, NDArray> | null = null;
        const advance = (r: Run, i: number) => {
          r.step(arrays(data.gradients[i], shapes));
          if (scheduler) r.scheduler!.step();
        };
        for (let i = 0; i < 5; i++) {
          advance(run, i);
          assert.deepEqual(run.values(), c.steps[i], `step ${i + 1}`);
          assert.equal(run.optimizer.getLr(), c.lr[i + 1]);
          const state = c.states[i + 1];
          if (state) assert.deepEqual(plain(run.optimizer.stateDict()), plain(value(state)), `state ${i + 1}`);
          if (i === 2) [saved, values] = [encode(run.optimizer.stateDict()), run.arrays()];
        }
        const again = new Run(c, values!, version);
        again.optimizer.setStateDict(decode(saved!), { onWarning: () => {} });
        for (let i = 3; i < 5; i++) {
          advance(again, i);
          assert.deepEqual(again.values(), c.steps[i], `resumed, step ${i + 1}`);
        }
        assert.deepEqual(plain(again.optimizer.stateDict()), plain(run.optimizer.stateDict()));
      });
    }
  });

  const long = recorded(version, "long") ?? { cases: [] };
  describe(`optimizers on large parameters, as Paddle ${version} runs them`, () => {
    const [n, m] = [37, 17];
    const sizes: Record<string, number[]> = { weight: [n, m], bias: [m] };
    const make = (weight: (i: number) => number, bias: (i: number) => number) =>
      arrays({
        weight: Array.from({ length: n * m }, (_, i) => weight(i)),
        bias: Array.from({ length: m }, (_, i) => bias(i)),
      }, sizes);
    for (const c of long.cases) {
      if (c.error) continue;
      it(`match within the last places of Paddle's vector loops: ${c.name}`, () => {
        const run = new Run(c, make((i) => ((i * 37 + 11) % 101 - 50) / 64, (i) => ((i * 3 + 2) % 7 - 3) / 5), version);
        for (const t of [1, 2, 3]) {
          run.step(make((i) => ((i * 53 + t * 29 + 7) % 103 - 51) / 97, (i) => ((i * 5 + t * 11 + 1) % 17 - 8) / 7));
        }
        const values = run.values();
        let worst = 0;
        for (const name of NAMES) {
          c.after_3[name].forEach((wanted: number, i: number) => {
            worst = Math.max(worst, Math.abs(values[name][i] - wanted) / Math.max(1, Math.abs(wanted)));
          });
        }
        // TRAINING.md 1: exact except for square roots and sums
        const exact = ["SGD", "Momentum", "Adam", "AdamW", "Adamax", "RAdam", "ASGD", "Rprop"].includes(c.class);
        const isClipped = c.args.grad_clip !== undefined;
        if (exact && !isClipped && !isOld(version, 2, 3)) assert.equal(worst, 0);
        else assert.ok(worst <= 4 * 2 ** -24, `${worst * 2 ** 24} * 2^-24`);
      });
    }
  });

  const sparse = recorded(version, "sparse") ?? { cases: [] };
  describe(`row-sparse gradients, as Paddle ${version} takes them`, () => {
    for (const c of sparse.cases) {
      const make = () => {
        const weight = nn.Parameter.from(fromArray(sparse.start, "float32").reshape([5, 2]), {
          name: "embedding_0.w_0",
        });
        return new Run(c, new Map([["weight", weight]]), version);
      };
      const steps = (run: Run) =>
        [0, 1, 2].map((t) => {
          const [parameter] = run.parameters.values();
          const rows = fromArray(sparse.gradients[t], "float32").reshape([3, 2]);
          parameter.grad = new SelectedRows(sparse.ids[t], 5, rows);
          run.optimizer.step();
          run.optimizer.clearGrad();
          return [...parameter.toFloat32Array()];
        });
      const isTaken = c.steps && !c.varies;
      // These are refused by every version tested; others only by some, and are accepted here.
      const isRefused = ["Adamax", "Adadelta", "NAdam", "RAdam", "ASGD"].includes(c.class) ||
        (c.class === "AdamW" && !isOld(version, 2, 4));
      if (isTaken) {
        it(`give the same parameters after each step, and the same state after the last, to the bit: ${c.name}`, () => {
          const run = make();
          assert.deepEqual(steps(run), c.steps);
          assert.deepEqual(plain(run.optimizer.stateDict()), plain(value(c.state)));
        });
      } else if (isRefused) {
        it(`are refused at the first step: ${c.name}`, () => {
          const run = make();
          assert.throws(() => steps(run), (e) => isPaddleError(e) && e.code === "UNSUPPORTED_FEATURE");
        });
      } else if (c.args.amsgrad) {
        it(`are not reached when this version does not know an argument of the optimizer: ${c.name}`, () => {
          assert.throws(make, (e) => isPaddleError(e) && e.code === "INVALID_VALUE");
        });
      } else {
        it(`are accepted where this version refuses them, and match one that accepts them to the bit: ${c.name}`, () => {
          assert.deepEqual(steps(make()), stepsWhereTaken("sparse", c.name));
        });
      }
    }
  });
}
