/**
 * A closed family of errors. Anything wrong with a file, a name, a network or a disk is thrown as one of these classes, or as
 * `signal.reason`; the `code` is the contract, the message is for people.
 *
 * @module
 */
import { defineField } from "./words/plain_object.ts";

/** Codes by class: everything that can go wrong. */
export const ERROR_CODES = {
  FormatError: [
    "EMPTY",
    "TRUNCATED",
    "TRAILING_DATA",
    "UNKNOWN_FORMAT",
    "WRONG_FORMAT",
    "BAD_VERSION",
    "BAD_OPCODE",
    "BAD_STACK",
    "BAD_MEMO",
    "BAD_FRAME",
    "BAD_LENGTH",
    "BAD_TEXT",
    "BAD_NUMBER",
    "BAD_KEY",
    "BAD_VARINT",
    "BAD_WIRE",
    "BAD_FIELD",
    "BAD_JSON",
    "DUPLICATE_KEY",
    "BAD_DTYPE",
    "BAD_SHAPE",
    "SIZE_MISMATCH",
    "COUNT_MISMATCH",
    "MIXED_SAVE",
    "HASH_MISMATCH",
  ],
  UnsafeError: ["FORBIDDEN_SYMBOL", "FORBIDDEN_CALL", "FORBIDDEN_OPCODE"],
  LimitError: ["LIMIT"],
  UnsupportedError: ["UNSUPPORTED_PROTOCOL", "UNSUPPORTED_DTYPE", "UNSUPPORTED_FEATURE", "UNSUPPORTED_RUNTIME"],
  ValueError: ["INVALID_VALUE", "PRECISION_LOSS", "LONE_SURROGATE", "CYCLE", "NAME_COLLISION"],
  PathError: [
    "UNSAFE_PATH",
    "NAME_TOO_LONG",
    "NAME_COLLISION",
    "LINK_ESCAPE",
    "NOT_A_FILE",
    "AMBIGUOUS_PATH",
    "MISSING_PART",
    "EXTRA_FILE",
  ],
  SourceError: ["NOT_FOUND", "PERMISSION", "READ_FAILED", "SHORT_READ", "SOURCE_CHANGED", "HOT_JOURNAL"],
  HttpError: [
    "HTTP_STATUS",
    "HTTP_NETWORK",
    "HTTP_TIMEOUT",
    "HTTP_RANGE_IGNORED",
    "HTTP_BAD_RANGE",
    "HTTP_ENCODED",
    "HTTP_TRUNCATED",
    "HTTP_CHANGED",
    "HTTP_REDIRECT",
  ],
  SaveError: ["DISK_FULL", "WRITE_FAILED", "SYNC_FAILED", "RENAME_FAILED", "READ_ONLY", "CONFLICT", "SINK_FAILED"],
} as const;

/** Names of the error classes. */
export type ErrorClass = keyof typeof ERROR_CODES;
/** Every code of every class. */
export type ErrorCode = (typeof ERROR_CODES)[ErrorClass][number];
/** Codes of {@linkcode FormatError}. */
export type FormatCode = (typeof ERROR_CODES)["FormatError"][number];
/** Codes of {@linkcode UnsafeError}. */
export type UnsafeCode = (typeof ERROR_CODES)["UnsafeError"][number];
/** Codes of {@linkcode UnsupportedError}. */
export type UnsupportedCode = (typeof ERROR_CODES)["UnsupportedError"][number];
/** Codes of {@linkcode ValueError}. */
export type ValueCode = (typeof ERROR_CODES)["ValueError"][number];
/** Codes of {@linkcode PathError}. */
export type PathCode = (typeof ERROR_CODES)["PathError"][number];
/** Codes of {@linkcode SourceError}. */
export type SourceCode = (typeof ERROR_CODES)["SourceError"][number];
/** Codes of {@linkcode HttpError}. */
export type HttpCode = (typeof ERROR_CODES)["HttpError"][number];
/** Codes of {@linkcode SaveError}. */
export type SaveCode = (typeof ERROR_CODES)["SaveError"][number];

