/**
 * Metrics of training, and how Python compares them.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import { ValueError } from "../../errors.ts";
import { full, NDArray } from "../../ndarray.ts";
import { Tensor } from "../../tensor.ts";
import { Float, NumpyScalar, type Value } from "../../values.ts";
import { check, kindOf } from "../arguments.ts";
import { isBefore, type PaddleVersion } from "../version.ts";

/** A metric: a number, or an array with one element. */
export type Metric = number | Float | NumpyScalar | NDArray;

/** What has a say in the precision of an operation: the greater ones round the others, unless both are numpy's. */
type Rank = "python" | "scalar" | "array" | "tensor";

/** A number in an operation. */
interface Operand {
  readonly value: number;
  readonly dtype: DType;
  readonly rank: Rank;
}

const WIDTHS: readonly DType[] = ["float16", "float32", "float64"];

/** What counts as better than the best metric. */
export interface Threshold {
  /** Whether a lower metric is better, 1, or a higher one, -1. */
  readonly sign: 1 | -1;
  /** The minimum change that counts. */
  readonly threshold: number;
  /** Whether the threshold is relative to the best metric. */
  readonly isRelative: boolean;
  /** The Paddle version whose rules apply, and those of its numpy: numpy 1 before 3.0. */
  readonly paddle: PaddleVersion;
}

/** Whether `metric` is better than `best`, with the roundings of Python, numpy or Paddle, depending on who computes. */
export function isBetter(metric: Metric, best: Metric, { sign, threshold, isRelative, paddle }: Threshold): boolean {
  const isOld = isBefore(paddle, "3.0");
  const { value, dtype, rank } = operandOf(best, isOld);
  const round = rounding(dtype);
  // What is added to a Tensor was a float32, and before 2.4 the factor, too.
  const isSingle = rank === "tensor" && isBefore(paddle, isRelative ? "2.4" : "3.0");
  const least = round(isSingle ? Math.fround(threshold) : threshold);
  const margin = isRelative ? round(value * least) : least;
  const bound = { value: round(value - sign * margin), dtype, rank };
  const current = operandOf(metric, isOld);
  const compared = rounding(dtypeOf(current, bound));
  return sign * compared(current.value) < sign * compared(bound.value);
}

function operandOf(metric: Metric, isOld: boolean): Operand {
  const value = numberOfMetric(metric);
  const isScalar = metric instanceof NumpyScalar ||
    (metric instanceof NDArray && metric.shape.length === 0 && !(metric instanceof Tensor));
  if (!(metric instanceof NDArray || isScalar) || (isScalar && isOld)) {
    return { value, dtype: "float64", rank: "python" };
  }
  const { dtype } = metric as NDArray | NumpyScalar;
  const rank = isScalar ? "scalar" : metric instanceof Tensor ? "tensor" : "array";
  return { value, dtype: WIDTHS.find((width) => width === dtype) ?? "float64", rank };
}

/** The precision in which two numbers meet. */
function dtypeOf(a: Operand, b: Operand): DType {
  for (const [weak, strong] of [[a, b], [b, a]]) {
    const yields = weak.rank === "python"
      ? strong.rank !== "python"
      : weak.rank === "scalar" && strong.rank === "tensor";
    if (yields) return strong.dtype;
  }
  return WIDTHS[Math.max(...[a, b].map(({ dtype }) => WIDTHS.indexOf(dtype)))];
}

function rounding(dtype: DType): (x: number) => number {
  return dtype === "float64" ? (x) => x : (x) => full([], x, dtype).at() as number;
}

/**
 * The number that a metric is.
 *
 * @throws {ValueError} `INVALID_VALUE` if it is none
 */
export function numberOfMetric(metric: Value): number {
  if (metric instanceof NDArray) {
    check(
      metric.size === 1,
      `the size of metrics must be 1, but the current metrics.size is ${metric.size}. Maybe that you should call ` +
        "paddle.mean to process it first.",
    );
    metric = metric.reshape([1]).at(0);
  }
  if (metric instanceof NumpyScalar || metric instanceof Float) metric = metric.value;
  if (typeof metric === "bigint") metric = Number(metric);
  if (typeof metric === "number") return metric;
  throw new ValueError(
    "INVALID_VALUE",
    `metrics must be 'int', 'float', 'np.float64', 'numpy.ndarray' or 'paddle.Tensor', but receive ${kindOf(metric)}`,
  );
}
