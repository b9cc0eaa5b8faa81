/**
 * Options of the verbs: one object, last argument, every field optional, the caller's object untouched.
 *
 * @module
 */
import type { Warning } from "./errors.ts";
import { checkedFolder, type Folder, type Unchanged } from "./io/folder.ts";
import type { From } from "./io/open_source.ts";
import type { Fetch, HttpOptions } from "./io/http/http_options.ts";
import type { ProgressEvent } from "./io/progress.ts";
import type { Limits } from "./limits.ts";
import { checkNames } from "./words/option_names.ts";
import { shownValue } from "./words/described.ts";

export type { ProgressEvent } from "./io/progress.ts";

/** A kind of float8. Paddle writes both as int8 and forgets which it was. */
export type Float8 = "float8_e4m3fn" | "float8_e5m2";

/** How bytes become values. */
export interface DecodeOptions {
  /** Arrays stay NDArrays; bfloat16 is numpy's uint16 then. Paddle's `return_numpy`. @default {false} */
  returnNumpy?: boolean;
  /** The name table stays in the dict. Paddle's `keep_name_table`. @default {false} */
  keepNameTable?: boolean;
  /** `"static"`: tensors come as DenseTensor, as `paddle.load` gives them in static mode. @default {"dygraph"} */
  mode?: "dygraph" | "static";
  /** What int8 tensors really are: for all of them, or by key. */
  float8?: Float8 | Readonly<Record<string, Float8>>;
  /** Ceilings for what the file may ask; see DEFAULT_LIMITS. */
  limits?: Partial<Limits>;
  /** A repeated key is an error in place of a warning. @default {false} */
  strict?: boolean;
  /**
   * The file must be a safetensors file, and its arrays come as Tensors: Paddle's `safetensors` (3.3). Without this it may be one, and gives
   * NDArrays. @default {false}
   */
  safetensors?: boolean;
  /** Arrays never share memory with the bytes given. @default {false} */
  copy?: boolean;
  /** Called with every oddity that did not stop the call. */
  onWarning?: (warning: Warning) => void;
}

/** Options of load. */
export interface LoadOptions extends DecodeOptions {
  /** Of a folder: the file of its program. Paddle's `model_filename`. @default {"__model__"} */
  modelFilename?: string;
  /** Of a folder: the file with all its parameters. Paddle's `params_filename`. @default each parameter has a file of its own */
  paramsFilename?: string;
  /** Where a bare name is looked for. @default the place where this runtime keeps files */
  folder?: Folder;
  /** Stops the call; the rejection is `signal.reason`. */
  signal?: AbortSignal;
  /** Fetches URLs in place of the global function. */
  fetch?: Fetch;
  /** How URLs are fetched: headers, patience, requests at a time. */
  http?: HttpOptions;
  /**
   * Called as bytes come in: `loaded` never falls, and the last event has `loaded === total`. What it throws, or its promise rejects with,
   * ends the call.
   */
  onProgress?: (event: ProgressEvent) => void;
}

/** Options of open. */
export interface OpenOptions extends LoadOptions {
  /** The bytes that {@linkcode sideIndex} made of the file, or where they are: read in place of its structure. */
  index?: From;
}

/** Options of audit. */
export interface AuditOptions {
  /** Where a bare name is looked for. */
  folder?: Folder;
  /** Ceilings for what the file may ask. */
  limits?: Partial<Limits>;
  /** Fetches URLs in place of the global function. */
  fetch?: Fetch;
  /** How URLs are fetched. */
  http?: HttpOptions;
  /** A repeated key is an error. @default {false} */
  strict?: boolean;
  /** Stops the call. */
  signal?: AbortSignal;
}

/** Options of encode. */
export interface EncodeOptions {
  /** Pickle protocol: 2, 3 or 4. Paddle's `protocol`. @default {4} */
  protocol?: number;
  /** One tensor as Paddle's binary record in place of a pickle. Paddle's `use_binary_format`. @default {false} */
  useBinaryFormat?: boolean;
  /**
   * A dict of tensors as a safetensors file in place of a pickle. Paddle's `safetensors` (3.3), which pickles anything else without a word;
   * here it is refused. @default {false}
   */
  safetensors?: boolean;
  /** The module names of numpy 1 (which numpy 2 reads, too) or of numpy 2. @default {1} */
  numpy?: 1 | 2;
  /** `"static"`: a dict of tensors is written without a name table, as Paddle does in static mode. @default {"dygraph"} */
  mode?: "dygraph" | "static";
  /** Called with every oddity that did not stop the call. */
  onWarning?: (warning: Warning) => void;
}

/** Options of what can be stopped, and nothing else. */
export interface StopOptions {
  /** Stops the call; the rejection is `signal.reason`. */
  signal?: AbortSignal;
}

