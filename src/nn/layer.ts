/**
 * Layers, which hold parameters, buffers and other layers.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import { quoteSome, ValueError, type Warning } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { Tensor } from "../tensor.ts";
import type { OrderedDict } from "../values.ts";
import { castLayer, castToHalf } from "./cast_layer.ts";
import { type CreateParameterOptions, makeParameter } from "./create_parameter.ts";
import { camelToSnake } from "./layer_name.ts";
import { checkName, collect, mapOf, namedLayers, namedTensors, wrongPart } from "./layer_parts.ts";
import type { ParamAttrLike } from "./param_attr.ts";
import { Parameter } from "./parameter.ts";
import { isLayer, Registry, registryOf, type StateDictHook } from "./registry.ts";
import { setTensors, type StateDictKeys } from "./set_state_dict.ts";
import { currentScope } from "./unique_name.ts";

/** Options for listing parameters and buffers. */
export interface NamedOptions {
  /** A prefix for every name, without the dot. @default {""} */
  prefix?: string;
  /** Whether to include sublayers. @default {true} */
  includeSublayers?: boolean;
}

/** Options for creating a state dict. */
export interface StateDictOptions {
  /** The dict to add to. @default {a new one} */
  destination?: OrderedDict<string, Tensor>;
  /** Whether to include the sublayers. @default {true} */
  includeSublayers?: boolean;
  /** A prefix for every key, including the dot. @default {""} */
  structuredNamePrefix?: string;
}

/** Options for setting a state dict. */
export interface SetStateDictOptions {
  /** Whether the keys are structured names (`fc.weight`) rather than parameter names (`linear_0.w_0`). @default {true} */
  useStructuredName?: boolean;
  /** Called for every key of the layer that is skipped; these keys are also in the result's `missingKeys`. */
  onWarning?: (warning: Warning) => void;
}

/** State dicts that can be set: Maps and plain objects. */
export type StateDictLike = ReadonlyMap<unknown, unknown> | Readonly<Record<string, unknown>>;

const STATE_DICT = ["destination", "includeSublayers", "structuredNamePrefix"];

