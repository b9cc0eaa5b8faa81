/**
 * The three recurrent networks.
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

/** What a cell is given of the arguments of the whole. */
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

// Functions, so that a bundle has nothing of the layers that it does not use.
const simpleRnn = (): Signature<SimpleRNNArguments> => ({
  name: "SimpleRNN",
  defaults: { ...start, activation: "tanh", ...attributes, ...end },
  positional: 12,
});

/** Layers of {@linkcode SimpleRNNCell}. Mirrors `paddle.nn.SimpleRNN` (3.3). */
export class SimpleRNN extends RNNBase<SimpleRNNArguments> {
  /** Begins the names. */
  static override readonly className: string = "SimpleRNN";

  /**
   * Make one.
   *
   * @throws {ValueError} `INVALID_VALUE`: arguments that Paddle refuses
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

/** Layers of {@linkcode GRUCell}. Mirrors `paddle.nn.GRU` (3.3). */
export class GRU extends RNNBase<RecurrentArguments> {
  /** Begins the names. */
  static override readonly className: string = "GRU";

  /**
   * Make one.
   *
   * @throws {ValueError} `INVALID_VALUE`: arguments that Paddle refuses
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

/** Layers of {@linkcode LSTMCell}. Mirrors `paddle.nn.LSTM` (3.3). */
export class LSTM extends RNNBase<LSTMArguments> {
  /** Begins the names. */
  static override readonly className: string = "LSTM";

  /**
   * Make one.
   *
   * @throws {ValueError} `INVALID_VALUE`: arguments that Paddle refuses
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
