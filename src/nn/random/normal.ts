/**
 * The cumulative distribution function of the standard normal distribution, and its inverse.
 *
 * @module
 */

/** The probability of a value below x, with an error of about 1e-15. */
export function normalCdf(x: number): number {
  if (Math.abs(x) > 6) return x < 0 ? tail(-x) : 1 - tail(x);
  // Abramowitz and Stegun 26.2.11
  let term = x, sum = x;
  for (let n = 3; Math.abs(term) > 1e-18 * Math.abs(sum); n += 2) sum += term *= x * x / n;
  return 0.5 + sum * density(x);
}

/** The probability of a value above x, for large x: Abramowitz and Stegun 26.2.14. */
function tail(x: number): number {
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / (x + fraction);
  return density(x) / (x + fraction);
}

function density(x: number): number {
  return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
}

// Wichura, Algorithm AS 241 (1988), PPND16: coefficients of numerator and denominator for the middle, the tails and the far tails.
// deno-fmt-ignore
const MIDDLE = [
  [3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125, 45921.953931549871457,
    67265.770927008700853, 33430.575583588128105, 2509.0809287301226727],
  [1, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077, 21213.794301586595867, 39307.895800092710610,
    28729.085735721942674, 5226.4952788528545610],
];
// deno-fmt-ignore
const TAIL = [
  [1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504, 1.27045825245236838258,
    0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4],
  [1, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550, 0.148103976427480074590,
    0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9],
];
// deno-fmt-ignore
const FAR_TAIL = [
  [6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230, 0.0265321895265761230930,
    1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7],
  [1, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525, 7.86869131145613259100e-4,
    1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15],
];

/** The value x for which values below x have probability p, from 0 to 1. */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(MIDDLE, 0.180625 - q * q);
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  if (r === Infinity) return q * r;
  const x = r <= 5 ? ratio(TAIL, r - 1.6) : ratio(FAR_TAIL, r - 5);
  return q < 0 ? -x : x;
}

function ratio([above, below]: number[][], x: number): number {
  let a = 0, b = 0;
  for (let i = above.length - 1; i >= 0; i--) {
    a = a * x + above[i];
    b = b * x + below[i];
  }
  return a / b;
}
