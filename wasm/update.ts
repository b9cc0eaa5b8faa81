/// <reference types="npm:assemblyscript@0.28.20/std/types/assembly/index" />
// The update rules of optimizers on lanes of float32: lane 0 is the parameter, lane 1 its gradient, the others are state, in the order of
// the TypeScript twin (src/kernel/update_twin.ts). Every function gives the same bits as the twin; each operation is rounded once.
// This is compiled twice: update.wasm emulates fused multiply-adds by float64 operations, fused.wasm uses the processor's (relaxed SIMD).

/** Bytes of a lane. */
const LANE: u32 = 0x10000;
/** Number of lanes. */
const COUNT: u32 = 8;
const LANES: usize = memory.data(0x80000, 64);

export function lanesAddress(): usize {
  return LANES;
}

// @ts-ignore: decorator
@inline
function lane(i: u32, at: usize): v128 {
  return v128.load(LANES + i * LANE + at);
}

// @ts-ignore: decorator
@inline
function put(i: u32, at: usize, v: v128): void {
  v128.store(LANES + i * LANE + at, v);
}

/** Size of n elements in bytes, rounded up to whole blocks: results past the last element are ignored. */
// @ts-ignore: decorator
@inline
function bytes(n: u32): usize {
  if (n > LANE / 4) unreachable();
  return (4 * n + 15) & ~15;
}

/** a * b + c, rounded once; `wide` holds b in two float64 lanes. */
// @ts-ignore: decorator
@inline
function fused(a: v128, b: v128, wide: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  // A product of two float32 is exact in float64; the sum is rounded there, and again to float32.
  const lowProduct = f64x2.mul(f64x2.promote_low_f32x4(a), wide);
  const topProduct = f64x2.mul(f64x2.promote_low_f32x4(v128.shuffle<i32>(a, a, 2, 3, 2, 3)), wide);
  const lowAddend = f64x2.promote_low_f32x4(c);
  const topAddend = f64x2.promote_low_f32x4(v128.shuffle<i32>(c, c, 2, 3, 2, 3));
  let low = f64x2.add(lowProduct, lowAddend);
  let top = f64x2.add(topProduct, topAddend);
  // If the first rounding produced a tie for the second one, it hid on which side of the tie the sum lies.
  const mask = i64x2.splat(0x1fffffff);
  const tie = i64x2.splat(0x10000000);
  const lowTie = i64x2.eq(v128.and(low, mask), tie);
  const topTie = i64x2.eq(v128.and(top, mask), tie);
  if (v128.any_true(v128.or(lowTie, topTie))) {
    low = i64x2.add(low, v128.and(lowTie, nudge(low, lowProduct, lowAddend)));
    top = i64x2.add(top, v128.and(topTie, nudge(top, topProduct, topAddend)));
  }
  return v128.shuffle<i32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(top), 0, 1, 4, 5);
}

/** For sum = round(a + b): the ulps to add, +1 (away from 0) if the error has the sum's sign, -1 if the opposite sign, 0 if exact. */
function nudge(sum: v128, a: v128, b: v128): v128 {
  const part = f64x2.sub(sum, a);
  const error = f64x2.add(f64x2.sub(a, f64x2.sub(sum, part)), f64x2.sub(b, part));
  const zero = f64x2.splat(0);
  const isError = f64x2.ne(error, zero);
  const isOther = v128.xor(f64x2.lt(error, zero), f64x2.lt(sum, zero));
  // A lane of all ones is -1, so this is 1 if the signs agree, else -1.
  return v128.and(isError, v128.or(isOther, i64x2.splat(1)));
}

/** g * s */
export function scale(n: u32, s: f32): void {
  const S = f32x4.splat(s);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) put(1, i, f32x4.mul(lane(1, i), S));
}

/** min(max(g, low), high) */
export function clamp(n: u32, low: f32, high: f32): void {
  const LOW = f32x4.splat(low);
  const HIGH = f32x4.splat(high);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) put(1, i, f32x4.min(f32x4.max(lane(1, i), LOW), HIGH));
}

/** g + p * c */
export function decayL2(n: u32, c: f32): void {
  const C = f32x4.splat(c);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) put(1, i, f32x4.add(lane(1, i), f32x4.mul(lane(0, i), C)));
}

