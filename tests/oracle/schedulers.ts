/**
 * Schedulers, Paddle 2.0 and later: the same rates to the bit, whoever goes on from whose state. ReduceOnPlateau's metrics lie at its
 * threshold, where the precision of each operation decides.
 */
import { join } from "node:path";
import {
  Float,
  isPaddleError,
  load,
  NDArray,
  nn,
  NumpyScalar,
  optimizer,
  save,
  type StateDict,
  Tensor,
} from "../../mod.ts";
import { camelCase } from "../optimizer/recorded.ts";
import type { Json, Paddle } from "./paddles.ts";
import type { Report } from "./report.ts";

const { pow } = optimizer.lr;
/** Those of schedulers.py. */
const FUNCTIONS = [
  (e: number) => pow(0.9, e),
  () => 0.95,
  (e: number) => 1 / (e + 1),
  (e: number) => e % 2 ? 0.9 : 0.99,
];
const METRICS: Record<string, (x: number) => optimizer.lr.Metric> = {
  float: (x) => new Float(x),
  float32: (x) => new NumpyScalar("float32", Math.fround(x)),
  float64: (x) => new NumpyScalar("float64", x),
  array16: (x) => NDArray.fromArray([x], "float16"),
  array32: (x) => NDArray.fromArray([x], "float32"),
  array64: (x) => NDArray.fromArray([x], "float64"),
  rank0: (x) => NDArray.fromArray([x], "float32").reshape([]),
  tensor32: (x) => Tensor.fromArray([x], "float32"),
  tensor64: (x) => Tensor.fromArray([x], "float64"),
};

export async function schedulers(paddle: Paddle, report: Report, seed: number): Promise<string> {
  const theirs = paddle.makeFolder("theirs"), ours = paddle.makeFolder("ours");
  const said = paddle.ask("schedulers.py", theirs, "make", String(seed));
  if (said.rows === null) return "this version has no paddle.optimizer of its own";
  const rows = said.rows as Json[];
  let refused = 0;
  const name = (i: number) => `${paddle.name} scheduler ${i}, ${rows[i].class}(${JSON.stringify(rows[i].args)})`;
  const compare = (i: number, what: string, found: Json, wanted: Json) => {
    const [a, b] = [found, wanted].map((x) => JSON.stringify(x));
    if (a !== b) report.differs(name(i), `${what}:\n   ${a}\n   ${b}`);
  };
  for (const [i, row] of rows.entries()) {
    const whole = await go(row, said.paddle, null, fileOf(ours, i));
    if (whole.error && row.error) refused++;
    else compare(i, "all steps", whole, { rates: row.rates, error: row.error });
  }
  const ask = (folder: string) => paddle.ask("schedulers.py", folder, "go", String(seed)).rows;
  const [fromOurs, fromTheirs] = [ours, theirs].map(ask);
  let taken = 0;
  for (const [i, row] of rows.entries()) {
    // Where Paddle cannot save, there is nothing of its own to compare with.
    if (row.error || fromTheirs[i] === null) continue;
    taken++;
    compare(i, `Paddle from step ${row.at} of ours`, fromOurs[i]?.rates, fromTheirs[i].rates);
    const resumed = await go(row, said.paddle, await load(fileOf(theirs, i)) as StateDict);
    // Paddle's own does not continue where it was.
    const wanted = row.class === "CosineAnnealingWarmRestarts" ? row.rates.slice(row.at) : fromTheirs[i].rates;
    compare(i, `from step ${row.at} of theirs`, resumed.rates, wanted);
  }
  return `${rows.length} schedulers, ${refused} refused by both, ${taken} states taken by it`;
}

function fileOf(folder: string, i: number): string {
  return join(folder, `scheduler-${i}.pdopt`);
}

async function go(row: Json, version: string, state: StateDict | null, path?: string): Promise<Json> {
  const rates: Json[] = [];
  try {
    const s = scheduler(row.class, row.args, version);
    const sgd = new optimizer.SGD(s, [new nn.Parameter("float32", [1])]);
    if (state) sgd.setStateDict(state, { onWarning: () => {} });
    for (let t = state ? row.at : 0; t <= row.calls.length; t++) {
      rates.push([s.lastLr, s.lastEpoch]);
      if (t === row.at && path) await save(sgd.stateDict(), path);
      const { metric, epoch } = row.calls[t] ?? {};
      if (metric) s.step(METRICS[metric[0]](metric[1]));
      else if (t < row.calls.length) s.step(epoch);
    }
    return { rates };
  } catch (error) {
    if (!isPaddleError(error)) throw error;
    return { rates, error: String(error) };
  }
}

/** The scheduler that schedulers.py makes of the same arguments. */
export function scheduler(kind: string, args: Json, paddle: string): Json {
  const options = Object.entries(args).map(([key, value]) => [camelCase(key), build(value as Json, paddle)]);
  const versioned = /^(LinearWarmup|ReduceOnPlateau)$/.test(kind) ? { paddle } : {};
  return new (optimizer.lr as Json)[kind]({ ...Object.fromEntries(options), ...versioned });
}

function build(value: Json, paddle: string): Json {
  if (typeof value !== "object" || Array.isArray(value)) return value;
  return value.scheduler ? scheduler(value.scheduler[0], value.scheduler[1], paddle) : FUNCTIONS[value.function];
}
