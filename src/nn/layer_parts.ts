/**
 * Operations on the parts of a Layer: names, lists and state dicts.
 *
 * @module
 */
import { className } from "../words/described.ts";
import { isPlainObject } from "../words/plain_object.ts";
import { ValueError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { OrderedDict } from "../values.ts";
import type { Layer, NamedOptions, StateDictLike, StateDictOptions } from "./layer.ts";
import { registryOf } from "./registry.ts";

const NAMED = ["prefix", "includeSublayers"];

/** All sublayers at any depth with their structured names; each is listed once, under its first name. */
export function namedLayers(root: Layer, prefix: string, includeSelf: boolean): [string, Layer][] {
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
  visit(root, prefix, includeSelf);
  return found;
}

/** Check that a name is valid for a field. */
export function checkFieldName(name: string): void {
  if (name === "" || name.includes(".")) {
    throw new ValueError("INVALID_VALUE", `A name in a layer has no dot and is not empty: got ${JSON.stringify(name)}`);
  }
}

/** Check that a name is valid for a field, and not taken by something else. */
export function checkName(layer: Layer, name: string, kind: "parameters" | "buffers"): void {
  checkFieldName(name);
  if (registryOf(layer).isTaken(name, kind)) {
    throw new ValueError("NAME_COLLISION", `${layer.fullName()} has something else called ${JSON.stringify(name)}`, {
      names: [name],
    });
  }
}

/** All parameters, or all buffers, with their structured names; each is listed once, under its first name. */
export function namedTensors(root: Layer, options: NamedOptions, kind: "parameters" | "buffers"): [string, Tensor][] {
  checkOptions(options, NAMED);
  const { prefix = "", includeSublayers = true } = options;
  const layers = includeSublayers ? namedLayers(root, prefix, true) : [[prefix, root]] as const;
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

/** The entries of a state dict. */
export function mapOf(stateDict: StateDictLike): ReadonlyMap<unknown, unknown> {
  if (stateDict instanceof Map) return stateDict;
  if (isPlainObject(stateDict)) return new Map(Object.entries(stateDict));
  throw new ValueError("INVALID_VALUE", `A state dict is a Map or an object: got ${className(stateDict)}`);
}

function join(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}.${name}`;
}

/** Options of {@linkcode collect}. */
export interface CollectOptions extends StateDictOptions {
  /** Include the buffers that are not saved. @default {false} */
  allBuffers?: boolean;
  /** Call each layer's hooks as soon as its part is complete. @default {false} */
  hooks?: boolean;
}

/** The state dict of a layer. */
export function collect(root: Layer, options: CollectOptions = {}): OrderedDict<string, Tensor> {
  const { includeSublayers = true, structuredNamePrefix = "", allBuffers = false, hooks: callsHooks = false } = options;
  const above = new Set<Layer>();
  const visit = (layer: Layer, prefix: string, given: Map<string, Tensor>) => {
    let state = given;
    if (above.has(layer)) {
      throw new ValueError("CYCLE", `The layer ${prefix.slice(0, -1)} is below itself`, { at: prefix });
    }
    above.add(layer);
    const { parameters, buffers, sublayers, nonPersistable, hooks } = registryOf(layer);
    for (const [name, parameter] of parameters) if (parameter) state.set(prefix + name, parameter);
    for (const [name, buffer] of buffers) {
      if (buffer && (allBuffers || !nonPersistable.has(name))) state.set(prefix + name, buffer);
    }
    if (includeSublayers) {
      for (const [name, sublayer] of sublayers) {
        if (sublayer) visit(sublayer, `${prefix}${name}.`, state);
      }
    }
    if (callsHooks) { for (const hook of hooks) state = hook(state) ?? state; }
    above.delete(layer);
    return state;
  };
  const state = visit(root, structuredNamePrefix, options.destination ?? new OrderedDict<string, Tensor>());
  return state as OrderedDict<string, Tensor>;
}

/** The error for a part of the wrong type. */
export function wrongPart(method: string, name: string, expected: string): ValueError {
  return new ValueError("INVALID_VALUE", `${method}(${JSON.stringify(name)}) takes ${expected} or null`, { at: name });
}
