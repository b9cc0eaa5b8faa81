/**
 * `paddle.amp`: the state of mixed precision training besides parameters and optimizers.
 *
 * @module
 */
export { GradScaler, type GradScalerOptions } from "./grad_scaler.ts";
