/**
 * Layers without parameters and buffers. They take their place among other layers, count in the generated names, and keep their arguments
 * for software that runs them.
 *
 * @module
 */
import type { REQUIRED } from "../arguments.ts";
import { BuiltInLayer } from "./built_in_layer.ts";

/** A layer without parameters and buffers. */
export class StatelessLayer extends BuiltInLayer<Record<string, unknown>> {}

/** Creates layers without parameters and buffers; takes Paddle's arguments by position, by name in a final object, or a mix of both. */
export type StatelessLayerClass = new (...args: unknown[]) => StatelessLayer;

/** Creates the class of that name, with these arguments and their defaults. */
export function stateless(
  name: string,
  defaults: Readonly<Record<string, unknown | typeof REQUIRED>>,
): StatelessLayerClass {
  return class extends StatelessLayer {
    /** The class name from which parameter names derive; survives minification. */
    static readonly className: string = name;
    constructor(...args: unknown[]) {
      super({ name, defaults }, args);
    }
  };
}
