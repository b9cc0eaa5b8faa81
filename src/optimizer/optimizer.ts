/**
 * What all optimizers have in common.
 *
 * @module
 */
import { UnsupportedError, ValueError } from "../errors.ts";
import { NDArray } from "../ndarray.ts";
import { type GradClip, isGradClip } from "../nn/clip.ts";
import { checkType } from "../nn/arguments.ts";
import { Parameter } from "../nn/parameter.ts";
import { currentScope } from "../nn/unique_name.ts";
import { L1Decay, L2Decay, type Regularizer } from "../regularizer/mod.ts";
import type { Tensor } from "../tensor.ts";
import type { Value } from "../values.ts";
import { AccumulatorTable, type Kind } from "./accumulators.ts";
import { check, checkArguments, kindOf } from "./arguments.ts";
import { clipGradients } from "./clip_gradients.ts";
import { Gradient } from "./gradient.ts";
import { LambdaDecay } from "./lr/lambda_decay.ts";
import { LRScheduler, type SetStateOptions } from "./lr/lr_scheduler.ts";
import { setWhole } from "./lr/set_whole.ts";
import { MasterWeights } from "./master_weights.ts";
import { isNarrow, precisionOf, roundingOf } from "./numbers.ts";
import { Update } from "./update.ts";
import { checkVersion, isBefore, type PaddleVersion } from "./version.ts";

const f = Math.fround;

/** Parameters with options of their own, which default to the optimizer's. */
export type ParameterGroup<Rules extends object = object> = {
  /** The parameters, in order. */
  params: Parameter | Iterable<Parameter>;
  /** A factor applied to the optimizer's rate. @default {1} */
  learningRate?: number;
  /** Weight decay. */
  weightDecay?: number | Regularizer | null;
  /** Gradient clipping; a global norm covers only this group. */
  gradClip?: GradClip | null;
} & Partial<Rules>;

/** Options that every optimizer takes. */
export interface OptimizerOptions<Rules extends object = object> {
  /** The rate, or a scheduler that sets it. @default {0.001} */
  learningRate?: number | LRScheduler;
  /** The parameters to train, or groups of them. */
  parameters: Iterable<Parameter> | Iterable<ParameterGroup<Rules>>;
  /** Weight decay; a number is the coefficient of L2Decay. A parameter's own regularizer overrides it. @default {null} */
  weightDecay?: number | Regularizer | null;
  /** Gradient clipping, applied before weight decay. @default {null} */
  gradClip?: GradClip | null;
  /** Becomes part of the names of the state tensors. @default {null} */
  name?: string | null;
  /**
   * Keep float32 master weights for float16 and bfloat16 parameters, and compute with them. For classes that lack this argument in Paddle,
   * it is what `paddle.amp.decorate` turns on. @default {false}
   */
  multiPrecision?: boolean;
  /** The Paddle version whose rules apply where versions differ. @default {"3.3"} */
  paddle?: PaddleVersion;
}

interface Group<Rules> {
  readonly parameters: readonly Parameter[];
  readonly decay: Regularizer | null;
  readonly clip: GradClip | null;
  readonly rules: Required<Rules>;
  /** Paddle 2.2 and 2.3: the decay that AdamW adds to the gradient. */
  readonly extraDecay: Regularizer | null;
}

const COMMON = ["params", "learningRate", "weightDecay", "gradClip"];

/**
 * Base class of all optimizers. The caller supplies gradients in `parameter.grad`, then calls `step()`.
 *
 * Mirrors `paddle.optimizer.Optimizer` (3.3) on the CPU: the same float32 or float64 arithmetic with one rounding per operation, and state
 * dicts with the same keys in the same order.
 */
export abstract class Optimizer<Rules extends object = object> {
  /** The Paddle version whose rules apply. */
  readonly paddle: PaddleVersion;
  readonly #groups: Group<Rules>[];
  readonly #isGrouped: boolean;
  /** The decay of parameters without a regularizer of their own. */
  readonly #decay: Regularizer | null;
  readonly #multiPrecision: boolean;
  readonly #accumulators: AccumulatorTable;
  readonly #masters: MasterWeights;
  #learningRate: number | LRScheduler;

