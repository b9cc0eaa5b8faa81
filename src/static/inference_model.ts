/**
 * A model that was exported for inference.
 *
 * @module
 */
import type { Port, Program } from "../program.ts";
import type { DenseTensor } from "../tensor.ts";

/** What {@linkcode loadInferenceModel} gives: the program, what goes in and comes out, and the values of its persistable variables. */
export interface InferenceModel {
  /** The program, with its feed and fetch operators. */
  program: Program;
  /** Names of the inputs, in order. */
  feedTargetNames: string[];
  /** The outputs, in order. */
  fetchTargets: Port[];
  /** Values by variable name, in the order of the file; a vocabulary is a Map of its words. */
  parameters: Map<string, DenseTensor | Map<string, number>>;
}
