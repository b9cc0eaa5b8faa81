/**
 * The contract between a decoder and its driver. A decoder is a generator over a {@linkcode Cursor}: it reads from the window of bytes that
 * the cursor holds, and yields an {@linkcode Ask} only when the window runs out or a large payload comes. So one decoder serves bytes in
 * memory, a source with positional reads, and a stream that is read once.
 *
 * @module
 */

/** "I need at least `n` bytes from `pos` on": after the answer they are in the window, or the cursor is `ended` with fewer. */
export interface NeedAsk {
  readonly kind: "need";
  n: number;
}

/** How a payload is stored in the file. */
export type BlobEncoding =
  /** Unencoded. */
  | "raw"
  /** Every byte as the UTF-8 of its code point (pickle protocol 2): 0x80 to 0xff take two bytes. */
  | "latin1";

/**
 * "A payload of `length` bytes starts at `pos`." The answer is a {@linkcode Payload}; the driver moves the cursor past it.
 * A driver may answer with a buffer that it is still filling, so a decoder never reads from a payload.
 */
export interface BlobAsk {
  readonly kind: "blob";
  /** Bytes in the file. */
  readonly length: number;
  readonly encoding: BlobEncoding;
  /**
   * Bytes after decoding, if the decoder can tell. It is only a claim of the file; a true one is at most `length` and at least half of it.
   */
  readonly size: number | undefined;
  /** Offset at which errors are reported: that of the opcode or field that announces the payload. */
  readonly at: number;
  /** Bytes after the payload that the decoder needs next: a driver that skips the payload may read them in the same step. */
  readonly lookahead?: number;
  /** Data of an array that is assembled or reordered later: a driver that can read it then need not read it now. @default {false} */
  readonly deferrable?: boolean;
  /** Data for which there are no lazy bytes: a driver that leaves payloads in the file reads this one. @default {false} */
  readonly eager?: boolean;
}

/** "Does the source have at least `end` bytes?" Asked to verify a claim when the size of the source is not known. */
export interface ReachAsk {
  readonly kind: "reach";
  readonly end: number;
}

/** "I have worked for a while": a driver that shares its thread lets other work run. There is no answer. */
export interface PauseAsk {
  readonly kind: "pause";
}

/** The only instance. */
export const PAUSE: PauseAsk = { kind: "pause" };

/** Run a generator of steps as part of a decoder, with a pause after each step. */
export function* withPauses<T>(steps: Generator<void, T>): Generator<PauseAsk, T> {
  let step = steps.next();
  for (; !step.done; step = steps.next()) yield PAUSE;
  return step.value;
}

/** What a decoder can ask. */
export type Ask = NeedAsk | BlobAsk | ReachAsk | PauseAsk;

/** A payload left in the file: what `open` answers to a blob ask. */
export class Span {
  /** Bytes from the start of the source. */
  readonly offset: number;
  /** Bytes in the file. */
  readonly length: number;
  readonly encoding: BlobEncoding;
  /** Offset at which errors are reported. */
  readonly at: number;
  constructor(offset: number, length: number, encoding: BlobEncoding, at: number) {
    this.offset = offset;
    this.length = length;
    this.encoding = encoding;
    this.at = at;
  }
}

/** The decoded bytes of a payload, or its location. */
export type Payload = Uint8Array | Span;

/** The answer to an ask: nothing to "need", a payload to "blob", yes or no to "reach". */
export type Answer = Payload | boolean | undefined | void;

/** A decoder of `T`: a generator that a driver runs. A driver reports its own failures by `throw()`ing them into the generator. */
export type Decoder<T> = Generator<Ask, T, Answer>;

/** Payloads below this size are taken from the window without an ask: a read of their own would cost more than copying them. */
export const BLOB_MIN = 4096;

const NOTHING = new Uint8Array(0);

/** The window of bytes a decoder reads from. Drivers move it; decoders move `pos`. */
export class Cursor {
  /** The window; valid from `pos` to `end`. */
  bytes: Uint8Array = NOTHING;
  /** The same bytes, for reading numbers. */
  view: DataView = new DataView(NOTHING.buffer);
  /** The next byte to read. */
  pos = 0;
  /** The end of the window, after its last byte. */
  end = 0;
  /** Offset in the source of `bytes[0]`. */
  base = 0;
  /** No bytes come after `end`. */
  ended = false;
  /** Size of the source, if known. */
  total: number | undefined;
  /** The window is the caller's own memory and remains valid, so small payloads may be views of it. */
  stable = false;

  readonly #need: NeedAsk = { kind: "need", n: 0 };

  /** Bytes from the start of the source. */
  get offset(): number {
    return this.base + this.pos;
  }

  /** Bytes in the window from `pos` on. */
  get left(): number {
    return this.end - this.pos;
  }

  /** Bytes to the end of the source; undefined if not known. */
  get remaining(): number | undefined {
    return this.total === undefined
      ? (this.ended ? this.end - this.pos : undefined)
      : this.total - this.base - this.pos;
  }

  /** The ask for at least `n` bytes from `pos` on. It is always the same object. */
  need(n: number): NeedAsk {
    this.#need.n = n;
    return this.#need;
  }

  /** Window bytes `[start, end)`, to be retained: a view if the window is stable, else a copy. */
  keep(start: number, end: number): Uint8Array {
    return this.stable ? this.bytes.subarray(start, end) : this.bytes.slice(start, end);
  }

  /** For drivers: set the window of bytes. */
  window(bytes: Uint8Array, pos: number, end: number, base: number): void {
    if (this.bytes !== bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.pos = pos;
    this.end = end;
    this.base = base;
  }
}
