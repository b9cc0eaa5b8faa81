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

/** The opcodes that may precede the bytes, with a one-byte and a four-byte length. */
const SHORT_BINBYTES = 0x43, BINBYTES = 0x42;

/** Bytes that are stored as they are, after their length. */
export class InlineBytes extends SpanBytes {
  readonly #name: string;

  /** The bytes of `array`; null if they are shared, or not stored in their order in memory. */
  static of(source: Source, array: PickledArray, nbytes: number, name: string): InlineBytes | null {
    if (array.dataOffset < 5 || array.sharesBytes || array.fortran || array.dtype?.bigEndian) return null;
    return new InlineBytes(source, new Span(array.dataOffset, nbytes, "raw", array.dataOffset), name);
  }

  private constructor(source: Source, span: Span, name: string) {
    super(source, span, (bytes) => bytes);
    this.#name = name;
  }

  /** The opcode before them must be one for bytes: writing into a string of the same length would corrupt it. */
  override async prove({ signal }: ReadOptions = {}): Promise<void> {
    const { offset, length } = this.span;
    const head = await readFully(this.source, offset - 5, new Uint8Array(5), signal);
    const isShort = head[3] === SHORT_BINBYTES && head[4] === length;
    const isLong = head[0] === BINBYTES && new DataView(head.buffer).getUint32(1, true) === length;
    if (isShort || isLong) return;
    throw new UnsupportedError(
      "UNSUPPORTED_FEATURE",
      `${quote(this.#name)} is not stored as plain bytes and cannot be written in place: save writes a new file`,
      { at: this.#name, path: this.source.name, offset },
    );
  }
}
