/**
 * `paddle.optimizer`: optimizers and schedulers whose state dicts are Paddle's.
 *
 * @module
 */
export * as lr from "./lr/mod.ts";
export type { PaddleVersion } from "./version.ts";
