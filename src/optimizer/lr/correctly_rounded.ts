/**
 * exp, log, cos and pow as in Python. Python takes them from the C library, which returns the double nearest to the true value in all but a
 * few of ten thousand cases; JavaScript engines' Math.pow, exp and cos are off in up to one case of ten, and differ from each other. So
 * here each result is computed as a BigInt in units of 2^-BITS and rounded once.
 *
 * @module
 */
import { ValueError } from "../../errors.ts";

/** Bits after the binary point: far more than the 53 of a result, so one rounding is enough. */
const BITS = 224n;
const ONE = 1n << BITS;

/** `exp(x)`. */
export function exp(x: number): number {
  if (!(Math.abs(x) < 800)) return Math.exp(x);
  return expOf(fixed(x));
}

/** `cos(x)`. */
export function cos(x: number): number {
  if (!(Math.abs(x) < 2 ** 53)) return Math.cos(x);
  const quarter = pi() >> 1n;
  const angle = fixed(Math.abs(x));
  const turns = (angle + (quarter >> 1n)) / quarter;
  const rest = angle - turns * quarter;
  const series = turns & 1n ? sineSeries(rest) : cosineSeries(rest);
  const quadrant = turns & 3n;
  return round(quadrant === 1n || quadrant === 2n ? -series : series, 0);
}

/** The natural logarithm of `x`. */
export function log(x: number): number {
  if (!(x > 0 && x < Infinity)) return Math.log(x);
  return round(logOf(x), 0);
}

/** First, powers for which glibc, and hardly anything else, misses the nearest double; then some that other engines get wrong. */
const TELLING = [
  [42595, -1.5, 1.137527923010149e-7],
  [10416, -1.5, 9.406943664429969e-7],
  [77248, -1.5, 4.657674490791055e-8],
  [67285, -0.5, 0.003855146368952277],
  [94589, -0.5, 0.0032514694882311472],
  [0.9685559971627059, 2.867313650065659, 0.9124629978649169],
  [1190, -0.5, 0.02898855178262242],
  [76827, -0.5, 0.0036078050536821433],
  [0.69, 162, 7.826231666616496e-27],
  [0.9138767418398903, 435, 9.685381529579059e-18],
];

/** Whether the engine uses glibc's pow, as Deno on Linux does; then it agrees with Python in every case. */
const ENGINE_IS_LIBRARY = /* @__PURE__ */ TELLING.every(([x, y, power]) => x ** y === power);

/**
 * Python's `x ** y` of two floats, to the bit, for use in the functions passed to LambdaDecay, MultiplicativeDecay and CyclicLR, since
 * JavaScript's `**` may differ in the last bit.
 *
 * @throws {ValueError} `INVALID_VALUE` if Python raises an error or returns a complex number
 */
export function pow(x: number, y: number): number {
  if (x === 0 && y < 0) throw refused("0.0 cannot be raised to a negative power");
  if (x < 0 && Number.isFinite(x) && Number.isFinite(y) && !Number.isInteger(y)) {
    throw refused(`${x} ** ${y} is a complex number`);
  }
  // Python's pow(1, nan) and pow(1, inf) are 1; JavaScript's are NaN.
  if (x === 1 || y === 0) return 1;
  if (x === 0 || !Number.isFinite(x) || !Number.isFinite(y)) return x === -1 && !Number.isNaN(y) ? 1 : x ** y;
  const size = y * Math.log2(Math.abs(x));
  if (size > 1030) throw refused(`${x} ** ${y} is too large`);
  if (size < -1100) return x < 0 && Math.abs(y % 2) === 1 ? -0 : 0;
  const power = ENGINE_IS_LIBRARY ? x ** y : nearestPow(x, y);
  if (!Number.isFinite(power)) throw refused(`${x} ** ${y} is too large`);
  return power;
}

/** The double nearest to `x ** y`, for finite numbers whose power is real. */
export function nearestPow(x: number, y: number): number {
  const { mantissa, exponent } = parts(y);
  const product = logOf(Math.abs(x)) * BigInt(mantissa);
  const result = expOf(exponent >= 0 ? product << BigInt(exponent) : product >> BigInt(-exponent));
  return x < 0 && Math.abs(y % 2) === 1 ? -result : result;
}

function refused(message: string): ValueError {
  return new ValueError("INVALID_VALUE", message);
}

