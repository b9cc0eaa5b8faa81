/**
 * `paddle.regularizer`: weight decay that is added to a gradient.
 *
 * @module
 */
import { bind, type Call, type Signature } from "../nn/arguments.ts";

/** Arguments of {@linkcode L1Decay} and {@linkcode L2Decay}. */
export interface DecayArguments {
  /** The coefficient. @default {0} */
  coeff?: number;
}

/** Decay by the sign of a parameter: `gradient + coeff * sign(parameter)`. Mirrors `paddle.regularizer.L1Decay` (3.3). */
export class L1Decay {
  /** Distinguishes it from {@linkcode L2Decay}. */
  readonly kind = "L1" as const;
  /** The coefficient. */
  readonly coeff: number;
  /** Takes Paddle's argument, by position or by name. */
  constructor(...args: Call<DecayArguments, ["coeff"]>) {
    this.coeff = bind(signatureOf("L1Decay"), args).coeff;
  }
}

/** Decay in proportion to a parameter: `gradient + coeff * parameter`. Mirrors `paddle.regularizer.L2Decay` (3.3). */
export class L2Decay {
  /** Distinguishes it from {@linkcode L1Decay}. */
  readonly kind = "L2" as const;
  /** The coefficient. */
  readonly coeff: number;
  /** Takes Paddle's argument, by position or by name. */
  constructor(...args: Call<DecayArguments, ["coeff"]>) {
    this.coeff = bind(signatureOf("L2Decay"), args).coeff;
  }
}

function signatureOf(name: string): Signature<DecayArguments> {
  return { name, defaults: { coeff: 0 }, typed: ["coeff"] };
}

/** Either kind of decay. */
export type Regularizer = L1Decay | L2Decay;