/** -1, 0 or 1; NaN for NaN */
// @ts-ignore: decorator
@inline
function sign(v: v128): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const known = f32x4.sub(v128.and(f32x4.gt(v, zero), one), v128.and(f32x4.lt(v, zero), one));
  return v128.bitselect(known, v, f32x4.eq(v, v));
}

/** g + sign(p) * c */
export function decayL1(n: u32, c: f32): void {
  const C = f32x4.splat(c);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) put(1, i, f32x4.add(lane(1, i), f32x4.mul(sign(lane(0, i)), C)));
}

/** The sum of the squares of n elements of lane k, added up in Eigen's order: two packets of eight, then their lanes, then the rest. */
export function squares(k: u32, n: u32): f32 {
  if (k >= COUNT) unreachable();
  bytes(n);
  const whole = n & ~7;
  const pairs = n & ~15;
  let a = f32x4.splat(0), b = a, c = a, d = a;
  let i: u32 = 0;
  for (; i < pairs; i += 16) {
    const w = lane(k, 4 * i), x = lane(k, 4 * i + 16), y = lane(k, 4 * i + 32), z = lane(k, 4 * i + 48);
    a = f32x4.add(a, f32x4.mul(w, w));
    b = f32x4.add(b, f32x4.mul(x, x));
    c = f32x4.add(c, f32x4.mul(y, y));
    d = f32x4.add(d, f32x4.mul(z, z));
  }
  if (i < whole) {
    const w = lane(k, 4 * i), x = lane(k, 4 * i + 16);
    a = f32x4.add(a, f32x4.mul(w, w));
    b = f32x4.add(b, f32x4.mul(x, x));
    i += 8;
  }
  const four = f32x4.add(f32x4.add(a, c), f32x4.add(b, d));
  let rest: f32 = 0;
  for (; i < n; i++) {
    const x = load<f32>(LANES + k * LANE + 4 * i);
    rest += x * x;
  }
  const even: f32 = f32x4.extract_lane(four, 0) + f32x4.extract_lane(four, 2);
  const odd: f32 = f32x4.extract_lane(four, 1) + f32x4.extract_lane(four, 3);
  return rest + (even + odd);
}

/** p - lr*g */
export function sgd(n: u32, lr: f32): void {
  const LR = f32x4.splat(lr);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) put(0, i, f32x4.sub(lane(0, i), f32x4.mul(LR, lane(1, i))));
}

/** u = mu*u + g; p - lr*u */
export function momentum(n: u32, mu: f32, lr: f32): void {
  const MU = f32x4.splat(mu);
  const LR = f32x4.splat(lr);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const u = f32x4.add(f32x4.mul(MU, lane(2, i)), lane(1, i));
    put(2, i, u);
    put(0, i, f32x4.sub(lane(0, i), f32x4.mul(LR, u)));
  }
}

/** u = mu*u + g; p - (g + mu*u)*lr */
export function nesterov(n: u32, mu: f32, lr: f32): void {
  const MU = f32x4.splat(mu);
  const LR = f32x4.splat(lr);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const g = lane(1, i);
    const u = f32x4.add(f32x4.mul(MU, lane(2, i)), g);
    put(2, i, u);
    put(0, i, f32x4.sub(lane(0, i), f32x4.mul(f32x4.add(g, f32x4.mul(MU, u)), LR)));
  }
}

/** h = h + g*g; p - (lr*g) / (sqrt(h) + eps) */
export function adagrad(n: u32, lr: f32, eps: f32): void {
  const LR = f32x4.splat(lr);
  const EPS = f32x4.splat(eps);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const g = lane(1, i);
    const h = f32x4.add(lane(2, i), f32x4.mul(g, g));
    put(2, i, h);
    put(0, i, f32x4.sub(lane(0, i), f32x4.div(f32x4.mul(LR, g), f32x4.add(f32x4.sqrt(h), EPS))));
  }
}

/** p = fma(-f, p, p) */
export function shrink(n: u32, f: f32): void {
  const F = f32x4.splat(-f);
  const WIDE = f64x2.splat(-f);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const p = lane(0, i);
    put(0, i, fused(p, F, WIDE, p));
  }
}

/** p - f*p */
export function shrinkPlain(n: u32, f: f32): void {
  const F = f32x4.splat(f);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const p = lane(0, i);
    put(0, i, f32x4.sub(p, f32x4.mul(F, p)));
  }
}

/** p * f */
export function shrinkTo(n: u32, f: f32): void {
  const F = f32x4.splat(f);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) put(0, i, f32x4.mul(lane(0, i), F));
}

