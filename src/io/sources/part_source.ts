/**
 * Part of a source, as a source of its own.
 *
 * @module
 */
import { readFully } from "./read_fully.ts";
import type { Source } from "../source.ts";

/**
 * The bytes `[offset, offset + size)` of another source, which its owner closes. It has no `view`, so what is read from a file in an archive
 * or folder in memory is a copy.
 */
export class PartSource implements Source {
  readonly size: number;
  readonly name: string;
  readonly costly?: boolean;
  declare readSync?: (offset: number, into: Uint8Array) => number;
  declare verifySync?: () => void;
  declare streamRange?: Source["streamRange"];
  readonly #source: Source;
  readonly #offset: number;

  /** Over a part that lies within `source`. */
  constructor(source: Source, offset: number, size: number, name: string) {
    this.#source = source;
    this.#offset = offset;
    this.size = size;
    this.name = name;
    this.costly = source.costly;
    if (source.readSync) this.readSync = (at, into) => source.readSync!(offset + at, this.#clip(at, into));
    if (source.verifySync) this.verifySync = () => source.verifySync!();
    if (source.streamRange) this.streamRange = (start, end) => source.streamRange!(offset + start, offset + end);
  }

  /** Read bytes from `offset` on, counted from the start of the part. */
  async read(offset: number, into: Uint8Array, options?: { signal?: AbortSignal }): Promise<number> {
    const part = this.#clip(offset, into);
    return part.length === 0 ? 0 : await this.#source.read(this.#offset + offset, part, options);
  }

  /** Check that the source has not changed. */
  async verify(): Promise<void> {
    await this.#source.verify?.();
  }

  #clip(offset: number, into: Uint8Array): Uint8Array {
    const left = Math.max(0, this.size - offset);
    return into.length > left ? into.subarray(0, left) : into;
  }
}

/** Maximum bytes per read when a source is read from end to end. */
const PIECE = 2 ** 18;
/** Where each read costs a round trip: bytes of the first, since the reader may stop early, and the maximum for later ones. */
const FIRST = 4096, MOST = 4 * 2 ** 20;

/** The bytes `[from, to)` of a source, in pieces. */
export async function* piecesOf(
  source: Source,
  from: number,
  to: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let length = source.costly ? FIRST : PIECE;
  for (let at = from; at < to; length = source.costly ? Math.min(MOST, 4 * length) : PIECE) {
    const piece = new Uint8Array(Math.min(length, to - at));
    await readFully(source, at, piece, signal);
    at += piece.length;
    yield piece;
  }
}
