/**
 * One closed family of errors. Whatever is wrong with a file, a name, a network or a disk comes as one of these classes, or as
 * `signal.reason`; the `code` is the contract, the message is for people.
 *
 * @module
 */

/** Codes by class: the whole list of what can go wrong. */
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

/** What an error knows beyond its code and message. Fields are there when they are known. */
export interface ErrorFields {
  /** Bytes from the start of the whole source. */
  offset?: number;
  /** The file, as the caller named it, or a URL without user info and query. */
  path?: string;
  /** The place inside the object: `["model"]["fc.weight"]`. */
  at?: string;
  /** What should have been there. */
  expected?: unknown;
  /** What was there. */
  actual?: unknown;
  /** A symbol that a pickle names: `os.system`. */
  symbol?: string;
  /** Name of a pickle opcode. */
  opcode?: string;
  /** Name of the limit that was reached. */
  limit?: string;
  /** Value of that limit. */
  max?: number;
  /** HTTP status. */
  status?: number;
  /** The way out. */
  hint?: string;
  /** The error below this one. */
  cause?: unknown;
  /** Of a save: whether the new bytes are under the target's name. */
  committed?: "no" | "yes" | "unknown";
  /** Of a save: temporary files that could not be removed. */
  leftovers?: string[];
  /** Names that collide or that could all be meant. */
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

/** Longest message: one or two sentences (RULES.md ERR-3). */
const MAX_MESSAGE = 400;

/** Base of all errors of this library. `code` tells them apart; `offset`, `path`, `at` tell the place. */
export class PaddleError extends Error {
  /** What went wrong: stable across versions. */
  readonly code: ErrorCode;
  /** Bytes from the start of the whole source. */
  declare readonly offset?: number;
  /** The file, as the caller named it. */
  declare readonly path?: string;
  /** The place inside the object. */
  declare readonly at?: string;
  /** What should have been there. */
  declare readonly expected?: unknown;
  /** What was there. */
  declare readonly actual?: unknown;
  /** A symbol that a pickle names. */
  declare readonly symbol?: string;
  /** Name of a pickle opcode. */
  declare readonly opcode?: string;
  /** Name of the limit that was reached. */
  declare readonly limit?: string;
  /** Value of that limit. */
  declare readonly max?: number;
  /** HTTP status. */
  declare readonly status?: number;
  /** The way out. */
  declare readonly hint?: string;
  /** Of a save: whether the new bytes are under the target's name. */
  declare readonly committed?: "no" | "yes" | "unknown";
  /** Of a save: temporary files that could not be removed. */
  declare readonly leftovers?: string[];
  /** Names that collide or that could all be meant. */
  declare readonly names?: string[];

  /** Make an error; the classes below narrow the code. */
  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}) {
    super(
      message.length > MAX_MESSAGE ? message.slice(0, MAX_MESSAGE - 3) + "..." : message,
      "cause" in fields ? { cause: fields.cause } : undefined,
    );
    this.name = new.target.name;
    this.code = code;
    for (const field of FIELDS) if (fields[field] !== undefined) define(this, field, fields[field]);
  }

  /** The plain form; {@linkcode PaddleError.from} is the way back. */
  toJSON(): ErrorJson {
    const json: Record<string, unknown> = { name: this.name, code: this.code, message: this.message };
    for (const field of FIELDS) if (this[field] !== undefined) define(json, field, this[field]);
    return json as unknown as ErrorJson;
  }

  /** Rebuild an error, with its class, from its plain form. */
  static from(json: ErrorJson): PaddleError {
    const Class = CLASSES.get(json.name);
    return Class ? new Class(json.code as never, json.message, json) : new PaddleError(json.code, json.message, json);
  }
}

function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** The bytes are not a well-formed file of their kind. */
export class FormatError extends PaddleError {
  /** Make one. */
  constructor(code: FormatCode, message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "FormatError";
  }
}

/** The file asks for something that is never done: calling, importing, executing. */
export class UnsafeError extends PaddleError {
  /** Make one. */
  constructor(code: UnsafeCode, message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "UnsafeError";
  }
}

/** A ceiling of `options.limits` was reached; `limit` names it, `max` is its value. */
export class LimitError extends PaddleError {
  /** Make one. */
  constructor(code: "LIMIT", message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "LimitError";
  }
}

/** Well formed, but outside what this library (or this runtime) does. */
export class UnsupportedError extends PaddleError {
  /** Make one. */
  constructor(code: UnsupportedCode, message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "UnsupportedError";
  }
}

/** A value of the caller cannot be written, or a value of a file cannot be given. */
export class ValueError extends PaddleError {
  /** Make one. */
  constructor(code: ValueCode, message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "ValueError";
  }
}

/** A name or path is unsafe, ambiguous, too long or leads to no file. */
export class PathError extends PaddleError {
  /** Make one. */
  constructor(code: PathCode, message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "PathError";
  }
}

/** Bytes could not be read. */
export class SourceError extends PaddleError {
  /** Make one. */
  constructor(code: SourceCode | HttpCode, message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "SourceError";
  }
}

/** A server's answer could not be used. */
export class HttpError extends SourceError {
  /** Make one. */
  constructor(code: HttpCode, message: string, fields?: ErrorFields) {
    super(code, message, fields);
    this.name = "HttpError";
  }
}

/** A save failed; `committed` says whether the target changed. */
export class SaveError extends PaddleError {
  /** Make one. */
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
 * Whether `x` is an error of this library, of any copy of it and any realm: it looks at `code`, not at the prototype.
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

/** A text from outside, for a message: quoted, escaped and cut at 200 characters. */
export function quote(text: string): string {
  return visible(JSON.stringify(text.length > 200 ? text.slice(0, 200) + "…" : text));
}

/** A text as one line that can be seen: controls, and what turns the direction of text, as `\u00XX` (RULES.md RT-2). */
export function visible(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

/** Something odd that did not stop the call. */
export interface Warning {
  /** An error code, or a word of its own such as `FLOAT8_AS_INT8`. */
  code: string;
  /** What was met, for people. */
  message: string;
  /** Bytes from the start of the source. */
  offset?: number;
  /** The place inside the object. */
  at?: string;
}
