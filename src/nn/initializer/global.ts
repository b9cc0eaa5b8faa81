/**
 * Global initializers.
 *
 * @module
 */
import type { Initializer } from "./initializer.ts";

let weight: Initializer | null = null;
let bias: Initializer | null = null;

/**
 * Use these instead of the layers' own initializers for all layers created from now on, in the whole program; a ParamAttr's initializer
 * takes precedence. null restores the layers' own.
 *
 * Mirrors `paddle.nn.initializer.set_global_initializer` (3.3).
 */
export function setGlobalInitializer(weightInit: Initializer | null, biasInit: Initializer | null = null): void {
  weight = weightInit;
  bias = biasInit;
}

/** The initializer that was set for weights, or for biases. */
export function globalInitializer(isBias: boolean): Initializer | null {
  return isBias ? bias : weight;
}
