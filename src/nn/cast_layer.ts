/**
 * Casts the parameters and buffers of a layer in place.
 *
 * @module
 */
import { type DType, dtypeInfo, isNarrowFloat } from "../dtype.ts";
import { ValueError } from "../errors.ts";
import type { NDArray } from "../ndarray.ts";
import { SelectedRows } from "../values.ts";
import type { Layer } from "./layer.ts";
import { Parameter } from "./parameter.ts";
import { registryOf } from "./registry.ts";

/** Cast the layer's own tensors, not those of its sublayers, and their gradients: all of them, or those of floats only. */
export function castLayer(layer: Layer, dtype: DType, which: "all" | "floats"): void {
  if (!dtypeInfo(dtype).isTensor) throw new ValueError("INVALID_VALUE", `Paddle has no Tensor of ${dtype}`);
  const { parameters, buffers } = registryOf(layer);
  for (const tensor of [...parameters.values(), ...buffers.values()]) {
    if (tensor === null || (which === "floats" && !isFloat(tensor))) continue;
    tensor["become"](tensor.astype(dtype));
    if (!(tensor instanceof Parameter) || tensor.grad === null) continue;
    const { grad } = tensor;
    tensor.grad = grad instanceof SelectedRows
      ? new SelectedRows(grad.rows, grad.height, grad.value.astype(dtype))
      : grad.astype(dtype);
  }
}

/** Cast floats, unless the layer is of the class BatchNorm itself, as opposed to a subclass, such as BatchNorm1D. */
export function castToHalf(layer: Layer, dtype: "float16" | "bfloat16"): void {
  const isKept = Object.getOwnPropertyDescriptor(layer.constructor, "className")?.value === "BatchNorm";
  if (!isKept) castLayer(layer, dtype, "floats");
}

function isFloat({ dtype }: NDArray): boolean {
  return isNarrowFloat(dtype) || dtype === "float32" || dtype === "float64";
}
