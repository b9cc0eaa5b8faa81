/**
 * Layers that own nothing. They have their place among others, with their names counted, and hold their arguments for software that runs
 * them.
 *
 * @module
 */
import type { REQUIRED } from "../arguments.ts";
import { BuiltInLayer } from "./built_in_layer.ts";

/** A layer without parameters and buffers. */
export class StatelessLayer extends BuiltInLayer<Record<string, unknown>> {}

/** Makes layers without parameters and buffers: arguments by position in Paddle's order, by name in a last object, or some of each. */
export type StatelessLayerClass = new (...args: unknown[]) => StatelessLayer;

/** The class of that name, with these arguments and their defaults. */
export function stateless(
  name: string,
  defaults: Readonly<Record<string, unknown | typeof REQUIRED>>,
): StatelessLayerClass {
  return class extends StatelessLayer {
    /** Begins the names. */
    static readonly className: string = name;
    constructor(...args: unknown[]) {
      super({ name, defaults }, args);
    }
  };
}
