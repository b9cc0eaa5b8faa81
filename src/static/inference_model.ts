/**
 * A model that was exported for inference, for looking at and for editing.
 *
 * @module
 */
import { PirProgram } from "../codec/pir/pir_program.ts";
import { ProgramDesc } from "../codec/program/program_desc.ts";
import { quote, SourceError, ValueError } from "../errors.ts";
import type { ModelInfo } from "../model/model_info.ts";
import { checkValue, type ParameterValue } from "../model/model_values.ts";
import { NDArray } from "../ndarray.ts";
import type { Port, Program } from "../program.ts";
import { DenseTensor } from "../tensor.ts";
import { normalizeProgram, type VariableName } from "./normalize_program.ts";

/** What {@linkcode loadInferenceModel} gives: the program, and the values of its persistable variables. */
export class InferenceModel {
  /** The program, with its feed and fetch operators. */
  program: Program;
  /** Values by variable name, in the order of the file; a vocabulary is a Map of its words. */
  readonly parameters: Map<string, ParameterValue>;
  /** What `.pdiparams.info` says of the variables, by name; null where there is no such file. */
  info: ModelInfo | null;

  /** Put a model together. */
  constructor(program: Program, parameters: ReadonlyMap<string, ParameterValue>, info: ModelInfo | null = null) {
    this.program = program;
    this.parameters = new Map(parameters);
    this.info = info;
  }

  /** Names of the inputs, in order. */
  get feedTargetNames(): string[] {
    return this.program.feeds().map(({ name }) => name);
  }

  /** The outputs, in order. */
  get fetchTargets(): Port[] {
    return this.program.fetches();
  }

  /**
   * Give a variable another name wherever it stands: in the program, among the parameters, in the info.
   *
   * @throws {SourceError} `NOT_FOUND`
   * @throws {ValueError} `NAME_COLLISION`
   */
  rename(from: string, to: string): void {
    this.program.rename(from, to);
    renameKey(this.parameters, from, to);
    if (this.info?.has(from)) {
      const info = new Map(this.info);
      renameKey(info, from, to);
      this.info = info;
    }
  }

  /**
   * Put another value in the place of a parameter's.
   *
   * @throws {SourceError} `NOT_FOUND`: there is no such parameter
   * @throws {ValueError} `INVALID_VALUE`: dtype or shape are not what the program says
   */
  replace(name: string, value: ParameterValue): void {
    const variable = this.program.parameters().find((variable) => variable.name === name);
    if (!variable) throw new SourceError("NOT_FOUND", `The model has no parameter ${quote(name)}`, { at: name });
    checkValue(variable, value);
    this.parameters.set(name, value instanceof NDArray ? denseOf(value) : value);
  }

  /**
   * Take out a parameter that no operator uses.
   *
   * @throws {SourceError} `NOT_FOUND`: there is no such parameter
   * @throws {ValueError} `INVALID_VALUE`: an operator uses it
   */
  delete(name: string): void {
    const { program } = this;
    if (!this.parameters.has(name)) {
      throw new SourceError("NOT_FOUND", `The model has no parameter ${quote(name)}`, { at: name });
    }
    // In PIR, layers that share a parameter have a value each for it.
    const ids = new Set(program.vars().filter((variable) => variable.name === name).map(({ id }) => id ?? name));
    const user = program.ops().find((op) => [...op.inputs.values()].some((names) => names.some((id) => ids.has(id))));
    if (user) {
      throw new ValueError("INVALID_VALUE", `The operator ${user.type} reads ${quote(name)}: it cannot be deleted`, {
        at: name,
      });
    }
    if (program instanceof PirProgram) program.filterOps((op) => op.name !== name);
    else if (program instanceof ProgramDesc) {
      for (const block of program.blocks) block.vars = block.vars.filter((variable) => variable.name !== name);
    }
    this.parameters.delete(name);
  }

  /**
   * Keep only what these outputs need: operators, variables and parameters. Inputs that are no longer needed go, too.
   *
   * @throws {SourceError} `NOT_FOUND`: there is no such output
   */
  prune(outputs: VariableName | readonly VariableName[]): void {
    // First to find out which inputs are needed, then with these.
    let feeds = this.feedTargetNames;
    for (;;) {
      try {
        this.program = normalizeProgram(this.program, feeds, outputs);
        break;
      } catch (error) {
        const unused = error instanceof ValueError && error.names ? new Set(error.names) : null;
        if (!unused || ![...unused].every((name) => feeds.includes(name))) throw error;
        feeds = feeds.filter((name) => !unused.has(name));
      }
    }
    const left = new Set(this.program.parameters().map(({ name }) => name));
    for (const name of [...this.parameters.keys()]) if (!left.has(name)) this.parameters.delete(name);
  }
}

/** The same Map with another key in the place of `from`. */
function renameKey<T>(map: Map<string, T>, from: string, to: string): void {
  const entries = [...map];
  if (!map.has(from)) return;
  map.clear();
  for (const [key, value] of entries) map.set(key === from ? to : key, value);
}

function denseOf(value: NDArray): DenseTensor {
  return value instanceof DenseTensor ? value : new DenseTensor(value.dtype, value.shape, value.unread ?? value.bytes);
}
