/**
 * The pickle writer: protocols 2, 3 and 4, byte for byte as CPython's C pickler writes the same value (FORMATS.md 3.4 to 3.7). It is a
 * generator of chunks; a tensor's bytes are passed on uncopied.
 *
 * @module
 */
import { isFloatByNature } from "../../../words/floats.ts";
import { ValueError } from "../../../errors.ts";
import { NDArray } from "../../../ndarray.ts";
import { className } from "../../../words/described.ts";
import { isPlainObject } from "../../../words/plain_object.ts";
import { atOnce } from "../../../words/steps.ts";
import { Tensor } from "../../../tensor.ts";
import { bytesOf, type Chunk } from "../../../words/unread_bytes.ts";
import {
  ByteArray,
  Complex,
  DefaultDict,
  DTypeValue,
  Float,
  NumpyScalar,
  OpaqueArray,
  OrderedDict,
  PythonRecord,
  Range,
  Slice,
  Tuple,
} from "../../../values.ts";
import { OpcodeWriter } from "./opcode_writer.ts";
import { PickledDType } from "../pickled.ts";
import { PickleOutput } from "./pickle_output.ts";
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
import { ArrayWriter } from "./array_writer.ts";
import { BytesWriter, type TextLengths } from "./bytes_writer.ts";
import { ContainerWriter } from "./container_writer.ts";
import { NEWFALSE, NEWTRUE, NONE, PROTO, STOP } from "../opcodes.ts";

/** How {@linkcode writePickle} writes. */
export interface WritePickleOptions {
  /** 2, 3 or 4. */
  protocol: number;
  /** Use the module names of numpy 1, which every numpy reads, or of numpy 2. @default {1} */
  numpy?: 1 | 2;
  /** A chunk is valid only until the one after the next is requested: strings are encoded in two alternating buffers. @default {false} */
  reuse?: boolean;
  /**
   * Lengths of protocol 2's strings by the bytes they encode, so that the next pass need not count what the last one did. Bytes that are
   * still in files are left there if the length of their string is known. @default {undefined}
   */
  textLengths?: TextLengths;
}

/** The chunks of a value's pickle. */
export function* writePickle(value: unknown, options: WritePickleOptions): Generator<Uint8Array, void> {
  for (const chunk of writePickleChunks(value, options)) yield bytesOf(chunk);
}

/** The chunks of a value's pickle, with stand-ins for large data that is still in files. */
export function* writePickleChunks(value: unknown, options: WritePickleOptions): Generator<Chunk, void> {
  yield* new PickleWriter(options, false).write(value);
}

/** Size in bytes of a value's pickle, without making it. */
export function sizeOfPickle(value: unknown, options: WritePickleOptions): number {
  return atOnce(sizeOfPickleInSteps(value, options));
}

/** Size in bytes of a value's pickle, computed in steps between which other work may run. */
export function* sizeOfPickleInSteps(value: unknown, options: WritePickleOptions): Generator<void, number> {
  const writer = new PickleWriter(options, true);
  for (const _ of writer.write(value)) yield;
  return writer.size;
}

/** Steps of the writer between two yields when only counting. */
const STEP = 8192;
const NOTHING = new Uint8Array(0);

class PickleWriter {
  readonly #out: PickleOutput;
  readonly #opcodes: OpcodeWriter;
  readonly #bytes: BytesWriter;
  readonly #arrays: ArrayWriter;
  readonly #containers: ContainerWriter;
  readonly #counting: boolean;

  constructor({ protocol, numpy = 1, reuse, textLengths = new WeakMap() }: WritePickleOptions, counting: boolean) {
    this.#out = new PickleOutput(protocol >= 4, counting, reuse);
    this.#opcodes = new OpcodeWriter(protocol, this.#out);
    this.#bytes = new BytesWriter(this.#opcodes, textLengths);
    this.#arrays = new ArrayWriter(this.#opcodes, this.#bytes, numpy);
    this.#containers = new ContainerWriter(this.#opcodes);
    this.#counting = counting;
  }

