/**
 * Decay along a cosine.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { check, divide, isNumber, kindOf } from "../arguments.ts";
import { cos } from "./correctly_rounded.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode CosineAnnealingDecay}. */
export interface CosineAnnealingDecayOptions extends ScheduleOptions {
  /** The initial rate. */
  learningRate: number;
  /** Epochs in half a cosine wave; a positive integer. */
  TMax: number;
  /** The minimum rate. @default {0} */
  etaMin?: number;
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "CosineAnnealingDecay",
  required: ["learningRate", "TMax"],
  optional: ["etaMin"],
};

/**
 * `etaMin + (learningRate - etaMin) * (1 + cos(pi * epoch / TMax)) / 2`; as in Paddle, `step()` computes it from the previous rate, so its
 * last digits differ from those of `step(epoch)`.
 *
 * Mirrors `paddle.optimizer.lr.CosineAnnealingDecay` (3.3).
 */
export class CosineAnnealingDecay extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "CosineAnnealingDecay";
  readonly #TMax: number;
  readonly #etaMin: number;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(...args: Call<CosineAnnealingDecayOptions, ["learningRate", "TMax", "etaMin", "lastEpoch", "verbose"]>) {
    const options = byName<CosineAnnealingDecayOptions>(ARGUMENTS, args);
    const { TMax, etaMin = 0 } = options;
    check(Number.isInteger(TMax), `The type of 'T_max' in 'CosineAnnealingDecay' must be 'int', but received ${TMax}.`);
    const kind = kindOf(etaMin);
    check(
      isNumber(etaMin),
      `The type of 'eta_min' in 'CosineAnnealingDecay' must be 'float, int', but received ${kind}.`,
    );
    check(TMax > 0, "'T_max' must be a positive integer.");
    super(options);
    this.#TMax = TMax;
    this.#etaMin = etaMin;
    if (new.target === CosineAnnealingDecay) this.begin();
  }

  /** The rate at `this.lastEpoch`, computed from the previous rate. */
  override getLr(): number {
    const epoch = this.lastEpoch;
    const [base, least, half] = [this.baseLr, this.#etaMin, this.#TMax];
    if (epoch === 0) return base;
    if ((epoch - 1 - half) % (2 * half) === 0) return this.lastLr + (base - least) * (1 - cos(Math.PI / half)) / 2;
    const now = 1 + cos(Math.PI * epoch / half);
    const before = 1 + cos(Math.PI * (epoch - 1) / half);
    return divide(now, before) * (this.lastLr - least) + least;
  }

  /** The rate at `this.lastEpoch`, in closed form. */
  protected override getClosedFormLr(): number {
    const wave = 1 + cos(Math.PI * this.lastEpoch / this.#TMax);
    return this.#etaMin + (this.baseLr - this.#etaMin) * wave / 2;
  }
}
