/**
 * Clips gradients before they are decayed (TRAINING.md 2).
 *
 * @module
 */
import { UnsupportedError } from "../errors.ts";
import type { ClipGradByGlobalNorm, GradClip } from "../nn/clip.ts";
import type { Parameter } from "../nn/parameter.ts";
import type { Gradient } from "./gradient.ts";
import { roundingOf } from "./numbers.ts";

const f = Math.fround;

/** Clip the gradients of a group; parameters without `needClip` are neither clipped nor counted in the norm. */
export function clipGradients(
  how: GradClip | null,
  parameters: readonly Parameter[],
  gradients: readonly Gradient[],
  takesFloat: boolean,
): void {
  if (how === null) return;
  const clipped = gradients.filter((_, i) => parameters[i].needClip);
  if (how.kind === "global") {
    clipByGlobalNorm(clipped, how);
    return;
  }
  for (const gradient of clipped) {
    const round = takesFloat ? f : roundingOf(gradient.precision);
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
function clipByGlobalNorm(gradients: readonly Gradient[], how: ClipGradByGlobalNorm): void {
  const sums = { float32: 0, float64: 0 };
  for (const gradient of gradients) {
    const { precision } = gradient;
    sums[precision] = roundingOf(precision)(sums[precision] + gradient.squares());
  }
  const round = roundingOf(gradients.some(({ precision }) => precision === "float64") ? "float64" : "float32");
  const limit = round(how.clipNorm);
  const norm = round(Math.sqrt(sums.float32 + sums.float64));
  const factor = limit / Math.max(norm, limit);
  for (const gradient of gradients) gradient.scaleRawBy(roundingOf(gradient.precision)(factor));
}
