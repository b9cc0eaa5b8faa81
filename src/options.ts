/**
 * Options of the main functions: one object as the last argument, in which every field is optional, and which is never modified.
 *
 * @module
 */
import type { Warning } from "./errors.ts";
import { checkedFolder, type Folder, type Unchanged } from "./io/folder.ts";
import type { From } from "./io/open/open_source.ts";
import type { Fetch, HttpOptions } from "./io/http/http_options.ts";
import { type Float8, FLOAT8_DTYPES } from "./dtype.ts";
import type { ProgressEvent } from "./io/progress.ts";
import type { Limits } from "./limits.ts";
import { checkNames } from "./words/option_names.ts";
import { shownValue } from "./words/described.ts";

export type { Float8 } from "./dtype.ts";
export type { ProgressEvent } from "./io/progress.ts";

/** How bytes become values. */
export interface DecodeOptions {
  /** Return NDArrays instead of Tensors; bfloat16 then becomes numpy's uint16. Paddle's `return_numpy`. @default {false} */
  returnNumpy?: boolean | undefined;
  /** Keep the name table in the dict. Paddle's `keep_name_table`. @default {false} */
  keepNameTable?: boolean | undefined;
  /** `"static"` returns tensors as DenseTensor, as `paddle.load` does in static mode. @default {"dygraph"} */
  mode?: "dygraph" | "static" | undefined;
  /** The dtype that int8 tensors stand for: for all of them, or by key. */
  float8?: Float8 | Readonly<Record<string, Float8>> | undefined;
  /** Limits on what the file may request; see DEFAULT_LIMITS. */
  limits?: Partial<Limits> | undefined;
  /** Treat a repeated key as an error instead of a warning. @default {false} */
  strict?: boolean | undefined;
  /**
   * Accept only a safetensors file, and return its arrays as Tensors: Paddle's `safetensors` (3.3). Without this option, a safetensors file
   * is accepted as well, and yields NDArrays. @default {false}
   */
  safetensors?: boolean | undefined;
  /** Arrays never share memory with the given bytes. @default {false} */
  copy?: boolean | undefined;
  /** Called with each warning, about something odd that did not stop the call. */
  onWarning?: ((warning: Warning) => void) | undefined;
}

