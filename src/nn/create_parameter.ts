/**
 * New parameters: their names and initial values.
 *
 * @module
 */
import { isPlainObject } from "../words/plain_object.ts";
import { gotInstead, shownValue } from "../words/described.ts";
import { type DType, dtypeInfo } from "../dtype.ts";
import { ValueError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { getDefaultDtype } from "./default_dtype.ts";
import { Constant } from "./initializer/fixed.ts";
import { globalInitializer } from "./initializer/global.ts";
import type { Initializer } from "./initializer/initializer.ts";
import { XavierUniform } from "./initializer/random.ts";
import { ParamAttr, type ParamAttrLike } from "./param_attr.ts";
import { Parameter } from "./parameter.ts";
import { currentScope, type NameScope } from "./unique_name.ts";

/** Properties of a new parameter other than its shape. */
export interface CreateParameterOptions {
  /** Name, initial values and training options; false for no parameter. @default {null} */
  attr?: ParamAttrLike;
  /** The dtype. @default {the default dtype: float32} */
  dtype?: DType;
  /** Whether it is named `b_0` instead of `w_0`, and initialized with zeros. @default {false} */
  isBias?: boolean;
  /** The initializer if neither `attr` nor `setGlobalInitializer` gives one. @default {XavierUniform, or zeros for a bias} */
  defaultInitializer?: Initializer | null;
}

/** Creates a parameter of the layer whose full name is `owner`; null if `attr` is false. */
export function makeParameter(
  scope: NameScope,
  owner: string,
  shape: readonly number[],
  options: CreateParameterOptions,
): Parameter | null {
  const attr = ParamAttr.from(options.attr);
  if (attr === null) return null;
  const { isBias = false, dtype = getDefaultDtype() } = options;
  dtypeInfo(dtype);
  if (!Array.isArray(shape)) {
    throw new ValueError("INVALID_VALUE", `${owner}: a shape is a list of lengths: ${gotInstead(shape)}`);
  }
  const bad = shape.findIndex((n) => !Number.isSafeInteger(n) || n < 0);
  if (bad >= 0) {
    throw new ValueError(
      "INVALID_VALUE",
      `${owner}: axis ${bad} of a parameter has the length ${shownValue(shape[bad])}`,
      {
        actual: shape,
      },
    );
  }
  // Paddle uses up the name before it notices a bad initializer.
  const name = attr.name ?? scope.generate(`${owner}.${isBias ? "b" : "w"}`);
  const initializer = attr.initializer ?? globalInitializer(isBias) ?? options.defaultInitializer ??
    (isBias ? new Constant(0) : new XavierUniform());
  scope.claim(name);
  const array = initializer.make(dtype, shape);
  const { trainable, regularizer, needClip } = attr;
  const optimizeAttr = { learningRate: attr.learningRate };
  return new Parameter(array.dtype, array.shape, array.bytes, { name, trainable, regularizer, needClip, optimizeAttr });
}

/**
 * Creates a parameter that belongs to no layer, or returns null if `attr` is false. `name` takes precedence over the name in `attr`. The
 * dtype may also be one of the options: `createParameter([2, 3], { dtype, isBias: true })`.
 *
 * Mirrors `paddle.create_parameter` (3.3).
 *
 * @throws {ValueError} `INVALID_VALUE` for a negative length, or for random values of a dtype that is not a float; `NAME_COLLISION` if the
 * name is taken
 * @throws {TypeError} for an unknown dtype or option
 *
 * @example
 * ```ts
 * import { createParameter, utils } from "@oarlock/paddle";
 * const p = utils.uniqueName.guard(() => createParameter([2, 3], "float32", { isBias: true }));
 * if (p!.name !== "create_parameter_0.b_0" || p!.at(1, 2) !== 0) throw new Error(p!.name);
 * ```
 */
export function createParameter(
  shape: readonly number[],
  dtype?: DType | (CreateParameterOptions & { name?: string }),
  options: Omit<CreateParameterOptions, "dtype"> & { name?: string } = {},
): Parameter | null {
  const scope = currentScope();
  const given = { ...(isPlainObject(dtype) ? dtype as CreateParameterOptions : { dtype: dtype as DType }), ...options };
  checkOptions(given, ["attr", "dtype", "isBias", "defaultInitializer", "name"]);
  const { name, ...rest } = given;
  const attr = name === undefined || rest.attr === false ? rest.attr : named(ParamAttr.from(rest.attr)!, name);
  return makeParameter(scope, scope.generate("create_parameter"), shape, { ...rest, attr });
}

function named(attr: ParamAttr, name: string): ParamAttr {
  const { initializer, learningRate, regularizer, trainable, needClip } = attr;
  return new ParamAttr({ name, initializer, learningRate, regularizer, trainable, needClip });
}
