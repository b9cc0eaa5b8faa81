/**
 * `paddle.nn.initializer`: initial values of parameters. After `paddle.seed` the values drawn are those of Paddle on the CPU: uniform ones
 * to the bit, normal ones up to the last bit of a logarithm (which differs in about 3 of 1000).
 *
 * @module
 */
export { Assign, Bilinear, Constant, Dirac } from "./fixed.ts";
export { setGlobalInitializer } from "./global.ts";
export { Initializer } from "./initializer.ts";
export { Orthogonal } from "./orthogonal.ts";
export {
  calculateGain,
  type KaimingArguments,
  KaimingNormal,
  KaimingUniform,
  Normal,
  type NormalArguments,
  TruncatedNormal,
  type TruncatedNormalArguments,
  Uniform,
  type UniformArguments,
  type XavierArguments,
  XavierNormal,
  XavierUniform,
} from "./random.ts";
export type { Call } from "../arguments.ts";
