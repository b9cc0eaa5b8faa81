/**
 * Averaged gradient descent.
 *
 * @module
 */
import type { Parameter } from "../nn/parameter.ts";
import { bind, type Call, type Signature } from "../nn/arguments.ts";
import type { Kind } from "./accumulators.ts";
import { check } from "./arguments.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import { signature } from "./signature.ts";
import type { Update } from "./update.ts";

/** Options of {@linkcode ASGD}. */
export interface ASGDOptions extends OptimizerOptions<object> {
  /** How many gradients are averaged; a positive integer. @default {1} */
  batchNum?: number;
}

const ARGUMENTS: Signature<ASGDOptions> = /* @__PURE__ */ signature("ASGD", {
  learningRate: 0.001,
  batchNum: 1,
  parameters: null,
  weightDecay: null,
  gradClip: null,
  multiPrecision: false,
  name: null,
});

/**
 * `d = (d - y[t mod n]) + g; y[t mod n] = g; p - (lr / min(t + 1, n)) * d`, where t is the number of steps before and n is `batchNum`.
 *
 * Mirrors `paddle.optimizer.ASGD` (3.3).
 */
export class ASGD extends Optimizer<object> {
  /** The class name, which survives minification. */
  static readonly className = "ASGD";
  readonly #batchNum: number;

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<
      ASGDOptions,
      ["learningRate", "batchNum", "parameters", "weightDecay", "gradClip", "multiPrecision", "name"]
    >
  ) {
    const options = bind(ARGUMENTS, args);
    const { batchNum } = options;
    check(Number.isInteger(batchNum) && batchNum > 0, "batch_num should be greater than 0");
    super(options, []);
    this.#batchNum = options.batchNum;
  }

  /** `d`, `y` (one gradient per batch), `m` (the number of steps, an int64). */
  protected override kinds(_rules: object, { shape }: Parameter): readonly Kind[] {
    return [
      { kind: "d", dtype: "parameter" },
      { kind: "y", dtype: "parameter", shape: [this.#batchNum, ...shape] },
      { kind: "m", dtype: "int64", shape: [1] },
    ];
  }

  /** Update one parameter. */
  protected override update(update: Update<object>): void {
    const count = update.state("m").data as BigInt64Array;
    const batches = BigInt(this.#batchNum);
    const place = Number(BigInt.asUintN(63, count[0]) % batches);
    count[0]++;
    const seen = count[0] < batches ? count[0] : batches;
    const rate = update.round(update.rate / Number(seen));
    const last = update.state("y").slice(place, place + 1);
    update.pieces([update.state("d"), last], (call, n) => call.asgd(n, rate));
  }

  /** Paddle's results for row-sparse gradients are not reproducible. */
  protected override get takesSparse(): boolean {
    return false;
  }
}