/** Details of an error beyond its code and message; each field is present if known. */
export interface ErrorFields {
  /** Bytes from the start of the whole source. */
  offset?: number;
  /** The file, as the caller named it, or a URL without user info and query. */
  path?: string;
  /** The path within the object: `["model"]["fc.weight"]`. */
  at?: string;
  /** What should have been there. */
  expected?: unknown;
  /** What was there. */
  actual?: unknown;
  /** A symbol that a pickle names: `os.system`. */
  symbol?: string;
  /** Name of a pickle opcode. */
  opcode?: string;
  /** Name of the limit that was exceeded. */
  limit?: string;
  /** Value of that limit. */
  max?: number;
  /** HTTP status. */
  status?: number;
  /** What to do about it. */
  hint?: string;
  /** The underlying error. */
  cause?: unknown;
  /** For a save: whether the new bytes are under the target's name. */
  committed?: "no" | "yes" | "unknown";
  /** For a save: temporary files that could not be removed. */
  leftovers?: string[];
  /** Names that collide, or between which a name is ambiguous. */
  names?: string[];
}

/** The plain form of an error that survives `structuredClone` and `postMessage`. */
export interface ErrorJson extends Omit<ErrorFields, "cause"> {
  /** Class name. */
  name: string;
  /** Code. */
  code: ErrorCode;
  /** Message. */
  message: string;
}

const FIELDS = [
  "offset",
  "path",
  "at",
  "expected",
  "actual",
  "symbol",
  "opcode",
  "limit",
  "max",
  "status",
  "hint",
  "committed",
  "leftovers",
  "names",
] as const;

/** Maximum length of a message: one or two sentences (RULES.md ERR-3). */
const MAX_MESSAGE = 400;

/**
 * Base class of all errors of this library. `code` says what happened; `offset`, `path` and `at` say where.
 *
 * @example One error treated differently from others
 * ```ts
 * import { isPaddleError, load } from "@oarlock/paddle";
 *
 * async function tryToLoad(file: string) {
 *   try {
 *     return await load(file);
 *   } catch (error) {
 *     if (isPaddleError(error) && error.code === "NOT_FOUND") return null;
 *     throw error;
 *   }
 * }
 * ```
 */
export class PaddleError extends Error {
  /** What went wrong: stable across versions. */
  readonly code: ErrorCode;
  /** Bytes from the start of the whole source. */
  declare readonly offset?: number;
  /** The file, as the caller named it. */
  declare readonly path?: string;
  /** The path within the object. */
  declare readonly at?: string;
  /** What should have been there. */
  declare readonly expected?: unknown;
  /** What was there. */
  declare readonly actual?: unknown;
  /** A symbol that a pickle names. */
  declare readonly symbol?: string;
  /** Name of a pickle opcode. */
  declare readonly opcode?: string;
  /** Name of the limit that was exceeded. */
  declare readonly limit?: string;
  /** Value of that limit. */
  declare readonly max?: number;
  /** HTTP status. */
  declare readonly status?: number;
  /** What to do about it. */
  declare readonly hint?: string;
  /** For a save: whether the new bytes are under the target's name. */
  declare readonly committed?: "no" | "yes" | "unknown";
  /** For a save: temporary files that could not be removed. */
  declare readonly leftovers?: string[];
  /** Names that collide, or between which a name is ambiguous. */
  declare readonly names?: string[];

  /** Create an error; subclasses narrow the code. */
  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}) {
    super(
      message.length > MAX_MESSAGE ? message.slice(0, MAX_MESSAGE - 3) + "..." : message,
      "cause" in fields ? { cause: fields.cause } : undefined,
    );
    this.name = new.target.name;
    this.code = code;
    for (const field of FIELDS) if (fields[field] !== undefined) defineField(this, field, fields[field]);
  }

  /** The plain form, from which {@linkcode PaddleError.from} rebuilds the error. */
  toJSON(): ErrorJson {
    const json: Record<string, unknown> = { name: this.name, code: this.code, message: this.message };
    for (const field of FIELDS) if (this[field] !== undefined) defineField(json, field, this[field]);
    return json as unknown as ErrorJson;
  }

  /** Rebuild an error, with its class, from its plain form. */
  static from(json: ErrorJson): PaddleError {
    const Class = CLASSES.get(json.name);
    return Class ? new Class(json.code as never, json.message, json) : new PaddleError(json.code, json.message, json);
  }
}

