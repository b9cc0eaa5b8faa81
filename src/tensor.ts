/**
 * Paddle's tensors: arrays with a name (dynamic graph) or with levels of detail (static graph).
 *
 * @module
 */
import type { DType } from "./dtype.ts";
import { type LazyBytes, NDArray } from "./ndarray.ts";

/** What a Tensor has beside its numbers. */
export interface TensorOptions {
  /** The parameter's name, such as `linear_0.w_0`; empty where the file has none. @default {""} */
  name?: string;
  /** @default {true} */
  stopGradient?: boolean;
  /** @default {false} */
  persistable?: boolean;
}

/** paddle.Tensor of the dynamic graph, Parameters included. */
export class Tensor extends NDArray {
  /** The parameter's name; empty where there is none. */
  name: string;
  /** Whether no gradient is wanted. */
  stopGradient: boolean;
  /** Whether it is part of what is saved. */
  persistable: boolean;

  /** Make one over `data`, without a copy. */
  constructor(
    dtype: DType,
    shape: readonly number[],
    data?: ArrayBuffer | ArrayBufferView | LazyBytes,
    options: TensorOptions = {},
  ) {
    super(dtype, shape, data);
    this.name = options.name ?? "";
    this.stopGradient = options.stopGradient ?? true;
    this.persistable = options.persistable ?? false;
  }
}

/** A tensor of the static graph (LoDTensor up to Paddle 2.6): levels of detail, no name. */
export class DenseTensor extends NDArray {
  /** Levels of detail: offsets of the sequences along axis 0, one list a level. */
  lod: number[][];

  /** Make one over `data`, without a copy. */
  constructor(
    dtype: DType,
    shape: readonly number[],
    data?: ArrayBuffer | ArrayBufferView | LazyBytes,
    options: { lod?: number[][] } = {},
  ) {
    super(dtype, shape, data);
    this.lod = options.lod ?? [];
  }
}
