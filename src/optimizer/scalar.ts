/**
 * Numbers of Python beside tensors of no dimension: an operation with a tensor rounds both sides and the result, one without is float64.
 *
 * @module
 */

/** A number, and which of Python's values it is. */
export interface Scalar {
  /** The number. */
  readonly value: number;
  /** `"tensor"`: of the dtype that is computed in. */
  readonly kind: "int" | "float" | "tensor";
}

/** Python's own 0. */
export const ZERO: Scalar = { value: 0, kind: "int" };

/** A Python float. */
export function float(value: number): Scalar {
  return { value, kind: "float" };
}

type Operation = (a: Scalar, b: Scalar) => Scalar;

/** Operations on scalars. */
export interface Arithmetic {
  /** Rounds to what tensors hold. */
  readonly round: (x: number) => number;
  /** A tensor. */
  readonly tensor: (value: number) => Scalar;
  /** a + b */
  readonly add: Operation;
  /** a - b */
  readonly subtract: Operation;
  /** a * b */
  readonly multiply: Operation;
  /** a / b; where a tensor is divided by a number, that is a power of 2. */
  readonly divide: Operation;
  /** a > b */
  readonly isAbove: (a: Scalar, b: Scalar) => boolean;
  /** Python's `max`: the first of the greater. */
  readonly greater: Operation;
  /** Python's `min`: the first of the lesser. */
  readonly lesser: Operation;
}

/** Operations with tensors that hold what `round` gives. */
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
