/** Random values that Paddle can represent, reproducible from a seed. */
import { Complex, type DType, Float, NDArray, NumpyScalar, OrderedDict, Tensor, Tuple, type Value } from "../../mod.ts";

/** Dtypes that both numpy and every Paddle since 2.2 have. */
const DTYPES: readonly DType[] = [
  "bool",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "float16",
  "float32",
  "float64",
  "complex64",
  "complex128",
];

/** A small generator (mulberry32) of random values. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 random bits. */
  bits(): number {
    let t = this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** An integer in [0, n). */
  below(n: number): number {
    return this.bits() % n;
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** Random bits in a random shape, so subnormals and NaNs occur. */
  array(dtype: DType = this.pick(DTYPES), minRank = 0): NDArray {
    const shape = Array.from({ length: minRank + this.below(4 - minRank) }, () => this.below(5));
    const array = new NDArray(dtype, shape);
    for (let i = 0; i < array.bytes.length; i++) array.bytes[i] = dtype === "bool" ? this.bits() & 1 : this.bits();
    return array;
  }

  /** A Tensor with a name. */
  tensor(name: string, dtype?: DType, minRank?: number): Tensor {
    const { dtype: kind, shape, bytes } = this.array(dtype, minRank);
    return new Tensor(kind, shape, bytes, { name });
  }

  /** Tensors by structured name, as `stateDict()` of a network returns them. */
  stateDict(dtypes: readonly DType[], minRank: number): Map<string, Tensor> {
    const dict = new Map<string, Tensor>();
    for (let i = 1 + this.below(6); i > 0; i--) {
      dict.set(`layer.${i}.weight`, this.tensor(`linear_${i}.w_0`, this.pick(dtypes), minRank));
    }
    return dict;
  }

  /** A string, possibly of more than 255 bytes or outside the basic multilingual plane. */
  text(): string {
    return this.pick(["", "weight", "量", "😀", "a".repeat(300), `key ${this.below(1000)}`]);
  }

  /** A nested value without arrays or Tensors. */
  plain(depth = 0): Value {
    return this.#value(depth, null);
  }

  /** A nested value with Tensors in it. */
  withTensors(): Value {
    return [this.#value(0, "tensor"), this.tensor("last.w_0")];
  }

  /** A nested value with arrays in it, but no Tensors. */
  withArrays(): Value {
    return [this.#value(0, "array"), this.array()];
  }

  #value(depth: number, arrays: "tensor" | "array" | null): Value {
    switch (this.below(depth < 4 ? 14 : 9)) {
      case 0:
        return this.pick([null, true, false]);
      case 1:
        return this.pick([0, 1, -1, 255, 256, 65535, 65536, -129, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, this.bits()]);
      case 2:
        return this.pick([2n ** 63n, -(2n ** 63n), 2n ** 64n + 1n, -(2n ** 200n), 2n ** 2000n]);
      case 3:
        return this.pick([0.5, 1e300, 5e-324, Infinity, -Infinity, NaN, new Float(3), new Float(-0)]);
      case 4:
      case 5:
        return this.text();
      case 6:
        return this.pick([
          new NumpyScalar("float32", 0.5),
          new NumpyScalar("int64", -7n),
          new NumpyScalar("bool", true),
        ]);
      case 7:
        if (arrays === "tensor") return this.tensor(`w_${this.below(1000)}`);
        return arrays === "array" ? this.array() : this.text();
      case 8:
        return new Complex(this.below(100) / 4, -0.5);
      case 9:
      case 10: {
        const dict: Map<Value, Value> = this.below(3) === 0 ? new OrderedDict() : new Map();
        for (let i = this.below(6); i > 0; i--) dict.set(this.#key(i), this.#value(depth + 1, arrays));
        return dict;
      }
      case 11: {
        const items = this.#items(depth, arrays);
        // A pair (string, array) would be loaded as a Tensor.
        return items.length === 2 ? items : Tuple.from(items);
      }
      case 12:
        return new Set([this.below(9), this.text()]);
      default:
        return this.#items(depth, arrays);
    }
  }

  #key(i: number): Value {
    return this.pick<Value>([`k${i}`, i + 2, Tuple.of<Value>("pair", i), `long key ${"x".repeat(250)}${i}`]);
  }

  #items(depth: number, arrays: "tensor" | "array" | null): Value[] {
    return Array.from({ length: this.below(5) }, () => this.#value(depth + 1, arrays));
  }
}
