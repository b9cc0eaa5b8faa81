/**
 * Arrays by name, with metadata.
 *
 * @module
 */
import type { NDArray } from "../ndarray.ts";

/** The contents of a safetensors file: arrays by name, in the order of the file's header, and its metadata. */
export class TensorMap extends Map<string, NDArray> {
  /** Strings by name: the file's `__metadata__`. */
  readonly metadata: Map<string, string> = new Map();
}
