/**
 * From what a file holds to the value that `paddle.load` gives.
 *
 * @module
 */
import type { FileContent } from "../codec/read_file.ts";
import type { RawSafetensors } from "../codec/safetensors/read_safetensors.ts";
import type { Warning } from "../errors.ts";
import { fromSafetensorsInSteps } from "./from_safetensors.ts";
import { TensorMap } from "../words/tensor_map.ts";
import type { Value } from "../values.ts";
import { fromPickleInSteps, type FromPickleOptions } from "./from_pickle.ts";
import { fromRecord, fromSelectedRows } from "./from_record.ts";
import { atOnce, StepPace } from "../words/steps.ts";

/** What {@linkcode fromFile} is asked for. */
export interface FromFileOptions extends FromPickleOptions {
  /** Arrays of a safetensors file come as Tensors. @default {false} */
  safetensors?: boolean;
}

/** What {@linkcode fromFile} gives. */
export interface Shaped {
  value: Value;
  warnings: Warning[];
}

/** The value of a file, and what was odd about it. */
export function fromFile(content: FileContent, options: FromFileOptions): Shaped {
  return atOnce(fromFileInSteps(content, options));
}

/** The same in steps, between which others may have a turn. */
export function* fromFileInSteps(content: FileContent, options: FromFileOptions): Generator<void, Shaped> {
  switch (content.kind) {
    case "pickle":
      return { value: yield* fromPickleInSteps(content.pickle, options), warnings: content.pickle.warnings };
    case "record": {
      const { tensor } = content;
      const value = "rows" in tensor ? fromSelectedRows(tensor, options) : fromRecord(tensor, options);
      return { value, warnings: [] };
    }
    case "safetensors":
      return {
        value: options.safetensors
          ? yield* tensorsOf(content.tensors, options)
          : yield* fromSafetensorsInSteps(content.tensors, options),
        warnings: [],
      };
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

/** `paddle.load(path, safetensors=True)` of 3.3 gives Tensors without names. */
function* tensorsOf(
  { tensors, metadata }: RawSafetensors,
  options: FromPickleOptions,
): Generator<void, TensorMap> {
  const map = new TensorMap();
  for (const [key, text] of metadata) map.metadata.set(key, text);
  const pace = new StepPace();
  for (const [name, raw] of tensors) {
    if (pace.isDue(4)) yield;
    map.set(name, fromRecord(raw, options));
  }
  return map;
}
