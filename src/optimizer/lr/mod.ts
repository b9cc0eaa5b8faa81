/**
 * `paddle.optimizer.lr`: learning rate schedules, bit for bit as in Paddle.
 *
 * @module
 */
export { pow } from "./correctly_rounded.ts";
export { CosineAnnealingDecay, type CosineAnnealingDecayOptions } from "./cosine_annealing_decay.ts";
export {
  CosineAnnealingWarmRestarts,
  type CosineAnnealingWarmRestartsOptions,
} from "./cosine_annealing_warm_restarts.ts";
export { CyclicLR, type CyclicLROptions } from "./cyclic_lr.ts";
export { ExponentialDecay, type ExponentialDecayOptions } from "./exponential_decay.ts";
export { InverseTimeDecay, type InverseTimeDecayOptions } from "./inverse_time_decay.ts";
export { LambdaDecay, type LambdaDecayOptions } from "./lambda_decay.ts";
export { LinearLR, type LinearLROptions } from "./linear_lr.ts";
export { LinearWarmup, type LinearWarmupOptions } from "./linear_warmup.ts";
export { LRScheduler, type LRSchedulerOptions, type ScheduleOptions, type SetStateOptions } from "./lr_scheduler.ts";
export type { Metric } from "./metric.ts";
export { MultiplicativeDecay, type MultiplicativeDecayOptions } from "./multiplicative_decay.ts";
export { MultiStepDecay, type MultiStepDecayOptions } from "./multi_step_decay.ts";
export { NaturalExpDecay, type NaturalExpDecayOptions } from "./natural_exp_decay.ts";
export { NoamDecay, type NoamDecayOptions } from "./noam_decay.ts";
export { OneCycleLR, type OneCycleLROptions } from "./one_cycle_lr.ts";
export { PiecewiseDecay, type PiecewiseDecayOptions } from "./piecewise_decay.ts";
export { PolynomialDecay, type PolynomialDecayOptions } from "./polynomial_decay.ts";
export { ReduceOnPlateau, type ReduceOnPlateauOptions } from "./reduce_on_plateau.ts";
export { StepDecay, type StepDecayOptions } from "./step_decay.ts";
