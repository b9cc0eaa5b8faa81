/**
 * Arrays by name, with texts about them.
 *
 * @module
 */
import type { NDArray } from "../ndarray.ts";

/** What a safetensors file holds: arrays by name, in the order of the file's header, and its metadata. */
export class TensorMap extends Map<string, NDArray> {
  /** Texts by name: the file's `__metadata__`. */
  readonly metadata: Map<string, string> = new Map();
}
