/**
 * Random walks over layers, Paddle 3.3: the same state dicts, names and values in the same order after every call, the same answers, and the
 * same calls are refused.
 */
import { createParameter, isPaddleError, NDArray, nn, Tensor, utils } from "../../mod.ts";
import type { Json, Paddle } from "./paddles.ts";
import type { Report } from "./report.ts";

class Net extends nn.Layer {}

// deno-lint-ignore require-await
export async function layerWalks(paddle: Paddle, report: Report, seed: number): Promise<string> {
  const said = paddle.ask("layer_walks.py", paddle.folder, String(seed));
  if (said.rows === null) return "containers are those of 3.3";
  let calls = 0;
  for (const [i, { kinds, calls: asked, after }] of said.rows.entries()) {
    const scope = new utils.uniqueName.NameScope(`walk${i}_`);
    utils.uniqueName.guard(scope, () => {
      const layers: nn.Layer[] = kinds.map(layer);
      for (const [t, what] of asked.entries()) {
        const [found, wanted] = [answerTo(layers, what), after[t]];
        calls++;
        const isRefused = [found, wanted].map(([, , error]) => error !== null);
        // Where it refuses to insert a layer, Paddle may have moved some already.
        if (isRefused[0] && isRefused[1] && what[1] === "insert") break;
        const [a, b] = [found, wanted].map(([state, answer]) => JSON.stringify([state, answer]));
        if (a === b && isRefused[0] === isRefused[1]) continue;
        const earlier = JSON.stringify(asked.slice(0, t + 1));
        report.differs(
          `${paddle.name} layers ${i}, ${kinds}`,
          `after ${earlier}:\n   ${a} ${found[2]}\n   ${b} ${wanted[2]}`,
        );
        break;
      }
    });
  }
  return `${said.rows.length} networks, ${calls} calls`;
}

function layer(kind: string): nn.Layer {
  const { Constant } = nn.initializer;
  if (kind === "Net") return new Net();
  if (kind === "Linear") return new nn.Linear(2, 3, { weightAttr: new Constant(0.5), biasAttr: new Constant(0.25) });
  const Class = (nn as Json)[kind];
  return ["BatchNorm1D", "LayerNorm"].includes(kind) ? new Class(2) : new Class();
}

function value(what: Json, layers: nn.Layer[]): Json {
  if (what === null) return null;
  const [kind, n] = what;
  if (kind === "layer") return layers[n];
  if (kind === "parameter") {
    return createParameter([2], "float32", { defaultInitializer: new nn.initializer.Constant(n) });
  }
  return Tensor.from(NDArray.full([2], n + 1000, "float32"), { name: `t${n}` });
}

function answerTo(layers: nn.Layer[], what: Json): Json[] {
  let answer: Json = null, error: string | null = null;
  try {
    answer = call(layers, what) ?? null;
  } catch (thrown) {
    if (!isPaddleError(thrown)) throw thrown;
    error = String(thrown);
  }
  return [saidOf(layers[0]), answer, error];
}

function call(layers: nn.Layer[], [at, name, ...rest]: Json): Json {
  const one: Json = layers[at];
  const given = (i: number) => value(rest[i], layers);
  switch (name) {
    case "setattr":
      one[rest[0]] = given(1);
      return;
    case "delattr":
      delete one[rest[0]];
      return;
    case "add_sublayer":
      return void one.addSublayer(rest[0], given(1));
    case "add_parameter":
      return void one.addParameter(rest[0], given(1));
    case "register_buffer":
      return one.registerBuffer(rest[0], given(1), { persistable: rest[2] });
    case "set":
      return setState(layers[0], rest[0], rest[1]);
    case "get": {
      const got = one.get(rest[0]);
      return got instanceof nn.Layer ? got.fullName() : got.name;
    }
    case "setitem":
      return void one.set(rest[0], given(1));
    case "delitem":
      return one.delete(rest[0]);
    case "insert":
      return void one.insert(rest[0], given(1));
    case "append":
      return void one.append(given(0));
    case "extend":
      return void one.extend(rest[0].map((x: Json) => value(x, layers)));
    case "update":
      return void one.update(rest[0].map(([key, x]: Json) => [key, value(x, layers)]));
    case "pop":
      return one.pop(rest[0]).fullName();
    default:
      return void one[name]();
  }
}

function setState(net: nn.Layer, useStructuredName: boolean, how: string): Json {
  const more = (tensor: Tensor) => {
    return NDArray.fromArray(Array.from(tensor.data as Float32Array, (x) => x + 1), "float32").reshape(tensor.shape);
  };
  const pairs = [...net.stateDict()].map(([key, tensor]): [string, NDArray] => {
    return [useStructuredName ? key : tensor.name, more(tensor)];
  });
  const state = new Map(pairs), [first] = state.keys();
  if (first !== undefined && how === "lacks") state.delete(first);
  if (first !== undefined && how === "shape") state.set(first, NDArray.zeros([5, 1]));
  if (how === "more") state.set("more", NDArray.zeros([1]));
  const { missingKeys, unexpectedKeys } = net.setStateDict(state, { useStructuredName });
  return [missingKeys, unexpectedKeys];
}

/** What layer_walks.py says of a network. */
function saidOf(net: nn.Layer): Json {
  return {
    state: [...net.stateDict()].map(([key, tensor]) => [key, tensor.name, Number((tensor.data as Float32Array)[0])]),
    static: [...net.toStaticStateDict().keys()],
    own: [...net.stateDict({ includeSublayers: false, structuredNamePrefix: "pre." }).keys()],
    parameters: net.namedParameters({ prefix: "p" }).map(([key, parameter]) => [key, parameter.name]),
    buffers: net.namedBuffers({ prefix: "b" }).map(([key]) => key),
    layers: net.namedSublayers({ prefix: "q", includeSelf: true }).map(([key, each]) => {
      return [key, each.fullName(), each.training];
    }),
    children: net.namedChildren().map(([key, each]) => [key, each.fullName()]),
  };
}
