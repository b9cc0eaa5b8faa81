/**
 * Python numbers mixed with 0-D tensors: an operation with a tensor rounds both operands and the result, one without is float64.
 *
 * @module
 */

/** A number, and the kind of Python value it stands for. */
export interface Scalar {
  /** The value. */
  readonly value: number;
  /** `"tensor"`: a tensor of the dtype of the computation. */
  readonly kind: "int" | "float" | "tensor";
}

/** Python's int 0. */
export const ZERO: Scalar = { value: 0, kind: "int" };

/** A Python float. */
export function float(value: number): Scalar {
  return { value, kind: "float" };
}

type Operation = (a: Scalar, b: Scalar) => Scalar;

/** Operations on scalars. */
export interface Arithmetic {
  /** Rounds to the dtype of the tensors. */
  readonly round: (x: number) => number;
  /** Makes a tensor. */
  readonly tensor: (value: number) => Scalar;
  /** a + b */
  readonly add: Operation;
  /** a - b */
  readonly subtract: Operation;
  /** a * b */
  readonly multiply: Operation;
  /** a / b; a tensor is only ever divided by a number that is a power of 2. */
  readonly divide: Operation;
  /** a > b */
  readonly isAbove: (a: Scalar, b: Scalar) => boolean;
  /** Python's `max`: the first one if they are equal. */
  readonly greater: Operation;
  /** Python's `min`: the first one if they are equal. */
  readonly lesser: Operation;
}

/** Operations for tensors of the dtype that `round` rounds to. */
export function arithmetic(round: (x: number) => number): Arithmetic {
  const tensor = (value: number): Scalar => ({ value: round(value), kind: "tensor" });
  const areNumbers = (a: Scalar, b: Scalar) => a.kind !== "tensor" && b.kind !== "tensor";
  const meeting = (operate: (a: number, b: number) => number): Operation => (a, b) =>
    areNumbers(a, b) ? float(operate(a.value, b.value)) : tensor(operate(round(a.value), round(b.value)));
  const isAbove = (a: Scalar, b: Scalar): boolean =>
    areNumbers(a, b) ? a.value > b.value : round(a.value) > round(b.value);
  return {
    round,
    tensor,
    add: meeting((a, b) => a + b),
    subtract: meeting((a, b) => a - b),
    multiply: meeting((a, b) => a * b),
    divide: meeting((a, b) => a / b),
    isAbove,
    greater: (a, b) => isAbove(b, a) ? b : a,
    lesser: (a, b) => isAbove(a, b) ? b : a,
  };
}
