/**
 * The interface common to programs, a ProgramDesc (`.pdmodel`, `__model__`) or a PIR module (`.json`): blocks, operators, variables.
 *
 * @module
 */
import { gotInstead } from "./words/described.ts";
import type { DType } from "./dtype.ts";
import { quote, ValueError } from "./errors.ts";
import type { Complex, Float } from "./values.ts";

/** What a variable holds, by Paddle's name; `other` for any kind not listed. */
export type VariableKind =
  | "dense_tensor"
  | "selected_rows"
  | "dense_tensor_array"
  | "feed_minibatch"
  | "fetch_list"
  | "step_scopes"
  | "reader"
  | "raw"
  | "vocab"
  | "strings"
  | "sparse_coo"
  | "sparse_csr"
  | "other";

/** A variable of a program. */
export interface ProgramVariable {
  /** The id by which operators refer to it, if that is not its name: that of a PIR value, such as `%12`. */
  readonly id?: string;
  /** Its name; {@linkcode Program.rename} changes it everywhere. */
  readonly name: string;
  /** What it holds. */
  readonly kind: VariableKind;
  /** Its dtype; null if the program does not say, or it holds no tensor. */
  readonly dtype: DType | null;
  /** Lengths of the axes, -1 for one that is only known when the program runs; null if the program does not say. */
  readonly shape: readonly number[] | null;
  /** Number of LoD levels. */
  readonly lodLevel: number;
  /** Whether its value outlives a run, as do parameters, statistics and optimizer state. */
  readonly persistable: boolean;
  /** Whether it is marked as a Parameter; inference models in the legacy form have lost the mark. */
  readonly isParameter: boolean;
  /** Whether gradients stop here; undefined if the program does not say. */
  readonly stopGradient: boolean | undefined;
}

/**
 * The value of an attribute. A string that is not UTF-8 is given as bytes, an integer beyond 2^53 as bigint, a Scalar that is a float as
 * {@linkcode Float}.
 */
export type AttributeValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Float
  | Complex
  | readonly AttributeValue[]
  | { readonly [key: string]: unknown };

/** An operator of a program. */
export interface Operator {
  /** Its name: `conv2d`, in PIR `pd_op.conv2d`. */
  readonly type: string;
  /** The variables it reads, by slot: their names, or in PIR, where slots are numbered, their ids. */
  readonly inputs: ReadonlyMap<string, readonly string[]>;
  /** Names of the variables it writes, by slot; in PIR their ids, and slots are numbered. */
  readonly outputs: ReadonlyMap<string, readonly string[]>;
  /** Its attributes. */
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  /** Paddle's name for an attribute's type: `INT`, `FLOATS`, ..., in PIR `a_i32`, `a_array`, ...; undefined for a missing attribute. */
  attributeType(name: string): string | undefined;
  /**
   * Set an attribute, keeping its type unless one is given; a new attribute without a type gets one that fits the value.
   *
   * @throws {ValueError} `INVALID_VALUE`: the value is not of that type
   */
  setAttribute(name: string, value: AttributeValue, type?: string): void;
  /**
   * Remove an attribute.
   *
   * @throws {ValueError} `INVALID_VALUE`: it is one that every parameter of a PIR program has
   */
  deleteAttribute(name: string): void;
}

/** A block of operators. */
export interface Block {
  /** Its index. */
  readonly idx: number;
  /** Index of the enclosing block, -1 for the outermost. */
  readonly parentIdx: number;
  /** Its variables. */
  readonly vars: readonly ProgramVariable[];
  /** Its operators, in the order in which they run. */
  readonly ops: readonly Operator[];
}

/** An input or output of a program. */
export interface Port {
  /** Name of the variable; in PIR, of the operator that feeds or fetches. */
  readonly name: string;
  /** Its dtype; null if the program does not say. */
  readonly dtype: DType | null;
  /** Lengths of the axes, -1 for unknown; null if the program does not say. */
  readonly shape: readonly number[] | null;
}

/**
 * A program, as `paddle.save(program, path)` writes it and an inference model runs it. `load`, `static.deserializeProgram` and the loaders
 * of models create one; {@linkcode Program.serialize} encodes it again. Unchanged parts are written as they were read, including unknown
 * fields. A large program must not be changed while a function saves it: the save fails then (`SOURCE_CHANGED`), and writes nothing.
 *
 * @example What a model computes
 * ```ts
 * import { static as static_ } from "@oarlock/paddle";
 * async function show(prefix: string) {
 *   const { program } = await static_.loadInferenceModel(prefix);
 *   console.log(program.feeds(), program.fetches());
 *   for (const op of program.ops()) console.log(op.type, op.inputs, op.outputs, op.attributes);
 * }
 * ```
 */
export abstract class Program {
  /** `pdmodel`: a ProgramDesc in protobuf. `json`: a PIR module in JSON. */
  abstract readonly form: "pdmodel" | "json";
  /**
   * The version in the file. ProgramDesc: `major * 1_000_000 + minor * 1_000 + patch` of the Paddle that wrote it, 0 for development
   * builds, null if it has none. PIR: the patch level of its operators (1 in 3.0, 2 in 3.1, 3 in 3.2, 4 in 3.3).
   */
  abstract readonly version: number | null;
  /** Its blocks; block 0 is the outermost. */
  abstract readonly blocks: readonly Block[];
  /** Variables in the parameter file, in the order of that file: sorted by name, by code point. */
  abstract parameters(): ProgramVariable[];
  /** The variable `name`, from the first block that has it. */
  abstract variable(name: string): ProgramVariable | undefined;
  /** Inputs, in order. */
  abstract feeds(): Port[];
  /** Outputs, in order. */
  abstract fetches(): Port[];
  /**
   * Rename a variable wherever it occurs: in declarations, inputs and outputs of operators, and attributes that name it.
   *
   * @throws {SourceError} `NOT_FOUND`: there is no such variable
   * @throws {ValueError} `NAME_COLLISION`: another variable has the new name; `INVALID_VALUE`: it stands for no variable
   */
  abstract rename(from: string, to: string): void;
  /** An independent copy. */
  abstract clone(): Program;
  /** The bytes of its file. */
  abstract serialize(): Uint8Array;

  /** All operators, block after block. */
  ops(): Operator[] {
    return this.blocks.flatMap((block) => block.ops);
  }

  /** All variables, block after block. */
  vars(): ProgramVariable[] {
    return this.blocks.flatMap((block) => block.vars);
  }
}

/** By such a name Paddle's operators say that they take or give nothing. */
const NO_VARIABLE = ["", "@EMPTY@"];

/**
 * Check a new name of a variable.
 *
 * @throws {TypeError} it is no string
 * @throws {ValueError} `INVALID_VALUE`
 */
export function checkNewName(name: unknown): void {
  if (typeof name !== "string") throw new TypeError(`A variable's name is a string: ${gotInstead(name)}`);
  if (NO_VARIABLE.includes(name)) {
    throw new ValueError("INVALID_VALUE", `No variable can have the name ${quote(name)}`, { at: name });
  }
}

/**
 * Check that a caller's argument is a program.
 *
 * @throws {TypeError} it is not
 */
export function programGiven(given: unknown): Program {
  if (given instanceof Program) return given;
  throw new TypeError(`Expected a Program: ${gotInstead(given)}`);
}
