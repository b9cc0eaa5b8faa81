/**
 * What REDUCE, NEWOBJ and BUILD may do (RULES.md PKL-4). Every use must match one exact pattern, arguments included, and is executed by
 * the few lines here and in call_patterns.ts. Whatever matches none is refused.
 *
 * @module
 */
import { FormatError, quote } from "../../errors.ts";
import { PRICES } from "../../limits.ts";
import { DTypeValue, OrderedDict, PythonRecord, Tuple, type Value } from "../../values.ts";
import { setArrayState } from "./array_state.ts";
import { type Call, type CallContext, flagAt, forbiddenCall, isIntAt, refusedCall } from "./call.ts";
import { DATA_PATTERNS, SIZES, SYMBOL_PATTERNS } from "./call_patterns.ts";
import { setDTypeState } from "./dtypes.ts";
import { PickledArray, PickledDType, Token } from "./pickled.ts";
import { DTYPE_FIELD, fieldFits, hasField } from "./record_fields.ts";

/** REDUCE: `callable(*args)`, if a pattern allows it. */
export function reduce(context: CallContext, callable: unknown, args: unknown, at: number): unknown {
  if (callable instanceof DTypeValue) throw forbiddenCall(`a call of numpy's ${callable.dtype}`, at);
  if (!(callable instanceof Token)) {
    throw new FormatError("BAD_STACK", `REDUCE at byte ${at} calls something that is not a symbol`, {
      offset: at,
      opcode: "REDUCE",
    });
  }
  const call = { context, callable, args, at } as Call;
  if (!(args instanceof Tuple)) {
    context.symbols.datum(args);
    throw refusedCall(call);
  }
  const withSymbols = SYMBOL_PATTERNS[callable.kind];
  if (!withSymbols) context.symbols.datum(args);
  const value = (withSymbols ?? DATA_PATTERNS[callable.kind])?.(call);
  if (value === undefined) throw refusedCall(call);
  return value;
}

/** NEWOBJ and NEWOBJ_EX: `cls.__new__(cls)`, if a pattern allows it. */
export function newObject(
  { symbols }: CallContext,
  cls: unknown,
  args: unknown,
  keywords: unknown,
  at: number,
): unknown {
  symbols.datum(args);
  symbols.datum(keywords);
  const isPlain = args instanceof Tuple && (keywords === undefined || (keywords instanceof Map && keywords.size === 0));
  if (cls instanceof Token && isPlain) {
    if (cls.kind === "TensorSize") {
      if (args.length === 1 && isIntAt(args, 0)) return args[0];
    } else if (args.length === 0) {
      if (cls.kind === "record" || cls.kind === "generatorState") return new PythonRecord(cls.module, cls.name);
      if (cls.kind === "OrderedDict") return new OrderedDict();
    }
  }
  throw forbiddenCall("a new object", at, cls instanceof Token ? cls.symbol : undefined);
}

/** BUILD: set the state of `target`, if a pattern allows it. */
export function build(context: CallContext, target: unknown, state: unknown, at: number): void {
  context.symbols.datum(state);
  if (target instanceof PickledArray) return buildArray(context, target, state, at);
  context.symbols.datum(target);
  if (target instanceof PickledDType) return setDTypeState(target, state, at);
  if (target instanceof OrderedDict && target.attributes === undefined && state instanceof Map) {
    target.attributes = state;
    return;
  }
  if (target instanceof PythonRecord && target.fields.size === 0) {
    if (target.className === "GeneratorState") {
      if (setGeneratorState(context, target, state, at)) return;
    } else if (target.className === "dtype") {
      return setField(context, target, DTYPE_FIELD, state, at);
    } else if (state instanceof Map) {
      for (const [field, value] of state) setField(context, target, field, value, at);
      return;
    }
  }
  // The shape of a TensorSize, which is kept as an int
  if (isIntAt([target], 0) && state instanceof Map && state.size === 1 && SIZES.has(state.get("as_shape"))) return;
  throw forbiddenCall("a state for something that takes none", at);
}

/** Set the state of an array that has none yet: (1, shape, dtype, is_fortran, data), or the same without the version. */
function buildArray(context: CallContext, array: PickledArray, state: unknown, at: number): void {
  if (array.dtype !== null || !(state instanceof Tuple)) throw forbiddenCall("an array's state", at);
  const first = state.length - 4;
  const isVersion1 = first === 0 || (first === 1 && state[0] === 1 && isIntAt(state, 0));
  const fortran = flagAt(state, first + 2);
  if (!isVersion1 || fortran === undefined) throw forbiddenCall("an array's state", at);
  setArrayState(context, array, { shape: state[first], dtype: state[first + 1], fortran, data: state[first + 3] }, at);
  context.arrays.complete(array);
}

function setField(
  { budget }: CallContext,
  { className, fields }: PythonRecord,
  field: unknown,
  value: unknown,
  at: number,
): void {
  // Checking a list takes time, and a memoized list may be checked for many records.
  if (Array.isArray(value)) budget.charge(PRICES.slot * value.length, at);
  if (!fieldFits(className, field, value)) {
    const what = hasField(className, field) ? "the value of the field" : "the field";
    throw forbiddenCall(`${what} ${quote(String(field))} of a ${className}`, at);
  }
  fields.set(field as string, value as Value);
}

/** Set the state of a random generator: a tuple, or a dict with string keys. False if it is neither. */
function setGeneratorState({ budget }: CallContext, { fields }: PythonRecord, state: unknown, at: number): boolean {
  if (state instanceof Tuple) {
    fields.set("state", state);
    return true;
  }
  if (!(state instanceof Map)) return false;
  budget.charge(PRICES.entry * state.size, at);
  if (![...state.keys()].every((key) => typeof key === "string")) return false;
  for (const [key, value] of state) fields.set(key, value);
  return true;
}
