/**
 * `paddle.jit`: Layers that were exported with their programs.
 *
 * @module
 */
export { load, type LoadOptions } from "./load.ts";
export { TranslatedLayer } from "./translated_layer.ts";
