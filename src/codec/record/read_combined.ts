/**
 * Several records in one file, one after the other, without names, count or end mark (FORMATS.md 7.4): `.pdiparams`, `__params__`. The
 * program says which variables they belong to.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import { FormatError, quote } from "../../errors.ts";
import type { Budget } from "../../limits.ts";
import type { Cursor, Decoder } from "../cursor.ts";
import { type RawTensor, readRecord } from "./read_record.ts";
import { type RawVocab, readVocab } from "./read_vocab.ts";
import { about, takeEnd } from "../take.ts";
import { mayBeStoredAs, mayHaveShape } from "./stored_form.ts";

/** A variable whose value must be in the file. */
export interface Expected {
  readonly name: string;
  readonly kind: string;
  /** Null accepts any. */
  readonly dtype: DType | null;
  /** Null accepts any; -1 accepts any length of that axis. */
  readonly shape: readonly number[] | null;
}

/** The value of a variable, as stored in a file. */
export type RawVariable = RawTensor | RawVocab;

/** Decode the values of `expected`, in that order; the file must end after the last. */
export function* readCombined(
  cursor: Cursor,
  expected: readonly Expected[],
  budget: Budget,
): Decoder<Map<string, RawVariable>> {
  const found = new Map<string, RawVariable>();
  for (const variable of expected) {
    yield cursor.need(1);
    if (cursor.left === 0) throw missing(variable, found.size, expected.length, cursor.offset);
    found.set(variable.name, yield* about(variable.name, readVariable(cursor, variable, budget)));
  }
  yield* expectEnd(cursor, expected.length);
  return found;
}

/** Decode all records of a file without knowing their names. */
export function* readAnonymous(cursor: Cursor, budget: Budget): Decoder<RawTensor[]> {
  const found: RawTensor[] = [];
  for (;;) {
    yield cursor.need(1);
    if (cursor.left === 0) return found;
    found.push(yield* readRecord(cursor, { budget }));
  }
}

/** Decode the value of one variable. */
export function* readVariable(cursor: Cursor, variable: Expected, budget: Budget): Decoder<RawVariable> {
  if (variable.kind === "vocab") return yield* readVocab(cursor, budget);
  return yield* readRecord(cursor, { budget, onDesc: (dtype, shape, at) => checkTensor(variable, dtype, shape, at) });
}

/** Check that a record matches its variable in the program. */
export function checkTensor(expected: Expected, dtype: DType, shape: readonly number[], at: number): void {
  const { name } = expected;
  if (expected.dtype !== null && !mayBeStoredAs(expected.dtype, dtype)) {
    throw new FormatError(
      "BAD_DTYPE",
      `The record at byte ${at} is ${dtype}, the program's variable ${quote(name)} ${expected.dtype}. ${TWO_SAVES}`,
      { offset: at, at: name, expected: expected.dtype, actual: dtype },
    );
  }
  if (expected.shape !== null && !mayHaveShape(expected.shape, shape)) {
    throw new FormatError(
      "BAD_SHAPE",
      `The record at byte ${at} is [${shape}], the program's variable ${quote(name)} [${expected.shape}]. ${TWO_SAVES}`,
      { offset: at, at: name, expected: [...expected.shape!], actual: [...shape] },
    );
  }
}

/** Check that nothing follows the last of `count` records. */
export function* expectEnd(cursor: Cursor, count: number): Decoder<void> {
  yield* takeEnd(cursor, (at) => `Bytes follow the last of ${count} parameters at byte ${at}. ${TWO_SAVES}`);
}

const TWO_SAVES = "Do the two files come from different saves?";

function missing({ name }: Expected, found: number, wanted: number, offset: number): FormatError {
  if (offset === 0) {
    return new FormatError("EMPTY", `The file is empty, ${wanted} parameters are expected`, { offset, at: name });
  }
  return new FormatError(
    "COUNT_MISMATCH",
    `The file ends at byte ${offset} after ${found} parameters, the program has ${wanted}: ${
      quote(name)
    } is missing. ${TWO_SAVES}`,
    { offset, at: name, expected: wanted, actual: found },
  );
}
