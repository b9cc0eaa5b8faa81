/**
 * Writes numpy arrays, scalars and dtypes, and Tensors as the calls that recreate them (FORMATS.md 1.5, 3.4).
 *
 * @module
 */
import { dtypeInfo, isDType } from "../../../dtype.ts";
import type { NDArray } from "../../../ndarray.ts";
import { plainBytes } from "../../../words/plain_bytes.ts";
import type { Tensor } from "../../../tensor.ts";
import { UnreadBytes } from "../../../words/unread_bytes.ts";
import type { DTypeValue, NumpyScalar, OpaqueArray } from "../../../values.ts";
import { dtypeRead, foreignDType } from "../foreign_dtype.ts";
import type { OpcodeWriter } from "./opcode_writer.ts";
import type { PickleOutput } from "./pickle_output.ts";
import type { PickledDType } from "../pickled.ts";
import { scalarBytes } from "./scalar_bytes.ts";
import {
  ArrayOf,
  builtin,
  Child,
  FreshList,
  FreshText,
  FreshTuple,
  Global,
  NumpyDType,
  type Steps,
} from "./stand_ins.ts";
import type { BytesWriter } from "./bytes_writer.ts";
import { BUILD, MARK, TUPLE } from "../opcodes.ts";

/** The module of `_reconstruct` and `scalar`, by version of numpy. */
const NUMPY_1 = "numpy.core.multiarray", NUMPY_2 = "numpy._core.multiarray";
const LETTER_B = /* @__PURE__ */ Uint8Array.of(0x62);

/** Writes the arrays of one pickle, with the module names of numpy 1 or 2. */
export class ArrayWriter {
  readonly #opcodes: OpcodeWriter;
  readonly #out: PickleOutput;
  readonly #bytes: BytesWriter;
  readonly #numpy: string;

  constructor(opcodes: OpcodeWriter, bytes: BytesWriter, numpy: 1 | 2) {
    this.#opcodes = opcodes;
    this.#out = opcodes.out;
    this.#bytes = bytes;
    this.#numpy = numpy === 2 ? NUMPY_2 : NUMPY_1;
  }

  /** A Tensor. */
  *tensor(tensor: Tensor): Steps {
    // Paddle saves a Tensor inside an object as tuple((name, array)) (FORMATS.md 1.5).
    const pair = new FreshTuple([new FreshText(tensor.name), new ArrayOf(tensor)]);
    yield* this.#opcodes.reduce(builtin("tuple"), [pair], tensor);
  }

  /** An array, memoized as `identity`. */
  *array(array: NDArray, identity: unknown): Steps {
    yield* this.#shell(array.shape, new NumpyDType(dtypeInfo(array.dtype).numpy), identity);
    this.#out.boundary();
    const steps = this.#bytes.bytes(this.#bytes.isLeft(array) ? new UnreadBytes(array) : array.bytes, null);
    if (steps) yield* steps;
    this.#endShell();
  }

  /** An array of objects, strings or dates. */
  *opaqueArray(array: OpaqueArray): Steps {
    yield* this.#shell(array.shape, foreignDType(array), array);
    if (array.items) yield new Child(new FreshList(array.items));
    else {
      this.#out.boundary();
      const steps = this.#bytes.bytes(plainBytes(array.bytes), null);
      if (steps) yield* steps;
    }
    this.#endShell();
  }

  /** The opcodes of an array before its data. */
  *#shell(shape: readonly number[], dtype: NumpyDType | PickledDType, identity: unknown): Steps {
    const call = [new Global("numpy", "ndarray"), new FreshTuple([0]), LETTER_B];
    yield* this.#opcodes.reduce(new Global(this.#numpy, "_reconstruct"), call, identity);
    this.#out.boundary();
    this.#out.byte(MARK);
    yield new Child(1);
    yield new Child(new FreshTuple(shape));
    yield new Child(dtype);
    yield new Child(false);
  }

  /** The opcodes after the data. */
  #endShell(): void {
    this.#out.byte(TUPLE);
    this.#opcodes.memoize(null);
    this.#out.byte(BUILD);
  }

  /** A dtype that tensors can have. */
  dtype(code: string): Steps | null {
    const key = this.#opcodes.own(`dtype ${code}`);
    if (this.#opcodes.known(key)) return null;
    const order = code.endsWith("1") ? "|" : "<";
    return this.#newDType(code, [3, new FreshText(order), null, null, null, -1, -1, 0], key);
  }

  /** A dtype of any kind, read from a file or made from a name. */
  foreignDType(dtype: PickledDType): Steps | null {
    if (dtype.info && !dtype.bigEndian) return this.dtype(dtype.info.numpy);
    if (this.#opcodes.known(dtype)) return null;
    return this.#newDType(dtype.code, dtype.state ?? [3, ">", null, null, null, -1, -1, 0], dtype);
  }

  /** A dtype that is not in the memo yet. */
  *#newDType(code: string, state: readonly unknown[], key: unknown): Steps {
    yield* this.#opcodes.reduce(new Global("numpy", "dtype"), [new FreshText(code), false, true], key);
    yield new Child(new FreshTuple(state));
    this.#out.byte(BUILD);
  }

  /** A numpy scalar. */
  *scalar(scalar: NumpyScalar): Steps {
    const dtype = isDType(scalar.dtype) ? new NumpyDType(dtypeInfo(scalar.dtype).numpy) : foreignDType(scalar);
    yield* this.#opcodes.reduce(new Global(this.#numpy, "scalar"), [dtype, scalarBytes(scalar)], scalar);
  }

  /** A dtype, or the class of its scalars, as a value. */
  dtypeValue(value: DTypeValue): Steps | null {
    if (value.isClass) {
      // numpy 2 renamed the class; both names can be read there.
      const name = value.dtype === "bool" && this.#numpy === NUMPY_1 ? "bool_" : value.dtype;
      return this.#opcodes.global(new Global("numpy", name));
    }
    const read = dtypeRead(value);
    if (read) return this.foreignDType(read);
    return isDType(value.dtype) ? this.dtype(dtypeInfo(value.dtype).numpy) : this.foreignDType(foreignDType(value));
  }
}
