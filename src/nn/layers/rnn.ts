/**
 * Recurrent networks.
 *
 * @module
 */
import { ValueError } from "../../errors.ts";
import { Tensor } from "../../tensor.ts";
import { bind, type Call, REQUIRED, type Signature } from "../arguments.ts";
import type { Layer } from "../layer.ts";
import { registryOf } from "../registry.ts";
import { BuiltInLayer } from "./built_in_layer.ts";
import { needSize } from "./check.ts";
import { LayerList } from "./containers.ts";
import type { CellAttributes } from "./rnn_cells.ts";

/** Arguments of {@linkcode RNN}. */
export interface RNNArguments {
  /** One step. */
  cell: Layer;
  /** Whether it runs backwards. @default {false} */
  isReverse?: boolean;
  /** Whether time is axis 0. @default {false} */
  timeMajor?: boolean;
}

/** A cell, under `cell`. Mirrors `paddle.nn.RNN` (3.3). */
export class RNN extends BuiltInLayer<RNNArguments> {
  /** Begins the names. */
  static readonly className: string = "RNN";
  /** One step. */
  cell: Layer;

  /** Make one. */
  constructor(...args: Call<RNNArguments, ["cell", "isReverse", "timeMajor"]>) {
    super({ name: "RNN", defaults: { cell: REQUIRED, isReverse: false, timeMajor: false } }, args);
    this.cell = this.config.cell;
  }
}

/** Arguments of {@linkcode BiRNN}. */
export interface BiRNNArguments {
  /** One step forwards. */
  cellFw: Layer;
  /** One step backwards. */
  cellBw: Layer;
  /** Whether time is axis 0. @default {false} */
  timeMajor?: boolean;
}

/** Two cells, under `cell_fw` and `cell_bw`. Mirrors `paddle.nn.BiRNN` (3.3). */
export class BiRNN extends BuiltInLayer<BiRNNArguments> {
  /** Begins the names. */
  static readonly className: string = "BiRNN";
  /** One step forwards. */
  cell_fw: Layer;
  /** One step backwards. */
  cell_bw: Layer;

  /** Make one. */
  constructor(...args: Call<BiRNNArguments, ["cellFw", "cellBw", "timeMajor"]>) {
    super({ name: "BiRNN", defaults: { cellFw: REQUIRED, cellBw: REQUIRED, timeMajor: false } }, args);
    this.cell_fw = this.config.cellFw;
    this.cell_bw = this.config.cellBw;
  }
}

/** Arguments of {@linkcode GRU}. */
export interface RecurrentArguments extends CellAttributes {
  /** Length of an input. */
  inputSize: number;
  /** Length of a hidden state. */
  hiddenSize: number;
  /** Layers one above the other. @default {1} */
  numLayers?: number;
  /** `"forward"`, or `"bidirect"`, which is `"bidirectional"`. @default {"forward"} */
  direction?: string;
  /** Whether time is axis 0. @default {false} */
  timeMajor?: boolean;
  /** Share of what is dropped between layers. @default {0} */
  dropout?: number;
  /** Name of the layer's outputs; it names no parameter. @default {null} */
  name?: string | null;
}

/** Arguments of {@linkcode SimpleRNN}. */
export interface SimpleRNNArguments extends RecurrentArguments {
  /** `"tanh"` or `"relu"`. @default {"tanh"} */
  activation?: string;
}

/** Arguments of {@linkcode LSTM}. */
export interface LSTMArguments extends RecurrentArguments {
  /** Length of what a hidden state is projected to; 0: it is not. Since 3.0. @default {0} */
  projSize?: number;
}

/** How a layer makes its cells. */
export type MakeCell = (inputSize: number) => Layer;

/** Layers of cells, and their parameters under flat names, too: `weight_ih_l0`, ..., `bias_hh_l1_reverse`. */
export abstract class RNNBase<A extends RecurrentArguments> extends LayerList {
  /** The constructor's arguments by name, defaults filled in: for other software that runs the layer. */
  readonly config: Readonly<Required<A>>;

  /** Take the arguments. */
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

  /** Make the cells, then give their parameters flat names (TRAINING.md 6). */
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

  /** Names and parameters are paired off in order, whatever they are: so does Paddle, also where a bias is switched off. */
  #share(names: string[], whole: number): void {
    const parameters = this.parameters();
    const registry = registryOf(this);
    const pairs = Math.min(names.length, parameters.length);
    for (let i = 0; i < pairs; i++) registry.put("parameters", names[i], parameters[i]);
    // Here Paddle packs the weights for cuDNN. It names what it packs, and it cannot pack too few of them: IndexError.
    if (parameters.length !== whole) return;
    const { paddle, numLayers }: RecurrentArguments = this.config;
    if (!packs(pairs, whole / 2)) {
      const hint = `give paddle: "2.4", whose cells have no switched-off parameters`;
      throw new ValueError("INVALID_VALUE", `Paddle ${paddle} makes no ${numLayers} layers without these biases`, {
        hint,
      });
    }
    registry.scope.generate(`${registry.fullName}.w`);
    const name = `${registry.fullName}.dropout_state__non_persistable`;
    this.registerBuffer("_dropout_state", new Tensor("uint8", [], undefined, { name }), { persistable: false });
  }
}

/** Whether every weight has its place in Paddle's list of as many: biases go behind all `weights`. */
function packs(count: number, weights: number): boolean {
  for (let i = 0; i < count; i++) {
    if ((i % 4 < 2 ? 0 : weights) + 2 * Math.floor(i / 4) + i % 2 >= count) return false;
  }
  return true;
}
