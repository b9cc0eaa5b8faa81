/**
 * The cells of recurrent networks, which compute one step.
 *
 * @module
 */
import { isBefore, NEWEST } from "../../optimizer/version.ts";
import { type Call, REQUIRED, type Signature } from "../arguments.ts";
import { Uniform } from "../initializer/random.ts";
import type { ParamAttrLike } from "../param_attr.ts";
import type { Parameter } from "../parameter.ts";
import { BuiltInLayer } from "./built_in_layer.ts";
import { need, needSize } from "./check.ts";
import { type OfPaddle, switchedOff } from "./frozen.ts";

/** Attributes of a cell's parameters. Since 2.6, false leaves a frozen parameter: 1 for weights, 0 for biases. */
export interface CellAttributes extends OfPaddle {
  /** Attributes of the input-to-hidden weight. @default {null} */
  weightIhAttr?: ParamAttrLike;
  /** Attributes of the hidden-to-hidden weight. @default {null} */
  weightHhAttr?: ParamAttrLike;
  /** Attributes of the bias that goes with weight_ih. @default {null} */
  biasIhAttr?: ParamAttrLike;
  /** Attributes of the bias that goes with weight_hh. @default {null} */
  biasHhAttr?: ParamAttrLike;
}

/** Arguments of {@linkcode GRUCell}. */
export interface CellArguments extends CellAttributes {
  /** Size of an input. */
  inputSize: number;
  /** Size of the hidden state. */
  hiddenSize: number;
  /** The name of the layer's outputs; does not affect parameter names. @default {null} */
  name?: string | null;
}

/** Arguments of {@linkcode SimpleRNNCell}. */
export interface SimpleRNNCellArguments extends CellArguments {
  /** `"tanh"` or `"relu"`. @default {"tanh"} */
  activation?: string;
}

/** Arguments of {@linkcode LSTMCell}. */
export interface LSTMCellArguments extends CellArguments {
  /** Size to which the hidden state is projected; 0 for no projection. Since 3.0. @default {0} */
  projSize?: number;
}

const attributes = { weightIhAttr: null, weightHhAttr: null, biasIhAttr: null, biasHhAttr: null } as const;
const sizes = { inputSize: REQUIRED, hiddenSize: REQUIRED } as const;

/** What all cells have in common. */
export abstract class RNNCellBase<A extends CellArguments> extends BuiltInLayer<A> {
  /** [gates * hiddenSize, inputSize]. */
  declare weight_ih: Parameter | null;
  /** [gates * hiddenSize, hiddenSize or projSize]. */
  declare weight_hh: Parameter | null;
  /** [gates * hiddenSize]. */
  declare bias_ih: Parameter | null;
  /** [gates * hiddenSize]. */
  declare bias_hh: Parameter | null;

  /** Create the four parameters. */
  protected fill(name: string, gates: number, projSize = 0): void {
    const { inputSize, hiddenSize, weightIhAttr, weightHhAttr, biasIhAttr, biasHhAttr, paddle }: CellArguments =
      this.config;
    needSize(name, "hiddenSize", hiddenSize);
    needSize(name, "inputSize", inputSize, 0);
    const std = 1 / Math.sqrt(hiddenSize);
    const stays = !isBefore(paddle ?? NEWEST, "2.6");
    const make = (shape: number[], attr: ParamAttrLike, isBias: boolean): Parameter | null => {
      const options = { attr, isBias, defaultInitializer: new Uniform(-std, std) };
      if (attr !== false || !stays) return this.createParameter(shape, options);
      return switchedOff(this, shape, isBias ? 0 : 1, { isBias });
    };
    const rows = gates * hiddenSize;
    this.weight_ih = make([rows, inputSize], weightIhAttr, false);
    this.weight_hh = make([rows, projSize || hiddenSize], weightHhAttr, false);
    this.bias_ih = make([rows], biasIhAttr, true);
    this.bias_hh = make([rows], biasHhAttr, true);
  }
}

// Functions, so that a bundle contains nothing of the layers it does not use.
const simpleRnnCell = (): Signature<SimpleRNNCellArguments> => ({
  name: "SimpleRNNCell",
  defaults: { ...sizes, activation: "tanh", ...attributes, name: null, paddle: NEWEST },
  positional: 8,
});

/** `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` of one gate. Mirrors `paddle.nn.SimpleRNNCell` (3.3). */
export class SimpleRNNCell extends RNNCellBase<SimpleRNNCellArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "SimpleRNNCell";

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for an impossible size or an unknown activation
   */
  constructor(
    ...args: Call<
      SimpleRNNCellArguments,
      [
        "inputSize",
        "hiddenSize",
        "activation",
        "weightIhAttr",
        "weightHhAttr",
        "biasIhAttr",
        "biasHhAttr",
        "name",
      ]
    >
  ) {
    super(simpleRnnCell(), args);
    const { activation } = this.config;
    need(
      activation === "tanh" || activation === "relu",
      `SimpleRNNCell: activation is tanh or relu: got ${activation}`,
    );
    this.fill("SimpleRNNCell", 1);
  }
}

const gruCell = (): Signature<CellArguments> => ({
  name: "GRUCell",
  defaults: { ...sizes, ...attributes, name: null, paddle: NEWEST },
  positional: 7,
});

/** `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` of three gates. Mirrors `paddle.nn.GRUCell` (3.3). */
export class GRUCell extends RNNCellBase<CellArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "GRUCell";

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for an impossible size
   */
  constructor(
    ...args: Call<
      CellArguments,
      ["inputSize", "hiddenSize", "weightIhAttr", "weightHhAttr", "biasIhAttr", "biasHhAttr", "name"]
    >
  ) {
    super(gruCell(), args);
    this.fill("GRUCell", 3);
  }
}

const lstmCell = (): Signature<LSTMCellArguments> => ({
  name: "LSTMCell",
  defaults: { ...sizes, ...attributes, projSize: 0, name: null, paddle: NEWEST },
  positional: 8,
});

/** `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` of four gates; with a projSize, also `weight_ho`. Mirrors `paddle.nn.LSTMCell` (3.3). */
export class LSTMCell extends RNNCellBase<LSTMCellArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "LSTMCell";
  /** [hiddenSize, projSize]; only with a projSize. */
  declare weight_ho?: Parameter | null;

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for an impossible size
   */
  constructor(
    ...args: Call<
      LSTMCellArguments,
      ["inputSize", "hiddenSize", "weightIhAttr", "weightHhAttr", "biasIhAttr", "biasHhAttr", "projSize", "name"]
    >
  ) {
    super(lstmCell(), args);
    const { hiddenSize, projSize, weightHhAttr, paddle } = this.config;
    needSize("LSTMCell", "projSize", projSize, 0);
    need(projSize < hiddenSize, `LSTMCell: projSize must be below hiddenSize: got ${projSize} and ${hiddenSize}`);
    need(projSize === 0 || !isBefore(paddle, "3.0"), `LSTMCell has no projSize before 3.0: paddle is ${paddle}`);
    this.fill("LSTMCell", 4, projSize);
    if (projSize > 0) {
      const std = 1 / Math.sqrt(hiddenSize);
      // Like weight_hh, but with false there is no parameter.
      const options = { attr: weightHhAttr, defaultInitializer: new Uniform(-std, std) };
      this.weight_ho = this.createParameter([hiddenSize, projSize], options);
    }
  }
}
