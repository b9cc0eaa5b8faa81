/**
 * One layer of a transformer.
 *
 * @module
 */
import { type Call, REQUIRED, type Signature } from "../arguments.ts";
import type { Layer } from "../layer.ts";
import type { ParamAttrLike } from "../param_attr.ts";
import { MultiHeadAttention } from "./attention.ts";
import { BuiltInLayer } from "./built_in_layer.ts";
import { need } from "./check.ts";
import { Dropout } from "./dropout.ts";
import { Linear } from "./linear.ts";
import { LayerNorm } from "./norm.ts";

/** One attribute for all parts, or one for each. */
export type AttrOfParts = ParamAttrLike | readonly ParamAttrLike[];

/** Arguments of {@linkcode TransformerEncoderLayer} and {@linkcode TransformerDecoderLayer}. */
export interface TransformerLayerArguments {
  /** Length of an input, and of an output. */
  dModel: number;
  /** Heads: they divide dModel. */
  nhead: number;
  /** Length between the two linear layers. */
  dimFeedforward: number;
  /** Share that is dropped. @default {0.1} */
  dropout?: number;
  /** `"relu"` or `"gelu"`. @default {"relu"} */
  activation?: string;
  /** Share of attention that is dropped. @default {dropout} */
  attnDropout?: number | null;
  /** Share that is dropped after the activation. @default {dropout} */
  actDropout?: number | null;
  /** Whether each part is normalized before it, and not after. @default {false} */
  normalizeBefore?: boolean;
  /** Of all weights, or of each part: attentions, then linear layers. @default {null} */
  weightAttr?: AttrOfParts;
  /** Of all biases, or of each part: attentions, then linear layers. @default {null} */
  biasAttr?: AttrOfParts;
  /** Added to variances. @default {1e-5} */
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

/** What both kinds of layers make in the same way. */
export abstract class TransformerLayer extends BuiltInLayer<TransformerLayerArguments> {
  /** Attention; `part` says which attributes of a list are its own. */
  protected attention(attrs: Attributes, part: number): MultiHeadAttention {
    const { dModel: embedDim, nhead: numHeads, attnDropout, dropout } = this.config;
    const weightAttr = attrs.weight[part], biasAttr = attrs.bias[part];
    return new MultiHeadAttention({ embedDim, numHeads, dropout: attnDropout ?? dropout, weightAttr, biasAttr });
  }

  /** Attributes of all parts. */
  protected attributes(parts: number): Attributes {
    const { weightAttr, biasAttr } = this.config;
    return { weight: perPart(weightAttr, parts), bias: perPart(biasAttr, parts) };
  }

  /** What drops numbers: it owns nothing, and is there by its name. */
  protected dropping(share: number): Layer {
    return new Dropout({ p: share, mode: "upscale_in_train" });
  }

  /** A normalization. */
  protected norm(): LayerNorm {
    return new LayerNorm(this.config.dModel, this.config.layerNormEps);
  }
}

/** Attributes part by part. */
export interface Attributes {
  /** Of the weights. */
  weight: ParamAttrLike[];
  /** Of the biases. */
  bias: ParamAttrLike[];
}

/** `self_attn`, `linear1`, `linear2`, `norm1`, `norm2`. Mirrors `paddle.nn.TransformerEncoderLayer` (3.3). */
export class TransformerEncoderLayer extends TransformerLayer {
  /** Begins the names. */
  static readonly className: string = "TransformerEncoderLayer";
  /** Attention to the input. */
  self_attn: MultiHeadAttention;
  /** Outwards. */
  linear1: Linear;
  /** Back. */
  linear2: Linear;
  /** Of attention. */
  norm1: LayerNorm;
  /** Of the linear layers. */
  norm2: LayerNorm;

  /** After the activation. */
  dropout: Layer;
  /** After part 1. */
  dropout1: Layer;
  /** After part 2. */
  dropout2: Layer;
  /**
   * Make one.
   *
   * @throws {ValueError} `INVALID_VALUE`: sizes that cannot be, or lists of attributes that are too long or short
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
  /** Begins the names. */
  static readonly className: string = "TransformerDecoderLayer";
  /** Attention to the input. */
  self_attn: MultiHeadAttention;
  /** Attention to the encoder. */
  cross_attn: MultiHeadAttention;
  /** Outwards. */
  linear1: Linear;
  /** Back. */
  linear2: Linear;
  /** Of attention to the input. */
  norm1: LayerNorm;
  /** Of attention to the encoder. */
  norm2: LayerNorm;
  /** Of the linear layers. */
  norm3: LayerNorm;

  /** After the activation. */
  dropout: Layer;
  /** After part 1. */
  dropout1: Layer;
  /** After part 2. */
  dropout2: Layer;
  /** After part 3. */
  dropout3: Layer;
  /**
   * Make one.
   *
   * @throws {ValueError} `INVALID_VALUE`: sizes that cannot be, or lists of attributes that are too long or short
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
