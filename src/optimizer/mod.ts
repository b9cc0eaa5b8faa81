/**
 * `paddle.optimizer`: optimizers and schedulers with Paddle's state dicts and, to the bit, Paddle's steps.
 *
 * @module
 */
export { Adadelta, type AdadeltaOptions, type AdadeltaRules } from "./adadelta.ts";
export { Adagrad, type AdagradOptions, type AdagradRules } from "./adagrad.ts";
export { Adam, AdamLike, type AdamOptions, type AdamRules } from "./adam.ts";
export { Adamax, type AdamaxOptions, type AdamaxRules } from "./adamax.ts";
export { AdamW, type AdamWOptions, type AdamWRules } from "./adamw.ts";
export { ASGD, type ASGDOptions } from "./asgd.ts";
export { Lamb, type LambOptions, type LambRules } from "./lamb.ts";
export { LBFGS, type LBFGSOptions } from "./lbfgs.ts";
export * as lr from "./lr/mod.ts";
export { Momentum, type MomentumOptions, type MomentumRules } from "./momentum.ts";
export { NAdam, type NAdamOptions, type NAdamRules } from "./nadam.ts";
export { Optimizer, type OptimizerOptions, type ParameterGroup } from "./optimizer.ts";
export { RAdam, type RAdamOptions, type RAdamRules } from "./radam.ts";
export { RMSProp, type RMSPropOptions, type RMSPropRules } from "./rmsprop.ts";
export { Rprop, type RpropOptions } from "./rprop.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
export type { PaddleVersion } from "./version.ts";
