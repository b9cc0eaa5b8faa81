/**
 * Gradient clipping.
 *
 * @module
 */
import { ValueError } from "../errors.ts";
import { bind, type Call, REQUIRED, type Signature } from "./arguments.ts";

/** Arguments of {@linkcode ClipGradByValue}. */
export interface ClipGradByValueArguments {
  /** The maximum value. */
  max: number;
  /** The minimum value. @default {-max} */
  min?: number | null;
}

/** Arguments of {@linkcode ClipGradByNorm}. */
export interface ClipGradByNormArguments {
  /** The maximum norm. */
  clipNorm: number;
}

/** Arguments of {@linkcode ClipGradByGlobalNorm}. */
export interface ClipGradByGlobalNormArguments {
  /** The maximum norm of all gradients together. */
  clipNorm: number;
  /** A name, which has no effect. @default {"default_group"} */
  groupName?: string;
  /** Skip multiplications by 1, which does not affect the results. @default {false} */
  autoSkipClip?: boolean;
}

const BY_VALUE: Signature<ClipGradByValueArguments> = {
  name: "ClipGradByValue",
  defaults: { max: REQUIRED, min: null },
};
const BY_NORM: Signature<ClipGradByNormArguments> = { name: "ClipGradByNorm", defaults: { clipNorm: REQUIRED } };
const BY_GLOBAL_NORM: Signature<ClipGradByGlobalNormArguments> = {
  name: "ClipGradByGlobalNorm",
  defaults: { clipNorm: REQUIRED, groupName: "default_group", autoSkipClip: false },
};

/** Clips every element to two bounds: `min(max(g, min), max)`. Mirrors `paddle.nn.ClipGradByValue` (3.3). */
export class ClipGradByValue {
  /** Distinguishes the three classes. */
  readonly kind = "value" as const;
  /** The maximum value. */
  readonly max: number;
  /** The minimum value. */
  readonly min: number;

  /** Takes Paddle's arguments by position or by name. Without a `min`, `max` must be above 0. */
  constructor(...args: Call<ClipGradByValueArguments, ["max", "min"]>) {
    const { max, min } = bind(BY_VALUE, args);
    needNumber("max", max);
    if (min === null && max <= 0) {
      throw new ValueError("INVALID_VALUE", `max must be above 0 where there is no min: got ${max}`);
    }
    this.max = max;
    this.min = min ?? -max;
    needNumber("min", this.min);
  }

  /** The same text as Python's `str`. */
  toString(): string {
    return `Clip Gradient By Value, min = ${this.min.toFixed(6)}, max=${this.max.toFixed(6)}`;
  }
}

/** Scales each gradient whose norm exceeds `clipNorm`: `g * (clipNorm / norm)`. Mirrors `paddle.nn.ClipGradByNorm` (3.3). */
export class ClipGradByNorm {
  /** Distinguishes the three classes. */
  readonly kind = "norm" as const;
  /** The maximum norm. */
  readonly clipNorm: number;

  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<ClipGradByNormArguments, ["clipNorm"]>) {
    this.clipNorm = bind(BY_NORM, args).clipNorm;
    needNumber("clipNorm", this.clipNorm);
  }

  /** The same text as Python's `str`. */
  toString(): string {
    return `Gradient Clip By Norm, clip_norm=${this.clipNorm.toFixed(6)}`;
  }
}

/**
 * Scales all gradients of an optimizer, or of one of its groups, by one factor: `g * (clipNorm / max(norm, clipNorm))`, where `norm` is the
 * norm of all of them together. Mirrors `paddle.nn.ClipGradByGlobalNorm` (3.3).
 */
export class ClipGradByGlobalNorm {
  /** Distinguishes the three classes. */
  readonly kind = "global" as const;
  /** The maximum norm. */
  readonly clipNorm: number;
  /** A name, which has no effect. */
  readonly groupName: string;
  /** Whether multiplications by 1 are skipped. */
  readonly autoSkipClip: boolean;

  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<ClipGradByGlobalNormArguments, ["clipNorm", "groupName", "autoSkipClip"]>) {
    const { clipNorm, groupName, autoSkipClip } = bind(BY_GLOBAL_NORM, args);
    needNumber("clipNorm", clipNorm);
    this.clipNorm = clipNorm;
    this.groupName = groupName;
    this.autoSkipClip = autoSkipClip;
  }

  /** The same text as Python's `str`. */
  toString(): string {
    return `Gradient Clip By GlobalNorm, global_norm=${this.clipNorm.toFixed(6)}`;
  }
}

/** Any of the clipping classes. */
export type GradClip = ClipGradByValue | ClipGradByNorm | ClipGradByGlobalNorm;

/** Whether `value` is an instance of one of the clipping classes. */
export function isGradClip(value: unknown): value is GradClip {
  return value instanceof ClipGradByValue || value instanceof ClipGradByNorm || value instanceof ClipGradByGlobalNorm;
}

function needNumber(name: string, value: unknown): void {
  if (typeof value !== "number") throw new ValueError("INVALID_VALUE", `${name} is a number: got ${typeof value}`);
}
