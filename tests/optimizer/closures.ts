/** Losses and gradients with one rounding per operation, in a fixed order: the same results in every language. */
import { fromArray, type nn } from "../../mod.ts";

/**
 * Returns a closure that computes the loss and puts the gradients into the parameters. A scripted one takes them, whatever the parameters
 * are, from `factors`: a loss and a gradient for each call, over and over, from the given call on.
 */
export function closureOf(
  kind: "rosenbrock" | "quadratic" | "scripted",
  parameters: readonly nn.Parameter[],
  factors: readonly number[],
  calls = 0,
): () => number {
  const { dtype } = parameters[0];
  const r = dtype === "float64" ? (x: number) => x : Math.fround;
  const c = factors.map(r);
  return () => {
    const x = parameters.flatMap((p) => [...p.data as Float64Array]);
    const gradient: number[] = new Array(x.length).fill(0);
    let loss = 0;
    if (kind === "scripted") {
      const start = (calls++ * (x.length + 1)) % c.length;
      loss = c[start];
      gradient.splice(0, x.length, ...c.slice(start + 1, start + 1 + x.length));
    } else if (kind === "rosenbrock") {
      for (let i = 0; i < x.length - 1; i++) {
        const a = r(x[i + 1] - r(x[i] * x[i]));
        const b = r(1 - x[i]);
        loss = r(loss + r(r(c[i] * r(a * a)) + r(b * b)));
        const ca = r(r(2 * c[i]) * a);
        gradient[i] = r(gradient[i] - r(r(ca * r(2 * x[i])) + r(2 * b)));
        gradient[i + 1] = r(gradient[i + 1] + ca);
      }
    } else {
      for (let i = 0; i < x.length; i++) {
        const a = r(x[i] - 1);
        loss = r(loss + r(c[i] * r(a * a)));
        gradient[i] = r(2 * r(c[i] * a));
      }
    }
    let offset = 0;
    for (const p of parameters) {
      p.grad = fromArray(gradient.slice(offset, offset += p.size), dtype as "float32").reshape(p.shape);
    }
    return loss;
  };
}
