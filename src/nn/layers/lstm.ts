/**
 * The recurrent networks SimpleRNN, GRU and LSTM.
 *
 * @module
 */
import { NEWEST } from "../../optimizer/version.ts";
import { type Call, REQUIRED, type Signature } from "../arguments.ts";
import { type LSTMArguments, type RecurrentArguments, RNNBase, type SimpleRNNArguments } from "./rnn.ts";
import { GRUCell, LSTMCell, SimpleRNNCell } from "./rnn_cells.ts";

const start = {
  inputSize: REQUIRED,
  hiddenSize: REQUIRED,
  numLayers: 1,
  direction: "forward",
  timeMajor: false,
  dropout: 0,
} as const;
const attributes = { weightIhAttr: null, weightHhAttr: null, biasIhAttr: null, biasHhAttr: null } as const;
const end = { name: null, paddle: NEWEST } as const;

/** The arguments of a network that are passed to its cells. */
function cellArguments(config: Readonly<Required<RecurrentArguments>>): {
  hiddenSize: number;
  paddle: Required<RecurrentArguments>["paddle"];
  weightIhAttr: RecurrentArguments["weightIhAttr"];
  weightHhAttr: RecurrentArguments["weightHhAttr"];
  biasIhAttr: RecurrentArguments["biasIhAttr"];
  biasHhAttr: RecurrentArguments["biasHhAttr"];
} {
  const { hiddenSize, weightIhAttr, weightHhAttr, biasIhAttr, biasHhAttr, paddle } = config;
  return { hiddenSize, weightIhAttr, weightHhAttr, biasIhAttr, biasHhAttr, paddle };
}

// Functions, so that a bundle contains nothing of the layers it does not use.
const simpleRnn = (): Signature<SimpleRNNArguments> => ({
  name: "SimpleRNN",
  defaults: { ...start, activation: "tanh", ...attributes, ...end },
  positional: 12,
});

/** A network of {@linkcode SimpleRNNCell}s. Mirrors `paddle.nn.SimpleRNN` (3.3). */
export class SimpleRNN extends RNNBase<SimpleRNNArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static override readonly className: string = "SimpleRNN";

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(
    ...args: Call<
      SimpleRNNArguments,
      [
        "inputSize",
        "hiddenSize",
        "numLayers",
        "direction",
        "timeMajor",
        "dropout",
        "activation",
        "weightIhAttr",
        "weightHhAttr",
        "biasIhAttr",
        "biasHhAttr",
        "name",
      ]
    >
  ) {
    super(simpleRnn(), args);
    const { config } = this;
    const { activation } = config;
    const makeCell = (inputSize: number) => new SimpleRNNCell({ ...cellArguments(config), inputSize, activation });
    this.fill(makeCell, config.hiddenSize);
  }
}

const gru = (): Signature<RecurrentArguments> => ({
  name: "GRU",
  defaults: { ...start, ...attributes, ...end },
  positional: 11,
});

/** A network of {@linkcode GRUCell}s. Mirrors `paddle.nn.GRU` (3.3). */
export class GRU extends RNNBase<RecurrentArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static override readonly className: string = "GRU";

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(
    ...args: Call<
      RecurrentArguments,
      [
        "inputSize",
        "hiddenSize",
        "numLayers",
        "direction",
        "timeMajor",
        "dropout",
        "weightIhAttr",
        "weightHhAttr",
        "biasIhAttr",
        "biasHhAttr",
        "name",
      ]
    >
  ) {
    super(gru(), args);
    const { config } = this;
    this.fill((inputSize) => new GRUCell({ ...cellArguments(config), inputSize }), config.hiddenSize);
  }
}

const lstm = (): Signature<LSTMArguments> => ({
  name: "LSTM",
  defaults: { ...start, ...attributes, projSize: 0, ...end },
  positional: 12,
});

/** A network of {@linkcode LSTMCell}s. Mirrors `paddle.nn.LSTM` (3.3). */
export class LSTM extends RNNBase<LSTMArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static override readonly className: string = "LSTM";

  /**
   * Takes Paddle's arguments by position or by name.
   *
   * @throws {ValueError} `INVALID_VALUE` for arguments that Paddle refuses
   */
  constructor(
    ...args: Call<
      LSTMArguments,
      [
        "inputSize",
        "hiddenSize",
        "numLayers",
        "direction",
        "timeMajor",
        "dropout",
        "weightIhAttr",
        "weightHhAttr",
        "biasIhAttr",
        "biasHhAttr",
        "projSize",
        "name",
      ]
    >
  ) {
    super(lstm(), args);
    const { config } = this;
    const { projSize, hiddenSize } = config;
    const makeCell = (inputSize: number) => new LSTMCell({ ...cellArguments(config), inputSize, projSize });
    this.fill(makeCell, projSize || hiddenSize);
  }
}
