/**
 * A model that was exported for inference, for inspection and editing.
 *
 * @module
 */
import { PirProgram } from "../codec/pir/pir_program.ts";
import { OpDesc } from "../codec/program/op_desc.ts";
import { isSaved, ProgramDesc } from "../codec/program/program_desc.ts";
import { quote, SourceError, ValueError } from "../errors.ts";
import type { ModelInfo } from "../model/model_info.ts";
import { checkVariableValue, type ParameterValue } from "../model/model_values.ts";
import { NDArray } from "../ndarray.ts";
import type { Operator, Port, Program, ProgramVariable } from "../program.ts";
import { DenseTensor } from "../tensor.ts";
import { normalizeProgram, type VariableName } from "./normalize_program.ts";

/** The result of {@linkcode loadInferenceModel}: the program, and the values of its persistable variables. */
export class InferenceModel {
  /** The program, with its feed and fetch operators. */
  program: Program;
  /** Values by variable name, in file order; a vocabulary is a Map of its words. */
  readonly parameters: Map<string, ParameterValue>;
  /** The content of `.pdiparams.info`, by variable name; null if there is no such file. */
  info: ModelInfo | null;

  /** Create a model from its parts. */
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
   * Rename a variable everywhere: in the program, the parameters and the info.
   *
   * @throws {SourceError} `NOT_FOUND`
   * @throws {ValueError} `NAME_COLLISION`; `INVALID_VALUE`: the name stands for no variable
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
   * Replace the value of a parameter.
   *
   * @throws {SourceError} `NOT_FOUND`: there is no such parameter
   * @throws {ValueError} `INVALID_VALUE`: dtype or shape differ from the program's
   */
  replace(name: string, value: ParameterValue): void {
    const variable = parameterOf(this.program, name);
    if (!variable) throw new SourceError("NOT_FOUND", `The model has no parameter ${quote(name)}`, { at: name });
    checkVariableValue(variable, value);
    this.parameters.set(name, value instanceof NDArray ? denseOf(value) : value);
  }

  /**
   * Delete a parameter that no operator uses.
   *
   * @throws {SourceError} `NOT_FOUND`: there is no such parameter
   * @throws {ValueError} `INVALID_VALUE`: an operator uses it
   */
  delete(name: string): void {
    const { program } = this;
    if (!this.parameters.has(name)) {
      throw new SourceError("NOT_FOUND", `The model has no parameter ${quote(name)}`, { at: name });
    }
    // In PIR, layers that share a parameter each have their own value for it.
    const ids = new Set(program.vars().filter((variable) => variable.name === name).map(({ id }) => id ?? name));
    const user = program.ops().find((op) => usedBy(op).some((id) => ids.has(id)));
    if (user) {
      throw new ValueError("INVALID_VALUE", `The operator ${user.type} uses ${quote(name)}: it cannot be deleted`, {
        at: name,
      });
    }
    if (program instanceof PirProgram) program.deleteParameter(name);
    else if (program instanceof ProgramDesc) {
      for (const block of program.blocks) block.vars = block.vars.filter((variable) => variable.name !== name);
    }
    this.parameters.delete(name);
  }

  /**
   * Keep only what these outputs need: operators, variables and parameters. Inputs that are no longer needed are removed, too.
   *
   * @throws {SourceError} `NOT_FOUND`: there is no such output
   */
  prune(outputs: VariableName | readonly VariableName[]): void {
    // Find out which inputs are needed, then prune with those.
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

/** The parameter `name`, without listing all others where the variable of that name is it. */
function parameterOf(program: Program, name: string): ProgramVariable | undefined {
  const variable = program.variable(name);
  if (variable && isSaved(variable) && (variable.isParameter || program instanceof ProgramDesc)) return variable;
  return program.parameters().find((other) => other.name === name);
}

/** What an operator reads; in a ProgramDesc, where operators may share a variable, also what it writes. */
function usedBy(op: Operator): string[] {
  const read = [...op.inputs.values()].flat();
  return op instanceof OpDesc ? [...read, ...[...op.outputs.values()].flat(), ...op.readsInAttributes()] : read;
}

/** Rename a key in place, keeping the order. */
function renameKey<T>(map: Map<string, T>, from: string, to: string): void {
  const entries = [...map];
  if (!map.has(from)) return;
  map.clear();
  for (const [key, value] of entries) map.set(key === from ? to : key, value);
}

function denseOf(value: NDArray): DenseTensor {
  return value instanceof DenseTensor ? value : new DenseTensor(value.dtype, value.shape, value.unread ?? value.bytes);
}
