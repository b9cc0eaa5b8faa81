/**
 * `paddle.amp`: what mixed precision keeps beside parameters and optimizers.
 *
 * @module
 */
export { GradScaler, type GradScalerOptions } from "./grad_scaler.ts";
