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

/** What Paddle makes of an attribute that is false: a frozen parameter, whose value a global initializer still determines. */
export function switchedOff(layer: Layer, shape: readonly number[], value: number, options: {
  isBias?: boolean;
  dtype?: DType;
} = {}): Parameter {
  const defaultInitializer = new Constant(value);
  const parameter = layer.createParameter(shape, { ...options, defaultInitializer });
  parameter.stopGradient = true;
  return parameter;
}

/** A parameter that no optimizer changes. */
export function frozen(layer: Layer, length: number, value: number, options: {
  dtype?: DType;
  name?: string | null;
} = {}): Parameter {
  const { dtype, name } = options;
  const attr = new ParamAttr({ name, initializer: new Constant(value), trainable: false });
  return layer.createParameter([length], { attr, dtype });
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