/**
 * The base class of all layers, including custom ones. A Parameter or Layer assigned to a field becomes part of the layer, under the
 * field's name; a Tensor assigned to a field becomes a buffer that is not saved (use `registerBuffer` for one that is). Private fields
 * (`#x`) are not part of the layer.
 *
 * Declare fields that a superclass fills instead of defining them again: `declare weight: Parameter`.
 *
 * Names of parameters begin with the class's name. If a minifier may change it, give the class a `static readonly className = "Net"`.
 *
 * Mirrors `paddle.nn.Layer` (3.3), without the forward pass.
 *
 * @example A custom network
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
  /** Whether the layer is in training mode, as opposed to evaluation mode. */
  training = true;

  /** Creates a layer. `nameScope` is the prefix of its parameters' names; by default it is the class's name in snake case. */
  constructor(nameScope: string | null = null) {
    return new Registry(this, nameScope ?? camelToSnake(new.target), currentScope()).proxy<this>();
  }

  /** The prefix of its parameters' names, such as `linear_0`. */
  fullName(): string {
    return registryOf(this).fullName;
  }

  /** Set this layer and all its sublayers to training mode, or with false to evaluation mode. */
  train(mode = true): this {
    for (const layer of this.sublayers({ includeSelf: true })) layer.training = mode;
    return this;
  }

  /** Set this layer and all its sublayers to evaluation mode. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Cast all parameters and buffers at any depth, integers too, and the gradients; they stay the same objects. An optimizer is created
   * after it, as its state has the dtype of the parameters.
   *
   * Mirrors `Layer.to(dtype=...)` (2.6 to 3.3).
   *
   * @throws {ValueError} `INVALID_VALUE` for a dtype of which Paddle has no Tensors
   */
  to(options: { dtype: DType }): this {
    checkOptions(options, ["dtype"]);
    return this.apply((layer) => castLayer(layer, options.dtype, "all"));
  }

  /** Cast all parameters and buffers of floats to float32, like `to`. Mirrors `Layer.float` (2.6 to 3.3). */
  float(): this {
    return this.apply((layer) => castLayer(layer, "float32", "floats"));
  }

  /**
   * Cast all parameters and buffers of floats to float16, like `to`, except those of `nn.BatchNorm`, but not of `nn.BatchNorm1D` and the
   * like. Mirrors `Layer.float16` (2.6 to 3.3) as on a GPU: on a CPU it does nothing.
   */
  float16(): this {
    return this.apply((layer) => castToHalf(layer, "float16"));
  }

  /** The same with bfloat16. Mirrors `Layer.bfloat16` (2.6 to 3.3). */
  bfloat16(): this {
    return this.apply((layer) => castToHalf(layer, "bfloat16"));
  }

  /** Call a function with every sublayer, and then with this layer. */
  apply(fn: (layer: Layer) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /**
   * Create a parameter that is named after this layer. It only becomes part of it when it is assigned to a field or passed to
   * `addParameter`.
   *
   * Mirrors `Layer.create_parameter` (3.3).
   *
   * @throws {ValueError} `INVALID_VALUE` for a negative length, or for random values of a dtype that is not a float; `NAME_COLLISION` if
   * the name is taken
   */
  createParameter(shape: readonly number[], options: CreateParameterOptions & { attr: false }): null;
  /** Create a parameter; `attr` is not false. */
  createParameter(
    shape: readonly number[],
    options?: CreateParameterOptions & { attr?: Exclude<ParamAttrLike, boolean> | true },
  ): Parameter;
  /** Create a parameter, or return null if `attr` is false. */
  createParameter(shape: readonly number[], options?: CreateParameterOptions): Parameter | null;
  createParameter(shape: readonly number[], options: CreateParameterOptions = {}): Parameter | null {
    checkOptions(options, ["attr", "dtype", "isBias", "defaultInitializer"]);
    const { scope, fullName } = registryOf(this);
    return makeParameter(scope, fullName, shape, options);
  }

  /**
   * Make a parameter part of this layer; null reserves the name.
   *
   * @throws {ValueError} `INVALID_VALUE` for a name that is empty or has a dot; `NAME_COLLISION` if the layer has something else of that
   * name
   */
  addParameter<T extends Parameter | null>(name: string, parameter: T): T {
    if (parameter !== null && !(parameter instanceof Parameter)) throw wrongPart("addParameter", name, "a Parameter");
    checkName(this, name, "parameters");
    registryOf(this).put("parameters", name, parameter);
    return parameter;
  }

  /**
   * Make a Tensor that is not a parameter part of this layer; it is saved unless `persistable` is false.
   *
   * @throws {ValueError} `INVALID_VALUE` for a name that is empty or has a dot; `NAME_COLLISION` if the layer has something else of that
   * name
   */
  registerBuffer(name: string, tensor: Tensor | null, options: { persistable?: boolean } = {}): void {
    checkOptions(options, ["persistable"]);
    if (tensor !== null && (!(tensor instanceof Tensor) || tensor instanceof Parameter)) {
      throw wrongPart("registerBuffer", name, "a Tensor that is not a Parameter");
    }
    checkName(this, name, "buffers");
    const registry = registryOf(this);
    if (tensor !== null && tensor.name === "") tensor.name = registry.scope.generate(`_buffers_${name}`);
    registry.put("buffers", name, tensor);
    if (options.persistable ?? true) registry.nonPersistable.delete(name);
    else registry.nonPersistable.add(name);
  }

  /** Make a layer part of this one; null reserves the name. Unlike for fields, any name is allowed, including numbers. */
  addSublayer<T extends Layer | null>(name: string | number, sublayer: T): T {
    if (sublayer !== null && !isLayer(sublayer)) throw wrongPart("addSublayer", String(name), "a Layer");
    registryOf(this).put("sublayers", String(name), sublayer);
    return sublayer;
  }

  /** The direct sublayers, without duplicates. */
  children(): Layer[] {
    return this.namedChildren().map(([, layer]) => layer);
  }

  /** The direct sublayers with their names, without duplicates. */
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

  /** All sublayers at any depth, without duplicates. */
  sublayers(options: { includeSelf?: boolean } = {}): Layer[] {
    return this.namedSublayers(options).map(([, layer]) => layer);
  }

  /** All sublayers at any depth with their structured names; each is listed once, under its first name. */
  namedSublayers(options: { prefix?: string; includeSelf?: boolean } = {}): [string, Layer][] {
    checkOptions(options, ["prefix", "includeSelf"]);
    const { prefix = "", includeSelf = false } = options;
    return namedLayers(this, prefix, includeSelf);
  }

  /** All parameters, without duplicates. */
  parameters(options: { includeSublayers?: boolean } = {}): Parameter[] {
    return this.namedParameters(options).map(([, parameter]) => parameter);
  }

  /** All parameters with their structured names; each is listed once, under its first name. */
  namedParameters(options: NamedOptions = {}): [string, Parameter][] {
    return namedTensors(this, options, "parameters") as [string, Parameter][];
  }

  /** All buffers, saved or not, without duplicates. */
  buffers(options: { includeSublayers?: boolean } = {}): Tensor[] {
    return this.namedBuffers(options).map(([, buffer]) => buffer);
  }

  /** All buffers, saved or not, with their structured names; each is listed once, under its first name. */
  namedBuffers(options: NamedOptions = {}): [string, Tensor][] {
    return namedTensors(this, options, "buffers");
  }

  /**
   * Set the gradients of all trainable parameters to zeros, or drop them if `setToZero` is false. Mirrors `Layer.clear_gradients` (3.3).
   */
  clearGradients(setToZero = true): void {
    for (const parameter of this.parameters()) if (parameter.trainable) parameter.clearGrad(setToZero);
  }

  /**
   * Parameters and saved buffers by structured name: the layer's own parameters, its own buffers, then its sublayers, in the order of
   * assignment. A parameter with two names occurs twice. The values are the layer's own tensors, so changing them changes the layer.
   *
   * Mirrors `Layer.state_dict` (3.3).
   *
   * @throws {ValueError} `CYCLE` if a layer contains itself
   */
  stateDict(options: StateDictOptions = {}): OrderedDict<string, Tensor> {
    checkOptions(options, STATE_DICT);
    return collect(this, { ...options, hooks: true });
  }

  /** The state dict, including the buffers that are not saved. Mirrors `Layer.to_static_state_dict` (3.3). */
  toStaticStateDict(options: StateDictOptions = {}): OrderedDict<string, Tensor> {
    checkOptions(options, STATE_DICT);
    return collect(this, { ...options, hooks: true, allBuffers: true });
  }

  /** Register a function to be called with every state dict that is created; the function returned unregisters it. */
  registerStateDictHook(hook: StateDictHook): () => void {
    const { hooks } = registryOf(this);
    // Each registration is on its own, even of a hook that is there already.
    const own: StateDictHook = (state) => hook(state);
    hooks.add(own);
    return () => void hooks.delete(own);
  }

  /**
   * Copy values into the parameters and saved buffers. Keys that are missing or have another shape are skipped, as in Paddle, and reported
   * to `onWarning`; nothing is written to the console. Where Paddle stops halfway, nothing is changed.
   *
   * Mirrors `Layer.set_state_dict` (2.5 to 3.3).
   *
   * @throws {ValueError} `INVALID_VALUE` if a dtype differs (nothing is cast) or a value is not an array; then nothing is changed
   */
  setStateDict(
    stateDict: StateDictLike,
    options: SetStateDictOptions = {},
  ): StateDictKeys {
    checkOptions(options, ["useStructuredName", "onWarning"]);
    const { useStructuredName = true, onWarning = () => {} } = options;
    return setTensors(collect(this), mapOf(stateDict), useStructuredName, onWarning);
  }

  /**
   * Like `setStateDict`, but the keys must be exactly those of the layer, unless `strict` is false.
   *
   * Mirrors `Layer.load_state_dict` (3.3), which sets what it can before it refuses.
   *
   * @throws {ValueError} `INVALID_VALUE` as `setStateDict` does, and if keys are missing or unexpected, which are in the error's `names`;
   * then nothing is changed
   */
  loadStateDict(stateDict: StateDictLike, options: { strict?: boolean } = {}): StateDictKeys {
    checkOptions(options, ["strict"]);
    const { strict = true } = options;
    return setTensors(collect(this), mapOf(stateDict), true, () => {}, (keys) => {
      const { missingKeys, unexpectedKeys } = keys;
      if (!strict || missingKeys.length + unexpectedKeys.length === 0) return;
      const parts = [["missing", missingKeys], ["unexpected", unexpectedKeys]] as const;
      const told = parts.filter(([, names]) => names.length > 0).map(([what, names]) => `${what}: ${quoteSome(names)}`);
      throw new ValueError("INVALID_VALUE", `Cannot load ${this.fullName()}: ${told.join("; ")}`, {
        names: [...missingKeys, ...unexpectedKeys],
      });
    });
  }

  /** An alias of {@linkcode Layer.setStateDict}. */
  setDict(
    stateDict: StateDictLike,
    options: SetStateDictOptions = {},
  ): StateDictKeys {
    return this.setStateDict(stateDict, options);
  }

  /** An alias of {@linkcode Layer.setStateDict}. */
  loadDict(
    stateDict: StateDictLike,
    options: SetStateDictOptions = {},
  ): StateDictKeys {
    return this.setStateDict(stateDict, options);
  }
}