/** m = fma(b1, m, c1*g); v = fma(b2, v, c2*(g*g)); p = fma(-rate, m / (sqrt(v) + eps), p) */
export function adam(n: u32, b1: f32, c1: f32, b2: f32, c2: f32, rate: f32, eps: f32): void {
  const B1 = f32x4.splat(b1), C1 = f32x4.splat(c1), B2 = f32x4.splat(b2), C2 = f32x4.splat(c2);
  const RATE = f32x4.splat(-rate), EPS = f32x4.splat(eps);
  const WIDE1 = f64x2.splat(b1), WIDE2 = f64x2.splat(b2), WIDE = f64x2.splat(-rate);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const g = lane(1, i);
    const m = fused(lane(2, i), B1, WIDE1, f32x4.mul(C1, g));
    const v = fused(lane(3, i), B2, WIDE2, f32x4.mul(C2, f32x4.mul(g, g)));
    put(2, i, m);
    put(3, i, v);
    put(0, i, fused(f32x4.div(m, f32x4.add(f32x4.sqrt(v), EPS)), RATE, WIDE, lane(0, i)));
  }
}

/** Like adam, with x = max(x, v) (lane 4) in place of v under the root; a NaN in v leaves x as it is. */
export function amsgrad(n: u32, b1: f32, c1: f32, b2: f32, c2: f32, rate: f32, eps: f32): void {
  const B1 = f32x4.splat(b1), C1 = f32x4.splat(c1), B2 = f32x4.splat(b2), C2 = f32x4.splat(c2);
  const RATE = f32x4.splat(-rate), EPS = f32x4.splat(eps);
  const WIDE1 = f64x2.splat(b1), WIDE2 = f64x2.splat(b2), WIDE = f64x2.splat(-rate);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const g = lane(1, i);
    const m = fused(lane(2, i), B1, WIDE1, f32x4.mul(C1, g));
    const v = fused(lane(3, i), B2, WIDE2, f32x4.mul(C2, f32x4.mul(g, g)));
    const x = f32x4.pmax(lane(4, i), v);
    put(2, i, m);
    put(3, i, v);
    put(4, i, x);
    put(0, i, fused(f32x4.div(m, f32x4.add(f32x4.sqrt(x), EPS)), RATE, WIDE, lane(0, i)));
  }
}

/** m = b1*m + c1*g; v = b2*v + (c2*g)*g; p - rate*(m / (sqrt(v) + e)), where e is lane 5 */
export function adamPlain(n: u32, b1: f32, c1: f32, b2: f32, c2: f32, rate: f32): void {
  const B1 = f32x4.splat(b1), C1 = f32x4.splat(c1), B2 = f32x4.splat(b2), C2 = f32x4.splat(c2), RATE = f32x4.splat(rate);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const g = lane(1, i);
    const m = f32x4.add(f32x4.mul(B1, lane(2, i)), f32x4.mul(C1, g));
    const v = f32x4.add(f32x4.mul(B2, lane(3, i)), f32x4.mul(f32x4.mul(C2, g), g));
    put(2, i, m);
    put(3, i, v);
    const q = f32x4.div(m, f32x4.add(f32x4.sqrt(v), lane(5, i)));
    put(0, i, f32x4.sub(lane(0, i), f32x4.mul(RATE, q)));
  }
}

/** Like adamPlain, with x = max(x, v) (lane 4) in place of v under the root; a NaN in v leaves x as it is. */
export function amsgradPlain(n: u32, b1: f32, c1: f32, b2: f32, c2: f32, rate: f32): void {
  const B1 = f32x4.splat(b1), C1 = f32x4.splat(c1), B2 = f32x4.splat(b2), C2 = f32x4.splat(c2), RATE = f32x4.splat(rate);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const g = lane(1, i);
    const m = f32x4.add(f32x4.mul(B1, lane(2, i)), f32x4.mul(C1, g));
    const v = f32x4.add(f32x4.mul(B2, lane(3, i)), f32x4.mul(f32x4.mul(C2, g), g));
    const x = f32x4.pmax(lane(4, i), v);
    put(2, i, m);
    put(3, i, v);
    put(4, i, x);
    const q = f32x4.div(m, f32x4.add(f32x4.sqrt(x), lane(5, i)));
    put(0, i, f32x4.sub(lane(0, i), f32x4.mul(RATE, q)));
  }
}