  /** For subclasses: `bound` has every option, `rules` names those that a group can override. */
  protected constructor(bound: Required<OptimizerOptions<Rules>> & Rules, rules: readonly (keyof Rules & string)[]) {
    // Not every class takes weightDecay.
    const { learningRate, weightDecay = null, gradClip, name, paddle } = bound;
    check(learningRate as unknown !== null, "learning_rate is not set");
    check(
      typeof learningRate === "number" || learningRate instanceof LRScheduler,
      `learning rate should be float or LRScheduler, got ${kindOf(learningRate)} here`,
    );
    this.#learningRate = learningRate;
    this.paddle = paddle;
    checkVersion(paddle);
    this.#multiPrecision = bound.multiPrecision;
    this.#accumulators = new AccumulatorTable(name, currentScope(), !isBefore(paddle, "2.5"));
    this.#masters = new MasterWeights(currentScope());
    this.#decay = this.decayOf(weightDecay);
    const own = Object.fromEntries(rules.map((rule) => [rule, bound[rule]])) as Required<Rules>;
    const list = listOf(bound.parameters);
    this.#isGrouped = !(list.length > 0 && list[0] instanceof Parameter);
    if (!this.#isGrouped) {
      for (const parameter of list) {
        check(parameter instanceof Parameter, `parameters are Parameters or groups of them: got ${kindOf(parameter)}`);
      }
      const rest = { decay: this.#decay, clip: clipOf(gradClip), rules: own, extraDecay: null };
      this.#groups = [{ parameters: list as Parameter[], ...rest }];
    } else {
      this.#groups = (list as ParameterGroup<Rules>[]).map((group) => this.#group(group, own, bound, rules));
    }
    const all = this.#groups.flatMap((group) => group.parameters);
    check(new Set(all).size === all.length, "some parameters appear in more than one parameter group");
  }

  #group(
    group: ParameterGroup<Rules>,
    own: Required<Rules>,
    bound: Required<OptimizerOptions<Rules>>,
    rules: readonly string[],
  ): Group<Rules> {
    check(
      typeof group === "object" && group !== null && "params" in group,
      "params should be set in parameters if parameter groups are optimized in different options",
    );
    checkArguments("a parameter group", group, ["params"], [...COMMON, ...rules]);
    check(!isBefore(this.paddle, "2.2"), "Paddle before 2.2 has no parameter groups");
    check(!(group.params instanceof Set), "optimizer parameters should be in ordered collections, but received a Set");
    const parameters = group.params instanceof Parameter ? [group.params] : [...group.params];
    for (const parameter of parameters) {
      check(parameter instanceof Parameter, `params of a group are Parameters: got ${kindOf(parameter)}`);
    }
    const { learningRate = 1, weightDecay = bound.weightDecay ?? null, gradClip = bound.gradClip } = group;
    const decay = this.decayOf(weightDecay);
    checkType('a parameter group: "learningRate"', learningRate, "number");
    const given = Object.fromEntries(
      rules.map((rule) => [rule, (group as Record<string, unknown>)[rule] ?? own[rule as never]]),
    );
    for (const rule of rules) {
      const type = typeof own[rule as never];
      if (/^(?:number|boolean)$/.test(type)) checkType(`a parameter group: "${rule}"`, given[rule], type);
    }
    const clip = clipOf(gradClip);
    // As in Paddle, a group's options replace the parameters' own.
    for (const parameter of parameters) {
      parameter.optimizeAttr = { ...parameter.optimizeAttr, learningRate };
      if (this.decaysGradient) parameter.regularizer = this.fusesDecay(decay) ? null : decay;
    }
    return { parameters, decay, clip, rules: given as Required<Rules>, extraDecay: this.extraDecay(group) };
  }

  /** Whether the `weightDecay` option is added to the gradient. AdamW applies its own separately. */
  protected get decaysGradient(): boolean {
    return true;
  }

  /** The gradient decay that a `weightDecay` option stands for. */
  protected decayOf(weightDecay: number | Regularizer | null): Regularizer | null {
    if (weightDecay === null || weightDecay instanceof L1Decay || weightDecay instanceof L2Decay) return weightDecay;
    check(typeof weightDecay === "number", `weight_decay is a number or a regularizer: got ${kindOf(weightDecay)}`);
    return new L2Decay(weightDecay);
  }

  /** An additional gradient decay for a group. */
  protected extraDecay(_group: ParameterGroup<Rules>): Regularizer | null {
    return null;
  }

  /** The kinds of state that a parameter has, in order. */
  protected abstract kinds(rules: Required<Rules>, parameter: Parameter): readonly Kind[];

