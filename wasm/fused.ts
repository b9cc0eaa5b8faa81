/// <reference types="npm:assemblyscript@0.28.20/std/types/assembly/index" />
// The update rules compiled with relaxed SIMD, where a fused multiply-add is one instruction if the processor has it. If the runtime cannot
// compile this, or the processor rounds twice, update.wasm is used instead.
export * from "./update";

/** Whether a*b + c is rounded only once. */
export function isFused(): bool {
  // (1 + 2^-12)^2 - 1 = 2^-11 + 2^-24, where 2^-24 is lost if the product is rounded.
  const x = f32x4.splat(1.000244140625);
  return f32x4.extract_lane(f32x4.relaxed_madd(x, x, f32x4.splat(-1)), 0) == <f32> 0.0004883408546447754;
}
