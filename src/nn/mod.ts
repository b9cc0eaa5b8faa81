/**
 * `paddle.nn`: layers as holders of parameters, with Paddle's names, shapes and initial values. There is no forward pass.
 *
 * @module
 */
export { type OptimizeAttr, Parameter, type ParameterOptions } from "./parameter.ts";
