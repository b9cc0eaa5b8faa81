/**
 * Writes tuples, lists, dicts, sets and objects, batched as CPython's pickler does (FORMATS.md 3.2).
 *
 * @module
 */
import { wasFloat, wasFloatKey } from "../../../words/floats.ts";
import { type DefaultDict, Float, FrozenSet, type OrderedDict, type PythonRecord, Tuple } from "../../../values.ts";
import { DTYPE_FIELD } from "../record_fields.ts";
import type { OpcodeWriter } from "./opcode_writer.ts";
import type { PickleOutput } from "./pickle_output.ts";
import { builtin, Child, FreshList, Global, type Steps } from "./stand_ins.ts";
import {
  ADDITEMS,
  APPEND,
  APPENDS,
  BUILD,
  EMPTY_DICT,
  EMPTY_LIST,
  EMPTY_SET,
  EMPTY_TUPLE,
  FROZENSET,
  MARK,
  NEWOBJ,
  POP,
  POP_MARK,
  REDUCE,
  SETITEM,
  SETITEMS,
  TUPLE,
  TUPLE1,
} from "../opcodes.ts";

/** Items per batch, each of which begins with a MARK. */
const BATCH = 1000;

/** Writes the containers of one pickle. */
export class ContainerWriter {
  readonly #opcodes: OpcodeWriter;
  readonly #out: PickleOutput;
  /** Objects whose constructor calls have been begun: another occurrence is one in their own arguments. */
  readonly #called = new Set<PythonRecord>();

  constructor(opcodes: OpcodeWriter) {
    this.#opcodes = opcodes;
    this.#out = opcodes.out;
  }

