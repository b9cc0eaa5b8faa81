/**
 * The fields that the records of a distributed checkpoint may have, and what each may hold (FORMATS.md 6, RULES.md PKL-4 P10).
 *
 * @module
 */
import { Tuple } from "../../values.ts";
import { isIntAt } from "./call.ts";

/** The field for the state of a `paddle.dtype`, which is a number without a name. */
export const DTYPE_FIELD = "value";

type Fits = (value: unknown) => boolean;

const isText: Fits = (value) => typeof value === "string";
const isFlag: Fits = (value) => typeof value === "boolean";
const isInt: Fits = (value) => typeof value === "bigint" || Number.isSafeInteger(value);
const isByte: Fits = (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 256;
const isDict: Fits = (value) => value instanceof Map;
const isPlain: Fits = (value) => value === null || ["string", "number", "bigint", "boolean"].includes(typeof value);
const isCounts: Fits = (value) =>
  value instanceof Tuple ? value.every((_, i) => isIntAt(value, i)) : Array.isArray(value) && value.every(isInt);
const orNone = (fits: Fits): Fits => (value) => value === null || fits(value);

/** Checks by class and field; later versions of Paddle added fields. */
const FIELDS: Readonly<Record<string, ReadonlyMap<string, Fits>>> = {
  LocalTensorMetadata: new Map([
    ["global_offset", isCounts],
    ["local_shape", isCounts],
    ["dtype", orNone(isText)],
    ["global_shape", orNone(isCounts)],
    ["is_flattened", isFlag],
    ["flattened_range", orNone(isCounts)],
  ]),
  LocalTensorIndex: new Map([
    ["tensor_key", isText],
    ["global_offset", isCounts],
    ["is_flattened", isFlag],
    ["flattened_range", orNone(isCounts)],
    ["replica_id", orNone(isInt)],
    ["local_shape", orNone(isCounts)],
  ]),
  dtype: new Map([[DTYPE_FIELD, isByte]]),
  Metadata: new Map([
    ["state_dict_metadata", orNone(isDict)],
    ["storage_metadata", orNone(isDict)],
    ["flat_mapping", orNone(isDict)],
    ["model_type", isPlain],
    ["checkpoint_version", isPlain],
    ["erniebot_commit_id", isPlain],
    ["paddle_commit_id", isPlain],
  ]),
};

/** Whether records of a class have the field. */
export function hasField(className: string, field: unknown): boolean {
  return typeof field === "string" && FIELDS[className]?.has(field) === true;
}

/** Whether the field of a class's record may hold `value`. */
export function fieldFits(className: string, field: unknown, value: unknown): boolean {
  return typeof field === "string" && FIELDS[className]?.get(field)?.(value) === true;
}
