/**
 * The values of a program's variables: checks them against the program, and writes them as records.
 *
 * @module
 */
import { mayBeStoredAs, mayHaveShape } from "../codec/record/stored_form.ts";
import { recordSize, writeRecordChunks } from "../codec/record/write_record.ts";
import { vocabBytes } from "../codec/record/write_vocab.ts";
import type { DType } from "../dtype.ts";
import { quote, ValueError } from "../errors.ts";
import { NDArray } from "../ndarray.ts";
import type { Program, ProgramVariable } from "../program.ts";
import { DenseTensor } from "../tensor.ts";
import type { Chunk } from "../words/unread_bytes.ts";
import { SelectedRows } from "../values.ts";

/** A value that a parameter file can contain: an array, SelectedRows, or the words of a vocabulary. */
export type ParameterValue = NDArray | SelectedRows | ReadonlyMap<string, number>;

/** Values by variable name, as in Paddle's Scope. */
export type Scope = ReadonlyMap<string, ParameterValue>;

/** A variable with its value. */
export interface NamedValue {
  name: string;
  value: ParameterValue;
}

/**
 * The values of `variables`, in that order.
 *
 * @throws {ValueError} `INVALID_VALUE`: one is missing, or does not match the program; `at` names it
 */
export function valuesOf(
  variables: readonly ProgramVariable[],
  scope: Scope,
  check: (variable: ProgramVariable, value: ParameterValue) => void = checkVariableValue,
): NamedValue[] {
  return variables.map((variable) => {
    const value = scope.get(variable.name);
    if (value === undefined) throw bad(variable, "has no value: pass it in { parameters }");
    check(variable, value);
    return { name: variable.name, value };
  });
}

/** The values of everything in the program's parameter file, in its order. */
export function parametersOf(program: Program, scope: Scope): NamedValue[] {
  return valuesOf(program.parameters(), scope, checkStoredValue);
}

/** Check that a value matches its variable. */
export function checkVariableValue(variable: ProgramVariable, value: ParameterValue): void {
  checkAs(variable, value, (a, b) => a === b, (a, b) => a.length === b.length && b.every((n, i) => isLength(a[i], n)));
}

/** Check that a value is one that a model's parameter file may contain for its variable, including quantised ones. */
export function checkStoredValue(variable: ProgramVariable, value: ParameterValue): void {
  checkAs(variable, value, mayBeStoredAs, mayHaveShape);
}

function checkAs(
  variable: ProgramVariable,
  value: ParameterValue,
  isDtype: (described: DType, found: DType) => boolean,
  isShape: (described: readonly number[], found: readonly number[]) => boolean,
): void {
  if (variable.kind === "vocab") {
    if (!(value instanceof Map)) throw bad(variable, "is a vocabulary: expected a Map of words to numbers");
    return;
  }
  const array = value instanceof SelectedRows ? value.value : value;
  if (!(array instanceof NDArray)) throw bad(variable, "is a tensor: expected an array");
  const { dtype, shape } = variable;
  const isSame = dtype === null || isDtype(dtype, array.dtype) || (dtype === "uint16" && array.dtype === "bfloat16") ||
    (dtype === "bfloat16" && array.dtype === "uint16");
  if (!isSame) throw bad(variable, `is ${dtype} in the program, but the value is ${array.dtype}: use astype first`);
  if (value instanceof SelectedRows || shape === null) return;
  if (!isShape(shape, array.shape)) throw bad(variable, `is [${shape}] in the program, the value [${array.shape}]`);
}

function isLength(described: number, found: number): boolean {
  return described === found || described === -1;
}

function bad(variable: ProgramVariable, finding: string): ValueError {
  return new ValueError("INVALID_VALUE", `The variable ${quote(variable.name)} ${finding}`, { at: variable.name });
}

/**
 * Refuses SelectedRows, which a combined file cannot contain: Paddle's `save_combine` refuses them, too.
 *
 * @throws {ValueError} `INVALID_VALUE`
 */
export function checkCombined(values: readonly NamedValue[]): void {
  const rows = values.find(({ value }) => value instanceof SelectedRows);
  if (!rows) return;
  throw new ValueError("INVALID_VALUE", `SelectedRows such as ${quote(rows.name)} need a file of their own`, {
    at: rows.name,
  });
}

/** Size in bytes of the record of a value. */
export function valueSize(value: ParameterValue): number {
  return value instanceof NDArray || value instanceof SelectedRows
    ? recordSize(plain(value))
    : vocabBytes(value).length;
}

/** The chunks of the record of a value. */
export function* valueChunks(value: ParameterValue): Generator<Chunk, void> {
  if (value instanceof NDArray || value instanceof SelectedRows) yield* writeRecordChunks(plain(value));
  else yield vocabBytes(value);
}

/** The chunks of a parameter file: one record after the other. */
export function* combinedChunks(values: readonly NamedValue[]): Generator<Chunk, void> {
  for (const { value } of values) yield* valueChunks(value);
}

/** A uint16 array becomes bfloat16 in a record: before 3.3 Paddle has no uint16 tensors. */
function plain(value: NDArray | SelectedRows): NDArray | SelectedRows {
  if (value instanceof SelectedRows || value.dtype !== "uint16") return value;
  return new DenseTensor("bfloat16", value.shape, value.unread ?? value.bytes, {
    lod: value instanceof DenseTensor ? value.lod : [],
  });
}
