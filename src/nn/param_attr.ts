/**
 * Attributes that a caller gives to a parameter of a layer.
 *
 * @module
 */
import { isPlainObject } from "../words/plain_object.ts";
import { ValueError } from "../errors.ts";
import { L1Decay, L2Decay, type Regularizer } from "../regularizer/mod.ts";
import { bind, type Call, type Signature } from "./arguments.ts";
import { Initializer } from "./initializer/initializer.ts";

/** Arguments of {@linkcode ParamAttr}. */
export interface ParamAttrArguments {
  /** The parameter's name. @default {generated: `linear_0.w_0`} */
  name?: string | null;
  /** The initializer. @default {the layer's own} */
  initializer?: Initializer | null;
  /** Factor for the optimizer's learning rate. @default {1} */
  learningRate?: number;
  /** Weight decay, in place of the optimizer's. @default {null} */
  regularizer?: Regularizer | null;
  /** Whether optimizers change it. @default {true} */
  trainable?: boolean;
  /** Whether it takes part in gradient clipping. @default {true} */
  needClip?: boolean;
}

// In Paddle the sixth position is do_model_average, so needClip is passed by name.
const PARAM_ATTR: Signature<ParamAttrArguments> = {
  name: "ParamAttr",
  defaults: { name: null, initializer: null, learningRate: 1, regularizer: null, trainable: true, needClip: true },
  positional: 5,
};

/**
 * Name, initial values and training options of a parameter. Mirrors `paddle.ParamAttr` (3.3).
 *
 * @example
 * ```ts
 * import { nn, ParamAttr } from "@oarlock/paddle";
 * const attr = new ParamAttr({ name: "head", initializer: new nn.initializer.Constant(0.5), trainable: false });
 * const { weight } = new nn.Linear(2, 3, { weightAttr: attr });
 * if (weight.name !== "head" || weight.at(0, 0) !== 0.5 || weight.trainable) throw new Error("ignored");
 * ```
 */
export class ParamAttr {
  /** The parameter's name; null for a generated one. */
  readonly name: string | null;
  /** The initializer; null for the layer's own. */
  readonly initializer: Initializer | null;
  /** Factor for the optimizer's learning rate. */
  readonly learningRate: number;
  /** Weight decay, in place of the optimizer's. */
  readonly regularizer: Regularizer | null;
  /** Whether optimizers change it. */
  readonly trainable: boolean;
  /** Whether it takes part in gradient clipping. */
  readonly needClip: boolean;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for an empty name, or a value of the wrong type
   */
  constructor(...args: Call<ParamAttrArguments, ["name", "initializer", "learningRate", "regularizer", "trainable"]>) {
    const attr = bind(PARAM_ATTR, args);
    check("name", attr.name, attr.name === null || typeof attr.name === "string" && attr.name !== "");
    check("initializer", attr.initializer, attr.initializer === null || attr.initializer instanceof Initializer);
    check("learningRate", attr.learningRate, typeof attr.learningRate === "number");
    check("regularizer", attr.regularizer, attr.regularizer === null || isRegularizer(attr.regularizer));
    check("trainable", attr.trainable, typeof attr.trainable === "boolean");
    check("needClip", attr.needClip, typeof attr.needClip === "boolean");
    this.name = attr.name;
    this.initializer = attr.initializer;
    this.learningRate = attr.learningRate;
    this.regularizer = attr.regularizer;
    this.trainable = attr.trainable;
    this.needClip = attr.needClip;
  }

  /**
   * Converts what `weightAttr` and the like accept to a ParamAttr; null for `false`, which means no such parameter. Mirrors
   * `ParamAttr._to_attr` (3.3).
   *
   * @throws {ValueError} `INVALID_VALUE` for anything else
   */
  static from(attr: ParamAttrLike): ParamAttr | null {
    if (attr === false) return null;
    if (attr === null || attr === undefined || attr === true || attr === "") return new ParamAttr();
    if (attr instanceof ParamAttr) return attr;
    if (typeof attr === "string") return new ParamAttr({ name: attr });
    if (attr instanceof Initializer) return new ParamAttr({ initializer: attr });
    if (isRegularizer(attr)) return new ParamAttr({ regularizer: attr });
    if (isPlainObject(attr)) return new ParamAttr(attr as ParamAttrArguments);
    throw new ValueError("INVALID_VALUE", `Cannot make a ParamAttr of a ${typeof attr}`);
  }
}

/**
 * What a layer accepts for `weightAttr` and `biasAttr`: a ParamAttr or its arguments; just a name, an initializer or a regularizer; null or
 * true for the defaults; false for no such parameter.
 */
export type ParamAttrLike =
  | ParamAttr
  | ParamAttrArguments
  | string
  | Initializer
  | Regularizer
  | boolean
  | null
  | undefined;

function isRegularizer(value: unknown): value is Regularizer {
  return value instanceof L1Decay || value instanceof L2Decay;
}

function check(name: string, value: unknown, isGood: boolean): void {
  if (!isGood) {
    throw new ValueError("INVALID_VALUE", `ParamAttr's ${name} cannot be ${String(value)}`, { actual: value });
  }
}
