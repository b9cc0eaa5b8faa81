/**
 * Chunks with their stand-ins: what small ones stand for is read, several at a time; large ones are read in pieces when they are written.
 *
 * @module
 */
import { SourceError } from "../../errors.ts";
import { piecesOf as piecesOfBytes } from "../../words/joined_bytes.ts";
import { utf8FromLatin1, utf8Length } from "../../kernel.ts";
import { type LazyBytes, NDArray } from "../../ndarray.ts";
import { type Chunk, UnreadBytes } from "../../words/unread_bytes.ts";
import { SpareBytes } from "./spare_bytes.ts";
import { scratchOf, SpanBytes } from "../lazy/span_bytes.ts";
import { within } from "../waiting/within.ts";

/** Arrays below this are read whole. */
const SMALL = 65_536;
/** Arrays that are read together, so that neighbours come in one request. */
const TOGETHER = 64;
/** Bytes of a large array that are read at a time. */
const PIECE = 2 * 2 ** 20;

/** Bytes that become text at a time. */
const TEXT_PIECE = 2 ** 20;

/** The chunks that an encoder gives, one after the other. */
export class ReadAhead {
  readonly #chunks: Iterator<Chunk>;
  readonly #signal: AbortSignal | undefined;
  readonly #queue: (Chunk | Promise<Uint8Array>)[] = [];
  readonly #spare: SpareBytes;
  /** For pieces; each is used again and again. */
  readonly #buffers: Uint8Array[] = [];
  #small: [Uint8Array, Uint8Array] | null = null;
  #text: Uint8Array | null = null;
  /** Places that were read, by what tells whether they changed. */
  readonly #read = new Map<unknown, LazyBytes>();

  /** Over `chunks`, of which one is good until the next but one is asked for. */
  constructor(chunks: Iterable<Chunk>, signal?: AbortSignal, spare: SpareBytes = new SpareBytes()) {
    this.#spare = spare;
    this.#chunks = chunks[Symbol.iterator]();
    this.#signal = signal;
  }

  /**
   * The next chunk; null behind the last one. A stand-in that is given is a large one: see {@linkcode ReadAhead.pieces}; bytes in its place
   * are good until the next chunk is asked for.
   */
  next(): Chunk | Promise<Uint8Array> | null {
    const first = this.#queue.shift();
    if (first !== undefined) return first;
    const step = this.#chunks.next();
    if (step.done) return null;
    if (!isSmall(step.value)) return step.value;
    return this.#now(step.value) ?? this.#several(step.value);
  }

  /** The bytes of a large stand-in. Each piece is good until the next one is asked for: they are made in a few places in turn. */
  async *pieces(chunk: UnreadBytes): AsyncGenerator<Uint8Array> {
    const { array, turn } = chunk;
    if (array.unread) this.#note(array.unread);
    this.#takeBuffers(array.nbytes);
    const pieces = plainPieces(array, this.#signal, this.#buffers);
    if (turn === null) yield* pieces;
    else if (turn === "text") yield* this.#textPieces(pieces, chunk);
    else yield* turn(pieces, this.#signal);
  }

  /** Whether all that was read is what it was: throws where a place changed meanwhile. */
  async verify(): Promise<void> {
    for (const bytes of this.#read.values()) {
      await within((async () => await bytes.verify?.())(), Infinity, this.#signal);
    }
  }

  /** Give its memory back, where all was read: a read that was left goes on writing into it. */
  release(): void {
    this.#spare.give(...this.#small ?? [], ...this.#buffers.splice(0));
    this.#small = null;
  }

  /** One buffer for pieces, and another where more than one comes. */
  #takeBuffers(nbytes: number): void {
    const length = Math.min(PIECE, nbytes), buffers = this.#buffers;
    for (let k = 0; k < (nbytes > PIECE ? 2 : 1); k++) {
      if (buffers[k] && buffers[k].length >= length) continue;
      this.#spare.give(buffers[k]);
      buffers[k] = this.#spare.take(length);
    }
  }

  /** What can be read at once is. */
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

  /** Begin to read some that stand close together; the first of them is given. */
  #several(first: UnreadBytes): Promise<Uint8Array> {
    const begin = (chunk: UnreadBytes) => {
      const reading = this.#whole(chunk);
      // Told where it is waited for.
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
        // One that is made in a place of its encoder's is not good for long.
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
    throw new SourceError("SOURCE_CHANGED", `The file changed while it was read: a text of ${length} has ${written}`, {
      expected: length,
      actual: written,
    });
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

/** The bytes of an array, one piece in memory while the next is read. They are not kept. */
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
    // Who stops in between never waits for it.
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
