/**
 * Resolves the stand-ins among an encoder's chunks: small arrays are read, several at a time; large ones are read
 * in pieces as they are written.
 *
 * @module
 */
import { SourceError } from "../../errors.ts";
import { piecesOf as piecesOfBytes } from "../../words/joined_bytes.ts";
import { utf8FromLatin1, utf8Length } from "../../kernel.ts";
import { type LazyBytes, NDArray } from "../../ndarray.ts";
import { type Chunk, UnreadBytes } from "../../words/unread_bytes.ts";
import { BufferPool } from "../streams/buffer_pool.ts";
import { scratchOf, SpanBytes } from "../lazy/span_bytes.ts";
import { within } from "../waiting/within.ts";

/** Arrays smaller than this, in bytes, are read whole. */
const SMALL = 65_536;
/** Number of arrays to read at once, so that neighbours are merged into one request. */
const TOGETHER = 64;
/** Bytes of a large array that are read at a time. */
const PIECE = 2 * 2 ** 20;

/** Bytes that are encoded as a string at a time. */
const TEXT_PIECE = 2 ** 20;

/** An encoder's chunks, one after the other. */
export class ReadAhead {
  readonly #chunks: Iterator<Chunk>;
  readonly #signal: AbortSignal | undefined;
  readonly #queue: (Chunk | Promise<Uint8Array>)[] = [];
  readonly #spare: BufferPool;
  /** Reused buffers for pieces. */
  readonly #buffers: Uint8Array[] = [];
  #small: [Uint8Array, Uint8Array] | null = null;
  #text: Uint8Array | null = null;
  /** What was read: one entry per source, as that suffices to verify it. */
  readonly #read = new Map<unknown, LazyBytes>();

  /** Over `chunks`, each of which is valid until the next but one is requested. */
  constructor(chunks: Iterable<Chunk>, signal?: AbortSignal, spare: BufferPool = new BufferPool()) {
    this.#spare = spare;
    this.#chunks = chunks[Symbol.iterator]();
    this.#signal = signal;
  }

  /**
   * The next chunk; null after the last one. Only large stand-ins are returned as such: see {@linkcode ReadAhead.pieces}. Bytes that
   * replace a small one are valid until the next chunk is requested.
   */
  next(): Chunk | Promise<Uint8Array> | null {
    const first = this.#queue.shift();
    if (first !== undefined) return first;
    const step = this.#chunks.next();
    if (step.done) return null;
    if (!isSmall(step.value)) return step.value;
    return this.#now(step.value) ?? this.#several(step.value);
  }

  /** The bytes of a large stand-in. Each piece is valid until the next one is requested: a few buffers are used in turn. */
  async *pieces(chunk: UnreadBytes): AsyncGenerator<Uint8Array> {
    const { array, turn } = chunk;
    if (array.unread) this.#note(array.unread);
    this.#takeBuffers(array.nbytes);
    const pieces = plainPieces(array, this.#signal, this.#buffers);
    if (turn === null) yield* pieces;
    else if (turn === "text") yield* this.#textPieces(pieces, chunk);
    else yield* turn(pieces, this.#signal);
  }

  /** Check that everything read is unchanged; throws if a source changed meanwhile. */
  async verify(): Promise<void> {
    for (const bytes of this.#read.values()) {
      await within((async () => await bytes.verify?.())(), Infinity, this.#signal);
    }
  }

  /** Release the buffers. Only once everything was read: an abandoned read goes on writing to them. */
  release(): void {
    this.#spare.give(...this.#small ?? [], ...this.#buffers.splice(0));
    this.#small = null;
  }

  /** Take one buffer for pieces, and a second one if there is more than one piece. */
  #takeBuffers(nbytes: number): void {
    const length = Math.min(PIECE, nbytes), buffers = this.#buffers;
    for (let k = 0; k < (nbytes > PIECE ? 2 : 1); k++) {
      if (buffers[k] && buffers[k].length >= length) continue;
      this.#spare.give(buffers[k]);
      buffers[k] = this.#spare.take(length);
    }
  }

  /** The bytes of a small stand-in, if they can be read synchronously. */
  #now({ array, turn }: UnreadBytes): Uint8Array | null {
    const { unread, nbytes } = array;
    if (unread && !unread.readSync) return null;
    if (unread) this.#note(unread);
    const [into, scratch] = this.#small ??= [this.#spare.take(SMALL), this.#spare.take(2 * SMALL)];
    let bytes: Uint8Array = into.subarray(0, nbytes);
    if (!(unread instanceof SpanBytes && unread.readNowInto(bytes, scratch))) {
      ({ bytes } = unread ? new NDArray(array.dtype, array.shape, unread) : array);
    }
    return turn === "text" ? this.#textOf(bytes) : bytes;
  }

  #textOf(bytes: Uint8Array): Uint8Array {
    const text = this.#text ??= new Uint8Array(2 * TEXT_PIECE);
    return text.subarray(0, utf8FromLatin1(bytes, text));
  }

