/**
 * Numbers with a dtype and a shape.
 *
 * @module
 */
import { type DType, dtypeInfo } from "./dtype.ts";
import { FormatError, UnsupportedError, ValueError } from "./errors.ts";

/** Where the bytes of an array come from that was not read yet. */
export interface LazyBytes {
  /** Read them. */
  read(options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  /** Read them at once; only where the place they lie in can do so. */
  readSync?(): Uint8Array;
}

/** numpy's ndarray: C order, little-endian, always. */
export class NDArray {
  /** Paddle's word for the kind of number. */
  readonly dtype: DType;
  /** Lengths of the axes; empty for a 0-d array. */
  readonly shape: readonly number[];
  /** Elements. */
  readonly size: number;
  /** Bytes. */
  readonly nbytes: number;
  #bytes: Uint8Array | null;
  #lazy: LazyBytes | null = null;

  /**
   * Make one over `data`, without a copy; zeros where `data` is left out.
   *
   * @throws {ValueError} `INVALID_VALUE` where `product(shape) * itemsize` is not the byte length
   */
  constructor(dtype: DType, shape: readonly number[], data?: ArrayBuffer | ArrayBufferView | LazyBytes) {
    const { itemsize } = dtypeInfo(dtype);
    this.dtype = dtype;
    this.shape = shape;
    this.size = shape.reduce((a, b) => a * b, 1);
    this.nbytes = this.size * itemsize;
    if (data === undefined) this.#bytes = new Uint8Array(this.nbytes);
    else if (data instanceof Uint8Array) this.#bytes = data;
    else if (ArrayBuffer.isView(data)) this.#bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    else if (data instanceof ArrayBuffer) this.#bytes = new Uint8Array(data);
    else {
      this.#bytes = null;
      this.#lazy = data;
    }
    if (this.#bytes && this.#bytes.byteLength !== this.nbytes) {
      throw new ValueError(
        "INVALID_VALUE",
        `An array of ${dtype} [${shape}] has ${this.nbytes} bytes: got ${this.#bytes.byteLength}`,
      );
    }
  }

  /** Whether the bytes are here. Arrays of an `open`ed checkpoint are read when they are asked for. */
  get isLoaded(): boolean {
    return this.#bytes !== null;
  }

  /** The bytes, no copy. */
  get bytes(): Uint8Array {
    if (this.#bytes === null) {
      if (!this.#lazy?.readSync) {
        throw new UnsupportedError("UNSUPPORTED_FEATURE", "The bytes were not read yet: await array.load() first");
      }
      this.#keep(this.#lazy.readSync());
    }
    return this.#bytes!;
  }

  /** Read the bytes, if they are not here yet. */
  async load(options?: { signal?: AbortSignal }): Promise<this> {
    if (this.#bytes === null) this.#keep(await this.#lazy!.read(options));
    return this;
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.byteLength !== this.nbytes) {
      throw new FormatError(
        "SIZE_MISMATCH",
        `${this.dtype} [${this.shape}] has ${this.nbytes} bytes: got ${bytes.byteLength}`,
      );
    }
    this.#bytes = bytes;
    this.#lazy = null;
  }
}
