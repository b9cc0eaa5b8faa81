/**
 * Paddle's tensors: arrays with a name (dynamic graph) or with LoD (static graph).
 *
 * @module
 */
import { type DType, dtypeInfo } from "./dtype.ts";
import { UnsupportedError } from "./errors.ts";
import { arrayGiven, type LazyBytes, NDArray } from "./ndarray.ts";
import { checkNames } from "./words/option_names.ts";

/** Properties of a Tensor besides its data. */
export interface TensorOptions {
  /** The parameter's name, such as `linear_0.w_0`; empty if the file has none. @default {""} */
  name?: string;
  /** Whether gradients stop here. @default {true} */
  stopGradient?: boolean;
  /** Whether it is part of what is saved. @default {false} */
  persistable?: boolean;
}

const OPTIONS: readonly string[] = ["name", "stopGradient", "persistable"] satisfies (keyof TensorOptions)[];

/** The options of a tensor made without any: they need no check, and a file has many such tensors. */
const NO_OPTIONS: TensorOptions = Object.freeze({});

/**
 * paddle.Tensor of the dynamic graph, including Parameters.
 *
 * @example A state dict that `paddle.load` reads
 * ```ts
 * import { decode, encode, fromArray, type StateDict, Tensor } from "@oarlock/paddle";
 * const weight = Tensor.from(fromArray([[1, 2], [3, 4]], "float32"), { name: "linear_0.w_0" });
 * const state: StateDict = new Map([["linear.weight", weight]]);
 * const again = decode(encode(state)) as StateDict;
 * if ((again.get("linear.weight") as Tensor).name !== "linear_0.w_0") throw new Error("lost its name");
 * ```
 */
export class Tensor extends NDArray {
  /** The parameter's name; empty if it has none. */
  declare name: string;
  /** Whether gradients stop here. */
  declare stopGradient: boolean;
  /** Whether it is part of what is saved. */
  declare persistable: boolean;

  /** Create a Tensor over `data`, without copying it. */
  constructor(
    dtype: DType,
    shape: readonly number[],
    data?: ArrayBuffer | ArrayBufferView | LazyBytes,
    options: TensorOptions = NO_OPTIONS,
  ) {
    super(dtype, shape, data);
    // Another Tensor, whose properties are taken over, has more than options.
    if (options !== NO_OPTIONS && !(options instanceof Tensor)) checkNames(options, OPTIONS);
    this.name = options.name ?? "";
    this.stopGradient = options.stopGradient ?? true;
    this.persistable = options.persistable ?? false;
  }

  /**
   * `paddle.to_tensor` of an array, whose bytes are not copied. As in Paddle, uint16 is taken for bfloat16, for which numpy has no dtype.
   * An unread array stays unread.
   *
   * @throws {UnsupportedError} `UNSUPPORTED_DTYPE` for uint32 and uint64, of which Paddle has no Tensors
   */
  static from(array: NDArray, options: TensorOptions = {}): Tensor {
    const dtype = arrayGiven(array).dtype === "uint16" ? "bfloat16" : array.dtype;
    if (!dtypeInfo(dtype).isTensor) {
      throw new UnsupportedError("UNSUPPORTED_DTYPE", `Paddle has no Tensor of ${dtype}: use astype first`);
    }
    return new Tensor(dtype, array.shape, array.unread ?? array.bytes, options);
  }

  /** Create a Tensor; it keeps the name only if it is not just a part of the parameter. */
  protected override like(dtype: DType, shape: readonly number[], bytes: Uint8Array): this {
    const name = shape.length > 0 && bytes.length !== this.nbytes && dtype === this.dtype ? "" : this.name;
    const { stopGradient, persistable } = this;
    return new Tensor(dtype, shape, bytes, { name, stopGradient, persistable }) as this;
  }
}

/** A tensor of the static graph (LoDTensor up to Paddle 2.6): it has LoD (levels of detail) and no name. */
export class DenseTensor extends NDArray {
  /** LoD: offsets of the sequences along axis 0, one list per level. */
  lod: number[][];

  /** Create a DenseTensor over `data`, without copying it. */
  constructor(
    dtype: DType,
    shape: readonly number[],
    data?: ArrayBuffer | ArrayBufferView | LazyBytes,
    options: { lod?: number[][] } = {},
  ) {
    super(dtype, shape, data);
    checkNames(options, ["lod"]);
    const lod = options.lod ?? [];
    // A copy, as the caller may change the lists. Whether they are a LoD is checked when it is written.
    this.lod = Array.isArray(lod) ? lod.map((level) => Array.isArray(level) ? [...level] : level) : lod;
  }

  /** Create a DenseTensor. */
  protected override like(dtype: DType, shape: readonly number[], bytes: Uint8Array): this {
    return new DenseTensor(dtype, shape, bytes, { lod: lodOf(this, shape) }) as this;
  }
}

/** The LoD of an array of shape `made` that is made from a tensor: it counts rows, so it applies if their number is the same. */
function lodOf({ lod, shape }: DenseTensor, made: readonly number[]): number[][] {
  return made[0] === shape[0] ? lod : [];
}

/** An array of the same class and name, with other data. */
export function remade(
  array: NDArray,
  dtype: DType,
  shape: readonly number[],
  data: ArrayBufferView | LazyBytes,
): NDArray {
  if (array instanceof Tensor) return new Tensor(dtype, shape, data, array);
  if (array instanceof DenseTensor) return new DenseTensor(dtype, shape, data, { lod: lodOf(array, shape) });
  return new NDArray(dtype, shape, data);
}
