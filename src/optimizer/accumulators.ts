/**
 * The state tensors of an optimizer: names, initial values, saving and loading (TRAINING.md 4).
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import { ValueError } from "../errors.ts";
import { full, NDArray } from "../ndarray.ts";
import type { NameScope } from "../nn/unique_name.ts";
import { Tensor } from "../tensor.ts";
import type { Value } from "../values.ts";
import { kindOf } from "./arguments.ts";

/** A kind of state. */
export interface Kind {
  /** Paddle's name for it, such as `moment1`. */
  readonly kind: string;
  /** The value of every element before the first step. @default {0} */
  readonly value?: number;
  /** @default {the parameter's} */
  readonly shape?: readonly number[];
  /** `"parameter"`: the parameter's dtype, even if it has a master weight. @default {that of the master weight, if any} */
  readonly dtype?: DType | "parameter";
}

/** State tensors by kind, then by the name of the tensor they belong to. */
export class AccumulatorTable {
  readonly #name: string | null;
  readonly #scope: NameScope;
  readonly #kinds = new Map<string, Map<string, Tensor>>();
  /** Whether an entry of the state that was set is removed when a tensor is created from it: once all are, others begin as new. */
  readonly #consumes: boolean;
  /** The state that was set, by tensor name. */
  #held = new Map<Value, Value>();

  /** Creates an empty table. */
  constructor(name: string | null, scope: NameScope, consumes: boolean) {
    this.#consumes = consumes;
    this.#name = name;
    this.#scope = scope;
  }

  #kindName(kind: string): string {
    return this.#name === null ? kind : `${this.#name}_${kind}`;
  }

  /** The state tensor of a kind that belongs to the tensor named `owner`. */
  get(kind: string, owner: string): Tensor {
    return this.#kinds.get(this.#kindName(kind))!.get(owner)!;
  }

  /**
   * Create the state tensors of `owner` that do not exist yet.
   *
   * @throws {ValueError} `INVALID_VALUE` if a state was set that lacks one of them, or has it with another shape or dtype
   */
  make(owner: Tensor, parameterDType: DType, kinds: readonly Kind[]): void {
    for (const { kind, value = 0, shape = owner.shape, dtype = owner.dtype } of kinds) {
      const kindName = this.#kindName(kind);
      let tensors = this.#kinds.get(kindName);
      if (!tensors) this.#kinds.set(kindName, tensors = new Map());
      if (tensors.has(owner.name)) continue;
      const name = this.#scope.generate(`${owner.name}_${kindName}`);
      const array = full(shape, value, dtype === "parameter" ? parameterDType : dtype);
      const tensor = Tensor.from(array, { name, persistable: true });
      if (this.#held.size > 0) {
        if (!this.#held.has(name)) throw invalid(name, `Optimizer set error, ${name} should in state dict`);
        tensor.bytes.set(fitting(tensor, this.#held.get(name)).bytes);
        if (this.#consumes) this.#held.delete(name);
      }
      tensors.set(owner.name, tensor);
    }
  }

  /** All tensors by name, kind by kind; if there are none yet and `withHeld` is true, the state that was set. */
  entries(withHeld: boolean): Map<string, Value> {
    const entries = new Map<string, Value>();
    for (const tensors of this.#kinds.values()) for (const tensor of tensors.values()) entries.set(tensor.name, tensor);
    if (entries.size === 0 && withHeld) { for (const [key, value] of this.#held) entries.set(key as string, value); }
    return entries;
  }

  /**
   * Check that all tensors can be set from `state`; returns a function that sets them.
   *
   * @throws {ValueError} `INVALID_VALUE` if one cannot
   */
  prepare(state: Map<Value, Value>): () => void {
    const pairs: [Tensor, NDArray][] = [];
    for (const tensors of this.#kinds.values()) {
      for (const tensor of tensors.values()) {
        if (!state.has(tensor.name)) throw invalid(tensor.name, `optimizer Tensor ${tensor.name} not found`);
        pairs.push([tensor, fitting(tensor, state.get(tensor.name))]);
      }
    }
    return () => {
      for (const [tensor, given] of pairs) tensor.bytes.set(given.bytes);
      this.#held = state;
    };
  }
}

/** The given value, if it has the shape and dtype of the tensor; numpy's uint16 stands for bfloat16. */
function fitting(tensor: Tensor, given: Value): NDArray {
  const { name, shape, dtype } = tensor;
  if (!(given instanceof NDArray)) {
    throw invalid(name, `${name} of an optimizer's state is an array: got ${kindOf(given)}`);
  }
  if (given.shape.join() !== shape.join()) {
    throw invalid(
      name,
      `Variable Shape not match, Variable [ ${name} ] need tensor with shape ${
        pythonShape(shape, "paddle.Size([", "])")
      } but ` +
        `load set tensor with shape ${pythonShape(given.shape, "(", given.shape.length === 1 ? ",)" : ")")}`,
    );
  }
  const isBits = dtype === "bfloat16" && given.dtype === "uint16";
  if (given.dtype !== dtype && !isBits) {
    throw invalid(
      name,
      `Variable dtype not match, Variable [ ${name} ] need tensor with dtype paddle.${dtype}  but load tensor with dtype ` +
        `paddle.${given.dtype}`,
    );
  }
  return given;
}

function pythonShape(shape: readonly number[], before: string, after: string): string {
  return `${before}${shape.join(", ")}${after}`;
}

function invalid(name: string, message: string): ValueError {
  return new ValueError("INVALID_VALUE", message, { at: `["${name}"]` });
}
