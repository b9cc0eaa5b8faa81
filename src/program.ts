/**
 * What every program shows, a ProgramDesc (`.pdmodel`, `__model__`) as well as a PIR module (`.json`): blocks, operators, variables.
 *
 * @module
 */
import { gotInstead } from "./words/described.ts";
import type { DType } from "./dtype.ts";
import type { Complex, Float } from "./values.ts";

/** What a variable holds, in Paddle's words; `unknown` with the number for a kind that no Paddle up to 3.3 has. */
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
  /** What operators call it where that is not its name: the number of a value of PIR, such as `%12`. */
  readonly id?: string;
  /** Its name; {@linkcode Program.rename} changes it everywhere. */
  readonly name: string;
  /** What it holds. */
  readonly kind: VariableKind;
  /** Kind of number, or null where the program does not say or it holds none. */
  readonly dtype: DType | null;
  /** Lengths of the axes, -1 for one that is known only when the program runs; null where the program does not say. */
  readonly shape: readonly number[] | null;
  /** Levels of detail. */
  readonly lodLevel: number;
  /** Its value outlives a run: parameters, statistics, optimizer state. */
  readonly persistable: boolean;
  /** Marked as a Parameter; inference models of the legacy form have lost the mark. */
  readonly isParameter: boolean;
  /** Gradients stop here; undefined where the program does not say. */
  readonly stopGradient: boolean | undefined;
}

/**
 * A value of an attribute. Text that is no UTF-8 comes as bytes, an integer beyond 2^53 as bigint, a Scalar that is a float as
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
  /** Names of what it reads, by slot; in PIR slots are numbered. */
  readonly inputs: ReadonlyMap<string, readonly string[]>;
  /** Names of what it writes, by slot; in PIR slots are numbered. */
  readonly outputs: ReadonlyMap<string, readonly string[]>;
  /** Its attributes. */
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  /** Paddle's word for the type of an attribute: `INT`, `FLOATS`, ..., in PIR `a_i32`, `a_array`, ...; undefined where there is none. */
  attributeType(name: string): string | undefined;
  /**
   * Give an attribute another value of its type, or, with a type, a new attribute.
   *
   * @throws {ValueError} `INVALID_VALUE`: the value is none of that type
   */
  setAttribute(name: string, value: AttributeValue, type?: string): void;
  /** Drop an attribute. */
  deleteAttribute(name: string): void;
}

/** A block of operators. */
export interface Block {
  /** Its number. */
  readonly idx: number;
  /** Number of the block around it, -1 for the outermost. */
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
  /** Kind of number, or null where the program does not say. */
  readonly dtype: DType | null;
  /** Lengths of the axes, -1 for unknown; null where the program does not say. */
  readonly shape: readonly number[] | null;
}

/**
 * A program: what `paddle.save(program, path)` writes, what an inference model runs. Made by `load`, `static.deserializeProgram` and the
 * loaders of models; {@linkcode Program.serialize} is the way back. A part that was not changed is written as it was read, unknown fields
 * included.
 */
export abstract class Program {
  /** `pdmodel`: a ProgramDesc in protobuf. `json`: a PIR module in JSON. */
  abstract readonly form: "pdmodel" | "json";
  /**
   * The version in the file. ProgramDesc: `major * 1_000_000 + minor * 1_000 + patch` of the Paddle that wrote it, 0 of development builds,
   * null where it has none. PIR: the patch level of its operators (1 in 3.0, 2 in 3.1, 4 in 3.3).
   */
  abstract readonly version: number | null;
  /** Its blocks; block 0 is the outermost. */
  abstract readonly blocks: readonly Block[];
  /** Variables that a file of parameters holds, in that file's order: by name, by code point. */
  abstract parameters(): ProgramVariable[];
  /** What is fed, in order. */
  abstract feeds(): Port[];
  /** What is fetched, in order. */
  abstract fetches(): Port[];
  /**
   * Give a variable another name, wherever it stands: declarations, inputs and outputs of operators, attributes that name it.
   *
   * @throws {SourceError} `NOT_FOUND`: there is no such variable
   * @throws {ValueError} `NAME_COLLISION`: another variable has the new name
   */
  abstract rename(from: string, to: string): void;
  /** A program of its own with the same content. */
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

  /** The variable `name`, of the first block that has it. */
  variable(name: string): ProgramVariable | undefined {
    for (const block of this.blocks) {
      const found = block.vars.find((variable) => variable.name === name);
      if (found) return found;
    }
    return undefined;
  }
}

/**
 * The program that a caller gave.
 *
 * @throws {TypeError} it is none
 */
export function programGiven(given: unknown): Program {
  if (given instanceof Program) return given;
  throw new TypeError(`A Program is wanted: ${gotInstead(given)}`);
}
