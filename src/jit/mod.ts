/**
 * `paddle.jit`: Layers that were exported with their programs.
 *
 * @module
 */
export { load, type LoadOptions } from "./load.ts";
export { type ExportedLayer, save, type SaveOptions } from "./save.ts";
export type { Property } from "../codec/program/properties.ts";
export { TranslatedLayer, type TranslatedParts } from "./translated_layer.ts";
