/**
 * Functions of Paddle 1.x under their old names: `paddle.fluid.save_dygraph`, `load_dygraph` and `paddle.fluid.io`.
 *
 * @module
 */
export { loadDygraph, type LoadDygraphOptions } from "./load_dygraph.ts";
export { saveDygraph, type SaveDygraphOptions } from "./save_dygraph.ts";
export * as io from "./io/mod.ts";
