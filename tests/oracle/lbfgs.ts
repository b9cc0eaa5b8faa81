/**
 * LBFGS compared with Paddle's, since 3.0: the same losses, parameters, numbers of calls and states, even when resumed from Paddle's file.
 */
import { join } from "node:path";
import { fromArray, load, NDArray, nn, optimizer, type Value } from "../../mod.ts";
import { closureOf } from "../optimizer/closures.ts";
import { named } from "../optimizer/recorded.ts";
import type { Json, Paddle } from "./paddles.ts";
import type { Report } from "./report.ts";

export async function lbfgs(paddle: Paddle, report: Report, seed: number): Promise<string> {
  const folder = paddle.makeFolder("lbfgs");
  const { rows } = paddle.ask("lbfgs.py", folder, String(seed));
  if (rows === null) return "this version has another LBFGS, or none";
  let steps = 0;
  for (const [i, row] of rows.entries()) {
    const name = `${paddle.name} LBFGS ${i}, ${row.dtype} ${row.kind} ${JSON.stringify(row.shapes)} ${
      JSON.stringify(row.args)
    }`;
    if (row.error && !/ZeroDivision/.test(row.error)) report.differs(name, row.error);
    const whole = model(row, row.start);
    for (const [t, wanted] of row.steps.entries()) {
      steps++;
      if (!whole.agrees(wanted)) {
        report.differs(name, `step ${t + 1}: ${whole.said}`);
        break;
      }
    }
    if (row.steps.length < 6) continue;
    const again = model(row, row.steps[2].x, row.steps[2].calls);
    again.made.setStateDict(await load(join(folder, `run-${i}.pdopt`)) as Map<Value, Value>);
    for (const [t, wanted] of row.steps.slice(3).entries()) {
      if (!again.agrees(wanted)) report.differs(name, `resumed, step ${t + 4}`);
    }
  }
  return `${rows.length} runs, ${steps} steps`;
}

function model(row: Json, start: number[], calls = 0) {
  let offset = 0;
  const parameters = row.shapes.map((shape: number[], k: number) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const value = fromArray(start.slice(offset, offset += size), row.dtype).reshape(shape);
    return nn.Parameter.from(value, { name: `p${k}` });
  }) as nn.Parameter[];
  const made = new optimizer.LBFGS({ ...named(row.args), parameters, onWarning: () => {} });
  const evaluate = closureOf(row.kind, parameters, row.factors, calls);
  const closure = () => {
    calls++;
    return evaluate();
  };
  const self = {
    made,
    /** Describes the first difference. */
    said: "",
    /** Take one more step; returns whether everything is as expected. */
    agrees(wanted: Json): boolean {
      const loss = made.step(closure);
      const x = parameters.flatMap((p) => [...p.data as Float64Array]);
      const state = [...made.stateDict().get("state") as Map<string, Value>].map(([key, v]) => [key, plain(key, v)]);
      const words = (said: Json) =>
        Object.entries({ ...said, ...Object.fromEntries(said.state) }).map((x) => JSON.stringify(x));
      const expected = words(wanted);
      const at = words({ loss, calls, x, state }).findIndex((word, i) => {
        self.said = `${word.slice(0, 200)} for ${String(expected[i]).slice(0, 200)}`;
        return word !== expected[i];
      });
      return at === -1;
    },
  };
  return self;
}

function plain(key: string, v: Value): Json {
  if (v instanceof NDArray) return { dtype: v.dtype, shape: [...v.shape], data: [...v.data as Float64Array] };
  if (Array.isArray(v)) return v.map((x) => plain("", x));
  return typeof v === "number" && (key === "prev_loss" || (key === "alpha" && v !== 0)) ? { float: v } : v;
}
