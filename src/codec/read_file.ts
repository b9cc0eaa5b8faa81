/**
 * Reads any kind of single file that `paddle.load` takes: looks at the first bytes, then hands the cursor to the decoder of that kind.
 * The first decoder that recognizes the file owns its errors (RULES.md ERR-3).
 *
 * @module
 */
import { FormatError, PaddleError, type Warning } from "../errors.ts";
import { Budget, DEFAULT_LIMITS } from "../limits.ts";
import type { Program } from "../program.ts";
import type { Cursor, Decoder } from "./cursor.ts";
import { detectKind, type FileKind, foreignError, HEAD_BYTES } from "./detect_kind.ts";
import { readProgram } from "./program/read_program.ts";
import { type Pickle, readPickle, type ReadPickleOptions } from "./pickle/read_pickle.ts";
import { type RawSelectedRows, type RawTensor, readBinaryTensorFile } from "./record/read_record.ts";
import { type RawSafetensors, readSafetensors } from "./safetensors/read_safetensors.ts";
import { readTnum } from "./tnum/read_tnum.ts";

/** The contents of a file, with its arrays still as they are in the file. */
export type FileContent =
  | { kind: "pickle"; pickle: Pickle }
  | { kind: "record"; tensor: RawTensor | RawSelectedRows }
  | { kind: "program"; program: Program }
  | { kind: "safetensors"; tensors: RawSafetensors }
  | { kind: "tnum"; tensors: Map<string, RawTensor>; warnings: Warning[] };

/** How {@linkcode readFile} reads. */
export interface ReadFileOptions extends ReadPickleOptions {
  /** Accept only a safetensors file. @default {false} */
  safetensors?: boolean;
  /** Receives the kind of the file as its first bytes tell it. */
  onKind?: (kind: FileKind) => void;
}

/** Decode the file under the cursor. */
export function* readFile(cursor: Cursor, options: ReadFileOptions = {}): Decoder<FileContent> {
  yield cursor.need(HEAD_BYTES);
  const head = cursor.bytes.slice(cursor.pos, Math.min(cursor.end, cursor.pos + HEAD_BYTES));
  const size = cursor.total ?? (cursor.ended ? cursor.left : undefined);
  const kind = detectKind(head, size);
  options.onKind?.(kind);
  const budget = new Budget(options.limits ?? DEFAULT_LIMITS);
  if (options.safetensors && kind !== "safetensors") {
    throw new FormatError("WRONG_FORMAT", "This is not a safetensors file", { offset: 0 });
  }
  switch (kind) {
    case "empty":
    case "pickle":
      return { kind: "pickle", pickle: yield* readPickleOr(cursor, options, head) };
    case "record":
    case "selected_rows":
      return { kind: "record", tensor: yield* readBinaryTensorFile(cursor, { budget }) };
    case "tnum":
      return { kind: "tnum", ...(yield* readTnum(cursor, { budget })) };
    case "safetensors":
      return { kind: "safetensors", tensors: yield* readSafetensors(cursor, { budget, lazy: options.locate }) };
    case "program":
    case "pir":
      return { kind: "program", program: yield* readProgram(cursor, budget.limits) };
    default:
      throw foreignError(head);
  }
}

/** An opcode before this offset counts as one of the first: random bytes, as in an encrypted file, are rarely valid opcodes for longer. */
const FIRST = 16;

/** Read a pickle. If it has no PROTO and one of its first opcodes fails, the file is reported as something other than a pickle. */
function* readPickleOr(cursor: Cursor, options: ReadPickleOptions, head: Uint8Array): Decoder<Pickle> {
  try {
    return yield* readPickle(cursor, options);
  } catch (error) {
    const isFirst = error instanceof PaddleError && error.offset! < FIRST && head.length > 0 && head[0] !== 0x80;
    if (isFirst && /^(BAD_|FORBIDDEN_OPCODE|TRUNCATED|LIMIT)/.test(error.code)) {
      throw unknownFormat(head, error);
    }
    throw error;
  }
}

function unknownFormat(head: Uint8Array, cause: PaddleError): FormatError {
  const error = foreignError(head);
  return new FormatError(error.code as "UNKNOWN_FORMAT", error.message, { offset: 0, hint: error.hint, cause });
}
