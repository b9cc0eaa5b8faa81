/**
 * Transformers: stacks of layers.
 *
 * @module
 */
import { type Call, REQUIRED, type Signature } from "../arguments.ts";
import type { Layer } from "../layer.ts";
import { BuiltInLayer } from "./built_in_layer.ts";
import { need, needSize } from "./check.ts";
import { LayerList } from "./containers.ts";
import { LayerNorm } from "./norm.ts";
import {
  type AttrOfParts,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerLayerArguments,
} from "./transformer_layers.ts";

/** A layer that keeps its constructor's arguments, so that copies can be created from them. */
export interface Repeatable extends Layer {
  /** The arguments. */
  readonly config: Readonly<Record<string, unknown>> | Readonly<object>;
}

/** The given layer, followed by new ones created from its arguments, which share nothing with it. */
function repeated(layer: Repeatable, count: number): LayerList {
  need(typeof layer.config === "object", "The layer of a stack holds its arguments in `config`, to be made again");
  const Class = layer.constructor as new (config: object) => Layer;
  const layers = new LayerList();
  for (let i = 0; i < count; i++) layers.append(i === 0 ? layer : new Class({ ...layer.config }));
  return layers;
}

/** Arguments of {@linkcode TransformerEncoder}. */
export interface TransformerEncoderArguments {
  /** The first layer. */
  encoderLayer: Repeatable;
  /** The number of layers. */
  numLayers: number;
  /** The final normalization. @default {null} */
  norm?: Layer | null;
}

/** `layers.0`, `layers.1`, ..., and `norm` if given. Mirrors `paddle.nn.TransformerEncoder` (3.3). */
export class TransformerEncoder extends BuiltInLayer<TransformerEncoderArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "TransformerEncoder";
  /** The layers; the first is the one passed in. */
  layers: LayerList;
  /** The final normalization, or null. */
  norm: Layer | null;

  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<TransformerEncoderArguments, ["encoderLayer", "numLayers", "norm"]>) {
    super({ name: "TransformerEncoder", defaults: { encoderLayer: REQUIRED, numLayers: REQUIRED, norm: null } }, args);
    needSize("TransformerEncoder", "numLayers", this.config.numLayers, 0);
    this.layers = repeated(this.config.encoderLayer, this.config.numLayers);
    this.norm = this.config.norm;
  }
}

/** Arguments of {@linkcode TransformerDecoder}. */
export interface TransformerDecoderArguments {
  /** The first layer. */
  decoderLayer: Repeatable;
  /** The number of layers. */
  numLayers: number;
  /** The final normalization. @default {null} */
  norm?: Layer | null;
}

/** `layers.0`, `layers.1`, ..., and `norm` if given. Mirrors `paddle.nn.TransformerDecoder` (3.3). */
export class TransformerDecoder extends BuiltInLayer<TransformerDecoderArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "TransformerDecoder";
  /** The layers; the first is the one passed in. */
  layers: LayerList;
  /** The final normalization, or null. */
  norm: Layer | null;

  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<TransformerDecoderArguments, ["decoderLayer", "numLayers", "norm"]>) {
    super({ name: "TransformerDecoder", defaults: { decoderLayer: REQUIRED, numLayers: REQUIRED, norm: null } }, args);
    needSize("TransformerDecoder", "numLayers", this.config.numLayers, 0);
    this.layers = repeated(this.config.decoderLayer, this.config.numLayers);
    this.norm = this.config.norm;
  }
}

/** Arguments of {@linkcode Transformer}. */
export interface TransformerArguments extends Partial<Omit<TransformerLayerArguments, "layerNormEps">> {
  /** Number of encoder layers. @default {6} */
  numEncoderLayers?: number;
  /** Number of decoder layers. @default {6} */
  numDecoderLayers?: number;
  /** Replaces the encoder. @default {null} */
  customEncoder?: Layer | null;
  /** Replaces the decoder. @default {null} */
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

/** Distributes one, two or three attributes over the two parts of an encoder layer and the three of a decoder layer. */
function attrsOfStacks(attr: AttrOfParts): { encoder: AttrOfParts; decoder: AttrOfParts } {
  if (!Array.isArray(attr)) return { encoder: attr, decoder: attr };
  need(attr.length >= 1 && attr.length <= 3, `A list of attributes has 1 to 3 here: got ${attr.length}`);
  const first = attr[0], last = attr[attr.length - 1];
  return { encoder: [first, last], decoder: attr.length === 3 ? [...attr] : [first, first, last] };
}

/** `encoder` and `decoder`, each with a final `norm`. Mirrors `paddle.nn.Transformer` (3.3). */
export class Transformer extends BuiltInLayer<TransformerArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "Transformer";
  /** The encoder. */
  encoder: Layer;
  /** The decoder. */
  decoder: Layer;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for impossible sizes, or for lists of attributes of the wrong length
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