/** m = b1*m + c1*g; u = max(abs(g), b2*u + eps), which is abs(g) if u was NaN; p - rate*(m / u) */
export function adamax(n: u32, b1: f32, c1: f32, b2: f32, eps: f32, rate: f32): void {
  const B1 = f32x4.splat(b1), C1 = f32x4.splat(c1), B2 = f32x4.splat(b2), EPS = f32x4.splat(eps), RATE = f32x4.splat(rate);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const g = lane(1, i);
    const m = f32x4.add(f32x4.mul(B1, lane(2, i)), f32x4.mul(C1, g));
    const u = f32x4.pmax(f32x4.abs(g), f32x4.add(f32x4.mul(B2, lane(3, i)), EPS));
    put(2, i, m);
    put(3, i, u);
    put(0, i, f32x4.sub(lane(0, i), f32x4.mul(RATE, f32x4.div(m, u))));
  }
}

/** a = rho*a + c*(g*g); d = -(sqrt(b + eps) / sqrt(a + eps)) * g; b = rho*b + c*(d*d); p + lr*d */
export function adadelta(n: u32, rho: f32, c: f32, eps: f32, lr: f32): void {
  const RHO = f32x4.splat(rho), C = f32x4.splat(c), EPS = f32x4.splat(eps), LR = f32x4.splat(lr);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const g = lane(1, i);
    const a = f32x4.add(f32x4.mul(RHO, lane(2, i)), f32x4.mul(C, f32x4.mul(g, g)));
    const b = lane(3, i);
    const q = f32x4.div(f32x4.sqrt(f32x4.add(b, EPS)), f32x4.sqrt(f32x4.add(a, EPS)));
    const d = f32x4.mul(f32x4.neg(q), g);
    put(2, i, a);
    put(3, i, f32x4.add(f32x4.mul(RHO, b), f32x4.mul(C, f32x4.mul(d, d))));
    put(0, i, f32x4.add(lane(0, i), f32x4.mul(LR, d)));
  }
}

/** The rule up to 2.4: a as above; d = -sqrt((b + eps) / (a + eps)) * g; b = rho*b + c*(d*d); p - sqrt((b + eps) / (a + eps)) * g */
export function adadeltaOld(n: u32, rho: f32, c: f32, eps: f32): void {
  const RHO = f32x4.splat(rho), C = f32x4.splat(c), EPS = f32x4.splat(eps);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const g = lane(1, i);
    const a = f32x4.add(f32x4.mul(RHO, lane(2, i)), f32x4.mul(C, f32x4.mul(g, g)));
    const below = f32x4.add(a, EPS);
    let b = lane(3, i);
    const d = f32x4.mul(f32x4.neg(f32x4.sqrt(f32x4.div(f32x4.add(b, EPS), below))), g);
    b = f32x4.add(f32x4.mul(RHO, b), f32x4.mul(C, f32x4.mul(d, d)));
    put(2, i, a);
    put(3, i, b);
    put(0, i, f32x4.sub(lane(0, i), f32x4.mul(f32x4.sqrt(f32x4.div(f32x4.add(b, EPS), below)), g)));
  }
}

/** s = rho*s + (c*g)*g (lane 3); u = mu*u + (lr*g) / sqrt(s + eps) (lane 2); p - u */
export function rmsprop(n: u32, rho: f32, c: f32, eps: f32, mu: f32, lr: f32): void {
  const RHO = f32x4.splat(rho), C = f32x4.splat(c), EPS = f32x4.splat(eps), MU = f32x4.splat(mu), LR = f32x4.splat(lr);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const g = lane(1, i);
    const s = f32x4.add(f32x4.mul(RHO, lane(3, i)), f32x4.mul(f32x4.mul(C, g), g));
    const q = f32x4.div(f32x4.mul(LR, g), f32x4.sqrt(f32x4.add(s, EPS)));
    const u = f32x4.add(f32x4.mul(MU, lane(2, i)), q);
    put(3, i, s);
    put(2, i, u);
    put(0, i, f32x4.sub(lane(0, i), u));
  }
}

