/**
 * Safetensors files.
 *
 * ```text
 * u64 length · header: a JSON object, which may end in spaces · data
 * header     name -> { "dtype", "shape", "data_offsets": [begin, end] }, and "__metadata__" -> strings by name
 * ```
 *
 * Offsets are relative to the end of the header; the tensors cover the data from first byte to last, without gap or overlap.
 *
 * @module
 */
import { dtypeInfo } from "../../dtype.ts";
import { FormatError, quote, UnsupportedError } from "../../errors.ts";
import type { Budget } from "../../limits.ts";
import { RefusedArray } from "../../words/refused_array.ts";
import { utf8Size } from "../../words/utf8.ts";
import { sortInSteps, StepPace } from "../../words/steps.ts";
import { type Cursor, type Decoder, PAUSE, withPauses } from "../cursor.ts";
import { type Json, JsonNumber, JsonObject } from "../json/json.ts";
import { readJsonInSteps } from "../json/read_json.ts";
import type { RawTensor } from "../record/read_record.ts";
import { about, take, takeEnd, takePayload, takeU64 } from "../take.ts";
import { FROM_WORD, WITHOUT_ARRAYS } from "./dtypes.ts";
import { elementCount } from "../../words/element_count.ts";

/** Maximum header size in bytes that safetensors' own readers accept. */
const MAX_HEADER = 100_000_000;
/** Offset of the header, at which errors about its content are reported; their `at` names the entry. */
const HEADER_AT = 8;

/** The contents of a file, in the order of its header. */
export interface RawSafetensors {
  /** With `lazy`, those of dtypes that no array here can have are RefusedArrays. */
  tensors: Map<string, RawTensor | RefusedArray>;
  metadata: Map<string, string>;
}

/** Options of {@linkcode readSafetensors}. */
export interface ReadSafetensorsOptions {
  budget: Budget;
  /** Request even small data as payloads, so that all data can stay in the file, and return RefusedArrays. @default {false} */
  lazy?: boolean;
}

/** A tensor of the header, whose data is not read yet. */
interface Entry {
  name: string;
  tensor: RawTensor | RefusedArray;
  begin: number;
  end: number;
}

/** Weight of an entry when pacing steps. */
const ENTRY_WEIGHT = 8;
const NOTHING = new Uint8Array(0);

/** Decode the file under the cursor. */
export function* readSafetensors(cursor: Cursor, { budget, lazy }: ReadSafetensorsOptions): Decoder<RawSafetensors> {
  yield cursor.need(1);
  if (cursor.left === 0) {
    throw new FormatError("EMPTY", "The file is empty: it is not a safetensors file", { offset: 0 });
  }
  const length = yield* takeU64(cursor);
  if (length > MAX_HEADER) {
    throw new FormatError(
      "BAD_LENGTH",
      `The header announces ${length} bytes, above the format's own limit of ${MAX_HEADER}: this is probably not a safetensors file`,
      {
        offset: 0,
        expected: MAX_HEADER,
        actual: length,
      },
    );
  }
  budget.check("maxJsonBytes", length, 0);
  const p = yield* take(cursor, length, 0);
  const { entries, metadata } = yield* withPauses(readHeader(cursor.bytes.subarray(p, p + length), budget));
  const start = 8 + length;
  const tensors = new Map<string, RawTensor | RefusedArray>();
  for (const { name, tensor } of entries) {
    if (tensor instanceof RefusedArray && !lazy) throw tensor.refusal;
    tensors.set(name, tensor);
  }
  const end = yield* withPauses(checkSpans(entries));
  const { remaining } = cursor;
  if (remaining !== undefined && remaining < end) {
    const first = entries.find((entry) => entry.end > remaining)!;
    throw new FormatError(
      "TRUNCATED",
      `Truncated safetensors: the header announces ${end} bytes of data, ${remaining} are there: ${
        quote(first.name)
      } is cut. The download is probably incomplete: compare the size with the publisher's.`,
      { offset: start + first.begin, at: first.name, expected: end, actual: remaining },
    );
  }
  if (remaining !== undefined && remaining > end) {
    const offset = start + end;
    throw new FormatError("TRAILING_DATA", trailing(offset), { offset });
  }
  const pace = new StepPace();
  for (const { name, tensor, begin, end } of entries) {
    if (pace.isDue(ENTRY_WEIGHT)) yield PAUSE;
    const taking = takePayload(cursor, end - begin, lazy);
    const data = yield* remaining === undefined ? about(name, taking) : taking;
    if (tensor instanceof RefusedArray) continue;
    tensor.offset = start + begin;
    tensor.data = data;
  }
  if (remaining === undefined) yield* takeEnd(cursor, trailing);
  return { tensors, metadata };
}

