/**
 * Layers: holders of parameters, buffers and other layers.
 *
 * @module
 */
import { className, isPlainObject } from "../codec/pickle/write_pickle.ts";
import { ValueError, type Warning } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { Tensor } from "../tensor.ts";
import { OrderedDict } from "../values.ts";
import { type CreateParameterOptions, makeParameter } from "./create_parameter.ts";
import { camelToSnake } from "./layer_name.ts";
import type { ParamAttrLike } from "./param_attr.ts";
import { Parameter } from "./parameter.ts";
import { isLayer, Registry, registryOf, type StateDictHook } from "./registry.ts";
import { setTensors, type StateDictKeys } from "./set_state_dict.ts";
import { currentScope } from "./unique_name.ts";

/** What the lists of parameters, buffers and sublayers hold. */
export interface NamedOptions {
  /** What every name begins with, without the dot. @default {""} */
  prefix?: string;
  /** Whether sublayers are looked into. @default {true} */
  includeSublayers?: boolean;
}

/** What a state dict holds. */
export interface StateDictOptions {
  /** A dict to add to. @default {a new one} */
  destination?: OrderedDict<string, Tensor>;
  /** Whether sublayers are in it. @default {true} */
  includeSublayers?: boolean;
  /** What every key begins with, dot included. @default {""} */
  structuredNamePrefix?: string;
}

/** How a state dict is set. */
export interface SetStateDictOptions {
  /** Whether the keys are structured names (`fc.weight`) and not parameter names (`linear_0.w_0`). @default {true} */
  useStructuredName?: boolean;
  /** Called for every key that is skipped. @default {`console.warn` of the message} */
  onWarning?: (warning: Warning) => void;
}

const NAMED = ["prefix", "includeSublayers"];
const STATE_DICT = ["destination", "includeSublayers", "structuredNamePrefix"];

/**
 * The base of all layers, also of your own. A field that is given a Parameter or a Layer is part of the layer, under the field's name; a
 * field that is given a Tensor is a buffer that is not saved (use `registerBuffer` for one that is). Private fields (`#x`) are no part.
 *
 * A field that a superclass fills is declared, not defined again: `declare weight: Parameter`.
 *
 * Mirrors `paddle.nn.Layer` (3.3), without the forward pass.
 *
 * @example A network of your own
 * ```ts
 * import { nn } from "@oarlock/paddle";
 *
 * class Net extends nn.Layer {
 *   fc = new nn.Linear(4, 3);
 *   scale = this.createParameter([1]);
 * }
 * const keys = [...new Net().stateDict().keys()];
 * if (keys.join() !== "scale,fc.weight,fc.bias") throw new Error(keys.join());
 * ```
 */
export class Layer {
  /** Whether the layer is in training, and not in evaluation. */
  training = true;

  /** Make one. `nameScope` begins the names of its parameters; by default it is the class's name in snake case. */
  constructor(nameScope: string | null = null) {
    return new Registry(this, nameScope ?? camelToSnake(new.target), currentScope()).proxy<this>();
  }

  /** Such as `linear_0`: how its parameters' names begin. */
  fullName(): string {
    return registryOf(this).fullName;
  }

  /** Set this layer and all below to training, or to evaluation. */
  train(mode = true): this {
    for (const layer of this.sublayers({ includeSelf: true })) layer.training = mode;
    return this;
  }

  /** Set this layer and all below to evaluation. */
  eval(): this {
    return this.train(false);
  }