  /** Update one parameter. */
  protected abstract update(update: Update<Rules>): void;

  /** Whether row-sparse gradients are accepted: for some classes Paddle's results are not reproducible. */
  protected get takesSparse(): boolean {
    return true;
  }

  /** Whether the state changes even for a parameter without elements: most of Paddle's kernels return at once. */
  protected get updatesEmpty(): boolean {
    return false;
  }

  /** All parameters, group by group. */
  get parameters(): readonly Parameter[] {
    return this.#groups.flatMap((group) => group.parameters);
  }

  /** Whether the rate is a number rather than a scheduler. */
  protected get hasFixedRate(): boolean {
    return typeof this.#learningRate === "number";
  }

  /** The current rate, without the parameters' own factors. A fixed rate is not part of the state. */
  getLr(): number {
    return typeof this.#learningRate === "number" ? this.#learningRate : this.#learningRate.lastLr;
  }

  /**
   * Set another fixed rate.
   *
   * @throws {ValueError} `INVALID_VALUE` if the rate comes from a scheduler, or `value` is not a number
   */
  setLr(value: number): void {
    check(
      typeof value === "number",
      `The type of 'value' in optimizer.set_lr must be float, but received ${kindOf(value)}.`,
    );
    check(
      typeof this.#learningRate === "number",
      "optimizer's learning rate can't be LRScheduler when invoke this API, because this will lead to conflict.",
    );
    this.#learningRate = value;
  }

  /**
   * Take the rate from a scheduler from now on. Stepping it is up to the caller.
   *
   * @throws {ValueError} `INVALID_VALUE` if it is not a scheduler
   */
  setLrScheduler(scheduler: LRScheduler): void {
    check(
      scheduler instanceof LRScheduler,
      `The type of 'scheduler' in optimizer.set_lr_scheduler must be LRScheduler, but received ${kindOf(scheduler)}.`,
    );
    this.#learningRate = scheduler;
  }

  /** Set the existing gradients of all trainable parameters to zeros, or drop them if `setToZero` is false. */
  clearGrad(setToZero = true): void {
    for (const parameter of this.parameters) if (parameter.trainable) parameter.clearGrad(setToZero);
  }

  /**
   * Drop the gradients of all trainable parameters, or set the existing ones to zeros if `setToNone` is false.
   *
   * Mirrors `zero_grad` of Paddle 3.3, whose default is the opposite of {@linkcode Optimizer.clearGrad}'s.
   */
  zeroGrad(setToNone = true): void {
    this.clearGrad(!setToNone);
  }

  /**
   * Update every trainable parameter that has a gradient: clip, add weight decay, update (TRAINING.md 2). If a gradient or a state does not
   * fit, nothing is updated (Paddle updates the groups before).
   *
   * @throws {ValueError} `INVALID_VALUE` if a gradient, or a state that was set before, does not fit
   * @throws {UnsupportedError} `UNSUPPORTED_FEATURE` for a row-sparse gradient if Paddle's result is not reproducible,
   * `UNSUPPORTED_DTYPE` for a parameter that is neither float32 nor float64 nor, with `multiPrecision`, float16 or bfloat16
   */
  step(): void {
    const rate = this.#rate(), ofRate = this.#roundingOfRate;
    const ofFactor = this.#takesFloat ? f : ofRate;
    for (const { group, live, gradients, targets } of this.#groups.map((group) => this.#prepared(group))) {
      live.forEach((parameter, i) => {
        const gradient = gradients[i];
        const round = roundingOf(gradient.precision);
        for (const decay of this.#decaysOf(parameter, group)) {
          gradient.decayBy(decay, { inFloat: this.decaysInFloat(decay), isFused: this.fusesDecay(decay) });
        }
        const { learningRate } = parameter.optimizeAttr;
        if (parameter.size === 0 && !this.updatesEmpty) return;
        this.update(
          new Update({
            parameter,
            target: targets[i],
            gradient,
            rate: round(learningRate === 1 ? rate : ofRate(rate * ofFactor(learningRate))),
            rules: group.rules,
            attribute: this.#takesFloat ? f : round,
            state: (kind) => this.#accumulators.get(kind, targets[i].name),
          }),
        );
      });
    }
  }

