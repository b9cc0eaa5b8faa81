/**
 * `paddle.fluid.io`: the functions and file layouts of Paddle 1.x.
 *
 * @module
 */
export { loadInferenceModel, type LoadInferenceModelOptions } from "../../static/load_inference_model.ts";
export { loadProgramState, type LoadProgramStateOptions } from "../../static/load_program_state.ts";
export { load, type LoadOptions, save, type SaveOptions, setProgramState } from "../../static/save.ts";
export { saveInferenceModel, type SaveInferenceModelOptions } from "./save_inference_model.ts";
export {
  loadParams,
  loadPersistables,
  loadVars,
  type LoadVarsOptions,
  saveParams,
  savePersistables,
  saveVars,
  type SaveVarsOptions,
  type VariableChoice,
} from "./vars.ts";
