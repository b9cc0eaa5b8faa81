/**
 * The CRC-32 of a file whose parts may be read in another order than they lie in it, as reads in flight end.
 *
 * @module
 */
import { crc32, joinedCrc32 } from "../../codec/crc32.ts";

/** Bytes beyond the first gap from which on a read counts as one of single arrays, not of the whole file. */
const AHEAD = 64 * 2 ** 20;
/** Parts with gaps between them, beyond which only reads that fill the first gap count. */
const MOST_PARTS = 32;

/** Adjacent bytes that were read. */
interface Part {
  readonly start: number;
  readonly end: number;
  readonly crc: number;
}

/** Sums up what is read, each byte once. */
export class RunningSum {
  /** In order, with gaps between them. */
  #parts: readonly Part[] = [];

  /** Add the bytes at `offset`; returns the sum of the whole file if these were the last of its `size` bytes, otherwise null. */
  add(offset: number, bytes: Uint8Array, size: number): number | null {
    const first = this.#parts.at(0), next = first?.start === 0 ? first.end : 0;
    if (offset > next && (offset > next + AHEAD || this.#parts.length > MOST_PARTS)) return null;
    const gaps = this.#gapsIn(offset, offset + bytes.length);
    if (gaps.length === 0) return null;
    const added = gaps.map(([start, end]) => ({
      start,
      end,
      crc: crc32(bytes.subarray(start - offset, end - offset)),
    }));
    this.#parts = joined([...this.#parts, ...added]);
    const [{ start, end, crc }] = this.#parts;
    return start === 0 && end === size ? crc : null;
  }

  /** The ranges within `[from, to)` that were not read before. */
  #gapsIn(from: number, to: number): [start: number, end: number][] {
    const gaps: [number, number][] = [];
    let at = from;
    for (const { start, end } of this.#parts) {
      if (end <= at) continue;
      if (start >= to) break;
      if (start > at) gaps.push([at, start]);
      at = end;
    }
    if (at < to) gaps.push([at, to]);
    return gaps;
  }
}

/** The parts in order, with adjacent ones joined. */
function joined(parts: Part[]): Part[] {
  const result: Part[] = [];
  for (const part of parts.sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last?.end !== part.start) result.push(part);
    else {
      const { start, end } = part;
      result.pop();
      result.push({ start: last.start, end, crc: joinedCrc32(last.crc, part.crc, end - start) });
    }
  }
  return result;
}
