/** The Range header (RFC 9110, section 14). */

/** Bytes `[start, end)`; `"unsatisfiable"`: none of those that were asked for are there. */
export type ByteRange = readonly [start: number, end: number] | "unsatisfiable";

/**
 * The one range of `size` bytes that `header` asks for; null where it is to be ignored and everything is given: it is not well formed, it
 * counts something else than bytes, or it asks for several ranges.
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
  // No Content-Range can tell of an empty range.
  return size === 0 ? null : [Math.max(0, size - length), size];
}

/** Digits may be more than a number can hold. */
function isLess(one: string, other: string): boolean {
  return BigInt(one) < BigInt(other);
}
