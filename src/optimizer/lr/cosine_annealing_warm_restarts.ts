/**
 * Cosine annealing with warm restarts.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { check, isNumber, kindOf } from "../arguments.ts";
import { cos, log } from "./correctly_rounded.ts";
import { byName, type ScheduleArguments } from "./schedule_arguments.ts";
import { LRScheduler, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode CosineAnnealingWarmRestarts}. */
export interface CosineAnnealingWarmRestartsOptions extends ScheduleOptions {
  /** The initial rate. */
  learningRate: number;
  /** Epochs in the first cycle; a positive integer. */
  T0: number;
  /** The length of each cycle relative to the one before; a positive integer. @default {1} */
  TMult?: number;
  /** The minimum rate. @default {0} */
  etaMin?: number;
}

/** Paddle's arguments, in order. */
const ARGUMENTS: ScheduleArguments = {
  name: "CosineAnnealingWarmRestarts",
  required: ["learningRate", "T0"],
  optional: ["TMult", "etaMin"],
};

/**
 * `etaMin + (learningRate - etaMin) * (1 + cos(pi * place / length)) / 2`, where `place` is the position in the current cycle and `length`
 * its length.
 *
 * Mirrors `paddle.optimizer.lr.CosineAnnealingWarmRestarts` (3.3), with one improvement. Paddle does not save the position in the cycle, so
 * a loaded scheduler starts a new cycle midway. Here it is derived from `last_epoch`, and a loaded scheduler continues as if it had never
 * been interrupted; the state has the same keys.
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  /** The name that `verbose` prints. */
  static readonly className = "CosineAnnealingWarmRestarts";
  readonly #T0: number;
  readonly #TMult: number;
  readonly #etaMin: number;
  #place: number;
  #length: number;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(
    ...args: Call<CosineAnnealingWarmRestartsOptions, ["learningRate", "T0", "TMult", "etaMin", "lastEpoch", "verbose"]>
  ) {
    const options = byName<CosineAnnealingWarmRestartsOptions>(ARGUMENTS, args);
    const { T0, TMult = 1, etaMin = 0, lastEpoch = -1 } = options;
    check(Number.isInteger(T0) && T0 > 0, `Expected positive integer T_0, but got ${T0}`);
    check(Number.isInteger(TMult) && TMult >= 1, `Expected integer T_mult >= 1, but got ${TMult}`);
    check(isNumber(etaMin), `The type of eta_min must be float, but received ${kindOf(etaMin)}`);
    super(options);
    this.#T0 = T0;
    this.#TMult = TMult;
    this.#etaMin = etaMin;
    this.#place = lastEpoch;
    this.#length = T0;
    if (new.target === CosineAnnealingWarmRestarts) this.begin();
  }

  /** The rate at the current position in the cycle. */
  override getLr(): number {
    const wave = 1 + cos(Math.PI * this.#place / this.#length);
    return this.#etaMin + (this.baseLr - this.#etaMin) * wave / 2;
  }

  /** Advance to the next epoch, or to `epoch`, which need not be an integer. */
  override step(epoch?: number): void {
    this.begin();
    if (epoch === undefined && this.lastEpoch < 0) epoch = 0;
    if (epoch === undefined) {
      epoch = this.lastEpoch + 1;
      this.#place += 1;
      if (this.#place >= this.#length) {
        this.#place -= this.#length;
        this.#length *= this.#TMult;
      }
    } else {
      check(epoch >= 0, `Expected non-negative epoch, but got ${epoch}`);
      this.#goTo(epoch);
    }
    this.lastEpoch = Math.floor(epoch);
    this.lastLr = this.getLr();
    this.sayRate();
  }

  /**
   * Paddle's closed form, including the rounding of its logarithm, which at some cycle boundaries gives the end instead of the next start.
   */
  #goTo(epoch: number): void {
    const [first, times] = [this.#T0, this.#TMult];
    if (epoch < first) {
      this.#place = epoch;
      this.#length = first;
    } else if (times === 1) this.#place = epoch % first;
    else {
      const cycles = Math.trunc(log(epoch / first * (times - 1) + 1) / log(times));
      this.#place = epoch - first * (times ** cycles - 1) / (times - 1);
      this.#length = first * times ** cycles;
    }
  }

  /** Derives the position from `last_epoch`, assuming that all earlier cycles were complete. */
  protected override restored(): void {
    let [place, length] = [this.lastEpoch, this.#T0];
    if (this.#TMult === 1) place %= length;
    while (place >= length) {
      place -= length;
      length *= this.#TMult;
    }
    this.#place = place;
    this.#length = length;
  }
}