/** Like rmsprop, with a = rho*a + c*g (lane 4), and s - a*a in place of s under the root. */
export function rmspropCentered(n: u32, rho: f32, c: f32, eps: f32, mu: f32, lr: f32): void {
  const RHO = f32x4.splat(rho), C = f32x4.splat(c), EPS = f32x4.splat(eps), MU = f32x4.splat(mu), LR = f32x4.splat(lr);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const g = lane(1, i);
    const s = f32x4.add(f32x4.mul(RHO, lane(3, i)), f32x4.mul(f32x4.mul(C, g), g));
    const a = f32x4.add(f32x4.mul(RHO, lane(4, i)), f32x4.mul(C, g));
    const w = f32x4.sub(s, f32x4.mul(a, a));
    const q = f32x4.div(f32x4.mul(LR, g), f32x4.sqrt(f32x4.add(w, EPS)));
    const u = f32x4.add(f32x4.mul(MU, lane(2, i)), q);
    put(3, i, s);
    put(4, i, a);
    put(2, i, u);
    put(0, i, f32x4.sub(lane(0, i), u));
  }
}

/** m = b1*m + c1*g; v = b2*v + (c2*g)*g */
export function moments(n: u32, b1: f32, c1: f32, b2: f32, c2: f32): void {
  const B1 = f32x4.splat(b1), C1 = f32x4.splat(c1), B2 = f32x4.splat(b2), C2 = f32x4.splat(c2);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const g = lane(1, i);
    put(2, i, f32x4.add(f32x4.mul(B1, lane(2, i)), f32x4.mul(C1, g)));
    put(3, i, f32x4.add(f32x4.mul(B2, lane(3, i)), f32x4.mul(f32x4.mul(C2, g), g)));
  }
}

/** Writes Lamb's direction to lane 1: (m/d1) / (sqrt(v/d2) + eps) + decay*p */
export function lambDirection(n: u32, d1: f32, d2: f32, eps: f32, decay: f32): void {
  const D1 = f32x4.splat(d1), D2 = f32x4.splat(d2), EPS = f32x4.splat(eps), DECAY = f32x4.splat(decay);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const root = f32x4.sqrt(f32x4.div(lane(3, i), D2));
    const q = f32x4.div(f32x4.div(lane(2, i), D1), f32x4.add(root, EPS));
    put(1, i, f32x4.add(q, f32x4.mul(DECAY, lane(0, i))));
  }
}

/**
 * NAdam; lane 4: mu, 5: b2p, 6: t = q^psi.
 * b2p *= b2; n = b1*(1 - 0.5*t); n2 = b1*(1 - (0.5*t)*s), s = 0.96^psi; mu *= n; m, v as moments;
 * h = (n2*m)/(1 - mu*n2) + ((1-n)*g)/(1 - mu); p - (lr*h) / (sqrt(v/(1-b2p)) + eps)
 */
export function nadam(n: u32, b1: f32, c1: f32, b2: f32, c2: f32, s: f32, lr: f32, eps: f32): void {
  const B1 = f32x4.splat(b1), C1 = f32x4.splat(c1), B2 = f32x4.splat(b2), C2 = f32x4.splat(c2);
  const S = f32x4.splat(s), LR = f32x4.splat(lr), EPS = f32x4.splat(eps), ONE = f32x4.splat(1), HALF = f32x4.splat(0.5);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const g = lane(1, i);
    const b2p = f32x4.mul(lane(5, i), B2);
    const t = f32x4.mul(HALF, lane(6, i));
    const now = f32x4.mul(B1, f32x4.sub(ONE, t));
    const then = f32x4.mul(B1, f32x4.sub(ONE, f32x4.mul(t, S)));
    const mu = f32x4.mul(lane(4, i), now);
    const m = f32x4.add(f32x4.mul(B1, lane(2, i)), f32x4.mul(C1, g));
    const v = f32x4.add(f32x4.mul(B2, lane(3, i)), f32x4.mul(f32x4.mul(C2, g), g));
    put(5, i, b2p);
    put(4, i, mu);
    put(2, i, m);
    put(3, i, v);
    const ahead = f32x4.div(f32x4.mul(then, m), f32x4.sub(ONE, f32x4.mul(mu, then)));
    const here = f32x4.div(f32x4.mul(f32x4.sub(ONE, now), g), f32x4.sub(ONE, mu));
    const below = f32x4.add(f32x4.sqrt(f32x4.div(v, f32x4.sub(ONE, b2p))), EPS);
    put(0, i, f32x4.sub(lane(0, i), f32x4.div(f32x4.mul(LR, f32x4.add(ahead, here)), below)));
  }
}

