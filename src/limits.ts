/**
 * Limits on what a file may request. Each has a default that no real file reaches, a reason, and an option that overrides it.
 *
 * @module
 */
import { type ErrorFields, LimitError } from "./errors.ts";
import { shownValue } from "./words/described.ts";

/** The limits of one call: bytes, counts and levels, each a non-negative safe integer or `Infinity`. */
export interface Limits {
  /** Pickle opcodes. @default {20_000_000} a state dict has thousands; a vocabulary of a million entries about 3 million */
  maxOpcodes: number;
  /** Items on the pickle stack. @default {4_000_000} text protocols put whole lists there */
  maxStackItems: number;
  /** Nested containers, in every format. @default {512} CPython's own picklers stop at about 500 */
  maxDepth: number;
  /** Pickle memo entries; an index may be any u32. @default {8_000_000} */
  maxMemo: number;
  /**
   * Bytes of structure (everything but tensor data), at the prices of {@linkcode PRICES}. @default {512 MiB} less if the engine has less:
   * an eighth of the heap that it was started with, 256 MiB in browsers on small devices, 32 MiB in workerd
   */
  maxStructureBytes: number;
  /** Bytes of one string that becomes a JavaScript string. @default {64 MiB} engines stop near 512 Mi units */
  maxStringBytes: number;
  /** Bytes of a key, variable or operator name. @default {64 KiB} the longest real names have hundreds */
  maxNameBytes: number;
  /** Bytes of one binary integer. @default {4096} */
  maxIntBytes: number;
  /** Digits of one decimal integer. @default {4300} CPython's own limit */
  maxIntDigits: number;
  /** Tensors in one file. @default {1_000_000} */
  maxTensors: number;
  /** Axes of an array. @default {64} numpy's own limit */
  maxRank: number;
  /** Elements of one tensor. @default {2^53 - 1} also bounded by the size of the file */
  maxElements: number;
  /** LoD levels of one tensor. @default {16} no parameter file has any */
  maxLodLevels: number;
  /** Bytes of one program. @default {256 MiB} real ones have 0.1 to 50 MB */
  maxProgramBytes: number;
  /** Nested protobuf messages and groups. @default {100} protobuf's own limit */
  maxProtoDepth: number;
  /** Blocks of a program. @default {65_536} */
  maxBlocks: number;
  /** Variables of a program. @default {5_000_000} */
  maxVars: number;
  /** Operators of a program. @default {5_000_000} */
  maxOps: number;
  /** Bytes of a JSON program. @default {256 MiB} */
  maxJsonBytes: number;
  /** Nested JSON values. @default {256} */
  maxJsonDepth: number;
  /** Entries of an archive or shard index; a folder lists the default at most. @default {100_000} */
  maxEntries: number;
  /** Nested folders in an archive; a folder lists the default at most. @default {32} */
  maxFolderDepth: number;
  /** Maximum ratio of a file's uncompressed to its compressed size. @default {200} */
  maxExpansion: number;
  /** Bytes of a stream whose size is not known beforehand. @default {16 GiB} */
  maxStreamBytes: number;
}

const MiB = 2 ** 20;

/**
 * The defaults, frozen.
 *
 * @example Look one up
 * ```ts
 * import { DEFAULT_LIMITS } from "@oarlock/paddle";
 * if (DEFAULT_LIMITS.maxDepth !== 512) throw new Error("changed");
 * ```
 */
export const DEFAULT_LIMITS: Readonly<Limits> = Object.freeze({
  maxOpcodes: 20_000_000,
  maxStackItems: 4_000_000,
  maxDepth: 512,
  maxMemo: 8_000_000,
  maxStructureBytes: 512 * MiB,
  maxStringBytes: 64 * MiB,
  maxNameBytes: 65_536,
  maxIntBytes: 4096,
  maxIntDigits: 4300,
  maxTensors: 1_000_000,
  maxRank: 64,
  maxElements: Number.MAX_SAFE_INTEGER,
  maxLodLevels: 16,
  maxProgramBytes: 256 * MiB,
  maxProtoDepth: 100,
  maxBlocks: 65_536,
  maxVars: 5_000_000,
  maxOps: 5_000_000,
  maxJsonBytes: 256 * MiB,
  maxJsonDepth: 256,
  maxEntries: 100_000,
  maxFolderDepth: 32,
  maxExpansion: 200,
  maxStreamBytes: 16 * 1024 * MiB,
});

/** Prices in bytes, rounded up from what engines really use. */
export const PRICES = Object.freeze({
  list: 64,
  dict: 256,
  set: 192,
  tuple: 64,
  /** A dict or memo entry. */
  entry: 48,
  /** A stack or list slot. */
  slot: 8,
  /** A string, plus {@linkcode PRICES.unit} for each UTF-16 unit. */
  string: 32,
  unit: 2,
  tensor: 512,
  /** A bigint, plus its bytes. */
  bigint: 32,
  /** A bytes object, not counting its bytes. */
  bytes: 208,
});

