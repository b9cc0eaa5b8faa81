/**
 * A Layer that was exported by `paddle.jit.save`.
 *
 * @module
 */
import type { Property } from "../codec/program/properties.ts";
import type { ModelInfo } from "../model/model_info.ts";
import type { Program } from "../program.ts";
import type { Tensor } from "../tensor.ts";
import { OrderedDict } from "../values.ts";

/** The parts of a {@linkcode TranslatedLayer}. */
export interface TranslatedParts {
  /** Programs by method. */
  programs: ReadonlyMap<string, Program>;
  /** Values of each method's variables, by name, in the order of the programs. */
  perMethod: readonly ReadonlyMap<string, Tensor>[];
  /** What is known about the variables. */
  info: ModelInfo | null;
  /** Properties of the Layer. */
  properties?: ReadonlyMap<string, Property>;
}

/** Programs and parameters of an exported Layer: the result of `paddle.jit.load`, but it cannot be run. */
export class TranslatedLayer {
  /** Programs by method, `forward` among them. */
  readonly programs: ReadonlyMap<string, Program>;
  /** Parameters and buffers by variable name, of all methods. */
  readonly variables: ReadonlyMap<string, Tensor>;
  /** The content of `.pdiparams.info`; null if there is no such file. */
  readonly info: ModelInfo | null;
  /** The content of `.meta`: numbers and strings that the Layer had besides its methods. */
  readonly properties: ReadonlyMap<string, Property>;
  readonly #perMethod: readonly ReadonlyMap<string, Tensor>[];

  /** Made by {@linkcode load}. */
  constructor({ programs, perMethod, info, properties = new Map() }: TranslatedParts) {
    this.programs = programs;
    this.#perMethod = perMethod;
    this.variables = new Map(perMethod.flatMap((variables) => [...variables]));
    this.info = info;
    this.properties = properties;
  }

  /** The program of a method. */
  program(method = "forward"): Program | undefined {
    return this.programs.get(method);
  }

  /**
   * Tensors under the names that Paddle's TranslatedLayer gives them: `param_0`, `param_1`, ... and `buffer_0`, ... For structured names see
   * `recoverStateDict`.
   */
  stateDict(): OrderedDict<string, Tensor> {
    const state = new OrderedDict<string, Tensor>();
    const isLegacy = this.program()?.form === "pdmodel";
    // The legacy loader creates new tensors for each method; PIR's has one per name.
    const all = isLegacy ? this.#perMethod.flatMap((variables) => [...variables]) : [...this.variables];
    const replaced = isLegacy && !this.info ? replacedVariables(this.programs.values()) : new Set();
    const isBuffer = (name: string) => this.info ? this.info.get(name)?.trainable === undefined : replaced.has(name);
    let params = 0, buffers = 0;
    for (const [name, tensor] of all) if (!isBuffer(name)) state.set(`param_${params++}`, tensor);
    for (const [name, tensor] of all) if (isBuffer(name)) state.set(`buffer_${buffers++}`, tensor);
    return state;
  }
}

/** Variables that an operator writes without reading: without an info, Paddle takes those for buffers. */
function replacedVariables(programs: Iterable<Program>): Set<string> {
  const found = new Set<string>();
  for (const program of programs) {
    for (const { type, inputs, outputs } of program.ops()) {
      // Paddle checks after removing the feed operators.
      if (type === "feed") continue;
      const read = new Set([...inputs.values()].flat());
      for (const name of [...outputs.values()].flat()) if (!read.has(name)) found.add(name);
    }
  }
  return found;
}
