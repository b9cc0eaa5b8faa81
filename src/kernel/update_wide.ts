/**
 * The update rules of optimizers on float64 lanes, as in Paddle's kernels for float64 parameters: plain float64 arithmetic without fused
 * multiply-adds.
 *
 * @module
 */
import type { UpdateFunctions } from "./update_functions.ts";
import { larger, sign } from "./update_math.ts";

const root = Math.sqrt;

/** The rules over these lanes. */
export function updateWide(lanes: readonly Float64Array[]): UpdateFunctions {
  const [p, g, s2, s3, s4, s5, s6] = lanes;

  function moments(i: number, b1: number, c1: number, b2: number, c2: number): void {
    s2[i] = b1 * s2[i] + c1 * g[i];
    s3[i] = b2 * s3[i] + c2 * g[i] * g[i];
  }

  return {
    scale(n, s) {
      for (let i = 0; i < n; i++) g[i] *= s;
    },
    clamp(n, low, high) {
      for (let i = 0; i < n; i++) g[i] = Math.min(Math.max(g[i], low), high);
    },
    decayL2(n, c) {
      for (let i = 0; i < n; i++) g[i] += p[i] * c;
    },
    decayL1(n, c) {
      for (let i = 0; i < n; i++) g[i] += sign(p[i]) * c;
    },
    squares(k, n) {
      // Packets of four, two at a time.
      const x = lanes[k];
      const [whole, pairs] = [n & ~3, n & ~7];
      const sums = new Float64Array(8);
      for (let i = 0; i < pairs; i++) sums[i & 7] += x[i] * x[i];
      for (let i = pairs; i < whole; i++) sums[i & 3] += x[i] * x[i];
      let rest = 0;
      for (let i = whole; i < n; i++) rest += x[i] * x[i];
      const [a, b, c, d] = [0, 1, 2, 3].map((i) => sums[i] + sums[i + 4]);
      return rest + ((a + c) + (b + d));
    },
    sgd(n, lr) {
      for (let i = 0; i < n; i++) p[i] -= lr * g[i];
    },
    momentum(n, mu, lr) {
      for (let i = 0; i < n; i++) {
        s2[i] = mu * s2[i] + g[i];
        p[i] -= lr * s2[i];
      }
    },
    nesterov(n, mu, lr) {
      for (let i = 0; i < n; i++) {
        s2[i] = mu * s2[i] + g[i];
        p[i] -= (g[i] + mu * s2[i]) * lr;
      }
    },
    adagrad(n, lr, eps) {
      for (let i = 0; i < n; i++) {
        s2[i] += g[i] * g[i];
        p[i] -= lr * g[i] / (root(s2[i]) + eps);
      }
    },
    shrink(n, factor) {
      for (let i = 0; i < n; i++) p[i] -= factor * p[i];
    },
    shrinkPlain(n, factor) {
      for (let i = 0; i < n; i++) p[i] -= factor * p[i];
    },
    shrinkTo(n, factor) {
      for (let i = 0; i < n; i++) p[i] *= factor;
    },
    adam(n, b1, c1, b2, c2, rate, eps) {
      for (let i = 0; i < n; i++) {
        moments(i, b1, c1, b2, c2);
        p[i] -= rate * (s2[i] / (root(s3[i]) + eps));
      }
    },
    amsgrad(n, b1, c1, b2, c2, rate, eps) {
      for (let i = 0; i < n; i++) {
        moments(i, b1, c1, b2, c2);
        s4[i] = larger(s3[i], s4[i]);
        p[i] -= rate * (s2[i] / (root(s4[i]) + eps));
      }
    },
    adamPlain(n, b1, c1, b2, c2, rate) {
      for (let i = 0; i < n; i++) {
        moments(i, b1, c1, b2, c2);
        p[i] -= rate * (s2[i] / (root(s3[i]) + s5[i]));
      }
    },
    amsgradPlain(n, b1, c1, b2, c2, rate) {
      for (let i = 0; i < n; i++) {
        moments(i, b1, c1, b2, c2);
        s4[i] = larger(s3[i], s4[i]);
        p[i] -= rate * (s2[i] / (root(s4[i]) + s5[i]));
      }
    },
    adamax(n, b1, c1, b2, eps, rate) {
      for (let i = 0; i < n; i++) {
        s2[i] = b1 * s2[i] + c1 * g[i];
        s3[i] = larger(Math.abs(g[i]), b2 * s3[i] + eps);
        p[i] -= rate * (s2[i] / s3[i]);
      }
    },
    adadelta(n, rho, c, eps, lr) {
      for (let i = 0; i < n; i++) {
        s2[i] = rho * s2[i] + c * (g[i] * g[i]);
        const d = -(root(s3[i] + eps) / root(s2[i] + eps)) * g[i];
        s3[i] = rho * s3[i] + c * (d * d);
        p[i] += lr * d;
      }
    },
    adadeltaOld(n, rho, c, eps) {
      for (let i = 0; i < n; i++) {
        s2[i] = rho * s2[i] + c * (g[i] * g[i]);
        const below = s2[i] + eps;
        const d = -root((s3[i] + eps) / below) * g[i];
        s3[i] = rho * s3[i] + c * (d * d);
        p[i] -= root((s3[i] + eps) / below) * g[i];
      }
    },
    rmsprop(n, rho, c, eps, mu, lr) {
      for (let i = 0; i < n; i++) {
        s3[i] = rho * s3[i] + c * g[i] * g[i];
        s2[i] = mu * s2[i] + lr * g[i] / root(s3[i] + eps);
        p[i] -= s2[i];
      }
    },
    rmspropCentered(n, rho, c, eps, mu, lr) {
      for (let i = 0; i < n; i++) {
        s3[i] = rho * s3[i] + c * g[i] * g[i];
        s4[i] = rho * s4[i] + c * g[i];
        s2[i] = mu * s2[i] + lr * g[i] / root(s3[i] - s4[i] * s4[i] + eps);
        p[i] -= s2[i];
      }
    },
    moments(n, b1, c1, b2, c2) {
      for (let i = 0; i < n; i++) moments(i, b1, c1, b2, c2);
    },
    lambDirection(n, d1, d2, eps, decay) {
      for (let i = 0; i < n; i++) g[i] = s2[i] / d1 / (root(s3[i] / d2) + eps) + decay * p[i];
    },
    nadam(n, b1, c1, b2, c2, s, lr, eps) {
      for (let i = 0; i < n; i++) {
        s5[i] *= b2;
        const t = 0.5 * s6[i];
        const now = b1 * (1 - t);
        const then = b1 * (1 - t * s);
        s4[i] *= now;
        moments(i, b1, c1, b2, c2);
        const ahead = then * s2[i] / (1 - s4[i] * then);
        const here = (1 - now) * g[i] / (1 - s4[i]);
        p[i] -= lr * (ahead + here) / (root(s3[i] / (1 - s5[i])) + eps);
      }
    },
    radam(n, b1, c1, b2, c2, most, lr, eps) {
      const scale = (most - 4) * (most - 2);
      for (let i = 0; i < n; i++) {
        s4[i] *= b1;
        s5[i] *= b2;
        const left = 1 - s5[i];
        s6[i] = (s6[i] * (b2 - s5[i]) + s5[i]) / left;
        moments(i, b1, c1, b2, c2);
        let d = lr * (s2[i] / (1 - s4[i]));
        const k = most - 2 * s6[i];
        if (k > 5) d = d * root((k - 4) * (k - 2) * most / (scale * k)) * (root(left) / (root(s3[i]) + eps));
        p[i] -= d;
      }
    },
    asgd(n, rate) {
      for (let i = 0; i < n; i++) {
        s2[i] = s2[i] - s3[i] + g[i];
        s3[i] = g[i];
        p[i] -= rate * s2[i];
      }
    },
    rprop(n, minus, plus, low, high) {
      for (let i = 0; i < n; i++) {
        const s = s2[i] * g[i];
        const eta = s > 0 ? plus : s < 0 ? minus : 1;
        s2[i] = s < 0 ? 0 : g[i];
        s3[i] = Number.isNaN(s) ? low : Math.min(Math.max(s3[i] * eta, low), high);
        p[i] -= sign(s2[i]) * s3[i];
      }
    },
  };
}
