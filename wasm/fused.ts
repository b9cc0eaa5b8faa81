/// <reference types="npm:assemblyscript@0.28.20/std/types/assembly/index" />
// The update rules once more, compiled with relaxed SIMD: a fused multiply-add is one instruction where the processor has it. Where the
// runtime can't compile it, or the processor rounds twice, update.wasm is used.
export * from "./update";

/** Whether a*b + c is rounded once here. */
export function isFused(): bool {
  // (1 + 2^-12)^2 - 1 = 2^-11 + 2^-24, which a rounded product has lost.
  const x = f32x4.splat(1.000244140625);
  return f32x4.extract_lane(f32x4.relaxed_madd(x, x, f32x4.splat(-1)), 0) == <f32> 0.0004883408546447754;
}