  /** A non-empty tuple, memoized as `identity`. */
  *tuple(items: readonly unknown[], identity: unknown): Steps {
    if (items.length > 3) this.#out.byte(MARK);
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      yield new Child(item, typeof item === "number" && identity !== null && wasFloat(items, i, item));
    }
    if (identity !== null && this.#opcodes.isWritten(identity)) {
      // The tuple contains itself and was memoized while its items were written: drop them and refer to that one.
      if (items.length > 3) this.#out.byte(POP_MARK);
      else for (let i = 0; i < items.length; i++) this.#out.byte(POP);
      this.#opcodes.known(identity);
      return;
    }
    this.#out.byte(items.length > 3 ? TUPLE : TUPLE1 - 1 + items.length);
    this.#opcodes.memoize(identity);
  }

  /** A list, memoized as `identity`. */
  *list(items: readonly unknown[], identity: unknown): Steps {
    this.#out.byte(EMPTY_LIST);
    this.#opcodes.memoize(identity);
    const child = (i: number) => {
      const item = items[i];
      return new Child(item, typeof item === "number" && wasFloat(items, i, item));
    };
    if (items.length === 1) {
      yield child(0);
      this.#out.byte(APPEND);
      return;
    }
    for (let start = 0; start < items.length; start += BATCH) {
      this.#out.byte(MARK);
      for (let i = start; i < Math.min(items.length, start + BATCH); i++) yield child(i);
      this.#out.byte(APPENDS);
    }
  }

  /** A dict. */
  dict(dict: Map<unknown, unknown>): Steps {
    return this.#dict(dict, dict.size, dict.entries());
  }

  *#dict(dict: object, size: number, entries: Iterator<[unknown, unknown]>): Steps {
    this.#out.byte(EMPTY_DICT);
    this.#opcodes.memoize(dict);
    if (size === 0) return;
    if (size === 1) {
      const step = entries.next();
      if (!step.done) yield* this.#pair(dict, step.value[0], step.value[1]);
      this.#out.byte(SETITEM);
      return;
    }
    // CPython continues for as long as a batch was full, so a dict of exactly 1000 ends with an empty batch.
    let n = BATCH;
    while (n === BATCH) {
      this.#out.byte(MARK);
      for (n = 0; n < BATCH;) {
        const step = entries.next();
        if (step.done) break;
        yield* this.#pair(dict, step.value[0], step.value[1]);
        n++;
      }
      this.#out.byte(SETITEMS);
    }
  }

  *#pair(dict: object, key: unknown, value: unknown): Steps {
    yield new Child(key, typeof key === "number" && wasFloatKey(dict, key));
    yield new Child(value, typeof value === "number" && wasFloat(dict, key, value));
  }

  /** Items of a dict subclass: a batch of one item has no mark. */
  *#items(dict: Map<unknown, unknown>): Steps {
    for (const batch of batchesOf(dict)) {
      if (batch.length > 1) this.#out.byte(MARK);
      for (const [key, value] of batch) yield* this.#pair(dict, key, value);
      this.#out.byte(batch.length > 1 ? SETITEMS : SETITEM);
    }
  }

  /** An OrderedDict, with its attributes. */
  *orderedDict(dict: OrderedDict): Steps {
    yield* this.#opcodes.reduce(new Global("collections", "OrderedDict"), [], dict);
    yield* this.#items(dict);
    if (dict.attributes) {
      yield new Child(dict.attributes);
      this.#out.byte(BUILD);
    }
  }

  /** A defaultdict. */
  *defaultDict(dict: DefaultDict): Steps {
    const dot = dict.factory?.lastIndexOf(".") ?? -1;
    const factory = dict.factory === null ? [] : [new Global(dict.factory.slice(0, dot), dict.factory.slice(dot + 1))];
    yield* this.#opcodes.reduce(new Global("collections", "defaultdict"), factory, dict);
    yield* this.#items(dict);
  }

  /** A plain object, written as a dict. */
  plainObject(object: Record<string, unknown>): Steps {
    const keys = Object.keys(object);
    return this.#dict(object, keys.length, pairsOf(object, keys));
  }

  /** A set or frozenset. */
  *set(set: Set<unknown>): Steps {
    const items = [...set].map((item) => typeof item === "number" && wasFloatKey(set, item) ? new Float(item) : item);
    const isFrozen = set instanceof FrozenSet;
    if (this.#opcodes.protocol < 4) {
      yield* this.#opcodes.reduce(builtin(isFrozen ? "frozenset" : "set"), [new FreshList(items)], set);
      return;
    }
    if (isFrozen) {
      this.#out.byte(MARK);
      for (const item of items) yield new Child(item);
      this.#out.byte(FROZENSET);
      this.#opcodes.memoize(set);
      return;
    }
    this.#out.byte(EMPTY_SET);
    this.#opcodes.memoize(set);
    // As with dicts, a full batch is followed by another, even if that is empty.
    for (let start = 0; items.length > 0 && start <= items.length; start += BATCH) {
      this.#out.byte(MARK);
      for (const item of items.slice(start, start + BATCH)) yield new Child(item);
      this.#out.byte(ADDITEMS);
    }
  }

  /** An object of a class known to the library. */
  *record(record: PythonRecord): Steps {
    const { module, className, fields } = record;
    const isGenerator = className === "GeneratorState" && fields.size === 1;
    const args = isGenerator ? fields.get("args") : null;
    if (args instanceof Tuple && !this.#called.has(record)) return yield* this.#call(record, args);
    yield new Child(new Global(module, className));
    this.#out.byte(EMPTY_TUPLE);
    this.#out.byte(NEWOBJ);
    this.#opcodes.memoize(record);
    // The state of a random generator may be a tuple, without field names; that of a dtype is a number.
    const state = isGenerator ? fields.get("state") : null;
    yield new Child(className === "dtype" ? fields.get(DTYPE_FIELD) : state instanceof Tuple ? state : fields);
    this.#out.byte(BUILD);
  }

  /** An object that a call made. */
  *#call(record: PythonRecord, args: Tuple): Steps {
    this.#called.add(record);
    yield new Child(new Global(record.module, record.className));
    yield new Child(args);
    this.#out.byte(REDUCE);
    if (!this.#opcodes.isWritten(record)) return this.#opcodes.memoize(record);
    // It is in its own arguments, and was memoized there: refer to that one.
    this.#out.byte(POP);
    this.#opcodes.known(record);
  }
}

function* pairsOf(object: Record<string, unknown>, keys: readonly string[]): Generator<[string, unknown]> {
  for (const key of keys) yield [key, object[key]];
}

/** The pairs of a dict, in batches. */
function* batchesOf(dict: Map<unknown, unknown>): Generator<[unknown, unknown][]> {
  let batch: [unknown, unknown][] = [];
  for (const pair of dict) {
    batch.push(pair);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
