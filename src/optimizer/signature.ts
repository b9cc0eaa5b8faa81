/**
 * Argument lists of optimizers: Paddle's, plus the Paddle version to follow.
 *
 * @module
 */
import type { Signature } from "../nn/arguments.ts";
import { check } from "./arguments.ts";
import { NEWEST } from "./version.ts";

/**
 * A signature: `defaults` in Paddle's positional order, followed by the named arguments that Paddle lacks: master weights for every class,
 * and the version.
 */
export function signature<A extends object>(name: string, defaults: Readonly<Record<string, unknown>>): Signature<A> {
  const all = { multiPrecision: false, ...defaults, paddle: NEWEST };
  const positional = Object.keys(defaults).length;
  // Positional arguments must come first.
  const ordered = { ...defaults, ...all };
  // The rate may also be a scheduler, and the weight decay a regularizer.
  const typed = Object.keys(ordered).filter((key) =>
    !["learningRate", "weightDecay"].includes(key) &&
    /^(?:number|boolean)$/.test(typeof ordered[key as keyof typeof all])
  );
  return { name, defaults: ordered, positional, typed } as unknown as Signature<A>;
}

/** The argument checks that Paddle's Adam variants have in common. */
export function checkBetas({ beta1, beta2, epsilon }: { beta1: number; beta2: number; epsilon: number }): void {
  check(beta1 >= 0 && beta1 < 1, "Invalid value of beta1, expect beta1 in [0,1).");
  check(beta2 >= 0 && beta2 < 1, "Invalid value of beta2, expect beta2 in [0,1).");
  check(epsilon >= 0, "Invalid value of epsilon, expect epsilon >= 0.");
}
