/**
 * Argument lists of optimizers: Paddle's, and one more that chooses the version.
 *
 * @module
 */
import type { Signature } from "../nn/arguments.ts";
import { check } from "./arguments.ts";
import { NEWEST } from "./version.ts";

/**
 * A signature: `defaults` in the order of Paddle's positions, then by name what Paddle has no argument for: master weights in every class, and
 * the version.
 */
export function signature<A extends object>(name: string, defaults: Readonly<Record<string, unknown>>): Signature<A> {
  const all = { multiPrecision: false, ...defaults, paddle: NEWEST };
  const positional = Object.keys(defaults).length;
  // What comes first by position must stand first.
  const ordered = { ...defaults, ...all };
  return { name, defaults: ordered, positional } as unknown as Signature<A>;
}

/** Paddle's checks of Adam's relatives. */
export function checkBetas({ beta1, beta2, epsilon }: { beta1: number; beta2: number; epsilon: number }): void {
  check(beta1 >= 0 && beta1 < 1, "Invalid value of beta1, expect beta1 in [0,1).");
  check(beta2 >= 0 && beta2 < 1, "Invalid value of beta2, expect beta2 in [0,1).");
  check(epsilon >= 0, "Invalid value of epsilon, expect epsilon >= 0.");
}
