/**
 * The random numbers of Paddle's CPU kernels, which come from libstdc++'s `std::uniform_real_distribution` and `std::normal_distribution`
 * over the Mersenne Twister, in float32 or float64, with one rounding per operation.
 *
 * @module
 */
import type { MersenneTwister } from "./mersenne_twister.ts";
import { normalCdf, normalQuantile } from "./normal.ts";

/** The array to fill; its element type determines the precision of the computation. */
export type Target = Float32Array | Float64Array;
type Round = (x: number) => number;

const fround = Math.fround;

/** `low + (high - low) * u` with u in [0, 1). */
export function fillUniform(target: Target, engine: MersenneTwister, low: number, high: number): void {
  const round = roundOf(target), unit = unitOf(target);
  // The kernel takes its bounds as float32, even for float64.
  const from = fround(low), width = round(fround(high) - from);
  for (let i = 0; i < target.length; i++) target[i] = round(round(unit(engine) * width) + from);
}

/** Marsaglia's polar method, which generates two numbers at a time. */
export function fillNormal(target: Target, engine: MersenneTwister, mean: number, std: number): void {
  const round = roundOf(target), unit = unitOf(target);
  const [center, scale] = [fround(mean), fround(std)];
  let saved: number | null = null;
  for (let i = 0; i < target.length; i++) {
    let x = saved ?? 0;
    if (saved !== null) saved = null;
    else {
      let y: number, r2: number;
      do {
        x = round(2 * unit(engine) - 1);
        y = round(2 * unit(engine) - 1);
        r2 = round(round(x * x) + round(y * y));
      } while (r2 > 1 || r2 === 0);
      const factor = round(Math.sqrt(round(round(-2 * round(Math.log(r2))) / r2)));
      saved = round(x * factor);
      x = round(y * factor);
    }
    target[i] = round(round(x * scale) + center);
  }
}

/** Normally distributed numbers between a and b, which are not in units of `std`. They agree with Paddle's to about 1e-6. */
export function fillTruncatedNormal(
  target: Target,
  engine: MersenneTwister,
  given: { mean: number; std: number; a: number; b: number },
): void {
  const round = roundOf(target), unit = unitOf(target);
  // The kernel takes its arguments as float32 here, too.
  const [mean, std, a, b] = [given.mean, given.std, given.a, given.b].map(fround);
  const below = round(normalCdf(round(round(a - mean) / std)));
  const width = round(round(normalCdf(round(round(b - mean) / std))) - below);
  for (let i = 0; i < target.length; i++) {
    // The kernel draws from the smallest normal float32 upwards, never 0, which has no quantile.
    const p = round(below + round(width * Math.max(unit(engine), SMALLEST)));
    // It inverts the error function at this number, in which little is left of a small p.
    const x = round(2 * p - 1);
    target[i] = Math.min(Math.max(normalQuantile((x + 1) / 2) * std + mean, a), b);
  }
}

/** The smallest normal float32. */
const SMALLEST = 2 ** -126;

function roundOf(target: Target): Round {
  return target instanceof Float32Array ? fround : (x) => x;
}

/** `std::generate_canonical`: 64 random bits, rounded once, divided by 2^64; never 1. */
function unitOf(target: Target): (engine: MersenneTwister) => number {
  const isSingle = target instanceof Float32Array;
  const largest = isSingle ? 1 - 2 ** -24 : 1 - 2 ** -53;
  return (engine) => {
    engine.draw();
    const { high, low } = engine;
    // A float64 of all 64 bits would be rounded twice on its way to float32, so the low bits are replaced by one sticky bit.
    const bits = isSingle && high >= 2 ** 21
      ? high * 2 ** 32 + (((low & ~0xfff) | (low & 0xfff ? 0x800 : 0)) >>> 0)
      : high * 2 ** 32 + low;
    return Math.min((isSingle ? fround(bits) : bits) / 2 ** 64, largest);
  };
}