  /** What a group updates, checked and clipped: all groups are, before the first parameter is changed. */
  #prepared(group: Group<Rules>) {
    const live = group.parameters.filter((parameter) => this.#isLive(parameter));
    const gradients = live.map((parameter) => new Gradient(parameter, parameter.grad!));
    live.forEach((parameter, i) => this.#mayUpdate(parameter, gradients[i]));
    const targets = live.map((parameter) => this.#accumulate(parameter, group.rules));
    clipGradients(group.clip, live, gradients, this.paddle);
    return { group, live, gradients, targets };
  }

  /**
   * The decays that are added to a gradient, in order. A parameter's own decay overrides the optimizer's, which, as in Paddle, applies even
   * if a group's is null; but a fused decay comes on top of one that is added beforehand.
   */
  #decaysOf({ regularizer }: Parameter, group: Group<Rules>): readonly Regularizer[] {
    const own = regularizer ?? (this.decaysGradient ? this.#decay : group.extraDecay);
    const decays: (Regularizer | null)[] = [];
    const isOld = isBefore(this.paddle, "2.1");
    if (regularizer || !this.fusesDecay(own)) decays.push(own);
    // Before 2.1 the fused decay is always the optimizer's, regardless of the parameter's.
    if ((isOld || !regularizer) && this.fusesDecay(group.decay)) decays.push(group.decay);
    return decays.filter((decay) => decay !== null);
  }

  /** Whether Paddle's update kernel applies a decay itself instead of having it added to the gradient beforehand. */
  protected fusesDecay(_decay: Regularizer | null): boolean {
    return false;
  }

  /** The rate, rounded like Paddle's rate tensor. */
  #rate(): number {
    return this.#takesFloat ? f(this.getLr()) : this.#roundingOfRate(this.getLr());
  }

  /** Rounds like Paddle's rate tensor, which has the dtype of the first parameter. */
  get #roundingOfRate(): (x: number) => number {
    const first = this.#groups.find(({ parameters }) => parameters.length > 0);
    return roundingOf(precisionOf(first?.parameters[0].dtype ?? "float32"));
  }

