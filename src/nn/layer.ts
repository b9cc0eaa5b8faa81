/**
 * Layers: holders of parameters, buffers and other layers.
 *
 * @module
 */
import { quote, ValueError, type Warning } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { Tensor } from "../tensor.ts";
import type { OrderedDict } from "../values.ts";
import { type CreateParameterOptions, makeParameter } from "./create_parameter.ts";
import { camelToSnake } from "./layer_name.ts";
import { checkName, collect, mapOf, namedLayers, namedTensors, wrongPart } from "./layer_parts.ts";
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
  /** Called for every key that is skipped; those that are missing are in the result as well. */
  onWarning?: (warning: Warning) => void;
}

/** State dicts that can be set: Maps, and objects. */
export type StateDictLike = ReadonlyMap<unknown, unknown> | Readonly<Record<string, unknown>>;

const STATE_DICT = ["destination", "includeSublayers", "structuredNamePrefix"];

/**
 * The base of all layers, also of your own. A field that is given a Parameter or a Layer is part of the layer, under the field's name; a
 * field that is given a Tensor is a buffer that is not saved (use `registerBuffer` for one that is). Private fields (`#x`) are no part.
 *
 * A field that a superclass fills is declared, not defined again: `declare weight: Parameter`.
 *
 * Names of parameters begin with the class's name. Where a minifier may change that, give the class a `static readonly className = "Net"`.
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
    return namedLayers(this, prefix, includeSelf);
  }

  /** All parameters, each once. */
  parameters(options: { includeSublayers?: boolean } = {}): Parameter[] {
    return this.namedParameters(options).map(([, parameter]) => parameter);
  }

  /** All parameters with their structured names, each once, under the first. */
  namedParameters(options: NamedOptions = {}): [string, Parameter][] {
    return namedTensors(this, options, "parameters") as [string, Parameter][];
  }

  /** All buffers, saved or not, each once. */
  buffers(options: { includeSublayers?: boolean } = {}): Tensor[] {
    return this.namedBuffers(options).map(([, buffer]) => buffer);
  }

  /** All buffers with their structured names, saved or not, each once, under the first. */
  namedBuffers(options: NamedOptions = {}): [string, Tensor][] {
    return namedTensors(this, options, "buffers");
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
   * Copy values into the parameters and saved buffers. Keys that are missing or of another shape are skipped, as in Paddle, and told
   * to `onWarning`: nothing is written to the console.
   * Where Paddle stops half-way, nothing is changed.
   *
   * Mirrors `Layer.set_state_dict` (2.5 to 3.3).
   *
   * @throws {ValueError} `INVALID_VALUE` where a dtype differs (nothing is cast) or a value is no array; nothing was changed
   */
  setStateDict(
    stateDict: StateDictLike,
    options: SetStateDictOptions = {},
  ): StateDictKeys {
    checkOptions(options, ["useStructuredName", "onWarning"]);
    const { useStructuredName = true, onWarning = () => {} } = options;
    return setTensors(collect(this, {}, false, false), mapOf(stateDict), useStructuredName, onWarning);
  }

  /**
   * As `setStateDict`, but every key of the layer must be there, and no other; with `strict: false` it is the same.
   *
   * Mirrors `Layer.load_state_dict` (3.3), which sets what it can before it refuses.
   *
   * @throws {ValueError} `INVALID_VALUE` where keys are missing or unexpected, too; `names` has them; nothing was changed
   */
  loadStateDict(stateDict: StateDictLike, options: { strict?: boolean } = {}): StateDictKeys {
    checkOptions(options, ["strict"]);
    const { strict = true } = options;
    return setTensors(collect(this, {}, false, false), mapOf(stateDict), true, () => {}, (keys) => {
      const { missingKeys, unexpectedKeys } = keys;
      if (!strict || missingKeys.length + unexpectedKeys.length === 0) return;
      const list = (names: string[]) => names.slice(0, 5).map(quote).join(", ") + (names.length > 5 ? ", ..." : "");
      const parts = [["missing", missingKeys], ["unexpected", unexpectedKeys]] as const;
      const told = parts.filter(([, names]) => names.length > 0).map(([what, names]) => `${what}: ${list(names)}`);
      throw new ValueError("INVALID_VALUE", `Cannot load ${this.fullName()}: ${told.join("; ")}`, {
        names: [...missingKeys, ...unexpectedKeys],
      });
    });
  }

  /** Another name of {@linkcode Layer.setStateDict}. */
  setDict(
    stateDict: StateDictLike,
    options: SetStateDictOptions = {},
  ): StateDictKeys {
    return this.setStateDict(stateDict, options);
  }

  /** Another name of {@linkcode Layer.setStateDict}. */
  loadDict(
    stateDict: StateDictLike,
    options: SetStateDictOptions = {},
  ): StateDictKeys {
    return this.setStateDict(stateDict, options);
  }
}