/**
 * RAdam; lane 4: b1p, 5: b2p, 6: rho; most = 2/(1-b2) - 1.
 * b1p *= b1; b2p *= b2; rho = (rho*(b2 - b2p) + b2p) / (1 - b2p); m, v as moments; h = m/(1-b1p); k = most - 2*rho;
 * if k > 5: l = sqrt(1-b2p)/(sqrt(v)+eps), c = sqrt((((k-4)*(k-2))*most) / (((most-4)*(most-2))*k)), p - ((lr*h)*c)*l, else p - lr*h
 */
export function radam(n: u32, b1: f32, c1: f32, b2: f32, c2: f32, most: f32, lr: f32, eps: f32): void {
  const B1 = f32x4.splat(b1), C1 = f32x4.splat(c1), B2 = f32x4.splat(b2), C2 = f32x4.splat(c2), LR = f32x4.splat(lr), EPS = f32x4.splat(eps);
  const ONE = f32x4.splat(1), TWO = f32x4.splat(2), FOUR = f32x4.splat(4), MOST = f32x4.splat(most);
  const SCALE = f32x4.mul(f32x4.sub(MOST, FOUR), f32x4.sub(MOST, TWO));
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const g = lane(1, i);
    const b1p = f32x4.mul(lane(4, i), B1);
    const b2p = f32x4.mul(lane(5, i), B2);
    const left = f32x4.sub(ONE, b2p);
    const rho = f32x4.div(f32x4.add(f32x4.mul(lane(6, i), f32x4.sub(B2, b2p)), b2p), left);
    const m = f32x4.add(f32x4.mul(B1, lane(2, i)), f32x4.mul(C1, g));
    const v = f32x4.add(f32x4.mul(B2, lane(3, i)), f32x4.mul(f32x4.mul(C2, g), g));
    put(4, i, b1p);
    put(5, i, b2p);
    put(6, i, rho);
    put(2, i, m);
    put(3, i, v);
    const h = f32x4.div(m, f32x4.sub(ONE, b1p));
    const k = f32x4.sub(MOST, f32x4.mul(TWO, rho));
    const l = f32x4.div(f32x4.sqrt(left), f32x4.add(f32x4.sqrt(v), EPS));
    const above = f32x4.mul(f32x4.mul(f32x4.sub(k, FOUR), f32x4.sub(k, TWO)), MOST);
    const c = f32x4.sqrt(f32x4.div(above, f32x4.mul(SCALE, k)));
    const d = f32x4.mul(LR, h);
    const rectified = f32x4.mul(f32x4.mul(d, c), l);
    put(0, i, f32x4.sub(lane(0, i), v128.bitselect(rectified, d, f32x4.gt(k, f32x4.splat(5)))));
  }
}

/** d = (d - y) + g; y = g; p - rate*d */
export function asgd(n: u32, rate: f32): void {
  const RATE = f32x4.splat(rate);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    const g = lane(1, i);
    const d = f32x4.add(f32x4.sub(lane(2, i), lane(3, i)), g);
    put(2, i, d);
    put(3, i, g);
    put(0, i, f32x4.sub(lane(0, i), f32x4.mul(RATE, d)));
  }
}

/** s = prev*g; eta = plus if s > 0, minus if s < 0, else 1; g = 0 if s < 0; prev = g; rate = min(max(rate*eta, low), high), low if s is NaN; p - sign(g)*rate */
export function rprop(n: u32, minus: f32, plus: f32, low: f32, high: f32): void {
  const MINUS = f32x4.splat(minus), PLUS = f32x4.splat(plus), LOW = f32x4.splat(low), HIGH = f32x4.splat(high);
  const ZERO = f32x4.splat(0), ONE = f32x4.splat(1);
  const end = bytes(n);
  for (let i: usize = 0; i < end; i += 16) {
    let g = lane(1, i);
    const s = f32x4.mul(lane(2, i), g);
    const turned = f32x4.lt(s, ZERO);
    const eta = v128.bitselect(PLUS, v128.bitselect(MINUS, ONE, turned), f32x4.gt(s, ZERO));
    g = v128.andnot(g, turned);
    const bound = f32x4.min(f32x4.max(f32x4.mul(lane(3, i), eta), LOW), HIGH);
    const rate = v128.bitselect(bound, LOW, f32x4.eq(s, s));
    put(2, i, g);
    put(3, i, rate);
    put(0, i, f32x4.sub(lane(0, i), f32x4.mul(sign(g), rate)));
  }
}
