/**
 * The named parts of a layer: turns a Parameter, Tensor or Layer assigned to a field into a part of the layer.
 *
 * A Layer's constructor returns a Proxy instead of the object itself, and this is the Proxy's handler: it is notified of every field that
 * is defined, assigned or deleted. Private fields of subclasses are on the Proxy itself and work as usual; reading a field has no extra
 * cost.
 *
 * @module
 */
import { ValueError } from "../errors.ts";
import { Tensor } from "../tensor.ts";
import type { Layer } from "./layer.ts";
import { Parameter } from "./parameter.ts";
import type { NameScope } from "./unique_name.ts";

/**
 * Called with each state dict that is created; what it returns, if anything, replaces the dict, unless it is only a part of the dict of a
 * layer above, as in Paddle 3.3.
 */
export type StateDictHook = (state: Map<string, Tensor>) => Map<string, Tensor> | void;

const registries = new WeakMap<object, Registry>();

/** The registry of a layer. */
export function registryOf(layer: Layer): Registry {
  return registries.get(layer)!;
}

/** Whether `value` is a layer. */
export function isLayer(value: unknown): value is Layer {
  return typeof value === "object" && value !== null && registries.has(value);
}

/** Parameters, buffers and sublayers of one layer, in the order in which they were added. null reserves a name. */
export class Registry implements ProxyHandler<object> {
  readonly parameters = new Map<string, Parameter | null>();
  readonly buffers = new Map<string, Tensor | null>();
  readonly sublayers = new Map<string, Layer | null>();
  /** Names of the buffers that are not saved. */
  readonly nonPersistable = new Set<string>();
  readonly hooks = new Set<StateDictHook>();
  readonly fullName: string;
  /** The scope in which the names of this layer's parameters are counted, even after an `await`. */
  readonly scope: NameScope;
  readonly #target: object;

  constructor(target: object, nameScope: string, scope: NameScope) {
    this.#target = target;
    this.scope = scope;
    this.fullName = scope.generate(nameScope);
  }

  /** Create the proxy that represents the layer from now on. */
  proxy<T extends object>(): T {
    const proxy = new Proxy(this.#target, this) as T;
    registries.set(proxy, this);
    return proxy;
  }

  /** Trap: a field is defined or assigned. */
  defineProperty(target: object, key: string | symbol, descriptor: PropertyDescriptor): boolean {
    if (typeof key === "string" && "value" in descriptor) this.#assign(key, descriptor.value);
    return Reflect.defineProperty(target, key, descriptor);
  }

  /** Trap: a field is deleted. */
  deleteProperty(target: object, key: string | symbol): boolean {
    if (typeof key === "string") this.#forget(key);
    return Reflect.deleteProperty(target, key);
  }

  /**
   * Add a part under a name. It also gets a field, unless that would hide something else, such as the method `keys` of a LayerDict: only a
   * buffer gives way to a layer that is added under its name, as in Paddle, where both are parts from then on.
   */
  put(kind: "parameters" | "buffers" | "sublayers", name: string, value: Parameter | Tensor | Layer | null): void {
    const map = this[kind] as Map<string, unknown>;
    const isShown = map.has(name) || (kind === "sublayers" && this.buffers.has(name) && !this.parameters.has(name));
    map.set(name, value);
    if ((isShown && Object.hasOwn(this.#target, name)) || !(name in this.#target)) {
      Reflect.defineProperty(this.#target, name, { value, enumerable: true, configurable: true, writable: true });
    }
  }

  /** Remove a part and its field. */
  remove(kind: "parameters" | "sublayers", name: string): void {
    if (this[kind].delete(name) && Object.hasOwn(this.#target, name)) Reflect.deleteProperty(this.#target, name);
  }

  /** Whether something else has the name: a method, a plain field, or another kind of part. */
  isTaken(name: string, kind: "parameters" | "buffers"): boolean {
    if (this[kind].has(name)) return false;
    return name in this.#target || this.parameters.has(name) || this.buffers.has(name) || this.sublayers.has(name);
  }

  /** Follows TRAINING.md 6, and Layer.__setattr__ of 3.3. */
  #assign(name: string, value: unknown): void {
    const { parameters, buffers, sublayers } = this;
    if (value instanceof Parameter) {
      buffers.delete(name);
      sublayers.delete(name);
      parameters.set(name, value);
    } else if (parameters.has(name)) {
      parameters.set(name, nothing(value, "parameter", name, "a Parameter"));
    } else if (isLayer(value)) {
      buffers.delete(name);
      sublayers.set(name, value);
    } else if (sublayers.has(name)) {
      sublayers.set(name, nothing(value, "sublayer", name, "a Layer"));
    } else if (value instanceof Tensor) {
      // Only registerBuffer adds a buffer that is saved; replacing a buffer does not change whether it is.
      if (!buffers.has(name)) this.nonPersistable.add(name);
      if (value.name === "") value.name = this.scope.generate(`_buffers_${name}`);
      buffers.set(name, value);
    } else if (buffers.has(name)) {
      buffers.set(name, nothing(value, "buffer", name, "a Tensor"));
    }
  }

  #forget(name: string): void {
    if (!this.parameters.delete(name) && !this.sublayers.delete(name)) this.buffers.delete(name);
  }
}

function nothing(value: unknown, kind: string, name: string, expected: string): null {
  if (value === null) return null;
  const got = value === undefined ? "undefined" : typeof value;
  const hint = `a field that a superclass fills is declared: \`declare ${name}: ...\``;
  const message = `The ${kind} ${JSON.stringify(name)} can be ${expected} or null: got ${got}`;
  throw value === undefined
    ? new ValueError("INVALID_VALUE", `${message}; ${hint}`, { at: name, hint })
    : new ValueError("INVALID_VALUE", message, { at: name });
}
