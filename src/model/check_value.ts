/**
 * Checks that a value can be saved, before anything is written.
 *
 * @module
 */
import { FACTORIES } from "../codec/pickle/call_patterns.ts";
import { foreignDType } from "../codec/pickle/foreign_dtype.ts";
import { canonicalForm, NoKey } from "../codec/pickle/keys.ts";
import { keyStep } from "../codec/pickle/object_path.ts";
import { scalarBytes } from "../codec/pickle/write/scalar_bytes.ts";
import { fieldFits } from "../codec/pickle/record_fields.ts";
import { lookUpSymbol } from "../codec/pickle/symbols.ts";
import { className, described, promiseHint, shownValue } from "../words/described.ts";
import { hasMethod, isPlainObject } from "../words/plain_object.ts";
import { type DType, isDType, isFloat8, isOfNumpy } from "../dtype.ts";
import { quote, ValueError, type Warning } from "../errors.ts";
import { NDArray } from "../ndarray.ts";
import { Tensor } from "../tensor.ts";
import { TensorMap } from "../words/tensor_map.ts";
import {
  Complex,
  DefaultDict,
  DTypeValue,
  Float,
  FrozenSet,
  NumpyScalar,
  OpaqueArray,
  OrderedDict,
  PickledObject,
  PythonRecord,
  Range,
  SelectedRows,
  Slice,
  Tuple,
} from "../values.ts";
import { tooManyAxes } from "./too_many_axes.ts";
import { StepPace } from "../words/steps.ts";
import { elementCount } from "../words/element_count.ts";
import { checkedBytes } from "../words/plain_bytes.ts";
import { isFloatByNature } from "../words/floats.ts";

/**
 * Checks everything that can be known before a file is created (RULES.md SAV-11), in steps, between which other work may run. `paddle.save`
 * refuses bytes, bytearrays, frozensets, defaultdicts and ranges (FORMATS.md 1.5) unless they are in keys or in a state dict; `ofAnyKind`
 * accepts them.
 *
 * @throws {ValueError} `INVALID_VALUE`, with the path
 */
export function* checkValueInSteps(root: unknown, warnings: Warning[], ofAnyKind: boolean): Generator<void, void> {
  const seen = new Set<unknown>();
  const todo: Waiting[] = [{ value: root, at: "", inKey: false }];
  const pace = new StepPace();
  while (todo.length > 0) {
    if (pace.isDue(1)) yield;
    const waiting = todo.pop()!;
    const { value, at, inKey } = waiting;
    if (isPlain(value) || (!inKey && seen.has(value))) continue;
    if (typeof value === "object" && !inKey) seen.add(value);
    // Paddle does not look into keys.
    const isAnyKind = ofAnyKind || inKey;
    if (value instanceof NDArray) checkArray(value, at, warnings);
    else if (isContainer(value)) {
      checkContainer(value, at, isAnyKind);
      yield* addMembers(waiting, todo, pace);
    } else if (isPlainObject(value)) yield* addFields(waiting, todo, pace);
    else if (value instanceof PythonRecord) {
      checkRecord(value, at);
      todo.push({ value: value.fields, at, inKey: false });
    } else if (value instanceof OpaqueArray) {
      checkOpaqueArray(value, at);
      // The stack reverses the order, which only affects which of several errors is reported.
      for (const [i, item] of (value.items ?? []).entries()) {
        if (!isPlain(item)) todo.push({ value: item, at: at + keyStep(i), inKey: false });
      }
    } else checkLeaf(value, at, isAnyKind);
  }
}

/** Check a container itself, whose members are checked later. */
function checkContainer(value: Container, at: string, isAnyKind: boolean): void {
  if (value instanceof DefaultDict && !(isAnyKind && hasFactory(value))) throw invalid("a defaultdict", at);
  if (!isOwnContainer(value)) {
    throw invalid(`a ${className(value)}, a class that no file can represent: save a plain copy`, at);
  }
  const { attributes = null } = value instanceof OrderedDict ? value : {};
  if (attributes !== null && !(attributes instanceof Map || isPlainObject(attributes))) {
    throw invalid("an OrderedDict whose attributes are not a Map", at);
  }
  if (value instanceof FrozenSet && !isAnyKind) throw invalid(described(value), at);
}

