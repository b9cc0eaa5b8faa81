/** GradScaler compared with Paddle's, since 2.6: scales, counts, parameters and refusals after calls in a random order. */
import { amp, fromArray, isPaddleError, nn, optimizer } from "../../mod.ts";
import { camelCase, named, number } from "../optimizer/recorded.ts";
import type { Json, Paddle } from "./paddles.ts";
import type { Report } from "./report.ts";

const NAMES = ["InitLossScaling", "IncrRatio", "DecrRatio", "IncrEveryNSteps", "DecrEveryNNanOrInf"];

export function scaler(paddle: Paddle, report: Report, seed: number): Promise<string> {
  const { rows } = paddle.ask("scaler.py", paddle.makeFolder("scaler"), String(seed));
  if (rows === null) return Promise.resolve("this version has another GradScaler, or none");
  let calls = 0, refused = 0;
  for (const [i, row] of rows.entries()) {
    for (const [t, found] of run(row).entries()) {
      // It steps with non-finite gradients if another optimizer was unscaled since (on a CPU as NaN and 0).
      if (row.after[t].values.flat().includes("nan")) break;
      calls++;
      if (found.said) refused++;
      const [a, b] = [found, row.after[t]].map((x) => JSON.stringify(x));
      if (a === b) continue;
      report.differs(
        `${paddle.name} scaler ${i}, call ${t}`,
        `${JSON.stringify(row.calls.slice(0, t + 1))}\n   ${a}\n   ${b}`,
      );
      break;
    }
  }
  return Promise.resolve(`${rows.length} scalers, ${calls} calls, ${refused} refused by both`);
}

function run(row: Json): Json[] {
  const make = () => new amp.GradScaler(named(row.args));
  let scaler: Json = make();
  const parameters = [0, 1].map((k) => new nn.Parameter("float32", [3], undefined, { name: `p${k}` }));
  const optimizers = [new optimizer.SGD(0.5, [parameters[0]]), new optimizer.Momentum(0.5, 0.25, [parameters[1]])];
  return row.calls.map(([kind, which, value]: Json[]) => {
    let said = null;
    try {
      if (kind === "gradient") parameters[which].grad = fromArray(value.map(number), "float32");
      else if (kind === "set") scaler[camelCase(`set_${which}`)](value);
      else if (kind === "reload") {
        const state = scaler.stateDict();
        scaler = make();
        scaler.loadStateDict(state);
      } else scaler[kind](optimizers[which]);
    } catch (error) {
      if (!isPaddleError(error)) throw error;
      said = error.message;
    }
    return {
      said,
      scale: scaler.lossScaling,
      counts: [scaler.incrCount, scaler.decrCount],
      got: NAMES.map((name) => scaler[`get${name}`]()),
      dynamic: scaler.isUseDynamicLossScaling(),
      values: parameters.map((p) => [...p.toFloat32Array()].map(text)),
      states: optimizers.map((each) => each.stateDict().size),
    };
  });
}

/** As Python writes a number that JSON has no word for. */
function text(x: number): Json {
  return Number.isFinite(x) ? x : Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
}