/** Bytes of structure that the engine has room for; called only once a file needs many. */
export type StructureRoom = () => number;

/**
 * The defaults, overridden by the caller's values; the caller's object is read once, own properties only. `room` bounds the default of
 * maxStructureBytes.
 */
export function resolveLimits(given: Partial<Limits> | undefined, room?: StructureRoom): Readonly<Limits> {
  if (given === undefined) return room ? resolveLimits(NONE_GIVEN, room) : DEFAULT_LIMITS;
  if (resolved.has(given)) return given as Readonly<Limits>;
  if (typeof given !== "object" || given === null) throw new TypeError("limits must be an object");
  const limits: Limits = { ...DEFAULT_LIMITS };
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, key)) {
      throw new TypeError(`Unknown limit "${key}": the nearest is "${nearest(key, Object.keys(DEFAULT_LIMITS))}"`);
    }
    const name = key as keyof Limits;
    const value = given[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !(value === Infinity || (Number.isSafeInteger(value) && value >= 0))) {
      throw new TypeError(`limits.${name} must be a non-negative safe integer or Infinity: got ${shownValue(value)}`);
    }
    limits[name] = value;
  }
  resolved.add(limits);
  const isOwn = Object.hasOwn(given, "maxStructureBytes") && given.maxStructureBytes !== undefined;
  if (room && !isOwn) rooms.set(limits, room);
  return Object.freeze(limits);
}

const NONE_GIVEN: Partial<Limits> = Object.freeze({});

/** Limits resolved here, and the room for those whose maxStructureBytes the caller did not choose. */
const resolved = new WeakSet<Partial<Limits>>(), rooms = new WeakMap<Readonly<Limits>, StructureRoom>();

/** No limits at all: for data that has passed them before. */
export const UNLIMITED: Readonly<Limits> = resolveLimits(
  Object.fromEntries(Object.keys(DEFAULT_LIMITS).map((name) => [name, Infinity])),
);

/** Bytes of structure that any engine has room for. Up to that it is not queried, which takes some engines longer than most files do. */
const ASK_FROM = 28 * MiB;

/** The name in a list with the smallest edit distance from `word`; for "unknown option" messages. */
export function nearest(word: string, names: readonly string[]): string {
  let best = names[0], least = Infinity;
  for (const name of names) {
    const n = editDistance(word.slice(0, 64).toLowerCase(), name.toLowerCase());
    if (n < least) [best, least] = [name, n];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}

/** The budget of one call: objects are charged before they are created. */
export class Budget {
  /** Structure bytes charged so far. */
  structure = 0;
  /** Tensors counted so far. */
  tensors = 0;
  readonly limits: Readonly<Limits>;
  /** Structure bytes that may be charged: the limit, or less until the engine has been asked how much room it has. */
  room: number;

  constructor(limits: Readonly<Limits>) {
    this.limits = limits;
    this.room = rooms.has(limits) ? Math.min(limits.maxStructureBytes, ASK_FROM) : limits.maxStructureBytes;
  }

  /** Charge structure bytes, at the file's `offset`. */
  charge(bytes: number, offset: number): void {
    this.structure += bytes;
    if (this.structure <= this.room) return;
    const { maxStructureBytes } = this.limits;
    const engineRoom = rooms.get(this.limits);
    if (engineRoom) this.room = Math.min(maxStructureBytes, Math.max(ASK_FROM, engineRoom()));
    if (this.structure > this.room) this.exceed("maxStructureBytes", this.structure, offset, this.room);
  }

  /** Count one tensor. */
  tensor(offset: number): void {
    if (++this.tensors > this.limits.maxTensors) this.exceed("maxTensors", this.tensors, offset);
    this.charge(PRICES.tensor, offset);
  }

  /** Throw if `actual` exceeds the limit `name`. */
  check(name: keyof Limits, actual: number, offset: number): void {
    if (actual > this.limits[name]) this.exceed(name, actual, offset);
  }

  /** Throw the error of limit `name`. */
  exceed(name: keyof Limits, actual: number, offset: number, max: number = this.limits[name]): never {
    throw limitError(name, max, actual, ` at byte ${offset}: the file asks for ${actual} or more`, { offset });
  }
}

/** The error of limit `name`. It proposes a limit with room: nobody knows how much more the file asks for later on. */
export function limitError(
  name: keyof Limits,
  max: number,
  actual: number,
  finding: string,
  fields: ErrorFields,
): LimitError {
  const enough = 2 * Math.max(max, actual);
  const way = `{ limits: { ${name}: ${Number.isSafeInteger(enough) ? enough : Infinity} } }`;
  const message = `Limit ${name}=${max} reached${finding}. If you trust this file: ${way}.`;
  return new LimitError("LIMIT", message, { limit: name, max, actual, ...fields });
}
