/**
 * Transformers.
 *
 * @module
 */
import { type Call, REQUIRED, type Signature } from "../arguments.ts";
import type { Layer } from "../layer.ts";
import type { ParamAttrLike } from "../param_attr.ts";
import { BuiltInLayer } from "./built_in_layer.ts";
import { need, needSize } from "./check.ts";
import { LayerList } from "./containers.ts";
import { Dropout } from "./dropout.ts";
import { Linear } from "./linear.ts";
import { LayerNorm } from "./norm.ts";

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

/** A layer whose arguments make another of its kind. */
export interface Repeatable extends Layer {
  /** The arguments. */
  readonly config: Readonly<Record<string, unknown>> | Readonly<object>;
}

/** The given layer first, then others made anew from its arguments: they share nothing with it. */
function repeated(layer: Repeatable, count: number): LayerList {
  const Class = layer.constructor as new (config: object) => Layer;
  const layers = new LayerList();
  for (let i = 0; i < count; i++) layers.append(i === 0 ? layer : new Class({ ...layer.config }));
  return layers;
}

/** Arguments of {@linkcode TransformerEncoder}. */
export interface TransformerEncoderArguments {
  /** The first layer. */
  encoderLayer: Repeatable;
  /** How many layers there are. */
  numLayers: number;
  /** A last normalization. @default {null} */
  norm?: Layer | null;
}

/** `layers.0`, `layers.1`, ..., and `norm` where it is given. Mirrors `paddle.nn.TransformerEncoder` (3.3). */
export class TransformerEncoder extends BuiltInLayer<TransformerEncoderArguments> {
  /** Begins the names. */
  static readonly className: string = "TransformerEncoder";
  /** The layers: the first is the given one. */
  layers: LayerList;
  /** A last normalization, or null. */
  norm: Layer | null;

  /** Make one. */
  constructor(...args: Call<TransformerEncoderArguments, ["encoderLayer", "numLayers", "norm"]>) {
    super({ name: "TransformerEncoder", defaults: { encoderLayer: REQUIRED, numLayers: REQUIRED, norm: null } }, args);
    needSize("TransformerEncoder", "numLayers", this.config.numLayers);
    this.layers = repeated(this.config.encoderLayer, this.config.numLayers);
    this.norm = this.config.norm;
  }
}

/** Arguments of {@linkcode TransformerDecoder}. */
export interface TransformerDecoderArguments {
  /** The first layer. */
  decoderLayer: Repeatable;
  /** How many layers there are. */
  numLayers: number;
  /** A last normalization. @default {null} */
  norm?: Layer | null;
}

/** `layers.0`, `layers.1`, ..., and `norm` where it is given. Mirrors `paddle.nn.TransformerDecoder` (3.3). */
export class TransformerDecoder extends BuiltInLayer<TransformerDecoderArguments> {
  /** Begins the names. */
  static readonly className: string = "TransformerDecoder";
  /** The layers: the first is the given one. */
  layers: LayerList;
  /** A last normalization, or null. */
  norm: Layer | null;

  /** Make one. */
  constructor(...args: Call<TransformerDecoderArguments, ["decoderLayer", "numLayers", "norm"]>) {
    super({ name: "TransformerDecoder", defaults: { decoderLayer: REQUIRED, numLayers: REQUIRED, norm: null } }, args);
    needSize("TransformerDecoder", "numLayers", this.config.numLayers);
    this.layers = repeated(this.config.decoderLayer, this.config.numLayers);
    this.norm = this.config.norm;
  }
}

/** Arguments of {@linkcode Transformer}. */
export interface TransformerArguments extends Partial<Omit<TransformerLayerArguments, "layerNormEps">> {
  /** Layers of the encoder. @default {6} */
  numEncoderLayers?: number;
  /** Layers of the decoder. @default {6} */
  numDecoderLayers?: number;
  /** Takes the encoder's place. @default {null} */
  customEncoder?: Layer | null;
  /** Takes the decoder's place. @default {null} */
  customDecoder?: Layer | null;
}

const TRANSFORMER: Signature<TransformerArguments> = {
  name: "Transformer",
  defaults: {
    dModel: 512,
    nhead: 8,
    numEncoderLayers: 6,
    numDecoderLayers: 6,
    dimFeedforward: 2048,
    dropout: 0.1,
    activation: "relu",
    attnDropout: null,
    actDropout: null,
    normalizeBefore: false,
    weightAttr: null,
    biasAttr: null,
    customEncoder: null,
    customDecoder: null,
  },
};

/** One, two or three attributes, for the two parts of an encoder's layers and the three of a decoder's. */
function attrsOfStacks(attr: AttrOfParts): { encoder: AttrOfParts; decoder: AttrOfParts } {
  if (!Array.isArray(attr)) return { encoder: attr, decoder: attr };
  need(attr.length >= 1 && attr.length <= 3, `A list of attributes has 1 to 3 here: got ${attr.length}`);
  const first = attr[0], last = attr[attr.length - 1];
  return { encoder: [first, last], decoder: attr.length === 3 ? [...attr] : [first, first, last] };
}

/** `encoder` and `decoder`, each with a last `norm`. Mirrors `paddle.nn.Transformer` (3.3). */
export class Transformer extends BuiltInLayer<TransformerArguments> {
  /** Begins the names. */
  static readonly className: string = "Transformer";
  /** The encoder. */
  encoder: Layer;
  /** The decoder. */
  decoder: Layer;

  /**
   * Make one.
   *
   * @throws {ValueError} `INVALID_VALUE`: sizes that cannot be, or lists of attributes that are too long or short
   */
  constructor(
    ...args: Call<
      TransformerArguments,
      [
        "dModel",
        "nhead",
        "numEncoderLayers",
        "numDecoderLayers",
        "dimFeedforward",
        "dropout",
        "activation",
        "attnDropout",
        "actDropout",
        "normalizeBefore",
        "weightAttr",
        "biasAttr",
        "customEncoder",
        "customDecoder",
      ]
    >
  ) {
    super(TRANSFORMER, args);
    const { numEncoderLayers, numDecoderLayers, customEncoder, customDecoder, ...shared } = this.config;
    const weight = attrsOfStacks(shared.weightAttr), bias = attrsOfStacks(shared.biasAttr);
    const lastNorm = () => new LayerNorm(shared.dModel);
    if (customEncoder) this.encoder = customEncoder;
    else {
      const layer = new TransformerEncoderLayer({ ...shared, weightAttr: weight.encoder, biasAttr: bias.encoder });
      this.encoder = new TransformerEncoder(layer, numEncoderLayers, lastNorm());
    }
    if (customDecoder) this.decoder = customDecoder;
    else {
      const layer = new TransformerDecoderLayer({ ...shared, weightAttr: weight.decoder, biasAttr: bias.decoder });
      this.decoder = new TransformerDecoder(layer, numDecoderLayers, lastNorm());
    }
  }
}
