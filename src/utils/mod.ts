/**
 * `paddle.utils`: the names of layers and parameters.
 *
 * @module
 */
export * as uniqueName from "../nn/unique_name.ts";
