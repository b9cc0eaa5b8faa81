/** Training with rare values, Paddle 2.0 and later: the parameters and the whole state must be Paddle's after every step. */
import { fromArray, type NDArray, nn, optimizer, type Tensor, utils } from "../../mod.ts";
import { named } from "../optimizer/recorded.ts";
import type { Json, Paddle } from "./paddles.ts";
import type { Report } from "./report.ts";

/** Tolerance for parameters of 8 elements and more, whose loops Paddle vectorizes. */
const CLOSE = 2 ** -20;

export function extremes(paddle: Paddle, report: Report, seed: number): Promise<string> {
  const said = paddle.ask("extremes.py", paddle.makeFolder("extremes"), "make", String(seed));
  if (said.rows === null) return Promise.resolve("this version has no paddle.optimizer of its own");
  const rows = said.rows as Json[];
  let runs = 0, values = 0;
  for (const [i, row] of rows.entries()) {
    if (row.error) continue;
    runs++;
    const { args, groups, attrs } = row;
    const name = `${paddle.name} run ${i}, ${row.dtype} ${row.class}(${JSON.stringify({ args, groups, attrs })})`;
    let mine: Json;
    try {
      mine = go(row, said.paddle);
    } catch (error) {
      report.differs(name, String(error));
      continue;
    }
    const differs = (what: string) => {
      report.differs(name, what);
      return true;
    };
    row.after.some(([parameters, state]: Json, t: number) => {
      const theirs = [...parameters.map((value: Json, k: number) => [`case.p_${k}`, value]), ...state] as Json[];
      const keys = theirs.map(([key]) => key).join(), ours = mine[t].map(([key]: Json) => key).join();
      if (keys !== ours) return differs(`the state after step ${t + 1} has ${ours}\n   not ${keys}`);
      return theirs.some(([key, [shape, wanted]], k) => {
        const [, [ownShape, own]] = mine[t][k];
        if (String(shape) !== String(ownShape)) return differs(`${key} is [${ownShape}], not [${shape}]`);
        values += wanted.length;
        const at = wanted.findIndex((x: Json, n: number) => !agree(own[n], numberOf(x), wanted.length));
        return at >= 0 && differs(`${key}[${at}] after step ${t + 1} is ${own[at]}, not ${wanted[at]}`);
      });
    });
  }
  return Promise.resolve(`${runs} of ${rows.length} runs, ${values} values equal`);
}

function agree(own: number, wanted: number, size: number): boolean {
  return own === wanted || (Number.isNaN(own) && Number.isNaN(wanted)) ||
    (size >= 8 && Number.isFinite(wanted) && Math.abs(own - wanted) <= CLOSE * Math.max(1e-30, Math.abs(wanted)));
}

function numberOf(said: Json): number {
  const words: Record<string, number> = { nan: NaN, inf: Infinity, "-inf": -Infinity, "-0.0": -0 };
  return typeof said === "string" ? words[said] : said;
}

function arrayOf([shape, numbers]: Json, dtype: "float32" | "float64"): NDArray {
  return fromArray(numbers.map(numberOf), dtype).reshape(shape);
}

/** Names and values of the parameters, and of the state, after each step. */
function go(row: Json, version: string): Json {
  return utils.uniqueName.guard(() => {
    const parameters = row.start.map((value: Json, k: number) => {
      const { learningRate = 1, ...rest } = named(row.attrs[k]);
      const options = { name: `case.p_${k}`, ...rest, optimizeAttr: { learningRate } };
      return nn.Parameter.from(arrayOf(value, row.dtype), options);
    }) as nn.Parameter[];
    const groups = row.groups?.map(({ params, ...rest }: Json) => ({
      ...named(rest),
      params: params.map((k: number) => parameters[k]),
    }));
    const options = named(row.args);
    const made = new (optimizer as Json)[row.class]({ ...options, parameters: groups ?? parameters, paddle: version });
    return row.steps.map(({ gradients, rate, frozen }: Json) => {
      if (rate !== undefined) made.setLr(rate);
      if (frozen !== undefined) parameters[frozen].stopGradient = !parameters[frozen].stopGradient;
      parameters.forEach((p, k) => {
        if (gradients[k] !== null && !p.stopGradient) p.grad = arrayOf(gradients[k], row.dtype);
      });
      made.step();
      made.clearGrad(false);
      if (options.learningRate instanceof optimizer.lr.LRScheduler) options.learningRate.step();
      const state = [...made.stateDict()].filter(([key]: Json) => key !== "LR_Scheduler");
      return [...parameters.map((p) => [p.name, p]), ...state].map(([key, tensor]) => [key, plain(tensor as Tensor)]);
    });
  });
}

function plain(tensor: Tensor): Json {
  return [[...tensor.shape], Array.from(tensor.reshape([tensor.size]).toArray() as number[], Number)];
}
