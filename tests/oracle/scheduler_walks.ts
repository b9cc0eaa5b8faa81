/**
 * Random walks over schedulers, Paddle 2.0 and later: the same state to the bit and in the same order after every call, the same lines and
 * warnings, and the same calls are refused.
 */
import { Float, isPaddleError, type Value } from "../../mod.ts";
import { floatText } from "../../src/optimizer/python_text.ts";
import { wasFloat } from "../../src/words/floats.ts";
import { camelCase } from "../optimizer/recorded.ts";
import type { Json, Paddle } from "./paddles.ts";
import type { Report } from "./report.ts";
import { scheduler } from "./schedulers.ts";

type State = Map<string, Value>;

// deno-lint-ignore require-await
export async function schedulerWalks(paddle: Paddle, report: Report, seed: number): Promise<string> {
  const said = paddle.ask("scheduler_walks.py", paddle.folder, String(seed));
  if (said.rows === null) return "this version has no paddle.optimizer of its own";
  const rows = said.rows as Json[];
  let refused = 0, steps = 0;
  for (const [i, row] of rows.entries()) {
    const name = `${paddle.name} walk ${i}, ${row.class}(${JSON.stringify(row.args)})`;
    const s = made(row, said.paddle);
    if (s === null || row.error) {
      if (s === null && row.error) refused++;
      else report.differs(name, `${s === null ? "we refuse it" : "it is refused"}: ${row.error}`);
      continue;
    }
    const states: State[] = [s.stateDict()];
    for (const [t, call] of row.calls.entries()) {
      const [found, wanted] = [after(s, call, states), row.after[t]].map((x) => JSON.stringify(x));
      steps++;
      if (found === wanted) continue;
      report.differs(name, `after ${JSON.stringify(row.calls.slice(0, t + 1))}:\n   ${found}\n   ${wanted}`);
      break;
    }
  }
  return `${rows.length} schedulers, ${refused} refused by both, ${steps} calls`;
}

function made(row: Json, version: string): Json | null {
  try {
    return scheduler(row.class, row.args, version);
  } catch (error) {
    if (isPaddleError(error)) return null;
    throw error;
  }
}

/** What scheduler_walks.py says after a call. */
function after(s: Json, [name, ...rest]: Json[], states: State[]): Json[] {
  const lines: string[] = [];
  let warnings = 0, isRefused = false;
  const listen = (line: string) => lines.push(`${line}\n`);
  if (s.verbose) s.verbose = listen;
  try {
    if (name === "step") s.step(...rest);
    else if (name === "metric") s.step(new Float(rest[0]), ...rest.slice(1));
    else if (name === "set") {
      s.setStateDict(changed(states[rest[0] % states.length], rest[1]), { onWarning: () => warnings++ });
    } else if (name === "verbose") s.verbose = rest[0] && listen;
    else s[camelCase(name)] = rest[0];
  } catch (error) {
    if (!isPaddleError(error)) throw error;
    isRefused = true;
  }
  states.push(s.stateDict());
  return [saidOf(s.stateDict()), number(s.lastLr), lines.join(""), warnings, isRefused];
}

function changed(state: State, how: string): State {
  const copy = copyOf(state);
  if (how === "lacks") copy.delete("last_lr");
  if (how === "more") copy.set("more", 1);
  return copy;
}

/** A copy that still tells floats from ints. */
function copyOf(state: State): State {
  const isFloat = (key: string, value: Value) => typeof value === "number" && wasFloat(state, key, value);
  return new Map([...state].map(([key, value]) => {
    if (value instanceof Map) return [key, copyOf(value as State)];
    return [key, isFloat(key, value) ? new Float(value as number) : value];
  }));
}

function saidOf(state: State): Json {
  return [...state].map(([key, value]) => {
    if (value instanceof Map) return [key, saidOf(value as State)];
    if (value instanceof Float) return [key, number(value.value)];
    if (typeof value !== "number") return [key, value];
    return [key, Number.isInteger(value) && !wasFloat(state, key, value) ? String(value) : number(value)];
  });
}

/** A float as say.py says it. */
function number(x: number): Json {
  return Number.isFinite(x) && !Object.is(x, -0) ? x : floatText(x);
}
