/**
 * From what a file holds to the value that `paddle.load` gives.
 *
 * @module
 */
import type { FileContent } from "../codec/read_file.ts";
import type { Warning } from "../errors.ts";
import type { Value } from "../values.ts";
import { fromPickle, type FromPickleOptions } from "./from_pickle.ts";
import { fromSafetensors } from "./from_safetensors.ts";
import { fromRecord, fromSelectedRows } from "./from_record.ts";

/** The value of a file, and what was odd about it. */
export function fromFile(content: FileContent, options: FromPickleOptions): { value: Value; warnings: Warning[] } {
  switch (content.kind) {
    case "pickle":
      return { value: fromPickle(content.pickle, options), warnings: content.pickle.warnings };
    case "record": {
      const { tensor } = content;
      const value = "rows" in tensor ? fromSelectedRows(tensor, options) : fromRecord(tensor, options);
      return { value, warnings: [] };
    }
    case "safetensors":
      return { value: fromSafetensors(content.tensors, options), warnings: [] };
    case "program":
      return { value: content.program, warnings: [] };
    case "tnum": {
      const value = new Map<string, Value>();
      for (const [name, raw] of content.tensors) value.set(name, fromRecord(raw, options, name));
      return { value, warnings: content.warnings };
    }
  }
}
