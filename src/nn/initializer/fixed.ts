/**
 * Deterministic initial values.
 *
 * @module
 */
import type { DType } from "../../dtype.ts";
import { ValueError } from "../../errors.ts";
import { type ArrayInput, NDArray } from "../../ndarray.ts";
import { bind, type Call, REQUIRED } from "../arguments.ts";
import { Initializer } from "./initializer.ts";

/** A constant value. Mirrors `paddle.nn.initializer.Constant` (3.3). */
export class Constant extends Initializer {
  /** The value. */
  readonly value: number;

  /** Takes Paddle's argument, by position or by name. */
  constructor(...args: Call<{ value?: number }, ["value"]>) {
    super();
    this.value = bind<{ value?: number }>({ name: "Constant", defaults: { value: 0 }, typed: ["value"] }, args).value;
  }

  /** An array filled with the value. */
  override make(dtype: DType, shape: readonly number[]): NDArray {
    return new NDArray(dtype, [...shape]).fill(this.value);
  }
}

/**
 * Given values. As in Paddle, the parameter gets their shape, whatever shape the layer requested. Mirrors `paddle.nn.initializer.Assign`
 * (3.3).
 */
export class Assign extends Initializer {
  /** The values. */
  readonly value: NDArray;

  /** Creates the initializer from an array or nested lists of numbers, given by position or by name. */
  constructor(...args: Call<{ value: NDArray | ArrayInput }, ["value"]>) {
    super();
    const { value } = bind<{ value: NDArray | ArrayInput }>({ name: "Assign", defaults: { value: REQUIRED } }, args);
    this.value = value instanceof NDArray ? value : arrayOf(value);
  }

  /** A copy of the values in this dtype; on their way to float16 and bfloat16 they are rounded to float32, as in Paddle. */
  override make(dtype: DType): NDArray {
    const value = dtype === "float16" || dtype === "bfloat16" ? this.value.astype("float32") : this.value;
    const copy = dtype === value.dtype ? value.clone() : value.astype(dtype);
    return new NDArray(dtype, [...copy.shape], copy.bytes);
  }
}

/** Numbers in lists are float64, as numpy's are: the parameter may be float64, or an integer that float32 cannot hold. */
function arrayOf(values: ArrayInput): NDArray {
  const array = NDArray.fromArray(values);
  return array.dtype === "float32" ? NDArray.fromArray(values, "float64") : array;
}

/** A convolution that passes its input through. Mirrors `paddle.nn.initializer.Dirac` (3.3). */
export class Dirac extends Initializer {
  /** The number of groups of the convolution. */
  readonly groups: number;

  /** Takes Paddle's argument, by position or by name. */
  constructor(...args: Call<{ groups?: number }, ["groups"]>) {
    super();
    const { groups } = bind<{ groups?: number }>({ name: "Dirac", defaults: { groups: 1 } }, args);
    if (!Number.isInteger(groups) || groups < 1) {
      throw new ValueError("INVALID_VALUE", `groups must be an integer above 0: got ${String(groups)}`);
    }
    this.groups = groups;
  }

  /** Zeros, with a 1 at the center of each kernel that maps a channel to itself. */
  override make(dtype: DType, shape: readonly number[]): NDArray {
    const { groups } = this;
    if (shape.length < 3 || shape.length > 5) throw badShape("Dirac", "3 to 5 axes", shape);
    if (shape[0] % groups !== 0) throw badShape("Dirac", `an axis 0 that ${groups} groups divide`, shape);
    const array = new NDArray(dtype, [...shape]);
    const perGroup = shape[0] / groups;
    const middle = shape.slice(2).map((n) => Math.floor(n / 2));
    if (array.size === 0) return array;
    for (let group = 0; group < groups; group++) {
      for (let i = 0; i < Math.min(perGroup, shape[1]); i++) array.set(1, group * perGroup + i, i, ...middle);
    }
    return array;
  }
}

/**
 * Weights of a transposed convolution for bilinear upsampling. As in Paddle since 3.0, the parameter becomes float32, whatever dtype the
 * layer requested. Mirrors `paddle.nn.initializer.Bilinear` (3.3).
 */
export class Bilinear extends Initializer {
  /** The values, which depend only on the position in the kernel. */
  override make(_dtype: DType, shape: readonly number[]): NDArray {
    const size = shape[3];
    if (shape.length !== 4 || shape[2] !== size) throw badShape("Bilinear", "4 axes, the last two equal", shape);
    const f = Math.ceil(size / 2), c = (2 * f - 1 - f % 2) / (2 * f);
    const array = new NDArray("float32", [...shape]);
    const data = array.data as Float32Array;
    // y is not an integer: Paddle divides with / instead of //.
    for (let i = 0; i < data.length; i++) {
      const x = i % size, y = i / size % size;
      data[i] = (1 - Math.abs(x / f - c)) * (1 - Math.abs(y / f - c));
    }
    return array;
  }
}

function badShape(name: string, expected: string, shape: readonly number[]): ValueError {
  return new ValueError("INVALID_VALUE", `${name} makes values for ${expected}: got the shape [${shape}]`, {
    expected,
    actual: shape,
  });
}
