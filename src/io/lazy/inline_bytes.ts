/**
 * The bytes of a small array in a pickle: they were read with the structure, but can still be written in place.
 *
 * @module
 */
import { Span } from "../../codec/cursor.ts";
import type { PickledArray } from "../../codec/pickle/pickled.ts";
import { quote, UnsupportedError } from "../../errors.ts";
import { readFully } from "../sources/read_fully.ts";
import type { Source } from "../source.ts";
import { type ReadOptions, SpanBytes } from "./span_bytes.ts";

/** The opcodes that may precede the bytes, with a length of one byte, of four and of eight. */
const SHORT_BINBYTES = 0x43, BINBYTES = 0x42, BINBYTES8 = 0x8e;
/** Bytes of the longest opcode with its length. */
const HEAD = 9;

/** Bytes that are stored as they are, after their length. */
export class InlineBytes extends SpanBytes {
  readonly #name: string;

  /** The bytes of `array`; null if they are shared, or not stored in their order in memory. */
  static of(source: Source, array: PickledArray, nbytes: number, name: string): InlineBytes | null {
    if (array.dataOffset < HEAD || array.sharesBytes || array.fortran || array.dtype?.bigEndian) return null;
    return new InlineBytes(source, new Span(array.dataOffset, nbytes, "raw", array.dataOffset), name);
  }

  private constructor(source: Source, span: Span, name: string) {
    super(source, span, (bytes) => bytes);
    this.#name = name;
  }

  /** The opcode before them must be one for bytes: writing into a string of the same length would corrupt it. */
  override async prove({ signal }: ReadOptions = {}): Promise<void> {
    const { offset, length } = this.span;
    const head = await readFully(this.source, offset - HEAD, new Uint8Array(HEAD), signal);
    const view = new DataView(head.buffer);
    const isShort = head[7] === SHORT_BINBYTES && head[8] === length;
    const isLong = head[4] === BINBYTES && view.getUint32(5, true) === length;
    const isLongest = head[0] === BINBYTES8 && view.getBigUint64(1, true) === BigInt(length);
    if (isShort || isLong || isLongest) return;
    throw new UnsupportedError(
      "UNSUPPORTED_FEATURE",
      `${quote(this.#name)} is not stored as plain bytes and cannot be written in place: save writes a new file`,
      { at: this.#name, path: this.source.name, offset },
    );
  }
}