/** Options of save. */
export interface SaveOptions extends EncodeOptions {
  /** Where a bare name is put. @default the place where this runtime keeps files */
  folder?: Folder;
  /** Stops the call before the new file takes the old one's place; the rejection is `signal.reason`. */
  signal?: AbortSignal;
  /** Called as bytes go out; the last event comes when the new file is in its place. What it throws before, or its promise rejects with, ends the call. */
  onProgress?: (event: ProgressEvent) => void;
  /** Read the temporary file back and compare its SHA-256 before it takes the old one's place. @default {true below 64 MiB} */
  verify?: boolean;
  /**
   * Save only if the target is still as `stat` saw it: size in bytes, mtime in milliseconds and, where it is given, the inode; or of the
   * `version` that {@linkcode Checkpoint} or {@linkcode Source} told, null for a target that must not exist. Else the save fails with
   * `CONFLICT`. Between the look at a file and the commit is a moment in which others can save: `lock` closes it for those who use it as well.
   * A bucket looks at its object's ETag itself (`onlyIf`, `If-Match`), if it knows conditions; R2 does not for files of several parts: before
   * the last step they are compared.
   */
  ifUnchanged?: Unchanged;
  /** Keep other processes out by a `<name>.lock` file; one that nobody touched for 10 minutes is taken over. @default {false} */
  lock?: boolean;
  /** Create missing folders above the target. @default {true} */
  mkdir?: boolean;
  /** Throw where the directory entry could not be synced. @default {false} */
  requireDurable?: boolean;
  /**
   * `"inode"`: write into the old file itself, with an undo journal, so that its hard links, access lists and extended attributes stay, which
   * a new file does not have. Needs twice the space, and readers that have it open see it change.
   */
  preserve?: "inode";
  /** Refuse names that Windows cannot have. @default {true for a name in a folder, false for a path, which is the caller's own} */
  portable?: boolean;
}

const DECODE: (keyof DecodeOptions)[] = [
  "returnNumpy",
  "keepNameTable",
  "mode",
  "float8",
  "limits",
  "strict",
  "safetensors",
  "copy",
  "onWarning",
];
const ENCODE: (keyof EncodeOptions)[] = [
  "protocol",
  "useBinaryFormat",
  "safetensors",
  "numpy",
  "mode",
  "onWarning",
];
const ASYNC = ["folder", "signal", "onProgress"];
/** Of everything that reads. */
const HTTP = ["fetch", "http"];

/** Names of {@linkcode DecodeOptions}. */
export const DECODE_OPTIONS: readonly string[] = DECODE;
/** Names of {@linkcode LoadOptions}. */
export const LOAD_OPTIONS: readonly string[] = [...DECODE, ...ASYNC, ...HTTP, "modelFilename", "paramsFilename"];
/** Names of {@linkcode OpenOptions}. */
export const OPEN_OPTIONS: readonly string[] = [...LOAD_OPTIONS, "index"];
/** Names of {@linkcode AuditOptions}. */
export const AUDIT_OPTIONS: readonly string[] = ["folder", "limits", "strict", "signal", ...HTTP];
/** Names of {@linkcode EncodeOptions}. */
export const ENCODE_OPTIONS: readonly string[] = ENCODE;
/** Names of {@linkcode SaveOptions}. */
export const SAVE_OPTIONS: readonly string[] = [
  ...ENCODE,
  ...ASYNC,
  "verify",
  "ifUnchanged",
  "lock",
  "mkdir",
  "requireDurable",
  "preserve",
  "portable",
];

const BOOLEAN = ["boolean"];
/** Options of `paddle.load` that Paddle looks at as Python looks at conditions: numbers go, texts do not, as `"false"` would be true. */
const CONDITION = ["boolean", "number", "bigint"];
const FUNCTION = ["function"], OBJECT = ["object"], TEXT = ["string", "object"];
/** What `typeof` says of options, in every function that has them; where a file is named, its bytes may be given in some. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  returnNumpy: CONDITION,
  keepNameTable: CONDITION,
  strict: BOOLEAN,
  safetensors: BOOLEAN,
  copy: BOOLEAN,
  useBinaryFormat: BOOLEAN,
  verify: BOOLEAN,
  lock: BOOLEAN,
  mkdir: BOOLEAN,
  requireDurable: BOOLEAN,
  portable: BOOLEAN,
  onWarning: FUNCTION,
  onProgress: FUNCTION,
  fetch: FUNCTION,
  http: OBJECT,
  modelFilename: TEXT,
  paramsFilename: TEXT,
};
const FLOAT8: unknown[] = ["float8_e4m3fn", "float8_e5m2"];

/** A TypeError for an option that is none of `names`, which names the nearest, or for one of the wrong kind. */
export function checkOptions(given: unknown, names: readonly string[]): void {
  checkNames(given, names);
  const options = given as Record<string, unknown>;
  for (const name of Object.keys(options)) if (options[name] !== undefined) checkKind(name, options[name]);
}

function checkKind(name: string, value: unknown): void {
  const types = Object.hasOwn(TYPES, name) ? TYPES[name] : null;
  if (types) {
    check(
      name,
      value !== null && types.includes(typeof value),
      types === OBJECT ? "an object" : `a ${types[0]}`,
      value,
    );
  } else if (name === "mode") check(name, value === "dygraph" || value === "static", '"dygraph" or "static"', value);
  else if (name === "float8") {
    for (const kind of typeof value === "object" && value ? Object.values(value) : [value]) {
      check(name, FLOAT8.includes(kind), '"float8_e4m3fn" or "float8_e5m2", for all or by key', kind);
    }
  } else if (value === null) return;
  else if (name === "signal") {
    check(name, typeof (value as AbortSignal).aborted === "boolean", "an AbortSignal", value);
  } else if (name === "folder") checkedFolder(value);
}

function check(name: string, isRight: boolean, wanted: string, got: unknown): void {
  if (!isRight) throw new TypeError(`Option ${name} must be ${wanted}: got ${shownValue(got)}`);
}

/** Check {@linkcode StopOptions}; throws the reason of a signal that was aborted. */
export function checkStop(options: StopOptions): AbortSignal | undefined {
  checkOptions(options, ["signal"]);
  options.signal?.throwIfAborted();
  return options.signal;
}
