/**
 * What keeps gradients small.
 *
 * @module
 */
import { ValueError } from "../errors.ts";
import { bind, type Call, REQUIRED, type Signature } from "./arguments.ts";

/** Arguments of {@linkcode ClipGradByValue}. */
export interface ClipGradByValueArguments {
  /** The greatest value. */
  max: number;
  /** The least value. @default {-max} */
  min?: number | null;
}

/** Arguments of {@linkcode ClipGradByNorm}. */
export interface ClipGradByNormArguments {
  /** The greatest norm. */
  clipNorm: number;
}

/** Arguments of {@linkcode ClipGradByGlobalNorm}. */
export interface ClipGradByGlobalNormArguments {
  /** The greatest norm of all gradients together. */
  clipNorm: number;
  /** A name; it has no effect. @default {"default_group"} */
  groupName?: string;
  /** Leave out a multiplication by 1, which has no effect on the numbers. @default {false} */
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

/** Every element between two bounds: `min(max(g, min), max)`. Mirrors `paddle.nn.ClipGradByValue` (3.3). */
export class ClipGradByValue {
  /** Tells the three apart. */
  readonly kind = "value" as const;
  /** The greatest value. */
  readonly max: number;
  /** The least value. */
  readonly min: number;

  /** Make one. Without a lower bound, the upper one must be above 0. */
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

  /** As Python's `str`. */
  toString(): string {
    return `Clip Gradient By Value, min = ${this.min.toFixed(6)}, max=${this.max.toFixed(6)}`;
  }
}

/** Each gradient with a norm up to `clipNorm`: `g * (clipNorm / norm)` where it is greater. Mirrors `paddle.nn.ClipGradByNorm` (3.3). */
export class ClipGradByNorm {
  /** Tells the three apart. */
  readonly kind = "norm" as const;
  /** The greatest norm. */
  readonly clipNorm: number;

  /** Make one. */
  constructor(...args: Call<ClipGradByNormArguments, ["clipNorm"]>) {
    this.clipNorm = bind(BY_NORM, args).clipNorm;
    needNumber("clipNorm", this.clipNorm);
  }

  /** As Python's `str`. */
  toString(): string {
    return `Gradient Clip By Norm, clip_norm=${this.clipNorm.toFixed(6)}`;
  }
}

/**
 * All gradients of an optimizer, or of one of its groups, by one factor: `g * (clipNorm / max(norm, clipNorm))`, the norm being that of all of
 * them together. Mirrors `paddle.nn.ClipGradByGlobalNorm` (3.3).
 */
export class ClipGradByGlobalNorm {
  /** Tells the three apart. */
  readonly kind = "global" as const;
  /** The greatest norm. */
  readonly clipNorm: number;
  /** A name; it has no effect. */
  readonly groupName: string;
  /** Leave out a multiplication by 1. */
  readonly autoSkipClip: boolean;

  /** Make one. */
  constructor(...args: Call<ClipGradByGlobalNormArguments, ["clipNorm", "groupName", "autoSkipClip"]>) {
    const { clipNorm, groupName, autoSkipClip } = bind(BY_GLOBAL_NORM, args);
    needNumber("clipNorm", clipNorm);
    this.clipNorm = clipNorm;
    this.groupName = groupName;
    this.autoSkipClip = autoSkipClip;
  }

  /** As Python's `str`. */
  toString(): string {
    return `Gradient Clip By GlobalNorm, global_norm=${this.clipNorm.toFixed(6)}`;
  }
}

/** Any of the three. */
export type GradClip = ClipGradByValue | ClipGradByNorm | ClipGradByGlobalNorm;

/** Whether `value` is one of the three. */
export function isGradClip(value: unknown): value is GradClip {
  return value instanceof ClipGradByValue || value instanceof ClipGradByNorm || value instanceof ClipGradByGlobalNorm;
}

function needNumber(name: string, value: unknown): void {
  if (typeof value !== "number") throw new ValueError("INVALID_VALUE", `${name} is a number: got ${typeof value}`);
}
