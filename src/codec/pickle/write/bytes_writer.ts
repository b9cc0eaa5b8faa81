/**
 * Writes bytes: as they are or, in protocol 2, as a string that encodes them (FORMATS.md 3.4).
 *
 * @module
 */
import { ValueError } from "../../../errors.ts";
import { utf8Length } from "../../../kernel.ts";
import type { LazyBytes, NDArray } from "../../../ndarray.ts";
import { plainBytes } from "../../../words/plain_bytes.ts";
import { type Chunk, UnreadBytes } from "../../../words/unread_bytes.ts";
import type { ByteArray } from "../../../values.ts";
import { type OpcodeWriter, u32 } from "./opcode_writer.ts";
import type { PickleOutput } from "./pickle_output.ts";
import { builtin, Child, Global, type Steps } from "./stand_ins.ts";
import { BINBYTES, BINBYTES8, BINUNICODE, REDUCE, SHORT_BINBYTES, TUPLE2 } from "../opcodes.ts";

/** Lengths in bytes of protocol 2's strings, by the bytes they encode. */
export type TextLengths = WeakMap<Uint8Array | LazyBytes, number>;

/** Writes the bytes of one pickle. */
export class BytesWriter {
  readonly #opcodes: OpcodeWriter;
  readonly #out: PickleOutput;
  readonly #textLengths: TextLengths;

  constructor(opcodes: OpcodeWriter, textLengths: TextLengths) {
    this.#opcodes = opcodes;
    this.#out = opcodes.out;
    this.#textLengths = textLengths;
  }

  /** Bytes, memoized as `identity`. */
  bytes(bytes: Chunk, identity: unknown): Steps | null {
    // CPython shares one object for empty bytes, and one for each single byte.
    const key = bytes.length < 2 && bytes instanceof Uint8Array ? this.#opcodes.own(`bytes ${bytes.join()}`) : identity;
    if (this.#opcodes.known(key)) return null;
    if (this.#opcodes.protocol < 3) return this.#encodedBytes(bytes, key);
    const n = bytes.length;
    if (n < 256) this.#out.payload([SHORT_BINBYTES, n], bytes);
    else if (n < 2 ** 32) this.#out.payload([BINBYTES, ...u32(n)], bytes);
    else if (this.#opcodes.protocol >= 4) {
      this.#out.payload([BINBYTES8, ...u32(n % 2 ** 32), ...u32(Math.floor(n / 2 ** 32))], bytes);
    } else throw tooLong(n);
    this.#opcodes.memoize(key);
    return null;
  }

  /** Protocol 2 has no bytes opcodes: `_codecs.encode(text, 'latin1')`. */
  *#encodedBytes(bytes: Chunk, key: unknown): Steps {
    if (bytes.length === 0) {
      yield* this.#opcodes.reduce(builtin("bytes"), [], key);
      return;
    }
    yield new Child(new Global("_codecs", "encode"));
    this.#out.boundary();
    if (bytes instanceof UnreadBytes) this.#unreadText(bytes.array);
    else yield* this.#bytesText(bytes);
    yield new Child("latin1");
    this.#out.byte(TUPLE2);
    this.#opcodes.memoize(null);
    this.#out.byte(REDUCE);
    this.#opcodes.memoize(key);
  }

  /** The string for bytes in memory. */
  *#bytesText(bytes: Uint8Array): Steps {
    const single = bytes.length === 1 ? String.fromCharCode(bytes[0]) : null;
    if (single === null || !this.#opcodes.known(single)) {
      const length = this.#textLengths.get(bytes) ?? utf8Length(bytes);
      this.#textLengths.set(bytes, length);
      if (length >= 2 ** 32) throw tooLong(bytes.length);
      for (const _ of this.#out.text([BINUNICODE, ...u32(length)], bytes, length)) yield undefined;
      this.#opcodes.memoize(single);
    }
  }

  /** The string for bytes that are still in a file. */
  #unreadText(array: NDArray): void {
    const length = this.#textLengths.get(array.unread!)!;
    if (length >= 2 ** 32) throw tooLong(array.nbytes);
    this.#out.unreadText([BINUNICODE, ...u32(length)], new UnreadBytes(array, "text", length));
    this.#opcodes.memoize(null);
  }

  /** A bytearray. */
  byteArray(bytes: ByteArray): Steps {
    return this.#opcodes.reduce(builtin("bytearray"), bytes.length === 0 ? [] : [plainBytes(bytes)], bytes);
  }

  /**
   * Whether data that is in a file stays there until it is written out. Protocol 2 needs the length of its string beforehand, and single
   * bytes are shared objects.
   */
  isLeft({ unread, nbytes }: NDArray): boolean {
    return unread !== null && nbytes > 1 && (this.#opcodes.protocol > 2 || this.#textLengths.has(unread));
  }
}

function tooLong(length: number): ValueError {
  return new ValueError("INVALID_VALUE", `A tensor of ${length} bytes needs protocol 4`, { actual: length });
}
