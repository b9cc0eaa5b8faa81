/**
 * The wrappers and the base class of recurrent networks.
 *
 * @module
 */
import { ValueError } from "../../errors.ts";
import { Tensor } from "../../tensor.ts";
import { bind, type Call, REQUIRED, type Signature } from "../arguments.ts";
import { globalInitializer } from "../initializer/global.ts";
import type { Layer } from "../layer.ts";
import { registryOf } from "../registry.ts";
import { BuiltInLayer } from "./built_in_layer.ts";
import { needSize } from "./check.ts";
import { LayerList } from "./containers.ts";
import type { CellAttributes } from "./rnn_cells.ts";

/** Arguments of {@linkcode RNN}. */
export interface RNNArguments {
  /** The cell, which computes one step. */
  cell: Layer;
  /** Whether it runs backwards. @default {false} */
  isReverse?: boolean;
  /** Whether axis 0 is time. @default {false} */
  timeMajor?: boolean;
}

/** Runs a cell, held under `cell`. Mirrors `paddle.nn.RNN` (3.3). */
export class RNN extends BuiltInLayer<RNNArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "RNN";
  /** The cell, which computes one step. */
  cell: Layer;

  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<RNNArguments, ["cell", "isReverse", "timeMajor"]>) {
    super({ name: "RNN", defaults: { cell: REQUIRED, isReverse: false, timeMajor: false } }, args);
    this.cell = this.config.cell;
  }
}

/** Arguments of {@linkcode BiRNN}. */
export interface BiRNNArguments {
  /** The cell of the forward direction. */
  cellFw: Layer;
  /** The cell of the backward direction. */
  cellBw: Layer;
  /** Whether axis 0 is time. @default {false} */
  timeMajor?: boolean;
}

/** Runs two cells, held under `cell_fw` and `cell_bw`. Mirrors `paddle.nn.BiRNN` (3.3). */
export class BiRNN extends BuiltInLayer<BiRNNArguments> {
  /** The class name from which parameter names derive; survives minification. */
  static readonly className: string = "BiRNN";
  /** The cell of the forward direction. */
  cell_fw: Layer;
  /** The cell of the backward direction. */
  cell_bw: Layer;

  /** Takes Paddle's arguments by position or by name. */
  constructor(...args: Call<BiRNNArguments, ["cellFw", "cellBw", "timeMajor"]>) {
    super({ name: "BiRNN", defaults: { cellFw: REQUIRED, cellBw: REQUIRED, timeMajor: false } }, args);
    this.cell_fw = this.config.cellFw;
    this.cell_bw = this.config.cellBw;
  }
}

/** Arguments of {@linkcode GRU}. */
export interface RecurrentArguments extends CellAttributes {
  /** Size of an input. */
  inputSize: number;
  /** Size of the hidden state. */
  hiddenSize: number;
  /** Number of stacked layers. @default {1} */
  numLayers?: number;
  /** `"forward"`, or `"bidirect"` or its synonym `"bidirectional"`. @default {"forward"} */
  direction?: string;
  /** Whether axis 0 is time. @default {false} */
  timeMajor?: boolean;
  /** Dropout probability between layers. @default {0} */
  dropout?: number;
  /** The name of the layer's outputs; does not affect parameter names. @default {null} */
  name?: string | null;
}

/** Arguments of {@linkcode SimpleRNN}. */
export interface SimpleRNNArguments extends RecurrentArguments {
  /** `"tanh"` or `"relu"`. @default {"tanh"} */
  activation?: string;
}

/** Arguments of {@linkcode LSTM}. */
export interface LSTMArguments extends RecurrentArguments {
  /** Size to which the hidden state is projected; 0 for no projection. Since 3.0. @default {0} */
  projSize?: number;
}

/** Creates a cell for inputs of a given size. */
export type MakeCell = (inputSize: number) => Layer;

/** Stacked layers of cells, whose parameters also have flat names: `weight_ih_l0`, ..., `bias_hh_l1_reverse`. */
export abstract class RNNBase<A extends RecurrentArguments> extends LayerList {
  /** The constructor's arguments by name, with defaults filled in, for other software that runs the layer. */
  readonly config: Readonly<Required<A>>;

  /** Binds and checks the arguments. */
  constructor(signature: Signature<A>, args: readonly unknown[]) {
    const config = bind(signature, args);
    super();
    this.config = config;
    const { direction, numLayers }: RecurrentArguments = config;
    if (!["forward", "bidirect", "bidirectional"].includes(direction!)) {
      throw new ValueError("INVALID_VALUE", `direction is forward or bidirect (or bidirectional): got ${direction}`);
    }
    needSize(signature.name, "numLayers", numLayers);
  }

  /** Create the cells, then give their parameters flat names (TRAINING.md 6). */
  protected fill(makeCell: MakeCell, outputSize: number): void {
    const { inputSize, numLayers, direction, timeMajor, ...rest }: RecurrentArguments = this.config;
    const both = direction !== "forward";
    const above = both ? 2 * outputSize : outputSize;
    for (let i = 0; i < numLayers!; i++) {
      const size = i === 0 ? inputSize : above;
      this.append(
        both ? new BiRNN(makeCell(size), makeCell(size), { timeMajor }) : new RNN(makeCell(size), { timeMajor }),
      );
    }
    const names: string[] = [];
    for (let i = 0; i < numLayers!; i++) {
      for (const suffix of both ? [`_l${i}`, `_l${i}_reverse`] : [`_l${i}`]) {
        names.push(`weight_ih${suffix}`, `weight_hh${suffix}`);
        if (rest.biasIhAttr !== false) names.push(`bias_ih${suffix}`);
        if (rest.biasHhAttr !== false) names.push(`bias_hh${suffix}`);
      }
    }
    this.#share(names, 4 * numLayers! * (both ? 2 : 1));
  }

  /**
   * Pair names with parameters in order, whatever they are, as Paddle does, even if a bias is switched off. `whole` is the number of
   * parameters if none is.
   */
  #share(names: string[], whole: number): void {
    const parameters = this.parameters();
    const registry = registryOf(this);
    const pairs = Math.min(names.length, parameters.length);
    for (let i = 0; i < pairs; i++) registry.put("parameters", names[i], parameters[i]);
    // Here Paddle packs the weights for cuDNN, and raises an IndexError if there are too few. What it packs them into uses up a name, and
    // random numbers if a global initializer draws them.
    if (parameters.length !== whole) return;
    const { paddle, numLayers }: RecurrentArguments = this.config;
    if (!packs(pairs, whole / 2)) {
      const hint = `give paddle: "2.4", whose cells have no switched-off parameters`;
      throw new ValueError("INVALID_VALUE", `Paddle ${paddle} makes no ${numLayers} layers without these biases`, {
        hint,
      });
    }
    const size = parameters.reduce((sum, parameter) => sum + parameter.size, 0);
    if (globalInitializer(false) === null) registry.scope.generate(`${registry.fullName}.w`);
    else this.createParameter([size], { dtype: parameters[0].dtype });
    const name = `${registry.fullName}.dropout_state__non_persistable`;
    this.registerBuffer("_dropout_state", new Tensor("uint8", [], undefined, { name }), { persistable: false });
  }
}

/** Whether `count` parameters all fit into Paddle's list of that length, in which the biases follow all `weights` weights. */
function packs(count: number, weights: number): boolean {
  for (let i = 0; i < count; i++) {
    if ((i % 4 < 2 ? 0 : weights) + 2 * Math.floor(i / 4) + i % 2 >= count) return false;
  }
  return true;
}
