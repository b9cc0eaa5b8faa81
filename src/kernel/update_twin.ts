/**
 * The update rules of optimizers in TypeScript: the same bits as `wasm/update.ts`, for environments that cannot compile it and for small
 * parameters.
 *
 * @module
 */
import type { UpdateFunctions } from "./update_functions.ts";
import { larger, sign } from "./update_math.ts";

const f = Math.fround;
const root = Math.sqrt;

const wide = new Float64Array(1);
const halves = new Int32Array(wide.buffer);

/** a * b + c of float32, rounded once. The product is exact in float64; if the sum is a tie for the second rounding, its error decides. */
function fused(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  wide[0] = sum;
  if ((halves[0] & 0x1fffffff) === 0x10000000) {
    const part = sum - product;
    const error = (product - (sum - part)) + (c - part);
    // The low word can't overflow: its last 29 bits are 0x10000000.
    if (error !== 0) halves[0] += (error < 0) === (sum < 0) ? 1 : -1;
    return f(wide[0]);
  }
  return f(sum);
}

/** The rules over these lanes. */
export function updateTwin(lanes: readonly Float32Array[]): UpdateFunctions {
  const [p, g, s2, s3, s4, s5, s6] = lanes;

  function moments(i: number, b1: number, c1: number, b2: number, c2: number): void {
    s2[i] = f(f(b1 * s2[i]) + f(c1 * g[i]));
    s3[i] = f(f(b2 * s3[i]) + f(f(c2 * g[i]) * g[i]));
  }

  return {
    scale(n, s) {
      for (let i = 0; i < n; i++) g[i] *= s;
    },
    clamp(n, low, high) {
      for (let i = 0; i < n; i++) g[i] = Math.min(Math.max(g[i], low), high);
    },
    decayL2(n, c) {
      for (let i = 0; i < n; i++) g[i] += f(p[i] * c);
    },
    decayL1(n, c) {
      for (let i = 0; i < n; i++) g[i] += f(sign(p[i]) * c);
    },
    squares(k, n) {
      const x = lanes[k];
      const [whole, pairs] = [n & ~7, n & ~15];
      const sums = new Float32Array(16);
      for (let i = 0; i < pairs; i++) sums[i & 15] += f(x[i] * x[i]);
      for (let i = pairs; i < whole; i++) sums[i & 7] += f(x[i] * x[i]);
      let rest = 0;
      for (let i = whole; i < n; i++) rest = f(rest + f(x[i] * x[i]));
      const four = [0, 1, 2, 3].map((i) => f(f(sums[i] + sums[i + 8]) + f(sums[i + 4] + sums[i + 12])));
      return f(rest + f(f(four[0] + four[2]) + f(four[1] + four[3])));
    },
    sgd(n, lr) {
      for (let i = 0; i < n; i++) p[i] -= f(lr * g[i]);
    },
    momentum(n, mu, lr) {
      for (let i = 0; i < n; i++) {
        s2[i] = f(mu * s2[i]) + g[i];
        p[i] -= f(lr * s2[i]);
      }
    },
    nesterov(n, mu, lr) {
      for (let i = 0; i < n; i++) {
        s2[i] = f(mu * s2[i]) + g[i];
        p[i] -= f(f(g[i] + f(mu * s2[i])) * lr);
      }
    },
    adagrad(n, lr, eps) {
      for (let i = 0; i < n; i++) {
        s2[i] += f(g[i] * g[i]);
        p[i] -= f(f(lr * g[i]) / f(f(root(s2[i])) + eps));
      }
    },
    shrink(n, factor) {
      for (let i = 0; i < n; i++) p[i] = fused(p[i], -factor, p[i]);
    },
    shrinkPlain(n, factor) {
      for (let i = 0; i < n; i++) p[i] -= f(factor * p[i]);
    },
    shrinkTo(n, factor) {
      for (let i = 0; i < n; i++) p[i] *= factor;
    },
    adam(n, b1, c1, b2, c2, rate, eps) {
      for (let i = 0; i < n; i++) {
        s2[i] = fused(s2[i], b1, f(c1 * g[i]));
        s3[i] = fused(s3[i], b2, f(c2 * f(g[i] * g[i])));
        p[i] = fused(f(s2[i] / f(f(root(s3[i])) + eps)), -rate, p[i]);
      }
    },
    amsgrad(n, b1, c1, b2, c2, rate, eps) {
      for (let i = 0; i < n; i++) {
        s2[i] = fused(s2[i], b1, f(c1 * g[i]));
        s3[i] = fused(s3[i], b2, f(c2 * f(g[i] * g[i])));
        s4[i] = larger(s4[i], s3[i]);
        p[i] = fused(f(s2[i] / f(f(root(s4[i])) + eps)), -rate, p[i]);
      }
    },
    adamPlain(n, b1, c1, b2, c2, rate) {
      for (let i = 0; i < n; i++) {
        moments(i, b1, c1, b2, c2);
        p[i] -= f(rate * f(s2[i] / f(f(root(s3[i])) + s5[i])));
      }
    },
    amsgradPlain(n, b1, c1, b2, c2, rate) {
      for (let i = 0; i < n; i++) {
        moments(i, b1, c1, b2, c2);
        s4[i] = larger(s4[i], s3[i]);
        p[i] -= f(rate * f(s2[i] / f(f(root(s4[i])) + s5[i])));
      }
    },
    adamax(n, b1, c1, b2, eps, rate) {
      for (let i = 0; i < n; i++) {
        s2[i] = f(b1 * s2[i]) + f(c1 * g[i]);
        s3[i] = larger(Math.abs(g[i]), f(f(b2 * s3[i]) + eps));
        p[i] -= f(rate * f(s2[i] / s3[i]));
      }
    },
    adadelta(n, rho, c, eps, lr) {
      for (let i = 0; i < n; i++) {
        s2[i] = f(rho * s2[i]) + f(c * f(g[i] * g[i]));
        const d = f(-f(f(root(f(s3[i] + eps))) / f(root(f(s2[i] + eps)))) * g[i]);
        s3[i] = f(rho * s3[i]) + f(c * f(d * d));
        p[i] += f(lr * d);
      }
    },
    adadeltaOld(n, rho, c, eps) {
      for (let i = 0; i < n; i++) {
        s2[i] = f(rho * s2[i]) + f(c * f(g[i] * g[i]));
        const below = f(s2[i] + eps);
        const d = f(-f(root(f(f(s3[i] + eps) / below))) * g[i]);
        s3[i] = f(rho * s3[i]) + f(c * f(d * d));
        p[i] -= f(f(root(f(f(s3[i] + eps) / below))) * g[i]);
      }
    },
    rmsprop(n, rho, c, eps, mu, lr) {
      for (let i = 0; i < n; i++) {
        s3[i] = f(rho * s3[i]) + f(f(c * g[i]) * g[i]);
        s2[i] = f(mu * s2[i]) + f(f(lr * g[i]) / f(root(f(s3[i] + eps))));
        p[i] -= s2[i];
      }
    },
    rmspropCentered(n, rho, c, eps, mu, lr) {
      for (let i = 0; i < n; i++) {
        s3[i] = f(rho * s3[i]) + f(f(c * g[i]) * g[i]);
        s4[i] = f(rho * s4[i]) + f(c * g[i]);
        const w = f(s3[i] - f(s4[i] * s4[i]));
        s2[i] = f(mu * s2[i]) + f(f(lr * g[i]) / f(root(f(w + eps))));
        p[i] -= s2[i];
      }
    },
    moments(n, b1, c1, b2, c2) {
      for (let i = 0; i < n; i++) moments(i, b1, c1, b2, c2);
    },
    lambDirection(n, d1, d2, eps, decay) {
      for (let i = 0; i < n; i++) {
        const q = f(f(s2[i] / d1) / f(f(root(f(s3[i] / d2))) + eps));
        g[i] = q + f(decay * p[i]);
      }
    },
    nadam(n, b1, c1, b2, c2, s, lr, eps) {
      for (let i = 0; i < n; i++) {
        s5[i] *= b2;
        const t = f(0.5 * s6[i]);
        const now = f(b1 * f(1 - t));
        const then = f(b1 * f(1 - f(t * s)));
        s4[i] *= now;
        moments(i, b1, c1, b2, c2);
        const ahead = f(f(then * s2[i]) / f(1 - f(s4[i] * then)));
        const here = f(f(f(1 - now) * g[i]) / f(1 - s4[i]));
        const below = f(f(root(f(s3[i] / f(1 - s5[i])))) + eps);
        p[i] -= f(f(lr * f(ahead + here)) / below);
      }
    },
    radam(n, b1, c1, b2, c2, most, lr, eps) {
      const scale = f(f(most - 4) * f(most - 2));
      for (let i = 0; i < n; i++) {
        s4[i] *= b1;
        s5[i] *= b2;
        const left = f(1 - s5[i]);
        s6[i] = f(f(s6[i] * f(b2 - s5[i])) + s5[i]) / left;
        moments(i, b1, c1, b2, c2);
        let d = f(lr * f(s2[i] / f(1 - s4[i])));
        const k = f(most - f(2 * s6[i]));
        if (k > 5) {
          const l = f(f(root(left)) / f(f(root(s3[i])) + eps));
          const c = f(root(f(f(f(f(k - 4) * f(k - 2)) * most) / f(scale * k))));
          d = f(f(d * c) * l);
        }
        p[i] -= d;
      }
    },
    asgd(n, rate) {
      for (let i = 0; i < n; i++) {
        s2[i] = f(s2[i] - s3[i]) + g[i];
        s3[i] = g[i];
        p[i] -= f(rate * s2[i]);
      }
    },
    rprop(n, minus, plus, low, high) {
      for (let i = 0; i < n; i++) {
        const s = f(s2[i] * g[i]);
        const eta = s > 0 ? plus : s < 0 ? minus : 1;
        s2[i] = s < 0 ? 0 : g[i];
        s3[i] = Number.isNaN(s) ? low : Math.min(Math.max(f(s3[i] * eta), low), high);
        p[i] -= f(sign(s2[i]) * s3[i]);
      }
    },
  };
}
