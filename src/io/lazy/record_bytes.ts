/**
 * The bytes of a tensor whose record has an offset that follows from the program: a single read, which also verifies the record's header.
 *
 * @module
 */
import { Span } from "../../codec/cursor.ts";
import { plainRecordHead, plainRecordHeadSize } from "../../codec/record/write_record.ts";
import { type DType, dtypeInfo } from "../../dtype.ts";
import { FormatError, quote } from "../../errors.ts";
import type { LazyBytes } from "../../ndarray.ts";
import { withPath } from "../drive/drive_from.ts";
import { allocate } from "../../words/allocate.ts";
import { readFully } from "../sources/read_fully.ts";
import type { Source } from "../source.ts";
import { type ReadOptions, SpanBytes } from "./span_bytes.ts";
import { elementCount } from "../../words/element_count.ts";

/** The elements begin at a multiple of this many bytes in memory, so that typed arrays can be laid over them. */
const ALIGNMENT = 16;

/** A record at `start`, which must have this dtype and shape. */
export class RecordBytes extends SpanBytes implements LazyBytes {
  readonly #start: number;
  readonly #dtype: DType;
  readonly #shape: readonly number[];
  readonly #headSize: number;
  readonly #name: string;
  #isProved = false;

  constructor(source: Source, start: number, dtype: DType, shape: readonly number[], name: string) {
    const headSize = plainRecordHeadSize(dtype, shape);
    const length = elementCount(shape) * dtypeInfo(dtype).itemsize;
    super(source, new Span(start + headSize, length, "raw", start), (bytes) => bytes);
    this.#start = start;
    this.#dtype = dtype;
    this.#shape = shape;
    this.#headSize = headSize;
    this.#name = name;
  }

  override get readSync(): (() => Uint8Array) | undefined {
    const readNow = super.readSync;
    if (!readNow) return undefined;
    return () => {
      this.#readHead();
      return readNow();
    };
  }

  override readNowInto(into: Uint8Array, scratch: Uint8Array): boolean {
    if (!this.source.readSync) return false;
    this.#readHead();
    return super.readNowInto(into, scratch);
  }

  override async read({ signal }: ReadOptions = {}): Promise<Uint8Array> {
    const head = this.#headSize;
    const pad = (ALIGNMENT - head % ALIGNMENT) % ALIGNMENT;
    const whole = allocate(pad + head + this.span.length);
    try {
      await readFully(this.source, this.#start, whole.subarray(pad), signal);
      this.#compare(whole.subarray(pad, pad + head));
      await this.verify({ signal });
    } catch (error) {
      throw withPath(error, this.source.name);
    }
    return whole.subarray(pad + head);
  }

  override async fill(from: number, into: Uint8Array, { signal }: ReadOptions = {}): Promise<Uint8Array> {
    if (this.#isProved) return await super.fill(from, into, { signal });
    try {
      // Both at once: if they are adjacent, that makes one request.
      const [found, bytes] = await Promise.all([
        readFully(this.source, this.#start, new Uint8Array(this.#headSize), signal),
        super.fill(from, into, { signal }),
      ]);
      this.#compare(found);
      return bytes;
    } catch (error) {
      throw withPath(error, this.source.name);
    }
  }

  /** Read and verify the record's header, unless that was done before. */
  override async prove({ signal }: ReadOptions = {}): Promise<void> {
    if (this.#isProved) return;
    try {
      this.#compare(await readFully(this.source, this.#start, new Uint8Array(this.#headSize), signal));
    } catch (error) {
      throw withPath(error, this.source.name);
    }
  }

  #readHead(): void {
    if (this.#isProved) return;
    const found = new Uint8Array(this.#headSize);
    for (let done = 0; done < found.length;) {
      const n = this.source.readSync!(this.#start + done, found.subarray(done));
      if (n <= 0) break;
      done += n;
    }
    this.#compare(found);
  }

  /** The record's header must be the one that the program implies. */
  #compare(found: Uint8Array): void {
    const head = plainRecordHead(this.#dtype, this.#shape);
    if (!found.every((byte, i) => byte === head[i])) {
      throw new FormatError(
        "BAD_SHAPE",
        `The record of ${
          quote(this.#name)
        } at byte ${this.#start} is not what the program says. Do the two files come from different saves?`,
        { offset: this.#start, at: this.#name },
      );
    }
    this.#isProved = true;
  }
}
