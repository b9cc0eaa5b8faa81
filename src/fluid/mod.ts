/**
 * Functions of Paddle 1.x by their old names: `paddle.fluid.save_dygraph` and `load_dygraph`.
 *
 * @module
 */
export { loadDygraph, type LoadDygraphOptions } from "./load_dygraph.ts";
export { saveDygraph, type SaveDygraphOptions } from "./save_dygraph.ts";
export * as io from "./io/mod.ts";
