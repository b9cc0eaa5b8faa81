/**
 * Parameters: the tensors that a network learns.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import { ValueError } from "../errors.ts";
import { type LazyBytes, NDArray } from "../ndarray.ts";
import type { Regularizer } from "../regularizer/mod.ts";
import { Tensor } from "../tensor.ts";
import type { SelectedRows } from "../values.ts";
import { checkNames } from "../words/option_names.ts";
import { generate } from "./unique_name.ts";

/** Properties of a Parameter other than its elements. */
export interface ParameterOptions {
  /** The name in name tables and optimizer states. @default {a new `_eager_param_base_<n>`} */
  name?: string;
  /** Whether optimizers change it. @default {true} */
  trainable?: boolean;
  /** How optimizers treat it: a factor for the learning rate. @default {`{ learningRate: 1 }`} */
  optimizeAttr?: OptimizeAttr;
  /** Its own weight decay, in place of the optimizer's. @default {null} */
  regularizer?: Regularizer | null;
  /** Whether it takes part in gradient clipping. @default {true} */
  needClip?: boolean;
}

/** How optimizers treat one parameter. */
export interface OptimizeAttr {
  /** Factor for the learning rate. */
  learningRate: number;
}

/**
 * A Tensor that optimizers change. The caller supplies the gradient by assigning `grad`.
 *
 * Mirrors `paddle.nn.Parameter` (3.3), which is EagerParamBase.
 *
 * @example
 * ```ts
 * import { full, nn, optimizer } from "@oarlock/paddle";
 * const parameter = new nn.Parameter("float32", [2]);
 * parameter.grad = full([2], 1);
 * new optimizer.SGD({ learningRate: 0.5, parameters: [parameter] }).step();
 * if (parameter.at(0) !== -0.5) throw new Error("not updated");
 * ```
 */
export class Parameter extends Tensor {
  /** How optimizers treat it. */
  optimizeAttr: OptimizeAttr;
  /** Its own weight decay, in place of the optimizer's; null for none. */
  regularizer: Regularizer | null;
  /** Whether it takes part in gradient clipping. */
  needClip: boolean;
  /** The gradient: dense with this shape, or row-sparse. */
  grad: NDArray | SelectedRows | null = null;

  /** Creates a Parameter over `data` without copying it; without `data`, it is filled with zeros. */
  constructor(
    dtype: DType,
    shape: readonly number[],
    data?: ArrayBuffer | ArrayBufferView | LazyBytes,
    options: ParameterOptions = {},
  ) {
    checkNames(options, ["name", "trainable", "optimizeAttr", "regularizer", "needClip"]);
    const name = options.name ?? generate("_eager_param_base");
    super(dtype, shape, data, { name, persistable: true, stopGradient: !(options.trainable ?? true) });
    this.optimizeAttr = options.optimizeAttr ?? { learningRate: 1 };
    this.regularizer = options.regularizer ?? null;
    this.needClip = options.needClip ?? true;
  }

  /** Whether optimizers change it: the opposite of `stopGradient`. */
  get trainable(): boolean {
    return !this.stopGradient;
  }
  set trainable(trainable: boolean) {
    this.stopGradient = !trainable;
  }

  /**
   * Replace the gradient by zeros of this shape, or drop it if `setToZero` is false; a row-sparse one, whose zeros are no rows, is dropped
   * either way. Mirrors `Tensor.clear_gradient` (3.3).
   */
  clearGrad(setToZero = true): void {
    this.grad = setToZero && this.grad instanceof NDArray ? new NDArray(this.dtype, [...this.shape]) : null;
  }

  /**
   * Creates a Parameter over the bytes of an array without copying them. Mirrors `paddle.nn.Parameter(tensor)` (3.3).
   *
   * @throws {UnsupportedError} `UNSUPPORTED_DTYPE` for uint32 and uint64
   */
  static override from(array: NDArray, options: ParameterOptions = {}): Parameter {
    const { dtype, shape, bytes } = Tensor.from(array);
    return new Parameter(dtype, shape, bytes, options);
  }

  /**
   * Copy values into this Parameter, which stays the same object. Mirrors `Tensor.set_value` (3.3).
   *
   * @throws {ValueError} `INVALID_VALUE` if the shape or dtype differs; nothing is cast
   */
  setValue(value: NDArray): void {
    if (value.dtype !== this.dtype || value.shape.join() !== this.shape.join()) {
      const actual = `${value.dtype} [${value.shape}]`, expected = `${this.dtype} [${this.shape}]`;
      throw new ValueError("INVALID_VALUE", `${this.name} is ${expected}: got ${actual}`, { expected, actual });
    }
    this.bytes.set(value.bytes);
  }

  /** A Parameter with the same attributes. It keeps the name unless it is only a part of this one. */
  protected override like(dtype: DType, shape: readonly number[], bytes: Uint8Array): this {
    const name = bytes.length !== this.nbytes && dtype === this.dtype ? "" : this.name;
    const { trainable, regularizer, needClip } = this;
    const optimizeAttr = { ...this.optimizeAttr };
    return new Parameter(dtype, shape, bytes, { name, trainable, optimizeAttr, regularizer, needClip }) as this;
  }
}
