/**
 * Types of values (FORMATS.md 10.3): only tensor types are decoded.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import type { VariableKind } from "../../program.ts";
import { type Json, JsonNumber, JsonObject } from "../json/json.ts";
import { asInt, asList, asObject, asText, At, badField } from "./fields.ts";

/** The decoded type of a value. */
export interface PirType {
  readonly kind: VariableKind;
  readonly dtype: DType | null;
  readonly shape: readonly number[] | null;
  readonly lodLevel: number;
}

const ELEMENTS: ReadonlyMap<string, DType> = new Map([
  ["0.t_bool", "bool"],
  ["0.t_i8", "int8"],
  ["0.t_ui8", "uint8"],
  ["0.t_i16", "int16"],
  ["0.t_ui16", "uint16"],
  ["0.t_i32", "int32"],
  ["0.t_ui32", "uint32"],
  ["0.t_i64", "int64"],
  ["0.t_ui64", "uint64"],
  ["0.t_bf16", "bfloat16"],
  ["0.t_f16", "float16"],
  ["0.t_f32", "float32"],
  ["0.t_f64", "float64"],
  ["0.t_c64", "complex64"],
  ["0.t_c128", "complex128"],
  ["0.t_f8e4m3fn", "float8_e4m3fn"],
  ["0.t_f8e5m2", "float8_e5m2"],
]);

/** Kinds by the name of the type; the data of each begins with element type and dims. */
const KINDS: ReadonlyMap<string, VariableKind> = new Map([
  ["0.t_dtensor", "dense_tensor"],
  ["1.t_dense_tensor_array", "dense_tensor_array"],
  ["1.t_selected_rows", "selected_rows"],
  ["1.t_sparse_coo", "sparse_coo"],
  ["1.t_sparse_csr", "sparse_csr"],
]);

const OTHER: PirType = { kind: "other", dtype: null, shape: null, lodLevel: 0 };

/**
 * Read the type in the field `TT` of the object at `at`; one that is not a tensor's becomes "other". Paddle computes with the -1 of an
 * unknown axis and writes the result, so -6 means unknown, too. No stored value has such a shape, so it is refused with `isSaved`.
 */
export function readType(value: Json | undefined, at: At, isSaved: boolean): PirType {
  let type = asObject(value, at, "TT");
  let name = asText(type.get("#"), at, "TT/#");
  // The first part of a distributed tensor's type is that of the whole tensor.
  while (name.startsWith("4.")) {
    const parts = type.get("D");
    if (!Array.isArray(parts) || !(parts[0] instanceof JsonObject)) return OTHER;
    type = parts[0];
    name = asText(type.get("#"), at, "TT/D/0/#");
  }
  const kind = KINDS.get(name);
  if (!kind) return OTHER;
  const parts = asList(type.get("D"), at, "TT/D");
  const dtype = ELEMENTS.get(asText(asObject(parts[0], at, "TT/D/0").get("#"), at, "TT/D/0/#")) ?? null;
  const dims = asList(parts[1], at, "TT/D/1"), lod = parts[3];
  const shape: number[] = [];
  for (let axis = 0; axis < dims.length; axis++) {
    const length = asDim(dims[axis], at, axis);
    if (isSaved && length < -1) throw badField(new At(at, "TT/D/1", axis), `is the length ${length}`);
    shape.push(Math.max(-1, length));
  }
  return { kind, dtype, shape, lodLevel: Array.isArray(lod) ? lod.length : 0 };
}

function asDim(value: Json, at: At, axis: number): number {
  const field = "TT/D/1";
  if (value instanceof JsonNumber || typeof value === "bigint") {
    throw badField(new At(at, field, axis), "is not a valid dimension");
  }
  return asInt(value, at, field, axis);
}
