/**
 * `paddle.seed`: what initial values are drawn from.
 *
 * @module
 */
import { ValueError } from "../../errors.ts";
import { MersenneTwister } from "./mersenne_twister.ts";

let engine: MersenneTwister | null = null;

/**
 * Start the generator of initial values anew: the same layers made after it get the same values, which are the values that Paddle gives
 * them on the CPU after `paddle.seed` with the same number. Without it they differ from run to run.
 *
 * The generator belongs to the whole program. Nothing else draws from it between `seed` and the end of the same synchronous function.
 *
 * Mirrors `paddle.seed` (2.0 to 3.3).
 *
 * @throws {ValueError} `INVALID_VALUE` where it is no integer
 */
export function seed(value: number): void {
  if (!Number.isSafeInteger(value)) {
    throw new ValueError("INVALID_VALUE", `The seed must be an integer: got ${String(value)}`, { actual: value });
  }
  engine = new MersenneTwister(Number(BigInt.asUintN(32, BigInt(value))));
}

/** The generator; seeded by chance where nobody called {@linkcode seed}. */
export function generator(): MersenneTwister {
  return engine ??= new MersenneTwister(crypto.getRandomValues(new Uint32Array(1))[0]);
}
