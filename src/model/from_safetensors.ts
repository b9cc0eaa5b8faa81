/**
 * The arrays of a safetensors file.
 *
 * @module
 */
import { Span } from "../codec/cursor.ts";
import type { RawSafetensors } from "../codec/safetensors/read_safetensors.ts";
import { NDArray } from "../ndarray.ts";
import { atOnce, StepPace } from "../words/steps.ts";
import { RefusedArray } from "../words/refused_array.ts";
import { TensorMap } from "../words/tensor_map.ts";
import type { ArrayContext } from "./array_of.ts";

/** Arrays by name, with bfloat16 and float8 preserved, and the file's metadata. */
export function fromSafetensors(content: RawSafetensors, context: ArrayContext): TensorMap {
  return atOnce(fromSafetensorsInSteps(content, context));
}

/** {@linkcode fromSafetensors} in steps, between which other work may run. */
export function* fromSafetensorsInSteps(
  { tensors, metadata }: RawSafetensors,
  context: ArrayContext,
): Generator<void, TensorMap> {
  const map = new TensorMap();
  for (const [key, text] of metadata) map.metadata.set(key, text);
  const pace = new StepPace();
  for (const [name, tensor] of tensors) {
    if (pace.isDue(4)) yield;
    if (tensor instanceof RefusedArray) {
      // The type does not say so: only a file that was opened has them.
      map.set(name, tensor as unknown as NDArray);
      continue;
    }
    const { dtype, shape, data } = tensor;
    const array = new NDArray(dtype, shape, data instanceof Span ? context.lazy!(data, (bytes) => bytes, null) : data);
    context.onArray?.(array, null);
    map.set(name, array);
  }
  return map;
}
