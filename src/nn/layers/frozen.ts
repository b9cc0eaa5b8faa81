/**
 * Frozen parameters.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import type { PaddleVersion } from "../../optimizer/version.ts";
import { Constant } from "../initializer/fixed.ts";
import type { Layer } from "../layer.ts";
import { ParamAttr, type ParamAttrLike } from "../param_attr.ts";
import type { Parameter } from "../parameter.ts";

/** A parameter that no optimizer changes. */
export function frozen(layer: Layer, shape: number | readonly number[], value: number, options: {
  isBias?: boolean;
  dtype?: DType;
  name?: string | null;
} = {}): Parameter {
  const { isBias = false, dtype, name } = options;
  const attr = new ParamAttr({ name, initializer: new Constant(value), trainable: false });
  return layer.createParameter(typeof shape === "number" ? [shape] : shape, { attr, isBias, dtype });
}

/**
 * A rule of some normalization layers: they reset the flag, so only a learning rate of 0 freezes a parameter, and `trainable: false` does
 * not.
 */
export function frozenByRate(parameter: Parameter | null, attr: ParamAttrLike): Parameter | null {
  if (parameter) parameter.stopGradient = ParamAttr.from(attr)?.learningRate === 0;
  return parameter;
}

/** Which version of Paddle decides what `false` means for an attribute. */
export interface OfPaddle {
  /** The version. @default {"3.3"} */
  paddle?: PaddleVersion;
}
