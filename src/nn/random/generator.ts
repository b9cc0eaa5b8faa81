/**
 * `paddle.seed`, and the generator that initial values are drawn from.
 *
 * @module
 */
import { ValueError } from "../../errors.ts";
import { MersenneTwister } from "./mersenne_twister.ts";

let engine: MersenneTwister | null = null;

/**
 * Seed the generator of initial values: the same layers created afterwards get the same values, which are those that Paddle draws on the
 * CPU after `paddle.seed` with the same number. Without a seed, they differ from run to run.
 *
 * The generator is shared by the whole program. Nothing else draws from it between `seed` and the end of the same synchronous function.
 *
 * Mirrors `paddle.seed` (2.0 to 3.3).
 *
 * @throws {ValueError} `INVALID_VALUE` if it is not an integer
 *
 * @example
 * ```ts
 * import { nn, seed } from "@oarlock/paddle";
 * seed(7);
 * const first = new nn.Linear(2, 2).weight.at(0, 0);
 * seed(7);
 * if (new nn.Linear(2, 2).weight.at(0, 0) !== first) throw new Error("not the same");
 * ```
 */
export function seed(value: number): void {
  if (!Number.isSafeInteger(value)) {
    throw new ValueError("INVALID_VALUE", `The seed must be an integer: got ${String(value)}`, { actual: value });
  }
  engine = new MersenneTwister(Number(BigInt.asUintN(32, BigInt(value))));
}

/** The generator, which is seeded randomly unless {@linkcode seed} was called. */
export function generator(): MersenneTwister {
  return engine ??= new MersenneTwister(crypto.getRandomValues(new Uint32Array(1))[0]);
}