/** A finite number as mantissa * 2^exponent, both integers. */
function parts(x: number): { mantissa: number; exponent: number } {
  let exponent = 0;
  // Each step is exact: it multiplies by a power of two, which only removes fraction bits.
  while (!Number.isInteger(x)) {
    x *= 2 ** 32;
    exponent -= 32;
  }
  return { mantissa: x, exponent };
}

function fixed(x: number): bigint {
  const { mantissa, exponent } = parts(x);
  const shift = BITS + BigInt(exponent);
  return shift >= 0n ? BigInt(mantissa) << shift : BigInt(mantissa) >> -shift;
}

function times(a: bigint, b: bigint): bigint {
  return (a * b) >> BITS;
}

/** exp by its series for the remainder below log(2), scaled by a power of two. */
function expOf(x: bigint): number {
  const turns = x / logOf2();
  const rest = x - turns * logOf2();
  let sum = ONE;
  let term = ONE;
  for (let n = 1n; term !== 0n && term !== -1n; n++) {
    term = times(term, rest) / n;
    sum += term;
  }
  return round(sum, Number(turns));
}

/** x = m * 2^e with m near 1: e * log(2) + 2 * atanh((m - 1) / (m + 1)). */
function logOf(x: number): bigint {
  const { mantissa, exponent } = parts(x);
  const whole = BigInt(mantissa);
  let bits = whole.toString(2).length;
  let m = (whole << BITS) >> BigInt(bits);
  // m is in [1/2, 1): move it to [3/4, 3/2), around 1, so that log(1 + tiny) loses no precision.
  if (m * 4n < ONE * 3n) {
    m <<= 1n;
    bits--;
  }
  return BigInt(bits + exponent) * logOf2() + 2n * inverseTangent(((m - ONE) << BITS) / (m + ONE));
}

/** atanh by its series; t is at most 1/3. */
function inverseTangent(t: bigint): bigint {
  const square = times(t, t);
  let sum = 0n;
  for (let power = t, n = 1n; power !== 0n && power !== -1n; n += 2n) {
    sum += power / n;
    power = times(power, square);
  }
  return sum;
}

function cosineSeries(x: bigint): bigint {
  return alternating(ONE, times(x, x), 1n);
}

function sineSeries(x: bigint): bigint {
  return alternating(x, times(x, x), 2n);
}

/** term - term * square / (n (n+1)) + ... */
function alternating(term: bigint, square: bigint, n: bigint): bigint {
  let sum = 0n;
  for (; term !== 0n && term !== -1n; n += 2n) {
    sum += term;
    term = -times(term, square) / (n * (n + 1n));
  }
  return sum;
}

let two: bigint | undefined;
let half: bigint | undefined;

function logOf2(): bigint {
  return two ??= 2n * inverseTangent(ONE / 3n);
}

/** Machin's formula: pi = 16 atan(1/5) - 4 atan(1/239). */
function pi(): bigint {
  return half ??= 16n * tangent(5n) - 4n * tangent(239n);
}

/** atan(1 / d). */
function tangent(d: bigint): bigint {
  let sum = 0n;
  let sign = 1n;
  for (let power = ONE / d, n = 1n; power !== 0n; n += 2n) {
    sum += sign * power / n;
    power /= d * d;
    sign = -sign;
  }
  return sum;
}

/**
 * The double nearest to x * 2^exponent (x in units of 2^-BITS), ties to even. Anything within 2^-100 of a tie counts as one: no other value
 * of these functions comes that close, while 3 ** 34, for example, has 54 bits and is a tie.
 */
function round(x: bigint, exponent: number): number {
  const abs = x < 0n ? -x : x;
  if (abs === 0n) return 0;
  exponent -= Number(BITS);
  // Keep 53 bits, or as many as a subnormal number has.
  const drop = Math.max(abs.toString(2).length - 53, -1074 - exponent);
  if (drop <= 0) return Number(x) * 2 ** exponent;
  const unit = 1n << BigInt(drop);
  const rest = abs & (unit - 1n);
  let kept = abs >> BigInt(drop);
  const over = 2n * rest - unit;
  const isTie = (over < 0n ? -over : over) <= unit >> 100n;
  if (isTie ? kept & 1n : over > 0n) kept++;
  const power = exponent + drop;
  // 2^power alone may overflow when the product does not.
  const value = power > 900 ? Number(kept) * 2 ** 900 * 2 ** (power - 900) : Number(kept) * 2 ** power;
  return x < 0n ? -value : value;
}
