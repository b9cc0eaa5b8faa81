/**
 * Converts the contents of a file to the value that `paddle.load` returns.
 *
 * @module
 */
import type { FileContent } from "../codec/read_file.ts";
import type { RawSafetensors } from "../codec/safetensors/read_safetensors.ts";
import type { Float8 } from "../dtype.ts";
import { quote, type Warning } from "../errors.ts";
import { fromSafetensorsInSteps } from "./from_safetensors.ts";
import type { NDArray } from "../ndarray.ts";
import { refusalsIn, RefusedArray } from "../words/refused_array.ts";
import { TensorMap } from "../words/tensor_map.ts";
import type { Value } from "../values.ts";
import { type Float8Choice, fromPickleInSteps, type FromPickleOptions } from "./from_pickle.ts";
import { fromRecord, fromSelectedRows } from "./from_record.ts";
import { tooManyAxes } from "./too_many_axes.ts";
import { atOnce, StepPace } from "../words/steps.ts";

/** Options of {@linkcode fromFile}. */
export interface FromFileOptions extends FromPickleOptions {
  /** Return the arrays of a safetensors file as Tensors. @default {false} */
  safetensors?: boolean;
}

/** The result of {@linkcode fromFile}. */
export interface Shaped {
  value: Value;
  warnings: Warning[];
}

/** The value of a file, and warnings about it. */
export function fromFile(content: FileContent, options: FromFileOptions): Shaped {
  return atOnce(fromFileInSteps(content, options));
}

/** {@linkcode fromFile} in steps, between which other work may run. */
export function* fromFileInSteps(content: FileContent, options: FromFileOptions): Generator<void, Shaped> {
  switch (content.kind) {
    case "pickle": {
      const value = yield* fromPickleInSteps(content.pickle, options);
      return { value, warnings: [...content.pickle.warnings, ...unusedFloat8(value, options.float8)] };
    }
    case "record": {
      const { tensor } = content;
      const isRows = "rows" in tensor;
      const value = isRows ? fromSelectedRows(tensor, options) : fromRecord(tensor, options);
      return { value, warnings: tooManyAxes((isRows ? tensor.value : tensor).shape) };
    }
    case "safetensors": {
      const value = options.safetensors
        ? yield* tensorsOf(content.tensors, options)
        : yield* fromSafetensorsInSteps(content.tensors, options);
      return { value, warnings: refusalsIn(value) };
    }
    case "program":
      return { value: content.program, warnings: [] };
    case "tnum": {
      const value = new Map<string, Value>();
      const pace = new StepPace();
      for (const [name, raw] of content.tensors) {
        if (pace.isDue(4)) yield;
        value.set(name, fromRecord(raw, options, name));
      }
      return { value, warnings: content.warnings };
    }
  }
}

/** Warnings about keys in the option float8 that name no int8 tensor. */
function unusedFloat8(value: unknown, float8: Float8Choice = {}): Warning[] {
  const keys = typeof float8 === "string" ? [] : Object.keys(float8);
  const isUsed = (key: string) =>
    value instanceof Map && value.get(key)?.dtype === (float8 as Record<string, Float8>)[key];
  return keys.filter((key) => !isUsed(key)).map((key) => {
    return {
      code: "UNUSED_OPTION",
      message: `Option float8 names ${quote(key)}, which is not the key of an int8 tensor`,
      at: key,
    };
  });
}

/** As `paddle.load(path, safetensors=True)` of 3.3 does, returns Tensors without names. */
function* tensorsOf(
  { tensors, metadata }: RawSafetensors,
  options: FromPickleOptions,
): Generator<void, TensorMap> {
  const map = new TensorMap();
  for (const [key, text] of metadata) map.metadata.set(key, text);
  const pace = new StepPace();
  for (const [name, raw] of tensors) {
    if (pace.isDue(4)) yield;
    map.set(name, raw instanceof RefusedArray ? raw as unknown as NDArray : fromRecord(raw, options));
  }
  return map;
}
