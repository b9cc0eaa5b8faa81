/** Layers of paddle.nn, Paddle 2.0 and later: keys, names, shapes, flags and initial values, and state dicts in both directions. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isPaddleError, load, nn, save, seed as setSeed, setDefaultDtype, type StateDict, utils } from "../../mod.ts";
import { camelCase } from "../optimizer/recorded.ts";
import type { Json, Paddle } from "./paddles.ts";
import type { Report } from "./report.ts";

const { initializer } = nn;
const classes = nn as unknown as Record<string, new (...args: unknown[]) => nn.Layer>;
const VERSIONED =
  /^(BatchNorm|BatchNorm\dD|SyncBatchNorm|GroupNorm|SimpleRNN|LSTM|GRU|SimpleRNNCell|LSTMCell|GRUCell)$/;
/** Tolerance for normal values, which depend on a logarithm whose last bit is platform-specific. */
const CLOSE = 2 ** -20;

export async function layers(paddle: Paddle, report: Report, seed: number): Promise<string> {
  const theirs = paddle.makeFolder("theirs"), ours = paddle.makeFolder("ours");
  const said = paddle.ask("layers.py", theirs, "make", String(seed));
  if (said.rows === null) return "this version has no paddle.nn";
  let refused = 0, exact = 0, values = 0;
  for (const [i, row] of (said.rows as Json[]).entries()) {
    const name = `${paddle.name} ${row.class}(${JSON.stringify(row.args)}, ${JSON.stringify(row.options)})`;
    let layer: nn.Layer;
    try {
      layer = build(row, row.seed, said.paddle);
    } catch (error) {
      if (!isPaddleError(error) || !row.error) report.differs(name, `${error}; Paddle says ${row.error}`);
      refused++;
      continue;
    }
    if (row.error) {
      report.differs(name, `Paddle refuses it: ${row.error}`);
      continue;
    }
    const held = [...layer.stateDict()].map(([key, p]) => describe(key, p as nn.Parameter));
    const parts = [
      ["state", held, row.state.map((entry: Json) => entry.slice(0, 5))],
      ["parameters", layer.namedParameters().map(([key]) => key), row.parameters],
      ["buffers", layer.namedBuffers().map(([key]) => key), row.buffers],
      ["sublayers", layer.namedSublayers().map(([key, below]) => [key, below.fullName()]), row.sublayers],
    ];
    const different = parts.filter(([, a, b]) => JSON.stringify(a) !== JSON.stringify(b));
    for (const [what, a, b] of different) {
      report.differs(name, `${what}: ${JSON.stringify(a)}\n   not ${JSON.stringify(b)}`);
    }
    if (different.length > 0) continue;
    [...layer.stateDict()].forEach(([key, tensor], at) => {
      const expected: number[] = row.state[at][5];
      const actual = tensor.astype("float64").data as Float64Array;
      values += actual.length;
      exact += actual.filter((x, k) => x === expected[k]).length;
      const worst = Math.max(
        0,
        ...actual.map((x, k) => Math.abs(x - expected[k]) / Math.max(1, Math.abs(expected[k]))),
      );
      if (worst > CLOSE) report.differs(name, `${key} begins with other values: off by ${worst}`);
    });
    const file = `layer-${i}.pdparams`;
    if (!existsSync(join(theirs, file))) continue;
    const state = await load(join(theirs, file)) as StateDict;
    const answer = build(row, row.seed + 1, said.paddle).setStateDict(state, {
      onWarning: ({ message }) => report.differs(name, message),
    });
    if (answer.unexpectedKeys.length > 0) report.differs(name, `unexpected: ${answer.unexpectedKeys}`);
    await save(layer, join(ours, file));
  }
  const heard = paddle.ask("layers.py", ours, "load", String(seed));
  let taken = 0;
  for (const row of heard.rows as Json[]) {
    if (!row.state) continue;
    taken++;
    const isTaken = row.same && (row.answer === null || row.answer.flat().length === 0);
    if (!isTaken) report.differs(`${paddle.name} ${row.class}, of ours`, JSON.stringify(row).slice(0, 300));
  }
  return `${said.rows.length} layers, ${refused} refused by both, ${exact} of ${values} values equal, ${taken} of ours set by it`;
}

function describe(key: string, p: nn.Parameter): Json {
  return [key, p.name, p.shape, p.dtype, [p.trainable, p.persistable, p.optimizeAttr.learningRate, p.needClip]];
}

/** The layer that a row describes, by the rules of that Paddle. */
function build(row: Json, seed: number, paddle: string): nn.Layer {
  setDefaultDtype(row.dtype);
  try {
    return utils.uniqueName.guard(() => {
      setSeed(seed);
      return make(row.class, row.args, row.options, paddle);
    });
  } finally {
    setDefaultDtype("float32");
  }
}

function make(kind: string, args: Json[], given: Json, paddle: string): nn.Layer {
  const options = Object.entries(given).map(([name, value], i) => [camelCase(name), attribute(value, i)]);
  const keywords = { ...Object.fromEntries(options), ...(VERSIONED.test(kind) ? { paddle } : {}) };
  const values = args.map((value) => positional(value, paddle));
  if (Object.keys(keywords).length > 0) values.push(keywords);
  return new classes[kind](...values);
}

function positional(value: Json, paddle: string): Json {
  if (Array.isArray(value)) return value.map((item) => positional(item, paddle));
  if (value === null || typeof value !== "object") return value;
  const [kind, args, options] = value.layer;
  return make(kind, args, options, paddle);
}

function attribute(value: Json, i: number): Json {
  switch (value) {
    case "@name":
      return `name${i}`;
    case "@constant":
      return new initializer.Constant(0.25);
    case "@uniform":
      return new initializer.Uniform(-0.125, 0.5);
    case "@attr": {
      const start = new initializer.KaimingUniform();
      return { name: `attr${i}`, initializer: start, learningRate: 0.5, trainable: false, needClip: false };
    }
  }
  return value;
}
