/**
 * `paddle.static`: programs, and the files that Paddle's static graph mode writes.
 *
 * @module
 */
export { Program } from "../program.ts";
export type { NamedValue, ParameterValue, Scope } from "../model/model_values.ts";
export type { NormalizeOptions } from "../model/normalize_program.ts";
export { deserializeProgram } from "./deserialize_program.ts";
export { type FileBytesOptions, loadFromFile, saveToFile } from "./file_bytes.ts";
export { InferenceModel } from "./inference_model.ts";
export { loadInferenceModel, type LoadInferenceModelOptions } from "./load_inference_model.ts";
export { loadProgramState, type LoadProgramStateOptions } from "./load_program_state.ts";
export { normalizeProgram, type VariableName } from "./normalize_program.ts";
export { type Layout, type ModelFrom, relayout, type RelayoutOptions } from "./relayout.ts";
export {
  load,
  type LoadOptions,
  save,
  type SaveOptions,
  setProgramState,
  type SetProgramStateOptions,
} from "./save.ts";
export { saveInferenceModel, type SaveInferenceModelOptions } from "./save_inference_model.ts";
export {
  deserializePersistables,
  serializePersistables,
  serializeProgram,
  type SerializeProgramOptions,
} from "./serialize.ts";
