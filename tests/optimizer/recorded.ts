/** Recorded training runs of real Paddle, and the objects that their arguments describe. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { NDArray, nn, NumpyScalar, optimizer, regularizer, Tensor, Tuple } from "../../mod.ts";

// deno-lint-ignore no-explicit-any
export type Json = any;

/** The folder with all of them, if it is next to the project; otherwise the selection in it. */
export const FOLDER = existsSync("../shared/training") ? "../shared/training" : "tests/fixtures/training";

/** Versions with recordings. */
export const VERSIONS = readdirSync(FOLDER).filter((name) => name.startsWith("paddle-")).map((name) => name.slice(7))
  .sort();

/** A recording; whatever is the same as in 3.3.1 is taken from there. */
export function recorded(version: string, part: string): Json | null {
  const path = `${FOLDER}/paddle-${version}/${part}.json`;
  if (!existsSync(path)) return null;
  const data = JSON.parse(readFileSync(path, "utf8"));
  if (!data["same_as_3.3.1"]) return data;
  const newest = recorded("3.3.1", part);
  const same = newest.cases.filter((c: Json) => data["same_as_3.3.1"].includes(c.name));
  return { ...newest, ...data, cases: [...data.cases, ...same], own: data };
}

/** The Python lambdas that occur in the recordings. */
const FUNCTIONS = new Map<string, unknown>([
  ["lambda epoch: 0.95 ** epoch", (epoch: number) => optimizer.lr.pow(0.95, epoch)],
  ["lambda epoch: 0.95", () => 0.95],
  ["lambda epoch: 0.9 if epoch % 2 else 0.99", (epoch: number) => epoch % 2 ? 0.9 : 0.99],
  ["lambda x: 0.9 ** x", (x: number) => optimizer.lr.pow(0.9, x)],
  ["lambda p: 0.5 if len(p.shape) == 1 else 0.25", (p: nn.Parameter) => p.shape.length === 1 ? 0.5 : 0.25],
  ["lambda name: not name.endswith('.b_0')", (name: string) => !name.endsWith(".b_0")],
  ["lambda p: p.name.endswith('.b_0')", (p: nn.Parameter) => p.name.endsWith(".b_0")],
  ["lambda name: name.endswith('_0')", (name: string) => name.endsWith("_0")],
  ["lambda p: p.name.endswith('_0')", (p: nn.Parameter) => p.name.endsWith("_0")],
  ["(0.06, 0.15)", [0.06, 0.15]],
  ["(0.4, 1.3)", [0.4, 1.3]],
]);

/** Creates the object that an argument describes. */
export function build(v: Json): Json {
  if (Array.isArray(v)) return v.map(build);
  if (v === null || typeof v !== "object") return v;
  const keys = Object.keys(v);
  if (keys.length === 1) {
    const what = v[keys[0]];
    switch (keys[0]) {
      case "python":
        assert.ok(FUNCTIONS.has(what), `a function for ${what}`);
        return FUNCTIONS.get(what);
      case "scheduler":
        return scheduler(what[0], what[1]);
      case "regularizer":
        return new (regularizer as Json)[what[0]](...what.slice(1));
      case "clip":
        return new (nn as Json)[what[0]](named(what[1]));
    }
  }
  return named(v);
}

/** Keyword arguments as options. */
export function named(args: Json): Json {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [camelCase(name), build(value)]));
}

export function camelCase(name: string): string {
  return name.replace(/(?!^)_([a-zA-Z0-9])/g, (_, letter) => letter.toUpperCase());
}

/** Creates a scheduler. */
export function scheduler(kind: string, args: Json, more: Json = {}): Json {
  return new (optimizer.lr as Json)[kind]({ ...named(args), ...more });
}

/** A recorded value; floats are distinguished from ints as users of the library do. */
export function value(v: Json): Json {
  if (v === null || typeof v !== "object") return v;
  const [tag] = Object.keys(v);
  const x = v[tag];
  switch (tag) {
    case "int":
      return Number(x);
    case "float":
      return number(x);
    case "list":
      return x.map(value);
    case "tuple":
      return Tuple.from(x.map(value));
    case "dict":
    case "OrderedDict":
      return new Map(x.map(([key, item]: [Json, Json]) => [value(key), value(item)]));
    case "scalar":
      return new NumpyScalar(x.dtype, number(x.value));
    case "ndarray":
      return NDArray.fromArray(x.data.map(number), x.dtype).reshape(x.shape);
    case "Tensor": {
      const tensor = Tensor.fromArray(x.data.map(number), x.dtype).reshape(x.shape);
      tensor.name = x.name;
      return tensor;
    }
  }
  throw new Error(`A recorded value of a known kind: ${tag}`);
}

export function number(x: number | string): number {
  return typeof x === "number" ? x : x === "nan" ? NaN : x === "inf" ? Infinity : x === "-inf" ? -Infinity : -0;
}

/** Python's TypeErrors name Python's types, so only their beginning is compared. */
export function sameMessage(actual: string, wanted: string): boolean {
  const [head] = wanted.split(/<class|the current type is|NoamDecay.__init__/);
  return actual.startsWith(head.trimEnd());
}
