/**
 * Decodes a payload as stored in a file to the bytes it stands for.
 *
 * @module
 */
import { FormatError } from "../errors.ts";
import { latin1FromUtf8, latin1Length } from "../kernel.ts";
import type { BlobEncoding } from "./cursor.ts";

/**
 * The bytes that `stored` stands for: itself if raw, else decoded to `into` (or to a larger buffer if that is too small). `at` is where
 * malformed text is reported; `size` is a hint at the length of the result.
 *
 * @throws {FormatError} `BAD_TEXT`
 */
export function decodePayload(
  stored: Uint8Array,
  encoding: BlobEncoding,
  at: number,
  size?: number,
  into: Uint8Array = new Uint8Array(encoding === "raw" ? 0 : sizeOfText(stored.length, size)),
): Uint8Array {
  if (encoding === "raw") return stored;
  let length = latin1FromUtf8(stored, into);
  // Bytes that did not fit were counted nonetheless.
  if (length > into.length) length = latin1FromUtf8(stored, into = new Uint8Array(length));
  if (length < 0) throw badText(at);
  return length === into.length ? into : into.subarray(0, length);
}

/** Buffer size for decoding a text of `length` bytes: the hint `size` if it is plausible, else the maximum possible. */
export function sizeOfText(length: number, size: number | undefined): number {
  return size !== undefined && size <= length && size * 2 >= length ? size : length;
}

/** Decodes the UTF-8 of latin-1 text to bytes, in pieces of any length (pickle protocol 2, FORMATS.md 3.4). */
export class Latin1Text {
  readonly #at: number;
  #into: Uint8Array;
  #length = 0;
  /** A lead byte whose continuation is in the next piece, or -1. */
  #lead = -1;

  /** The bytes go to `into`, or to a larger buffer if there turn out to be more. */
  constructor(at: number, into: Uint8Array) {
    this.#at = at;
    this.#into = into;
  }

  /** Decode the next piece. */
  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    if (this.#lead >= 0) {
      this.#take(Uint8Array.of(this.#lead, piece[0]));
      this.#lead = -1;
      piece = piece.subarray(1);
      if (piece.length === 0) return;
    }
    const last = piece[piece.length - 1];
    if (last === 0xc2 || last === 0xc3) {
      this.#lead = last;
      piece = piece.subarray(0, -1);
    }
    this.#take(piece);
  }

  /** Continue in `into`: if the final size is known, this avoids growing, which can take as much memory again. */
  moveTo(into: Uint8Array): void {
    into.set(this.#into.subarray(0, this.#length));
    this.#into = into;
  }

  /** The bytes, after all pieces were pushed. */
  finish(): Uint8Array {
    if (this.#lead >= 0) throw badText(this.#at);
    return this.#length === this.#into.length ? this.#into : this.#into.subarray(0, this.#length);
  }

  #take(piece: Uint8Array): void {
    this.#room(piece);
    const written = latin1FromUtf8(piece, this.#into.subarray(this.#length));
    if (written < 0) throw badText(this.#at);
    this.#length += written;
  }

  /** Make room for the bytes of `piece`. Its length is an upper bound; only if that does not fit are the bytes counted. */
  #room(piece: Uint8Array): void {
    if (this.#length + piece.length <= this.#into.length) return;
    const needed = this.#length + latin1Length(piece);
    if (needed <= this.#into.length) return;
    this.moveTo(new Uint8Array(Math.max(needed, 2 * this.#length)));
  }
}

function badText(at: number): FormatError {
  return new FormatError(
    "BAD_TEXT",
    `Text at byte ${at} encodes bytes, but holds a character above U+00FF or is not valid UTF-8`,
    { offset: at },
  );
}
