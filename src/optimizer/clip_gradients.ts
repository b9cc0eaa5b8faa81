/**
 * Clips gradients before they are decayed (TRAINING.md 2).
 *
 * @module
 */
import { UnsupportedError } from "../errors.ts";
import type { Precision } from "../kernel/lanes.ts";
import type { ClipGradByGlobalNorm, GradClip } from "../nn/clip.ts";
import type { Parameter } from "../nn/parameter.ts";
import type { Gradient } from "./gradient.ts";
import { roundingOf } from "./numbers.ts";
import { sumOf } from "./tree_sum.ts";
import { isBefore, type PaddleVersion } from "./version.ts";

const f = Math.fround;

/** Clip the gradients of a group; parameters without `needClip` are neither clipped nor counted in the norm. */
export function clipGradients(
  how: GradClip | null,
  parameters: readonly Parameter[],
  gradients: readonly Gradient[],
  paddle: PaddleVersion,
): void {
  if (how === null) return;
  const clipped = gradients.filter((_, i) => parameters[i].needClip);
  if (how.kind === "global") {
    clipByGlobalNorm(clipped, how, paddle);
    return;
  }
  for (const gradient of clipped) {
    const round = isBefore(paddle, "2.3") ? f : roundingOf(gradient.precision);
    if (how.kind === "value") gradient.clampTo(round(how.min), round(how.max));
    else clipByNorm(gradient, f(how.clipNorm));
  }
}

function clipByNorm(gradient: Gradient, limit: number): void {
  if (gradient.precision === "float64") {
    throw new UnsupportedError("UNSUPPORTED_DTYPE", "ClipGradByNorm takes float32: Paddle has no kernel for float64", {
      expected: "float32",
      actual: "float64",
    });
  }
  const norm = f(Math.sqrt(gradient.squares()));
  if (!(norm <= limit)) gradient.scaleBy(f(limit / norm));
}

/** A single float64 gradient makes the norm float64. */
function clipByGlobalNorm(gradients: readonly Gradient[], how: ClipGradByGlobalNorm, paddle: PaddleVersion): void {
  const sumOfSquares = (precision: Precision) => {
    const alike = gradients.filter((gradient) => gradient.precision === precision);
    return total(alike.map((gradient) => gradient.squares()), precision, paddle);
  };
  const round = roundingOf(gradients.some(({ precision }) => precision === "float64") ? "float64" : "float32");
  const limit = round(how.clipNorm);
  const norm = round(Math.sqrt(sumOfSquares("float32") + sumOfSquares("float64")));
  // Before 3.0, Paddle's maximum of NaN and a number is the number.
  const most = isBefore(paddle, "3.0") && Number.isNaN(norm) ? limit : Math.max(norm, limit);
  const factor = limit / most;
  for (const gradient of gradients) gradient.scaleRawBy(roundingOf(gradient.precision)(factor));
}

/** Paddle sums the squares of all gradients as one tensor, but in 2.4 and 2.5 adds one after the other. */
function total(squares: readonly number[], precision: Precision, paddle: PaddleVersion): number {
  const isTensor = isBefore(paddle, "2.4") || !isBefore(paddle, "2.6");
  if (isTensor) return sumOf(squares.length, precision, (i) => squares[i]);
  const round = roundingOf(precision);
  return squares.reduce((sum, x) => round(sum + x), 0);
}
