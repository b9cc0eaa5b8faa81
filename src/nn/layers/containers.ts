/**
 * Layers that hold layers or parameters under names or indices.
 *
 * @module
 */
import { ValueError } from "../../errors.ts";
import { Layer } from "../layer.ts";
import { checkFieldName } from "../layer_parts.ts";
import { Parameter } from "../parameter.ts";
import { isLayer, registryOf } from "../registry.ts";
import { need } from "./check.ts";

/** Named values: a Map, an object, or pairs. */
export type Named<T> = ReadonlyMap<string, T> | Readonly<Record<string, T>> | Iterable<readonly [string, T]>;

function entriesOf<T>(named: Named<T>): Iterable<readonly [string, T]> {
  return Symbol.iterator in named ? named as Iterable<readonly [string, T]> : Object.entries(named);
}

/** The position that an index refers to, as in Python: a negative one counts from the end. */
function positionOf(index: number, length: number): number {
  const position = index < 0 ? index + length : index;
  need(
    Number.isInteger(position) && position >= 0 && position < length,
    `There is nothing at ${index}: the length is ${length}`,
  );
  return position;
}

/** Declares that it is iterable. */
export interface Sequential extends Iterable<Layer> {}

/**
 * A sequence of layers, under `0`, `1`, ... or under names. Mirrors `paddle.nn.Sequential` (3.3).
 *
 * @example
 * ```ts
 * import { nn } from "@oarlock/paddle";
 * const net = new nn.Sequential(new nn.Linear(4, 3), new nn.ReLU(), new nn.Linear(3, 2, { biasAttr: false }));
 * if ([...net.stateDict().keys()].join() !== "0.weight,0.bias,2.weight") throw new Error("other keys");
 * ```
 */
export class Sequential extends Layer {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "Sequential";

  /** Takes layers, `[name, layer]` pairs, or a single Map of names to layers. */
  constructor(...layers: Layer[] | (readonly [string, Layer])[] | [ReadonlyMap<string, Layer>]) {
    super();
    const [first] = layers;
    if (layers.length === 1 && first instanceof Map) {
      for (const [name, layer] of first) this.addSublayer(name, layer);
      return;
    }
    (layers as (Layer | readonly [string, Layer])[]).forEach((layer, i) => {
      if (Array.isArray(layer)) this.addSublayer(layer[0], layer[1]);
      else this.addSublayer(i, layer as Layer);
    });
  }

  /** The number of layers. */
  get length(): number {
    return registryOf(this).sublayers.size;
  }

  /**
   * A layer by its index (negative: from the end) or its name.
   *
   * @throws {ValueError} `INVALID_VALUE` if there is none
   */
  get(key: number | string): Layer {
    const { sublayers } = registryOf(this);
    const layer = typeof key === "string"
      ? sublayers.get(key)
      : [...sublayers.values()][positionOf(key, sublayers.size)];
    if (!layer) throw new ValueError("INVALID_VALUE", `There is no layer ${JSON.stringify(key)}`);
    return layer;
  }

  /** The layers from `start` up to `end` in a Sequential of their own, numbered anew: Paddle's `net[start:end]`. */
  slice(start?: number, end?: number): Sequential {
    return new Sequential(...[...this].slice(start, end));
  }

  /** Set the layer of a name; a new one comes last. */
  set(name: string | number, layer: Layer): void {
    this.addSublayer(name, layer);
  }

  /**
   * Remove the layer of a name; the others keep theirs.
   *
   * @throws {ValueError} `INVALID_VALUE` if there is none
   */
  delete(name: string | number): void {
    const registry = registryOf(this), key = String(name);
    if (!registry.sublayers.has(key)) throw new ValueError("INVALID_VALUE", `There is no layer ${JSON.stringify(key)}`);
    registry.remove("sublayers", key);
  }

  /** Add a layer at the end, under the number of layers before it. */
  append(layer: Layer): this {
    this.addSublayer(this.length, layer);
    return this;
  }

  /** Add layers at the end; they may be those that are there already. */
  extend(layers: Iterable<Layer>): this {
    for (const layer of [...layers]) this.append(layer);
    return this;
  }

  /**
   * Insert a layer before the one at an index; those after it move up. Negative: from the end.
   *
   * @throws {ValueError} `INVALID_VALUE` if there is no such index, or a layer that has to move is not named after its index
   */
  insert(index: number, layer: Layer): this {
    insertInto(this, index, layer);
    return this;
  }

  /** The layers in order. */
  [Symbol.iterator](): IterableIterator<Layer> {
    return (registryOf(this).sublayers as Map<string, Layer>).values();
  }
}

