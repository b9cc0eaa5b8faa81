/**
 * The layers of a transformer.
 *
 * @module
 */
import { type Call, REQUIRED, type Signature } from "../arguments.ts";
import type { Layer } from "../layer.ts";
import type { ParamAttrLike } from "../param_attr.ts";
import { MultiHeadAttention } from "./multi_head_attention.ts";
import { BuiltInLayer } from "./built_in_layer.ts";
import { need } from "./check.ts";
import { Dropout } from "./dropout.ts";
import { Linear } from "./linear.ts";
import { LayerNorm } from "./norm.ts";

/** One attribute for all parts, or one per part. */
export type AttrOfParts = ParamAttrLike | readonly ParamAttrLike[];

/** Arguments of {@linkcode TransformerEncoderLayer} and {@linkcode TransformerDecoderLayer}. */
export interface TransformerLayerArguments {
  /** Size of the inputs and outputs. */
  dModel: number;
  /** Number of heads; must divide dModel. */
  nhead: number;
  /** Size of the activations between the two linear layers. */
  dimFeedforward: number;
  /** Dropout probability. @default {0.1} */
  dropout?: number;
  /** `"relu"` or `"gelu"`. @default {"relu"} */
  activation?: string;
  /** Dropout probability for the attention weights. @default {dropout} */
  attnDropout?: number | null;
  /** Dropout probability after the activation. @default {dropout} */
  actDropout?: number | null;
  /** Whether normalization comes before each part instead of after it. @default {false} */
  normalizeBefore?: boolean;
  /** Of all weights, or per part: attentions, then linear layers. @default {null} */
  weightAttr?: AttrOfParts;
  /** Attributes of all biases, or per part: attentions, then linear layers. @default {null} */
  biasAttr?: AttrOfParts;
  /** Added to the variances. @default {1e-5} */
  layerNormEps?: number;
}

/** The order of {@linkcode TransformerLayerArguments}. */
export type TransformerLayerOrder = [
  "dModel",
  "nhead",
  "dimFeedforward",
  "dropout",
  "activation",
  "attnDropout",
  "actDropout",
  "normalizeBefore",
  "weightAttr",
  "biasAttr",
  "layerNormEps",
];

function layerSignature(name: string): Signature<TransformerLayerArguments> {
  return {
    name,
    defaults: {
      dModel: REQUIRED,
      nhead: REQUIRED,
      dimFeedforward: REQUIRED,
      dropout: 0.1,
      activation: "relu",
      attnDropout: null,
      actDropout: null,
      normalizeBefore: false,
      weightAttr: null,
      biasAttr: null,
      layerNormEps: 1e-5,
    },
  };
}

/** The attribute of each of `n` parts. */
function perPart(attr: AttrOfParts, n: number): ParamAttrLike[] {
  if (!Array.isArray(attr)) return new Array<ParamAttrLike>(n).fill(attr as ParamAttrLike);
  need(attr.length === n, `A list of attributes has ${n} here, one for each part: got ${attr.length}`);
  return [...attr];
}

/** What encoder and decoder layers have in common. */
export abstract class TransformerLayer extends BuiltInLayer<TransformerLayerArguments> {
  /** Creates an attention; `part` is the index of its attributes. */
  protected attention(attrs: Attributes, part: number): MultiHeadAttention {
    const { dModel: embedDim, nhead: numHeads, attnDropout, dropout } = this.config;
    const weightAttr = attrs.weight[part], biasAttr = attrs.bias[part];
    return new MultiHeadAttention({ embedDim, numHeads, dropout: attnDropout ?? dropout, weightAttr, biasAttr });
  }

  /** The attributes of each part. */
  protected attributes(parts: number): Attributes {
    const { weightAttr, biasAttr } = this.config;
    return { weight: perPart(weightAttr, parts), bias: perPart(biasAttr, parts) };
  }

  /** Creates a dropout layer. */
  protected dropping(share: number): Layer {
    return new Dropout({ p: share, mode: "upscale_in_train" });
  }

