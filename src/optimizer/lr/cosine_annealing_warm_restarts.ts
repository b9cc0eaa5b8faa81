/**
 * Cosines that begin anew.
 *
 * @module
 */
import type { Call } from "../../nn/arguments.ts";
import { byName, check, checkArguments } from "../arguments.ts";
import { cos, log } from "./correctly_rounded.ts";
import { LRScheduler, SCHEDULE_OPTIONS, type ScheduleOptions } from "./lr_scheduler.ts";

/** Options of {@linkcode CosineAnnealingWarmRestarts}. */
export interface CosineAnnealingWarmRestartsOptions extends ScheduleOptions {
  /** The rate to start from. */
  learningRate: number;
  /** Epochs of the first cycle; a whole number above 0. */
  T0: number;
  /** Each cycle is as many times as long as the one before; a whole number above 0. @default {1} */
  TMult?: number;
  /** The least rate. @default {0} */
  etaMin?: number;
}

/** Paddle's positions. */
const ORDER = ["learningRate", "T0", "TMult", "etaMin", "lastEpoch", "verbose"];

/**
 * `etaMin + (learningRate - etaMin) * (1 + cos(pi * place / length)) / 2`, place and length being those of the cycle.
 *
 * Mirrors `paddle.optimizer.lr.CosineAnnealingWarmRestarts` (3.3), with one thing better. Paddle keeps the place in the cycle beside the
 * state, so that a loaded scheduler begins a cycle in the middle of one. Here it is worked out from `last_epoch`, and a loaded scheduler goes
 * on as if nobody had interrupted; the state has the same keys.
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  /** The name that `verbose` says. */
  static readonly className = "CosineAnnealingWarmRestarts";
  readonly #T0: number;
  readonly #TMult: number;
  readonly #etaMin: number;
  #place: number;
  #length: number;

  /**
   * Make one, with Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(
    ...args: Call<CosineAnnealingWarmRestartsOptions, ["learningRate", "T0", "TMult", "etaMin", "lastEpoch", "verbose"]>
  ) {
    const options = byName<CosineAnnealingWarmRestartsOptions>("CosineAnnealingWarmRestarts", ORDER, args);
    checkArguments("CosineAnnealingWarmRestarts", options, ["learningRate", "T0"], [
      "TMult",
      "etaMin",
      ...SCHEDULE_OPTIONS,
    ]);
    const { T0, TMult = 1, etaMin = 0, lastEpoch = -1 } = options;
    check(Number.isInteger(T0) && T0 > 0, `Expected positive integer T_0, but got ${T0}`);
    check(Number.isInteger(TMult) && TMult >= 1, `Expected integer T_mult >= 1, but got ${TMult}`);
    super(options);
    this.#T0 = T0;
    this.#TMult = TMult;
    this.#etaMin = etaMin;
    this.#place = lastEpoch;
    this.#length = T0;
    if (new.target === CosineAnnealingWarmRestarts) this.begin();
  }

  /** The rate of the place in the cycle. */
  override getLr(): number {
    const wave = 1 + cos(Math.PI * this.#place / this.#length);
    return this.#etaMin + (this.baseLr - this.#etaMin) * wave / 2;
  }

  /** Go on to the next epoch, or to `epoch`, which need not be whole. */
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

  /** Paddle's closed form, with the rounding of its logarithm: at some ends of a cycle it answers the end, not the next start. */
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

  /** Where `last_epoch` lies when all cycles before it were whole. */
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