/** Declares that it is iterable. */
export interface LayerList extends Iterable<Layer> {}

/** A list of layers, under `0`, `1`, ... Mirrors `paddle.nn.LayerList` (3.3). */
export class LayerList extends Layer {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "LayerList";

  /** Takes the initial layers. */
  constructor(sublayers: Iterable<Layer> | null = null) {
    super();
    if (sublayers) this.extend(sublayers);
  }

  /** The number of layers. */
  get length(): number {
    return registryOf(this).sublayers.size;
  }

  /**
   * A layer by its index; negative: from the end.
   *
   * @throws {ValueError} `INVALID_VALUE` if there is none
   */
  get(index: number): Layer {
    return numbered(this, positionOf(index, this.length));
  }

  /** The layers from `start` up to `end` in a list of their own: Paddle's `list[start:end]`. */
  slice(start?: number, end?: number): LayerList {
    return new LayerList([...this].slice(start, end));
  }

  /** Replace the layer at an index; negative: from the end. */
  set(index: number, layer: Layer): void {
    this.addSublayer(positionOf(index, this.length), layer);
  }

  /** Add a layer at the end. */
  append(layer: Layer): this {
    this.addSublayer(this.length, layer);
    return this;
  }

  /** Add layers at the end; they may be those that are there already. */
  extend(layers: Iterable<Layer>): this {
    const start = this.length;
    [...layers].forEach((layer, i) => this.addSublayer(start + i, layer));
    return this;
  }

  /**
   * Insert a layer before the one at an index; those after it move up.
   *
   * @throws {ValueError} `INVALID_VALUE` if there is no such index, or a layer that has to move is not named after its index
   */
  insert(index: number, layer: Layer): void {
    insertInto(this, index, layer);
  }

  /**
   * Remove the layer at an index, and number the others.
   *
   * @throws {ValueError} `INVALID_VALUE` if there is none
   */
  delete(index: number): void {
    const gone = positionOf(index, this.length), registry = registryOf(this);
    numbered(this, gone);
    registry.remove("sublayers", String(gone));
    const layers = [...registry.sublayers];
    for (const [name] of layers) registry.remove("sublayers", name);
    layers.forEach(([, layer], i) => this.addSublayer(i, layer));
  }

  /**
   * Remove the layer at an index, number the others, and return it. Mirrors `pop` (3.3).
   *
   * @throws {ValueError} `INVALID_VALUE` if there is none
   */
  pop(index: number): Layer {
    const layer = this.get(index);
    this.delete(index);
    return layer;
  }

  /** The layers in order. */
  [Symbol.iterator](): IterableIterator<Layer> {
    return (registryOf(this).sublayers as Map<string, Layer>).values();
  }
}

/** The layer that is named after an index, which may not be the one at that place: a field can hold a layer, too. */
function numbered(list: Layer, index: number): Layer {
  const layer = registryOf(list).sublayers.get(String(index));
  if (!layer) throw new ValueError("INVALID_VALUE", `There is no layer "${index}"`);
  return layer;
}

function insertInto(list: Sequential | LayerList, index: number, layer: Layer): void {
  const { length } = list;
  const position = index === length ? index : positionOf(index, length);
  const moved = Array.from({ length: length - position }, (_, i) => numbered(list, position + i));
  [layer, ...moved].forEach((each, i) => list.addSublayer(position + i, each));
}

/** Declares that it is iterable. */
export interface LayerDict extends Iterable<[string, Layer]> {}

/** A dict of layers. Mirrors `paddle.nn.LayerDict` (3.3). */
export class LayerDict extends Layer {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "LayerDict";

  /** Takes the initial layers. */
  constructor(sublayers: Named<Layer> | null = null) {
    super();
    if (sublayers) this.update(sublayers);
  }

  /** The number of layers. */
  get length(): number {
    return registryOf(this).sublayers.size;
  }

  /** The layer of that name, or undefined. */
  get(name: string): Layer | undefined {
    return registryOf(this).sublayers.get(name) ?? undefined;
  }

  /** Put a layer under a name. */
  set(name: string, layer: Layer): this {
    this.addSublayer(name, layer);
    return this;
  }

  /** Whether there is a layer of that name. */
  has(name: string): boolean {
    return registryOf(this).sublayers.has(name);
  }

  /** Add or replace layers. */
  update(sublayers: Named<Layer>): this {
    for (const [name, layer] of entriesOf(sublayers)) this.addSublayer(name, layer);
    return this;
  }