  /** Creates a normalization layer. */
  protected norm(): LayerNorm {
    return new LayerNorm(this.config.dModel, this.config.layerNormEps);
  }
}

/** Attributes per part. */
export interface Attributes {
  /** Attributes of the weights. */
  weight: ParamAttrLike[];
  /** Attributes of the biases. */
  bias: ParamAttrLike[];
}

/** `self_attn`, `linear1`, `linear2`, `norm1`, `norm2`. Mirrors `paddle.nn.TransformerEncoderLayer` (3.3). */
export class TransformerEncoderLayer extends TransformerLayer {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "TransformerEncoderLayer";
  /** Self-attention. */
  self_attn: MultiHeadAttention;
  /** From dModel to dimFeedforward. */
  linear1: Linear;
  /** From dimFeedforward back to dModel. */
  linear2: Linear;
  /** Normalization of the self-attention. */
  norm1: LayerNorm;
  /** Normalization of the linear layers. */
  norm2: LayerNorm;

  /** Dropout after the activation. */
  dropout: Layer;
  /** Dropout after part 1. */
  dropout1: Layer;
  /** Dropout after part 2. */
  dropout2: Layer;
  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for impossible sizes, or for lists of attributes of the wrong length
   */
  constructor(...args: Call<TransformerLayerArguments, TransformerLayerOrder>) {
    super(layerSignature("TransformerEncoderLayer"), args);
    const { dModel, dimFeedforward } = this.config;
    const attrs = this.attributes(2);
    this.self_attn = this.attention(attrs, 0);
    this.linear1 = new Linear(dModel, dimFeedforward, attrs.weight[1], attrs.bias[1], null);
    this.dropout = this.dropping(this.config.actDropout ?? this.config.dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, attrs.weight[1], attrs.bias[1], null);
    this.norm1 = this.norm();
    this.norm2 = this.norm();
    this.dropout1 = this.dropping(this.config.dropout);
    this.dropout2 = this.dropping(this.config.dropout);
  }
}

/** `self_attn`, `cross_attn`, `linear1`, `linear2`, `norm1`, `norm2`, `norm3`. Mirrors `paddle.nn.TransformerDecoderLayer` (3.3). */
export class TransformerDecoderLayer extends TransformerLayer {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "TransformerDecoderLayer";
  /** Self-attention. */
  self_attn: MultiHeadAttention;
  /** Attention to the encoder's output. */
  cross_attn: MultiHeadAttention;
  /** From dModel to dimFeedforward. */
  linear1: Linear;
  /** From dimFeedforward back to dModel. */
  linear2: Linear;
  /** Normalization of the self-attention. */
  norm1: LayerNorm;
  /** Normalization of the cross-attention. */
  norm2: LayerNorm;
  /** Normalization of the linear layers. */
  norm3: LayerNorm;

  /** Dropout after the activation. */
  dropout: Layer;
  /** Dropout after part 1. */
  dropout1: Layer;
  /** Dropout after part 2. */
  dropout2: Layer;
  /** Dropout after part 3. */
  dropout3: Layer;
  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for impossible sizes, or for lists of attributes of the wrong length
   */
  constructor(...args: Call<TransformerLayerArguments, TransformerLayerOrder>) {
    super(layerSignature("TransformerDecoderLayer"), args);
    const { dModel, dimFeedforward } = this.config;
    const attrs = this.attributes(3);
    this.self_attn = this.attention(attrs, 0);
    this.cross_attn = this.attention(attrs, 1);
    this.linear1 = new Linear(dModel, dimFeedforward, attrs.weight[2], attrs.bias[2], null);
    this.dropout = this.dropping(this.config.actDropout ?? this.config.dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, attrs.weight[2], attrs.bias[2], null);
    this.norm1 = this.norm();
    this.norm2 = this.norm();
    this.norm3 = this.norm();
    this.dropout1 = this.dropping(this.config.dropout);
    this.dropout2 = this.dropping(this.config.dropout);
    this.dropout3 = this.dropping(this.config.dropout);
  }
}
