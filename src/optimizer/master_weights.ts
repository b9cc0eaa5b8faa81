/**
 * Float32 copies of float16 and bfloat16 parameters (TRAINING.md 4).
 *
 * @module
 */
import { NDArray } from "../ndarray.ts";
import type { NameScope } from "../nn/unique_name.ts";
import { Tensor } from "../tensor.ts";
import type { Value } from "../values.ts";
import { check, kindOf } from "./arguments.ts";

/** Master weights by parameter name. */
export class MasterWeights {
  readonly #scope: NameScope;
  readonly #weights = new Map<string, Tensor>();

  /** Starts without any; `scope` makes the names of new ones unique. */
  constructor(scope: NameScope) {
    this.#scope = scope;
  }

  /**
   * The master weight of a parameter, created from its value if there is none.
   *
   * @throws {ValueError} `INVALID_VALUE` if one was set that does not fit
   */
  of(parameter: Tensor): Tensor {
    const { name, shape } = parameter;
    const known = this.#weights.get(name);
    const weight = known ?? Tensor.from(parameter.astype("float32"), {
      name: this.#scope.generate(`${name}_fp32_master`),
      persistable: true,
    });
    if (!known) this.#weights.set(name, weight);
    check(
      weight.dtype === "float32" && weight.shape.join() === shape.join(),
      `The master weight of ${name} is float32 [${shape}]: got ${weight.dtype} [${weight.shape}]`,
    );
    return weight;
  }

  /** All of them; null if there are none. */
  entries(): Map<string, Tensor> | null {
    return this.#weights.size > 0 ? new Map(this.#weights) : null;
  }

  /**
   * Check those of a state. Returns a function that puts them in place of all existing ones; it does nothing if the state has none.
   *
   * @throws {ValueError} `INVALID_VALUE` if they are not arrays
   */
  prepare(given: Value): () => void {
    if (given === undefined) return () => {};
    check(given instanceof Map, `master_weights is a Map: got ${kindOf(given)}`);
    const weights: [string, Tensor][] = [];
    for (const [name, master] of given as Map<string, Value>) {
      check(master instanceof NDArray, `A master weight is an array: got ${kindOf(master)}`);
      const named = master instanceof Tensor && master.name !== "" ? master.name : `${name}_fp32_master_0`;
      // A copy, so that the caller's tensors are not changed by steps.
      weights.push([name, Tensor.from((master as NDArray).clone(), { name: named, persistable: true })]);
    }
    return () => {
      this.#weights.clear();
      for (const [name, weight] of weights) this.#weights.set(name, weight);
    };
  }
}
