/** Creates layers from recorded arguments. */
import { createParameter, nn } from "../../mod.ts";
import { camelCase, type Json } from "../optimizer/recorded.ts";

const classes = nn as unknown as Record<string, new (...args: unknown[]) => nn.Layer>;
const initializers = nn.initializer as unknown as Record<string, new (args: unknown) => nn.initializer.Initializer>;

/** Classes whose rules changed between versions: they take the version. */
const VERSIONED =
  /^(BatchNorm|BatchNorm\dD|SyncBatchNorm|GroupNorm|SimpleRNN|LSTM|GRU|SimpleRNNCell|LSTMCell|GRUCell)$/;

/** Creates the object that a recorded argument describes. */
function build(v: Json, paddle: string): unknown {
  if (Array.isArray(v)) return v.map((item) => build(item, paddle));
  if (v === null || typeof v !== "object") return v;
  const [key] = Object.keys(v);
  if (key === "layer") return makeLayer(v.layer, paddle);
  if (key === "pair") return [v.pair[0], makeLayer(v.pair[1].layer ?? v.pair[1], paddle)];
  if (key === "parameter") return createParameter(v.parameter, "float32");
  if (key === "attr") return new nn.ParamAttr(named(v.attr, paddle));
  if (key === "initializer") return new initializers[v.initializer[0]](...Object.values(v.initializer[1]) as [unknown]);
  return new Map(Object.entries(v).map(([name, item]) => [name, build(item, paddle)]));
}

function named(args: Json, paddle: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [camelCase(name), build(value, paddle)]));
}

/** Creates a recorded layer (class, arguments, keyword arguments) by the rules of that version. */
export function makeLayer([name, args, options]: [string, Json[], Json], paddle: string): nn.Layer {
  const positions = args.map((arg) => build(arg, paddle));
  const keywords = { ...named(options, paddle), ...(VERSIONED.test(name) ? { paddle } : {}) };
  return Object.keys(keywords).length > 0 ? new classes[name](...positions, keywords) : new classes[name](...positions);
}
