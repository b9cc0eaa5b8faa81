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
  /** Length of a query, and of an output. */
  embedDim: number;
  /** Heads: they divide embedDim. */
  numHeads: number;
  /** Share of attention that is dropped. @default {0} */
  dropout?: number;
  /** Length of a key. @default {embedDim} */
  kdim?: number | null;
  /** Length of a value. @default {embedDim} */
  vdim?: number | null;
  /** Whether weights are an output, too. @default {false} */
  needWeights?: boolean;
  /** Of all weights. @default {null} */
  weightAttr?: ParamAttrLike;
  /** Of all biases; false: there are none. @default {null} */
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
  /** Begins the names. */
  static readonly className: string = "MultiHeadAttention";
  /** Of queries. */
  q_proj: Linear;
  /** Of keys. */
  k_proj: Linear;
  /** Of values. */
  v_proj: Linear;
  /** Of outputs. */
  out_proj: Linear;

  /**
   * Make one.
   *
   * @throws {ValueError} `INVALID_VALUE`: sizes that cannot be
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