/** Options of load. */
export interface LoadOptions extends DecodeOptions {
  /** For a folder: the file with the program. Paddle's `model_filename`. @default {"__model__"} */
  modelFilename?: string | undefined;
  /** For a folder: the file with all parameters. Paddle's `params_filename`. @default each parameter has its own file */
  paramsFilename?: string | undefined;
  /** The folder in which a bare name is looked up. @default where this runtime keeps files */
  folder?: Folder | undefined;
  /** Aborts the call, which rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /** Used to fetch URLs instead of the global function. */
  fetch?: Fetch | undefined;
  /** How URLs are fetched: headers, timeouts, concurrent requests. */
  http?: HttpOptions | undefined;
  /**
   * Called as bytes come in: `loaded` never decreases, and the last event has `loaded === total`. If it throws, or its promise rejects, the
   * call fails with that error.
   */
  onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** Options of open. */
export interface OpenOptions extends LoadOptions {
  /**
   * The bytes that {@linkcode sideIndex} returned for the file, or their location: read instead of the file's structure. A file that is
   * opened by its index cannot be written in place.
   */
  index?: From | undefined;
}

/** Options of audit. */
export interface AuditOptions {
  /** The folder in which a bare name is looked up. */
  folder?: Folder | undefined;
  /** Limits on what the file may request. */
  limits?: Partial<Limits> | undefined;
  /** Used to fetch URLs instead of the global function. */
  fetch?: Fetch | undefined;
  /** How URLs are fetched. */
  http?: HttpOptions | undefined;
  /** Treat a repeated key as an error. @default {false} */
  strict?: boolean | undefined;
  /** `"opaque"` returns the value as well, with a PickledObject for each object that `load` refuses. Reads the whole file. */
  unknown?: "opaque" | undefined;
  /** Aborts the call. */
  signal?: AbortSignal | undefined;
}

/** Options of encode. */
export interface EncodeOptions {
  /** Pickle protocol: 2, 3 or 4. Paddle's `protocol`. @default {4} */
  protocol?: number | undefined;
  /** Write one tensor as Paddle's binary record instead of a pickle. Paddle's `use_binary_format`. @default {false} */
  useBinaryFormat?: boolean | undefined;
  /**
   * Write a dict of tensors as a safetensors file instead of a pickle. Paddle's `safetensors` (3.3), which silently pickles anything else;
   * here that is refused. The metadata of a loaded safetensors file are kept. @default {false}
   */
  safetensors?: boolean | undefined;
  /** Use the module names of numpy 1 (which numpy 2 reads, too) or of numpy 2. @default {1} */
  numpy?: 1 | 2 | undefined;
  /** `"static"` writes a dict of tensors without a name table, as Paddle does in static mode. @default {"dygraph"} */
  mode?: "dygraph" | "static" | undefined;
  /** Called with each warning, about something odd that did not stop the call. */
  onWarning?: ((warning: Warning) => void) | undefined;
}

/** Options of functions that can be aborted, and have no other options. */
export interface StopOptions {
  /** Aborts the call, which rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Options of save. */
export interface SaveOptions extends EncodeOptions {
  /** The folder to which a bare name is saved. @default where this runtime keeps files */
  folder?: Folder | undefined;
  /**
   * Aborts the call, which rejects with `signal.reason` once its temporary file is removed, unless the new file has already replaced the old
   * one. To remove a file of many GB takes a moment.
   */
  signal?: AbortSignal | undefined;
  /**
   * Called as bytes go out; the last event comes when the new file is in place. If it throws before that, or its promise rejects, the call
   * fails with that error.
   */
  onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Read the temporary file back and compare its SHA-256 before it replaces the old file. @default {true below 64 MiB} */
  verify?: boolean | undefined;
  /**
   * Save only if the target is still as `stat` saw it: size in bytes, mtime in milliseconds and, if given, the inode; or if it is still
   * the `version` that {@linkcode Checkpoint} or {@linkcode Source} reported; a `version` of null: if it does not exist. Otherwise the
   * save fails with `CONFLICT`. Between checking a file and the commit, others may save: `lock` prevents that among those who use it. A
   * bucket checks its object's ETag itself (`onlyIf`, `If-Match`) if it supports conditions; R2 does not for multipart uploads, so the
   * ETag is compared before the last step.
   */
  ifUnchanged?: Unchanged | undefined;
  /** Keep other processes out by a `<name>.lock` file; one not touched for 10 minutes is taken over. @default {false} */
  lock?: boolean | undefined;
  /** Create missing folders above the target. @default {true} */
  mkdir?: boolean | undefined;
  /** Throw if the directory entry could not be synced, as always on Windows. @default {false} */
  requireDurable?: boolean | undefined;
  /**
   * `"inode"` writes into the old file itself, with an undo journal, and so preserves its hard links, access lists and extended attributes,
   * which a new file would not have. Needs twice the space, and readers that have the file open see it change.
   */
  preserve?: "inode" | undefined;
  /**
   * Refuse names that Windows does not allow, where they always are. @default {true for a name in a folder, false for a path, which the
   * caller chose}
   */
  portable?: boolean | undefined;
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
/** For all functions that read. */
const HTTP = ["fetch", "http"];

/** Names of {@linkcode DecodeOptions}. */
export const DECODE_OPTIONS: readonly string[] = DECODE;
/** Names of {@linkcode LoadOptions}. */
export const LOAD_OPTIONS: readonly string[] = [...DECODE, ...ASYNC, ...HTTP, "modelFilename", "paramsFilename"];
/** Names of {@linkcode OpenOptions}. */
export const OPEN_OPTIONS: readonly string[] = [...LOAD_OPTIONS, "index"];
/** Names of {@linkcode AuditOptions}. */
export const AUDIT_OPTIONS: readonly string[] = ["folder", "limits", "strict", "unknown", "signal", ...HTTP];
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
/** Options of `paddle.load` that Paddle evaluates as conditions: numbers are accepted, strings are not, as `"false"` would be true. */
const CONDITION = ["boolean", "number", "bigint"];
const FUNCTION = ["function"], OBJECT = ["object"], TEXT = ["string", "object"];
/** Allowed `typeof` of options, in every function that has them; some functions accept a file's bytes in place of its name. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  returnNumpy: CONDITION,
  keepNameTable: CONDITION,
  strict: BOOLEAN,
  safetensors: BOOLEAN,
  copy: BOOLEAN,
  lazy: BOOLEAN,
  compress: BOOLEAN,
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

/** Throws a TypeError for an option not in `names`, suggesting the nearest, or for one of the wrong type. */
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
    // Beside these they would be ignored.
    for (const own of ["fetch", "signal", "onWarning"]) {
      if (name === "http" && own in (value as object)) {
        throw new TypeError(`Option ${own} stands beside http, not in it`);
      }
    }
  } else if (name === "mode") check(name, value === "dygraph" || value === "static", '"dygraph" or "static"', value);
  else if (name === "unknown") check(name, value === "opaque", '"opaque"', value);
  else if (name === "float8") {
    for (const kind of typeof value === "object" && value ? Object.values(value) : [value]) {
      const isRight = (FLOAT8_DTYPES as readonly unknown[]).includes(kind);
      check(name, isRight, `"${FLOAT8_DTYPES.join('" or "')}", for all or by key`, kind);
    }
  } else if (value === null) return;
  else if (name === "signal") {
    check(name, typeof (value as AbortSignal).aborted === "boolean", "an AbortSignal", value);
  } else if (name === "folder") checkedFolder(value);
}

function check(name: string, isRight: boolean, wanted: string, got: unknown): void {
  if (!isRight) throw new TypeError(`Option ${name} must be ${wanted}: got ${shownValue(got)}`);
}

/** Check {@linkcode StopOptions}; throws the reason of an aborted signal. */
export function checkStop(options: StopOptions): AbortSignal | undefined {
  checkOptions(options, ["signal"]);
  options.signal?.throwIfAborted();
  return options.signal;
}