/** Add the members of a container to those that are yet to be checked, and check the keys of dicts and sets. */
function* addMembers({ value, at, inKey }: Waiting, todo: Waiting[], pace: StepPace): Generator<void, void> {
  const below = (key: unknown) => at.length < 1000 ? at + keyStep(key) : at;
  if (value instanceof Map) {
    if (value instanceof OrderedDict && value.attributes) todo.push({ value: value.attributes, at, inKey: false });
    yield* checkKeys(value, at, pace);
    for (const [key, item] of value) {
      if (pace.isDue(1)) yield;
      if (!isPlain(item)) todo.push({ value: item, at: below(key), inKey: false });
      if (typeof key === "object" && key !== null) todo.push({ value: key, at, inKey: true });
    }
  } else if (value instanceof Set) {
    yield* checkKeys(value, at, pace);
    for (const item of value) if (!isPlain(item)) todo.push({ value: item, at, inKey });
  } else {
    const list = value as unknown[];
    for (let i = 0; i < list.length; i++) {
      if (pace.isDue(1)) yield;
      if (isPlain(list[i])) continue;
      if (!(i in list)) throw invalid("a hole in a list", at + keyStep(i));
      todo.push({ value: list[i], at: below(i), inKey });
    }
  }
}

/** Add the fields of a plain object to what is yet to be checked. */
function* addFields({ value, at }: Waiting, todo: Waiting[], pace: StepPace): Generator<void, void> {
  for (const key of Object.keys(value as object)) {
    if (pace.isDue(1)) yield;
    const item = (value as Record<string, unknown>)[key];
    if (!isPlain(item)) todo.push({ value: item, at: at + keyStep(key), inKey: false });
  }
}

/** Check a value without members. */
function checkLeaf(value: unknown, at: string, isAnyKind: boolean): void {
  // An array of such a dtype is written as its bits, which Paddle reads as a Tensor again; a scalar would become another number.
  const needsNumpy = value instanceof NumpyScalar || (value instanceof DTypeValue && !value.isClass);
  if (needsNumpy && !isOfNumpy(value.dtype as DType)) {
    throw invalid(`a ${className(value)} of ${value.dtype}, which numpy lacks`, at);
  }
  if (value instanceof NumpyScalar) placed(at, () => scalarBytes(value));
  else if (value instanceof DTypeValue) {
    // numpy has no classes for float8.
    if (value.isClass && (!isDType(value.dtype) || isFloat8(value.dtype))) {
      throw invalid(`numpy's class ${value.dtype}`, at);
    }
    if (!isDType(value.dtype)) placed(at, () => foreignDType(value));
  } else if (value instanceof Slice) {
    for (const bound of [value.start, value.stop, value.step]) {
      if (bound !== null && !isInteger(bound)) {
        throw invalid(`a slice whose bound is ${Object.is(bound, -0) ? "-0" : shownValue(bound)}`, at);
      }
    }
  } else if (value instanceof SelectedRows) {
    throw invalid("SelectedRows: save them alone, with { useBinaryFormat: true }", at);
  } else if (value instanceof Complex || value instanceof Float) {
    const parts = value instanceof Float ? [value.value] : [value.re, value.im];
    if (parts.some((part) => typeof part !== "number")) {
      throw invalid(`a ${className(value)} of something that is not a number`, at);
    }
  } else if (isAnyKind && value instanceof Uint8Array) placed(at, () => checkedBytes(value));
  else if (value instanceof PickledObject) throw invalid(`the object ${quote(value.symbol)}`, at);
  else if (!(isAnyKind && isRange(value))) {
    throw invalid(described(value), at, wayOut(value));
  }
}

/** A hint at what to save in place of a value that cannot be saved. */
function wayOut(value: unknown): string {
  if (value === undefined) return "null is Python's None";
  if (ArrayBuffer.isView(value)) return "fromArray(data) makes an array of it";
  return hasMethod(value, "stateDict") ? "save its stateDict()" : promiseHint(value);
}

/** A value yet to be checked, and its path. */
interface Waiting {
  value: unknown;
  at: string;
  /** Whether it is a key of a dict, or in one. */
  inKey: boolean;
}

/** Whether a value is primitive and can be saved. */
function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
    case "boolean":
      return true;
  }
  return value === null;
}

/** Check the keys of a dict, or the members of a set: each must be hashable in Python, and no two equal. */
function* checkKeys(
  owner: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>,
  at: string,
  pace: StepPace,
): Generator<void, void> {
  const forms = new Set<string>();
  for (const key of owner.keys()) {
    if (pace.isDue(1)) yield;
    if (typeof key === "string") continue;
    const form = placed(at, () => canonicalForm(key));
    if (form instanceof NoKey) throw invalid(`${described(key)} as a key`, at, `it ${form.why}`);
    // Strings are not put into `forms`.
    const isTwin = form[0] === "s" && owner.has(form.slice(form.indexOf(":") + 1));
    if (isTwin || forms.has(form)) {
      const shown = String(key);
      throw new ValueError("NAME_COLLISION", `Two keys are equal in Python: ${shown}${at ? ` at ${at}` : ""}`, {
        at,
        names: [shown],
      });
    }
    forms.add(form);
  }
}