  /** Whether options reach the kernels as float32, even for float64 parameters. */
  get #takesFloat(): boolean {
    return isBefore(this.paddle, "2.3");
  }

  /** Whether the coefficient of a decay is a float32, even for float64 parameters. */
  protected decaysInFloat(_decay: Regularizer): boolean {
    return this.#takesFloat;
  }

  /** Whether a row-sparse gradient is refused if `weightDecay` was given for all parameters. */
  protected get refusesSparseDecay(): boolean {
    return false;
  }

  /** The class name, which survives minification. */
  get #className(): string {
    const own = this.constructor as { className?: string };
    return own.className ?? this.constructor.name;
  }

  /** Whether a step updates a parameter: it is trainable and has a gradient. Before 3.3 one without elements never had any. */
  #isLive({ stopGradient, grad, size }: Parameter): boolean {
    return !stopGradient && grad !== null && (size > 0 || !isBefore(this.paddle, "3.3"));
  }

  #takes({ dtype }: Parameter): boolean {
    return dtype === "float32" || dtype === "float64" || (isNarrow(dtype) && this.#multiPrecision);
  }

  #mayUpdate(parameter: Parameter, gradient: Gradient): void {
    if (!this.#takes(parameter)) {
      const message = `${parameter.name} is ${parameter.dtype}: optimizers change float32 and float64` +
        (isNarrow(parameter.dtype) ? ", and float16 and bfloat16 with multiPrecision" : "");
      throw new UnsupportedError("UNSUPPORTED_DTYPE", message, {
        expected: "float32 or float64",
        actual: parameter.dtype,
      });
    }
    if (gradient.isSparse && !this.takesSparse) {
      throw new UnsupportedError(
        "UNSUPPORTED_FEATURE",
        `${this.#className} takes no row-sparse gradient of ${parameter.name}: Paddle fails, or its numbers change from run to run`,
        { hint: "make the gradient dense" },
      );
    }
    // Paddle looks at neither groups nor the parameters' own regularizers: these make the gradient dense.
    const isRefused = gradient.isSparse && this.refusesSparseDecay && this.#decay !== null && !this.#isGrouped;
    check(!isRefused, "Adam don't support weight_decay with sparse parameters, please set it to None.");
  }

  /** Create the state of all float32 and float64 parameters, trainable or not, before the first step. */
  protected accumulateAll(): void {
    for (const { parameters, rules } of this.#groups) {
      for (const parameter of parameters) {
        if (parameter.dtype === "float32" || parameter.dtype === "float64") this.#accumulate(parameter, rules);
      }
    }
  }

  /** A step that a GradScaler skips: since 2.5 the missing state is created, and that is all. */
  protected skipStep(): void {
    if (isBefore(this.paddle, "2.5")) return;
    for (const { parameters, rules } of this.#groups) {
      for (const parameter of parameters) {
        if (this.#isLive(parameter) && this.#takes(parameter)) this.#accumulate(parameter, rules);
      }
    }
  }

  /** Create the missing state of a parameter; returns the tensor to compute with: the parameter or its master weight. */
  #accumulate(parameter: Parameter, rules: Required<Rules>): Tensor {
    const target = isNarrow(parameter.dtype) ? this.#masters.of(parameter) : parameter;
    let kinds = this.kinds(rules, parameter);
    if (this.#takesFloat) kinds = kinds.map((kind) => ({ ...kind, value: f(kind.value ?? 0) }));
    this.#accumulators.make(target, parameter.dtype, kinds);
    return target;
  }

  /**
   * The state, with Paddle's keys in Paddle's order: kind by kind, then `master_weights`, then `LR_Scheduler`. Its tensors are live:
   * `step()` changes them. Before the first step it has only what was set.
   */
  stateDict(): Map<string, Value> {
    const state: Map<string, Value> = this.#accumulators.entries(!isBefore(this.paddle, "3.0"));
    const masters = this.#masters.entries();
    if (masters) state.set("master_weights", masters);
    if (this.#learningRate instanceof LRScheduler) state.set("LR_Scheduler", this.#learningRate.stateDict());
    return state;
  }

  /**
   * Resume from `state`. An optimizer that has not stepped yet takes the tensors at its first step, and only then checks that they fit.
   * `state` is not modified. If it does not fit, nothing is set (Paddle sets part of it).
   *
   * @throws {ValueError} `INVALID_VALUE` if a key is missing, or a shape or dtype differs; nothing is cast
   */
  setStateDict(state: ReadonlyMap<Value, Value>, options: SetStateOptions = {}): void {
    check(state instanceof Map, `An optimizer's state is a Map: got ${kindOf(state)}`);
    const scheduler = this.#learningRate;
    const rates = state.get("LR_Scheduler");
    if (scheduler instanceof LRScheduler) {
      const isNeeded = !(scheduler instanceof LambdaDecay) || isBefore(this.paddle, "3.0");
      check(
        !isNeeded || rates instanceof Map,
        "LR_Scheduler state must be included in the state dict except LambdaDecay",
      );
    }
    const setMasters = this.#masters.prepare(state.get("master_weights"));
    const rest = new Map(state);
    rest.delete("LR_Scheduler");
    rest.delete("master_weights");
    const set = this.#accumulators.prepare(rest);
    // Since 3.0 an empty state of the scheduler is none.
    const isEmpty = rates instanceof Map && rates.size === 0 && !isBefore(this.paddle, "3.0");
    if (scheduler instanceof LRScheduler && rates instanceof Map && !isEmpty) setWhole(scheduler, rates, options);
    setMasters();
    set();
  }

  /**
   * An alias of {@linkcode Optimizer.setStateDict}, as in Paddle 3.3.
   *
   * @throws {ValueError} as `setStateDict` does
   */
  loadStateDict(state: ReadonlyMap<Value, Value>, options: SetStateOptions = {}): void {
    this.setStateDict(state, options);
  }
}

function listOf(parameters: unknown): unknown[] {
  check(
    parameters !== null && parameters !== undefined,
    "parameters argument given to the Optimizer should not be None in dygraph mode.",
  );
  check(
    !(parameters instanceof NDArray) && !(parameters instanceof Map) && typeof parameters === "object" &&
      Symbol.iterator in parameters!,
    "`parameters` argument given to the optimizer should be an iterable of paddle Tensors, or a list of groups",
  );
  return [...parameters as Iterable<unknown>];
}

function clipOf(gradClip: GradClip | null): GradClip | null {
  if (gradClip !== null && !isGradClip(gradClip)) {
    throw new ValueError("INVALID_VALUE", "'grad_clip' should be an instance of GradientClipBase's derived class");
  }
  return gradClip;
}