  get size(): number {
    return this.#out.size;
  }

  /** The chunks; when only counting, an empty one now and then, so that other work may run. */
  *write(root: unknown): Generator<Chunk, void> {
    const out = this.#out;
    // The PROTO opcode comes before the first frame.
    out.byte(PROTO);
    out.byte(this.#opcodes.protocol);
    out.end();
    const stack: Steps[] = [];
    let steps = this.#begin(new Child(root));
    if (steps) stack.push(steps);
    let written = 0;
    while (stack.length > 0) {
      if (++written % STEP === 0 && this.#counting) yield NOTHING;
      const step = stack[stack.length - 1].next();
      if (step.done) stack.pop();
      else if (step.value) {
        steps = this.#begin(step.value);
        if (steps) stack.push(steps);
      }
      if (out.ready.length > 0) yield* out.ready.splice(0);
    }
    out.byte(STOP);
    out.end();
    yield* out.ready.splice(0);
  }

  /** Write a value without children, or return the steps that write it. */
  #begin({ value, isFloat }: Child): Steps | null {
    const opcodes = this.#opcodes, bytes = this.#bytes, arrays = this.#arrays, containers = this.#containers;
    this.#out.boundary();
    switch (typeof value) {
      case "string":
        return opcodes.text(value, value);
      case "number":
        return isFloat || isFloatByNature(value) ? opcodes.float(value) : opcodes.int(value);
      case "bigint":
        return opcodes.long(value);
      case "boolean":
        this.#out.byte(value ? NEWTRUE : NEWFALSE);
        return null;
    }
    if (value === null) {
      this.#out.byte(NONE);
      return null;
    }
    if (value instanceof Float) return opcodes.float(value.value);
    if (value instanceof FreshText) return opcodes.text(value.text, null);
    if (value instanceof Global) return opcodes.global(value);
    if (value instanceof NumpyDType) return arrays.dtype(value.code);
    if (value instanceof PickledDType) return arrays.foreignDType(value);
    if (value instanceof FreshTuple) {
      return value.items.length === 0 ? opcodes.emptyTuple() : containers.tuple(value.items, null);
    }
    if (value instanceof FreshList) return containers.list(value.items, null);
    if (value instanceof ArrayOf) return arrays.array(value.array, value.array);
    if (opcodes.known(value)) return null;
    if (value instanceof Uint8Array) {
      return value instanceof ByteArray ? bytes.byteArray(value) : bytes.bytes(value, value);
    }
    if (value instanceof Tensor) return arrays.tensor(value);
    if (value instanceof NDArray) return arrays.array(value, value);
    if (value instanceof OpaqueArray) return arrays.opaqueArray(value);
    if (value instanceof Tuple) return value.length === 0 ? opcodes.emptyTuple() : containers.tuple(value, value);
    if (Array.isArray(value)) return containers.list(value, value);
    if (value instanceof OrderedDict) return containers.orderedDict(value);
    if (value instanceof DefaultDict) return containers.defaultDict(value);
    if (value instanceof Map) return containers.dict(value);
    if (value instanceof Set) return containers.set(value);
    if (value instanceof Complex) {
      return opcodes.reduce(builtin("complex"), [new Float(value.re), new Float(value.im)], value);
    }
    if (value instanceof NumpyScalar) return arrays.scalar(value);
    if (value instanceof DTypeValue) return arrays.dtypeValue(value);
    if (value instanceof Slice) return opcodes.reduce(builtin("slice"), [value.start, value.stop, value.step], value);
    if (value instanceof Range) return opcodes.reduce(builtin("range"), [value.start, value.stop, value.step], value);
    if (value instanceof PythonRecord) return containers.record(value);
    if (isPlainObject(value)) return containers.plainObject(value as Record<string, unknown>);
    throw new ValueError("INVALID_VALUE", `Cannot pickle a ${className(value)}`);
  }
}
