/**
 * Initializers for every layer made from now on.
 *
 * @module
 */
import type { Initializer } from "./initializer.ts";

let weight: Initializer | null = null;
let bias: Initializer | null = null;

/**
 * Take these in place of the layers' own; a ParamAttr's initializer goes before them. null, or nothing, ends it. It is a setting of the whole
 * program.
 *
 * Mirrors `paddle.nn.initializer.set_global_initializer` (3.3).
 */
export function setGlobalInitializer(weightInit: Initializer | null, biasInit: Initializer | null = null): void {
  weight = weightInit;
  bias = biasInit;
}

/** What was set for weights, or for biases. */
export function globalInitializer(isBias: boolean): Initializer | null {
  return isBias ? bias : weight;
}
