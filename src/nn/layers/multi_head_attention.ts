/**
 * Attention.
 *
 * @module
 */
import { type Call, REQUIRED, type Signature } from "../arguments.ts";
import type { ParamAttrLike } from "../param_attr.ts";
import { BuiltInLayer } from "./built_in_layer.ts";
import { need, needSize } from "./check.ts";
import { Linear } from "./linear.ts";

/** Arguments of {@linkcode MultiHeadAttention}. */
export interface MultiHeadAttentionArguments {
  /** Size of the queries and outputs. */
  embedDim: number;
  /** Number of heads; must divide embedDim. */
  numHeads: number;
  /** Dropout probability for the attention weights. @default {0} */
  dropout?: number;
  /** Size of the keys. @default {embedDim} */
  kdim?: number | null;
  /** Size of the values. @default {embedDim} */
  vdim?: number | null;
  /** Whether to output the attention weights, too. @default {false} */
  needWeights?: boolean;
  /** Attributes of all weights. @default {null} */
  weightAttr?: ParamAttrLike;
  /** Attributes of all biases; false for no biases. @default {null} */
  biasAttr?: ParamAttrLike;
}

const MULTI_HEAD_ATTENTION: Signature<MultiHeadAttentionArguments> = {
  name: "MultiHeadAttention",
  defaults: {
    embedDim: REQUIRED,
    numHeads: REQUIRED,
    dropout: 0,
    kdim: null,
    vdim: null,
    needWeights: false,
    weightAttr: null,
    biasAttr: null,
  },
};

/** Linear layers `q_proj`, `k_proj`, `v_proj`, `out_proj`. Mirrors `paddle.nn.MultiHeadAttention` (3.3). */
export class MultiHeadAttention extends BuiltInLayer<MultiHeadAttentionArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "MultiHeadAttention";
  /** The projection of the queries. */
  q_proj: Linear;
  /** The projection of the keys. */
  k_proj: Linear;
  /** The projection of the values. */
  v_proj: Linear;
  /** The projection of the outputs. */
  out_proj: Linear;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for impossible sizes
   */
  constructor(
    ...args: Call<
      MultiHeadAttentionArguments,
      ["embedDim", "numHeads", "dropout", "kdim", "vdim", "needWeights", "weightAttr", "biasAttr"]
    >
  ) {
    super(MULTI_HEAD_ATTENTION, args);
    const { embedDim, numHeads, kdim, vdim, weightAttr, biasAttr } = this.config;
    needSize("MultiHeadAttention", "embedDim", embedDim);
    needSize("MultiHeadAttention", "numHeads", numHeads);
    need(embedDim % numHeads === 0, `MultiHeadAttention: ${numHeads} numHeads do not divide ${embedDim} embedDim`);
    const project = (inFeatures: number) => new Linear({ inFeatures, outFeatures: embedDim, weightAttr, biasAttr });
    this.q_proj = project(embedDim);
    this.k_proj = project(kdim ?? embedDim);
    this.v_proj = project(vdim ?? embedDim);
    this.out_proj = project(embedDim);
  }
}
