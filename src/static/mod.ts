/**
 * `paddle.static`: programs, and what Paddle's static graph writes of them.
 *
 * @module
 */
export { Program } from "../program.ts";
export { deserializeProgram } from "./deserialize_program.ts";
export type { InferenceModel } from "./inference_model.ts";
export { loadInferenceModel, type LoadInferenceModelOptions } from "./load_inference_model.ts";
export { loadProgramState, type LoadProgramStateOptions } from "./load_program_state.ts";