  /** Call a function with every layer below, and then with this one. */
  apply(fn: (layer: Layer) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /**
   * A new parameter, named after this layer. It is no part of it before it is assigned to a field or given to `addParameter`.
   *
   * Mirrors `Layer.create_parameter` (3.3).
   *
   * @throws {ValueError} `INVALID_VALUE`: a length below 0, or random values of no float dtype; `NAME_COLLISION`: the name is taken
   */
  createParameter(shape: readonly number[], options: CreateParameterOptions & { attr: false }): null;
  /** A parameter, as `attr` is not false. */
  createParameter(
    shape: readonly number[],
    options?: CreateParameterOptions & { attr?: Exclude<ParamAttrLike, boolean> | true },
  ): Parameter;
  /** A parameter, or null where `attr` is false. */
  createParameter(shape: readonly number[], options?: CreateParameterOptions): Parameter | null;
  createParameter(shape: readonly number[], options: CreateParameterOptions = {}): Parameter | null {
    checkOptions(options, ["attr", "dtype", "isBias", "defaultInitializer"]);
    const { scope, fullName } = registryOf(this);
    return makeParameter(scope, fullName, shape, options);
  }

  /**
   * Make a parameter part of this layer; null keeps the place.
   *
   * @throws {ValueError} `INVALID_VALUE` for a name that is empty or has a dot; `NAME_COLLISION` where the layer has something else of that name
   */
  addParameter<T extends Parameter | null>(name: string, parameter: T): T {
    if (parameter !== null && !(parameter instanceof Parameter)) throw wrongPart("addParameter", name, "a Parameter");
    checkName(this, name, "parameters");
    registryOf(this).put("parameters", name, parameter);
    return parameter;
  }

  /**
   * Make a Tensor part of this layer that is no parameter; it is saved unless `persistable` is false.
   *
   * @throws {ValueError} `INVALID_VALUE` for a name that is empty or has a dot; `NAME_COLLISION` where the layer has something else of that name
   */
  registerBuffer(name: string, tensor: Tensor | null, options: { persistable?: boolean } = {}): void {
    checkOptions(options, ["persistable"]);
    if (tensor !== null && (!(tensor instanceof Tensor) || tensor instanceof Parameter)) {
      throw wrongPart("registerBuffer", name, "a Tensor that is no Parameter");
    }
    checkName(this, name, "buffers");
    const registry = registryOf(this);
    if (tensor !== null && tensor.name === "") tensor.name = registry.scope.generate(`_buffers_${name}`);
    registry.put("buffers", name, tensor);
    if (options.persistable ?? true) registry.nonPersistable.delete(name);
    else registry.nonPersistable.add(name);
  }

  /** Make a layer part of this one; null keeps the place. Unlike a field's, the name can be any, also a number. */
  addSublayer<T extends Layer | null>(name: string | number, sublayer: T): T {
    if (sublayer !== null && !isLayer(sublayer)) throw wrongPart("addSublayer", String(name), "a Layer");
    registryOf(this).put("sublayers", String(name), sublayer);
    return sublayer;
  }

  /** The layers one step below, each once. */
  children(): Layer[] {
    return this.namedChildren().map(([, layer]) => layer);
  }

  /** The layers one step below with their names, each once. */
  namedChildren(): [string, Layer][] {
    const seen = new Set<Layer>();
    const children: [string, Layer][] = [];
    for (const [name, layer] of registryOf(this).sublayers) {
      if (layer === null || seen.has(layer)) continue;
      seen.add(layer);
      children.push([name, layer]);
    }
    return children;
  }

  /** All layers below, each once. */
  sublayers(options: { includeSelf?: boolean } = {}): Layer[] {
    return this.namedSublayers(options).map(([, layer]) => layer);
  }

  /** All layers below with their structured names, each once, under the first. */
  namedSublayers(options: { prefix?: string; includeSelf?: boolean } = {}): [string, Layer][] {
    checkOptions(options, ["prefix", "includeSelf"]);
    const { prefix = "", includeSelf = false } = options;
    const found: [string, Layer][] = [];
    const seen = new Set<Layer>();
    const visit = (layer: Layer, name: string, isIncluded: boolean) => {
      if (isIncluded && seen.has(layer)) return;
      if (isIncluded) {
        seen.add(layer);
        found.push([name, layer]);
      }
      for (const [key, below] of registryOf(layer).sublayers) if (below) visit(below, join(name, key), true);
    };
    visit(this, prefix, includeSelf);
    return found;
  }

  /** All parameters, each once. */
  parameters(options: { includeSublayers?: boolean } = {}): Parameter[] {
    return this.namedParameters(options).map(([, parameter]) => parameter);
  }

  /** All parameters with their structured names, each once, under the first. */
  namedParameters(options: NamedOptions = {}): [string, Parameter][] {
    return named(this, options, "parameters") as [string, Parameter][];
  }

  /** All buffers, saved or not, each once. */
  buffers(options: { includeSublayers?: boolean } = {}): Tensor[] {
    return this.namedBuffers(options).map(([, buffer]) => buffer);
  }

  /** All buffers with their structured names, saved or not, each once, under the first. */
  namedBuffers(options: NamedOptions = {}): [string, Tensor][] {
    return named(this, options, "buffers");
  }

  /** Drop the gradients of all trainable parameters, or make them zeros. Mirrors `Layer.clear_gradients` (3.3). */
  clearGradients(setToZero = true): void {
    for (const parameter of this.parameters()) if (parameter.trainable) parameter.clearGrad(setToZero);
  }

  /**
   * Parameters and the buffers that are saved, by structured name: own parameters, own buffers, then the sublayers, in the order of
   * assignment. A parameter with two names is there twice. The values are the layer's own: a change of them is a change of the layer.
   *
   * Mirrors `Layer.state_dict` (3.3).
   *
   * @throws {ValueError} `CYCLE` where a layer is below itself
   */
  stateDict(options: StateDictOptions = {}): OrderedDict<string, Tensor> {
    checkOptions(options, STATE_DICT);
    return collect(this, options, false, true);
  }

  /** The same with the buffers that are not saved. Mirrors `Layer.to_static_state_dict` (3.3). */
  toStaticStateDict(options: StateDictOptions = {}): OrderedDict<string, Tensor> {
    checkOptions(options, STATE_DICT);
    return collect(this, options, true, true);
  }

  /** Call a function with every state dict that is made; the function it gives takes it away again. */
  registerStateDictHook(hook: StateDictHook): () => void {
    registryOf(this).hooks.add(hook);
    return () => void registryOf(this).hooks.delete(hook);
  }

  /**
   * Copy values into the parameters and saved buffers. Keys that are missing or of another shape are skipped with a warning, as in Paddle.
   * Where Paddle stops half-way, nothing is changed.
   *
   * Mirrors `Layer.set_state_dict` (2.5 to 3.3).
   *
   * @throws {ValueError} `INVALID_VALUE` where a dtype differs (nothing is cast) or a value is no array; nothing was changed
   */
  setStateDict(
    stateDict: ReadonlyMap<unknown, unknown> | Readonly<Record<string, unknown>>,
    options: SetStateDictOptions = {},
  ): StateDictKeys {
    checkOptions(options, ["useStructuredName", "onWarning"]);
    const { useStructuredName = true, onWarning = ({ message }: Warning) => console.warn(message) } = options;
    if (!(stateDict instanceof Map) && !isPlainObject(stateDict)) {
      throw new ValueError("INVALID_VALUE", `A state dict is a Map or an object: got ${className(stateDict)}`);
    }
    const given = stateDict instanceof Map ? stateDict : new Map(Object.entries(stateDict));
    return setTensors(collect(this, {}, false, false), given, useStructuredName, onWarning);
  }

  /** Another name of {@linkcode Layer.setStateDict}. */
  setDict(
    stateDict: ReadonlyMap<unknown, unknown> | Readonly<Record<string, unknown>>,
    options: SetStateDictOptions = {},
  ): StateDictKeys {
    return this.setStateDict(stateDict, options);
  }

  /** Another name of {@linkcode Layer.setStateDict}. */
  loadDict(
    stateDict: ReadonlyMap<unknown, unknown> | Readonly<Record<string, unknown>>,
    options: SetStateDictOptions = {},
  ): StateDictKeys {
    return this.setStateDict(stateDict, options);
  }
}

/** A name that a field can have, and nothing else has. */
function checkName(layer: Layer, name: string, kind: "parameters" | "buffers"): void {
  if (name === "" || name.includes(".")) {
    throw new ValueError("INVALID_VALUE", `A name in a layer has no dot and is not empty: got ${JSON.stringify(name)}`);
  }
  if (registryOf(layer).isTaken(name, kind)) {
    throw new ValueError("NAME_COLLISION", `${layer.fullName()} has something else called ${JSON.stringify(name)}`, {
      names: [name],
    });
  }
}

function named(root: Layer, options: NamedOptions, kind: "parameters" | "buffers"): [string, Tensor][] {
  checkOptions(options, NAMED);
  const { prefix = "", includeSublayers = true } = options;
  const layers = includeSublayers ? root.namedSublayers({ prefix, includeSelf: true }) : [[prefix, root]] as const;
  const seen = new Set<Tensor>();
  const found: [string, Tensor][] = [];
  for (const [at, layer] of layers) {
    for (const [key, tensor] of registryOf(layer)[kind]) {
      if (tensor === null || seen.has(tensor)) continue;
      seen.add(tensor);
      found.push([join(at, key), tensor]);
    }
  }
  return found;
}

function join(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}.${name}`;
}

/** The state dict of a layer; hooks see it as it is when their layer's part is complete. */
function collect(
  root: Layer,
  options: StateDictOptions,
  withAllBuffers: boolean,
  withHooks: boolean,
): OrderedDict<string, Tensor> {
  const { includeSublayers = true, structuredNamePrefix = "" } = options;
  const above = new Set<Layer>();
  let state: Map<string, Tensor> = options.destination ?? new OrderedDict<string, Tensor>();
  const visit = (layer: Layer, prefix: string) => {
    if (above.has(layer)) {
      throw new ValueError("CYCLE", `The layer ${prefix.slice(0, -1)} is below itself`, { at: prefix });
    }
    above.add(layer);
    const { parameters, buffers, sublayers, nonPersistable, hooks } = registryOf(layer);
    for (const [name, parameter] of parameters) if (parameter) state.set(prefix + name, parameter);
    for (const [name, buffer] of buffers) {
      if (buffer && (withAllBuffers || !nonPersistable.has(name))) state.set(prefix + name, buffer);
    }
    if (includeSublayers) {
      for (const [name, sublayer] of sublayers) {
        if (sublayer) visit(sublayer, `${prefix}${name}.`);
      }
    }
    if (withHooks) { for (const hook of hooks) state = hook(state) ?? state; }
    above.delete(layer);
  };
  visit(root, structuredNamePrefix);
  return state as OrderedDict<string, Tensor>;
}

function wrongPart(method: string, name: string, expected: string): ValueError {
  return new ValueError("INVALID_VALUE", `${method}(${JSON.stringify(name)}) takes ${expected} or null`, { at: name });
}