/** Sort the tensors by their data's offset, and check that there is no gap or overlap. Returns where the data ends. */
function* checkSpans(entries: Entry[]): Generator<void, number> {
  yield* sortInSteps(entries, (a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const entry of entries) {
    if (entry.begin !== end) {
      throw new FormatError(
        "BAD_FIELD",
        `The data of ${quote(entry.name)} begins at byte ${entry.begin} of the data, ${
          entry.begin < end ? "inside another tensor's" : "after a gap"
        }: expected byte ${end}`,
        { offset: HEADER_AT, at: entry.name, expected: end, actual: entry.begin },
      );
    }
    end = entry.end;
  }
  return end;
}

function* readHeader(
  header: Uint8Array,
  budget: Budget,
): Generator<void, { entries: Entry[]; metadata: Map<string, string> }> {
  if (header[0] !== 0x7b) {
    throw new FormatError("BAD_JSON", "The header of a safetensors file must begin with { at byte 8", { offset: 8 });
  }
  const root = (yield* readJsonHeader(header, budget)) as JsonObject;
  const entries: Entry[] = [];
  let metadata = new Map<string, string>();
  const pace = new StepPace();
  for (const [name, value] of root) {
    if (pace.isDue(ENTRY_WEIGHT)) yield;
    budget.check("maxNameBytes", utf8Size(name), 8);
    if (name === "__metadata__") metadata = readMetadata(value);
    else entries.push(readEntry(name, value, budget));
  }
  return { entries, metadata };
}

/** Parse the header. Errors get offsets from the start of the file, and a premature end becomes bad JSON, as all of the header is there. */
function* readJsonHeader(header: Uint8Array, budget: Budget): Generator<void, Json> {
  try {
    return yield* readJsonInSteps(header, budget.limits);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const code = error.code === "TRUNCATED" ? "BAD_JSON" : error.code as "BAD_JSON";
    const offset = 8 + (error.offset ?? 0);
    throw new FormatError(code, `The header is not valid safetensors JSON at byte ${offset}`, {
      offset,
      cause: error,
    });
  }
}

function readMetadata(value: Json): Map<string, string> {
  const metadata = new Map<string, string>();
  // safetensors' own reader also takes null for no metadata.
  if (value === null) return metadata;
  if (!(value instanceof JsonObject)) throw badField("__metadata__", "must be an object of strings");
  for (const [key, text] of value) {
    if (typeof text !== "string") {
      throw badField("__metadata__", `must hold strings: ${quote(key)} does not`);
    }
    metadata.set(key, text);
  }
  return metadata;
}

function readEntry(name: string, value: Json, budget: Budget): Entry {
  if (!(value instanceof JsonObject)) throw badField(name, "must be an object");
  budget.tensor(HEADER_AT);
  const word = value.get("dtype");
  if (typeof word !== "string") throw badField(name, "lacks a dtype");
  const dtype = FROM_WORD.get(word);
  const bits = dtype ? 8 * dtypeInfo(dtype).itemsize : WITHOUT_ARRAYS.get(word);
  if (bits === undefined) {
    throw new FormatError("BAD_DTYPE", `${quote(name)} has the dtype ${quote(word)}, which safetensors does not have`, {
      offset: HEADER_AT,
      at: name,
      actual: word,
    });
  }
  const shape = readShape(name, value.get("shape"), budget);
  const count = elementCount(shape), bytes = count * bits / 8;
  if (bytes > Number.MAX_SAFE_INTEGER) throw badShape(name, shape);
  budget.check("maxElements", count, HEADER_AT);
  const offsets = value.get("data_offsets");
  const [begin, end] = Array.isArray(offsets) ? offsets.map(countOf) : [];
  if (!Array.isArray(offsets) || offsets.length !== 2 || begin === null || end === null || begin > end) {
    throw badField(name, "needs data_offsets of two ascending integers");
  }
  if (end - begin !== bytes) {
    throw new FormatError(
      "SIZE_MISMATCH",
      `${quote(name)}, ${dtype ?? word} [${shape}], has ${bytes} bytes: its data_offsets span ${end - begin}`,
      { offset: HEADER_AT, at: name, expected: bytes, actual: end - begin },
    );
  }
  const tensor = dtype
    ? { dtype, shape, data: NOTHING, lod: [], offset: 0 }
    : new RefusedArray(word, shape, withoutArrays(name, word));
  return { name, tensor, begin, end };
}

function withoutArrays(name: string, word: string): UnsupportedError {
  return new UnsupportedError("UNSUPPORTED_DTYPE", `${quote(name)} holds ${word}, which no array here can hold`, {
    offset: HEADER_AT,
    at: name,
    actual: word,
    hint: "open reads the other tensors of the file one by one",
  });
}

function readShape(name: string, value: Json | undefined, budget: Budget): number[] {
  if (!Array.isArray(value)) throw badField(name, "lacks a shape");
  budget.check("maxRank", value.length, HEADER_AT);
  const shape: number[] = [];
  for (const item of value) {
    const n = countOf(item);
    if (n === null) {
      throw badShape(
        name,
        value.map((x) => x instanceof JsonNumber ? x.text : typeof x === "object" ? typeof x : x),
      );
    }
    shape.push(n);
  }
  return shape;
}

function countOf(value: Json): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function badField(name: string, finding: string): FormatError {
  return new FormatError("BAD_FIELD", `The entry ${quote(name)} of the header ${finding}`, {
    offset: HEADER_AT,
    at: name,
  });
}

function badShape(name: string, shape: readonly unknown[]): FormatError {
  return new FormatError("BAD_SHAPE", `${quote(name)} has the shape [${shape.slice(0, 64)}], which no array can have`, {
    offset: HEADER_AT,
    at: name,
  });
}

function trailing(offset: number): string {
  return `Bytes follow the last tensor of the header at byte ${offset}`;
}