/** The bytes are not a well-formed file of their kind. */
export class FormatError extends PaddleError {
  /** Create the error. */
  constructor(code: FormatCode, message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "FormatError";
  }
}

/** The file requests something that is never done: calling, importing, executing. */
export class UnsafeError extends PaddleError {
  /** Create the error. */
  constructor(code: UnsafeCode, message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "UnsafeError";
  }
}

/** One of `options.limits` was exceeded; `limit` names it, `max` is its value. */
export class LimitError extends PaddleError {
  /** Create the error. */
  constructor(code: "LIMIT", message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "LimitError";
  }
}

/** Well formed, but not supported by this library (or in this runtime). */
export class UnsupportedError extends PaddleError {
  /** Create the error. */
  constructor(code: UnsupportedCode, message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "UnsupportedError";
  }
}

/** A value from the caller cannot be written, or a value in a file cannot be returned. */
export class ValueError extends PaddleError {
  /** Create the error. */
  constructor(code: ValueCode, message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "ValueError";
  }
}

/** A name or path is unsafe, ambiguous, too long or does not lead to a file. */
export class PathError extends PaddleError {
  /** Create the error. */
  constructor(code: PathCode, message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "PathError";
  }
}

/** Bytes could not be read. */
export class SourceError extends PaddleError {
  /** Create the error. */
  constructor(code: SourceCode | HttpCode, message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "SourceError";
  }
}

/** A server's response could not be used. */
export class HttpError extends SourceError {
  /** Create the error. */
  constructor(code: HttpCode, message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "HttpError";
  }
}

/** A save failed; `committed` says whether the target changed. */
export class SaveError extends PaddleError {
  /** Create the error. */
  constructor(code: SaveCode, message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "SaveError";
  }
}

type AnyErrorClass = new (code: never, message: string, fields?: ErrorFields) => PaddleError;
const CLASSES: ReadonlyMap<string, AnyErrorClass> = new Map<string, AnyErrorClass>([
  ["FormatError", FormatError],
  ["UnsafeError", UnsafeError],
  ["LimitError", LimitError],
  ["UnsupportedError", UnsupportedError],
  ["ValueError", ValueError],
  ["PathError", PathError],
  ["SourceError", SourceError],
  ["HttpError", HttpError],
  ["SaveError", SaveError],
]);

const ALL_CODES: ReadonlySet<string> = /* @__PURE__ */ allCodes();

function allCodes(): ReadonlySet<string> {
  return new Set(Object.values(ERROR_CODES).flat());
}

/**
 * Whether `x` is an error of this library, from any copy of it and any realm: it checks `code`, not the prototype.
 *
 * @example Tell our errors from others
 * ```ts
 * import { decode, isPaddleError } from "@oarlock/paddle";
 * try {
 *   decode(new Uint8Array());
 * } catch (error) {
 *   if (!isPaddleError(error) || error.code !== "EMPTY") throw error;
 * }
 * ```
 */
export function isPaddleError(x: unknown): x is PaddleError {
  return typeof x === "object" && x !== null && "code" in x && typeof x.code === "string" && ALL_CODES.has(x.code) &&
    "message" in x;
}

/** An untrusted string, for a message: quoted, escaped and cut off at 200 characters. */
export function quote(text: string): string {
  return visible(JSON.stringify(text.length > 200 ? text.slice(0, 200) + "…" : text));
}

/** Maximum number of names in a message: a file may have any number. */
const MANY_NAMES = 5;

/** Untrusted names, for a message: the first few quoted, and how many more there are. */
export function quoteSome(names: readonly string[]): string {
  const shown = names.slice(0, MANY_NAMES).map(quote).join(", ");
  return names.length > MANY_NAMES ? `${shown} and ${names.length - MANY_NAMES} more` : shown;
}

/** A string as one visible line: control and bidirectional formatting characters as `\u00XX` (RULES.md RT-2). */
export function visible(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

/** Something odd that did not stop the call. */
export interface Warning {
  /** An error code, or a code of its own such as `FLOAT8_AS_INT8`. */
  code: string;
  /** What was found, for people. */
  message: string;
  /** Bytes from the start of the source. */
  offset?: number;
  /** The path within the object. */
  at?: string;
}