  /**
   * Remove a layer and return it.
   *
   * @throws {ValueError} `INVALID_VALUE` if there is none
   */
  pop(name: string): Layer {
    const layer = this.get(name);
    if (!layer) throw new ValueError("INVALID_VALUE", `There is no layer ${JSON.stringify(name)}`);
    registryOf(this).remove("sublayers", name);
    return layer;
  }

  /** Remove all layers. */
  clear(): void {
    for (const name of [...this.keys()]) registryOf(this).remove("sublayers", name);
  }

  /** The names in order. */
  keys(): IterableIterator<string> {
    return registryOf(this).sublayers.keys();
  }

  /** The layers in order. */
  values(): IterableIterator<Layer> {
    return (registryOf(this).sublayers as Map<string, Layer>).values();
  }

  /** Names and layers in order. */
  entries(): IterableIterator<[string, Layer]> {
    return (registryOf(this).sublayers as Map<string, Layer>).entries();
  }

  /** Names and layers in order. */
  [Symbol.iterator](): IterableIterator<[string, Layer]> {
    return this.entries();
  }
}

/** Declares that it is iterable. */
export interface ParameterList extends Iterable<Parameter> {}

/** A list of parameters, under `0`, `1`, ... Mirrors `paddle.nn.ParameterList` (3.3). */
export class ParameterList extends Layer {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "ParameterList";

  /** Takes the initial parameters. */
  constructor(parameters: Iterable<Parameter> | null = null) {
    super();
    if (parameters) { for (const parameter of parameters) this.append(parameter); }
  }

  /** The number of parameters. */
  get length(): number {
    return registryOf(this).parameters.size;
  }

  /**
   * A parameter by its index; negative: from the end.
   *
   * @throws {ValueError} `INVALID_VALUE` if there is none
   */
  get(index: number): Parameter {
    const parameter = registryOf(this).parameters.get(String(positionOf(index, this.length)));
    if (!parameter) throw new ValueError("INVALID_VALUE", `There is no parameter at ${index}`);
    return parameter;
  }

  /**
   * Replace the parameter at an index, as Paddle 2 and 3.0 do; negative: from the end. Paddle 3.3 copies the values into the one that is
   * there, as `list.get(index).setValue(parameter)` does.
   */
  set(index: number, parameter: Parameter): void {
    registryOf(this).put("parameters", String(positionOf(index, this.length)), asParameter(parameter));
  }

  /**
   * Add a parameter at the end.
   *
   * @throws {ValueError} `NAME_COLLISION` if the list has something else of that number
   */
  append(parameter: Parameter): this {
    this.addParameter(String(this.length), asParameter(parameter));
    return this;
  }

  /** The parameters in order. */
  [Symbol.iterator](): IterableIterator<Parameter> {
    return (registryOf(this).parameters as Map<string, Parameter>).values();
  }
}

/** Declares that it is iterable. */
export interface ParameterDict extends Iterable<[string, Parameter]> {}

/** A dict of parameters. Mirrors `paddle.nn.ParameterDict` (3.3). */
export class ParameterDict extends Layer {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "ParameterDict";

  /** Takes the initial parameters. */
  constructor(parameters: Named<Parameter> | null = null) {
    super();
    if (parameters) this.update(parameters);
  }

  /** The number of parameters. */
  get length(): number {
    return registryOf(this).parameters.size;
  }

  /** The parameter of that name, or undefined. */
  get(name: string): Parameter | undefined {
    return registryOf(this).parameters.get(name) ?? undefined;
  }

  /** Put a parameter under a name. */
  set(name: string, parameter: Parameter): this {
    registryOf(this).put("parameters", name, asParameter(parameter));
    return this;
  }

  /**
   * Add or replace parameters.
   *
   * @throws {ValueError} `INVALID_VALUE` for a name that is empty or has a dot
   */
  update(parameters: Named<Parameter>): this {
    for (const [name, parameter] of entriesOf(parameters)) {
      checkFieldName(name);
      this.set(name, parameter);
    }
    return this;
  }

  /** The names in order. */
  keys(): IterableIterator<string> {
    return registryOf(this).parameters.keys();
  }

  /** The parameters in order. */
  values(): IterableIterator<Parameter> {
    return (registryOf(this).parameters as Map<string, Parameter>).values();
  }

  /** Names and parameters in order. */
  [Symbol.iterator](): IterableIterator<[string, Parameter]> {
    return (registryOf(this).parameters as Map<string, Parameter>).entries();
  }
}

function asParameter(value: unknown): Parameter {
  need(
    value instanceof Parameter,
    `A list or dict of parameters holds Parameters: got ${isLayer(value) ? "a Layer" : typeof value}`,
  );
  return value as Parameter;
}
