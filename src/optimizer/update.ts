/**
 * The update of one parameter in one step, as the update rules see it.
 *
 * @module
 */
import { LANE, type Lane, type UpdateFunctions, type Window, windowFor } from "../kernel/lanes.ts";
import type { NDArray } from "../ndarray.ts";
import type { Parameter } from "../nn/parameter.ts";
import type { Tensor } from "../tensor.ts";
import type { Gradient } from "./gradient.ts";
import { type Numbers, numbersOf, roundingOf } from "./numbers.ts";

/** Options of {@linkcode Update.pieces}. */
export interface PiecesOptions {
  /** The ranges of elements to go over: the start of each, and its number of elements. @default {all} */
  parts?: Iterable<readonly [start: number, count: number]>;
  /** Put the gradient into lane 1. @default {true} */
  withGradient?: boolean;
  /** Write the states back. @default {true} */
  keepStates?: boolean;
}

/** What an update is made of. */
export type UpdateParts<Rules> = Pick<
  Update<Rules>,
  "parameter" | "target" | "gradient" | "rate" | "rules" | "attribute" | "state"
>;

/** A parameter with its gradient and its state. */
export class Update<Rules> {
  /** The parameter. */
  readonly parameter: Parameter;
  /** The tensor to compute with: the parameter, or its float32 master weight. */
  readonly target: NDArray;
  /** The gradient, which is clipped and decayed as it is read. */
  readonly gradient: Gradient;
  /** The learning rate, rounded to the precision of the computation. */
  readonly rate: number;
  /** The options of the parameter's group. */
  readonly rules: Required<Rules>;
  /** Rounds the options that Paddle takes in the precision of the computation, but before 2.3 as float32. */
  readonly attribute: (x: number) => number;
  /** The state tensor of a kind. */
  readonly state: (kind: string) => Tensor;
  /** Rounds to the precision of the computation. */
  readonly round: (x: number) => number;
  readonly #numbers: Numbers;
  /** The parameter itself if there is a master weight: it receives the master weight's new values. */
  readonly #copy: Numbers | null;

  /** Created by the optimizer. */
  constructor({ parameter, target, gradient, rate, rules, attribute, state }: UpdateParts<Rules>) {
    this.parameter = parameter;
    this.target = target;
    this.gradient = gradient;
    this.rate = rate;
    this.rules = rules;
    this.attribute = attribute;
    this.state = state;
    this.round = roundingOf(gradient.precision);
    this.#numbers = numbersOf(target);
    this.#copy = target === parameter ? null : numbersOf(parameter);
  }

  /** The data of a state tensor with one element. */
  scalar(kind: string): Lane {
    return this.state(kind).data as Lane;
  }

  /**
   * Run `work` over the parameter, piece by piece. The parameter is in lane 0, the gradient in lane 1 and `states` in lanes 2 and up; what
   * `work` leaves in lane 0 and in the states' lanes is written back.
   */
  pieces(
    states: readonly NDArray[],
    work: (call: UpdateFunctions, n: number, start: number, window: Window) => void,
    { parts = [[0, this.target.size]], withGradient = true, keepStates = true }: PiecesOptions = {},
  ): void {
    const window = windowFor(this.target.size, this.gradient.precision);
    const { lanes, call } = window;
    const tensors = states.map(numbersOf);
    for (const [first, count] of parts) {
      for (let start = first; start < first + count; start += LANE) {
        const n = Math.min(LANE, first + count - start);
        this.#numbers.read(start, n, lanes[0]);
        tensors.forEach((tensor, i) => tensor.read(start, n, lanes[i + 2]));
        if (withGradient) this.gradient.fill(window, start, n);
        work(call, n, start, window);
        this.#numbers.write(start, n, lanes[0]);
        this.#copy?.write(start, n, lanes[0]);
        if (keepStates) tensors.forEach((tensor, i) => tensor.write(start, n, lanes[i + 2]));
      }
    }
  }

  /** Load the `n` elements from `start`, at most `LANE`, of the parameter and `states` into lanes 0 and 2 and up, for reading only. */
  look(states: readonly NDArray[], start: number, n: number): Window {
    const window = windowFor(this.target.size, this.gradient.precision);
    this.#numbers.read(start, n, window.lanes[0]);
    states.forEach((state, i) => numbersOf(state).read(start, n, window.lanes[i + 2]));
    return window;
  }
}
