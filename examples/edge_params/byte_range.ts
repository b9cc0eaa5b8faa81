/** The Range header (RFC 9110, section 14). */

/** Bytes `[start, end)`; `"unsatisfiable"`: none of the requested bytes exist. */
export type ByteRange = readonly [start: number, end: number] | "unsatisfiable";

/**
 * The single range of `size` bytes that `header` requests; null if the header is to be ignored and everything sent, because it is
 * malformed, has a unit other than bytes, or requests several ranges.
 */
export function byteRange(header: string | null, size: number): ByteRange | null {
  const set = /^bytes=(.*)$/is.exec(header?.trim() ?? "");
  const ranges = set ? set[1].split(",").map((text) => text.trim()).filter((text) => text !== "") : [];
  const match = ranges.length === 1 ? /^(\d*)-(\d*)$/.exec(ranges[0]) : null;
  if (!match || ranges[0] === "-") return null;
  const [first, last] = [match[1], match[2]];
  if (first === "") return suffix(Number(last), size);
  if (last !== "" && isLess(last, first)) return null;
  if (Number(first) >= size) return "unsatisfiable";
  return [Number(first), last === "" ? size : Math.min(size, Number(last) + 1)];
}

function suffix(length: number, size: number): ByteRange | null {
  if (length === 0) return "unsatisfiable";
  // Content-Range cannot express an empty range.
  return size === 0 ? null : [Math.max(0, size - length), size];
}

/** Compares as BigInts, since there may be more digits than a number can hold. */
function isLess(one: string, other: string): boolean {
  return BigInt(one) < BigInt(other);
}