  /** Start reading several stand-ins that are close together; returns the first one. */
  #several(first: UnreadBytes): Promise<Uint8Array> {
    const begin = (chunk: UnreadBytes) => {
      const reading = this.#whole(chunk);
      // Reported where it is awaited.
      reading.catch(() => {});
      return reading;
    };
    const reading = begin(first);
    for (let begun = 1; begun < TOGETHER;) {
      const step = this.#chunks.next();
      if (step.done) break;
      if (isSmall(step.value)) {
        this.#queue.push(begin(step.value));
        begun++;
      } else {
        this.#queue.push(step.value);
        // A chunk in the encoder's own buffer does not stay valid for long.
        if (step.value.length >= SMALL) break;
      }
    }
    return reading;
  }

  async #whole({ array, turn }: UnreadBytes): Promise<Uint8Array> {
    const { unread } = array;
    if (unread) this.#note(unread);
    const { bytes } = unread
      ? await new NDArray(array.dtype, array.shape, unread).load({ signal: this.#signal })
      : array;
    return turn === "text" ? textOf(bytes) : bytes;
  }

  async *#textPieces(pieces: AsyncIterable<Uint8Array>, { length }: UnreadBytes): AsyncGenerator<Uint8Array> {
    let written = 0;
    for await (const piece of pieces) {
      for (let at = 0; at < piece.length; at += TEXT_PIECE) {
        const text = this.#textOf(piece.subarray(at, at + TEXT_PIECE));
        written += text.length;
        yield text;
      }
    }
    if (written === length) return;
    throw new SourceError(
      "SOURCE_CHANGED",
      `The file changed while being read: expected ${length} bytes of text, got ${written}`,
      {
        expected: length,
        actual: written,
      },
    );
  }

  #note(bytes: LazyBytes): void {
    this.#read.set(bytes instanceof SpanBytes ? bytes.source : bytes, bytes);
  }
}

function isSmall(chunk: Chunk): chunk is UnreadBytes {
  return chunk instanceof UnreadBytes && chunk.array.nbytes < SMALL && typeof chunk.turn !== "function";
}

function textOf(bytes: Uint8Array): Uint8Array {
  const text = new Uint8Array(utf8Length(bytes));
  utf8FromLatin1(bytes, text);
  return text;
}

/** The bytes of an array, with one piece in memory while the next is being read. */
async function* plainPieces(
  array: NDArray,
  signal?: AbortSignal,
  buffers: Uint8Array[] = [],
): AsyncGenerator<Uint8Array> {
  const lazy = array.unread;
  if (!(lazy instanceof SpanBytes) || lazy.plainOffset === null) {
    return yield* piecesOfBytes(lazy ?? array.bytes, 0, array.nbytes, { signal, scratch: buffers });
  }
  const read = (at: number) => {
    if (at >= array.nbytes) return null;
    const piece = lazy.fill(at, scratchOf(buffers, at / PIECE % 2, Math.min(PIECE, array.nbytes - at)), { signal });
    // A caller that stops early never awaits it.
    piece.catch(() => {});
    return piece;
  };
  let next = read(0);
  for (let at = 0; next !== null; at += PIECE) {
    const piece: Uint8Array = await next;
    next = read(at + PIECE);
    yield piece;
  }
}