/** Whether the factory of a defaultdict is None or one that Python 3 has under that name. */
function hasFactory({ factory }: DefaultDict): boolean {
  if (typeof factory !== "string") return factory === null;
  const [, name] = /^builtins\.(?!long$|unicode$)(.*)$/.exec(factory) ?? [];
  return name !== undefined && FACTORIES.has(lookUpSymbol("builtins", name)!);
}

/** Whether a value is a range that Python can have: its step is not 0. */
function isRange(value: unknown): boolean {
  return value instanceof Range && [value.start, value.stop, value.step].every(isInteger) && Number(value.step) !== 0;
}

/** Whether a value is written as an int. */
function isInteger(value: unknown): boolean {
  return typeof value === "bigint" || (typeof value === "number" && !isFloatByNature(value));
}

/** Check a record, which is written with the name of its class: that must be one known to be plain data. */
function checkRecord(record: PythonRecord, at: string): void {
  const { module, className, fields } = record;
  const kind = lookUpSymbol(String(module), String(className));
  if (kind !== "record" && kind !== "generatorState") {
    throw invalid(`a record of the class ${quote(`${String(module)}.${String(className)}`)}`, at);
  }
  if (!(fields instanceof Map)) throw invalid("a record whose fields are not a Map", at);
  if (kind === "generatorState") return;
  if (className === "dtype" && fields.size === 0) throw invalid("a paddle.dtype without a number", at);
  for (const [name, value] of fields) {
    if (fieldFits(className, name, value)) continue;
    throw invalid(`the field ${quote(String(name))} of a ${className}, or its value`, at);
  }
}

type Container = readonly unknown[] | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>;

/** Whether a value is a list, dict or set, of any class. */
function isContainer(value: unknown): value is Container {
  return Array.isArray(value) || value instanceof Map || value instanceof Set;
}

/** Whether it is of a class with a counterpart in Python; an Array from another realm is a list, too. */
export function isOwnContainer(value: unknown): boolean {
  const prototype = Object.getPrototypeOf(value);
  if (OWN.has(prototype)) return true;
  return Array.isArray(value) && Object.getPrototypeOf(Object.getPrototypeOf(prototype) ?? {}) === null;
}

const OWN: ReadonlySet<unknown> = /* @__PURE__ */ prototypesOf(
  [Array, Tuple, Map, OrderedDict, DefaultDict, TensorMap, Set, FrozenSet],
);

function prototypesOf(classes: readonly { prototype: unknown }[]): ReadonlySet<unknown> {
  return new Set(classes.map((Class) => Class.prototype));
}

function checkOpaqueArray(array: OpaqueArray, at: string): void {
  const { items, bytes, shape } = array;
  const isOne = (items === null || Array.isArray(items)) && bytes instanceof Uint8Array && Array.isArray(shape);
  if (!isOne || !shape.every((length) => isInteger(length) && length >= 0)) {
    throw invalid("an array without items, bytes and shape", at);
  }
  const { itemsize } = placed(at, () => (checkedBytes(bytes), foreignDType(array)));
  const count = elementCount(array.shape);
  const isWhole = array.items ? array.items.length === count : array.bytes.length === count * itemsize;
  const isObject = array.dtype === "|O";
  if (!isWhole || isObject !== (array.items !== null)) {
    throw invalid(
      `an array of ${array.dtype} [${array.shape}] with ${array.items?.length ?? array.bytes.length} in it`,
      at,
    );
  }
}

/** The result of `make`; the path is added to an error that it throws. */
function placed<T>(at: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new ValueError("INVALID_VALUE", `${(error as Error).message}${at ? `, at ${at}` : ""}`, { at, cause: error });
  }
}

/**
 * Checks that the buffer of an array is still intact.
 *
 * @throws {ValueError} `INVALID_VALUE`
 */
export function checkBuffer(array: NDArray, at = ""): void {
  placed(at, () => array.isLoaded && array.bytes);
}

function checkArray(array: NDArray, at: string, warnings: Warning[]): void {
  checkBuffer(array, at);
  if (array instanceof Tensor && typeof array.name !== "string") {
    throw invalid(`a Tensor named ${shownValue(array.name)}`, at);
  }
  if (isFloat8(array.dtype)) {
    const message = `${array.dtype} is written as int8, as Paddle does: load it with { float8: "${array.dtype}" }`;
    warnings.push({ code: "FLOAT8_AS_INT8", message, at });
  }
  warnings.push(...tooManyAxes(array.shape, at));
}

function invalid(what: string, at: string, hint = ""): ValueError {
  const message = `Cannot save ${what}${at ? ` at ${at}` : ""}${hint ? `: ${hint}` : ""}`;
  return new ValueError("INVALID_VALUE", message, { at, hint: hint || undefined });
}
