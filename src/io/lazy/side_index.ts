/**
 * The parts of a file that its structure was read from, kept next to it: the next opening reads these instead of
 * many short ranges of the file.
 *
 * An index is `PDINDEX1`, then as little-endian u64 the size of the file, the length of the version string, that string, the number of
 * stretches and the offset and length of each; then their bytes, and the SHA-256 of everything before it.
 *
 * @module
 */
import { FormatError, UnsupportedError, type Warning } from "../../errors.ts";
import { readFully } from "../sources/read_fully.ts";
import type { Source } from "../source.ts";

const MAGIC = "PDINDEX1";
const HASH = 32;
/** Maximum bytes at the start of a file that are compared to see whether the index belongs to it. */
const HEAD = 4096;

interface Stretch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A source that records what is read from it. */
export class RecordingSource implements Source {
  readonly size: number;
  readonly name?: string;
  /** As if over a network, so that little is read. */
  readonly costly = true;
  readonly #source: Source;
  readonly #stretches: Stretch[] = [];

  /** Over `source`. */
  constructor(source: Source) {
    this.#source = source;
    this.size = source.size;
    this.name = source.name;
  }

  /** Read all that is requested, and record it. */
  async read(offset: number, into: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<number> {
    const part = into.subarray(0, Math.max(0, Math.min(into.length, this.size - offset)));
    await readFully(this.#source, offset, part, signal);
    if (part.length > 0) this.#stretches.push({ offset, bytes: part.slice() });
    return part.length;
  }

  /** Check that the bytes are still those of the first read. */
  async verify(): Promise<void> {
    await this.#source.verify?.();
  }

  /** Close the underlying source. */
  async close(): Promise<void> {
    await this.#source.close?.();
  }

  /** The index of what was read. */
  async index(): Promise<Uint8Array<ArrayBuffer>> {
    const version = new TextEncoder().encode(this.#source.version ?? "");
    const stretches = this.#stretches.sort((a, b) => a.offset - b.offset);
    const head = MAGIC.length + 24 + version.length + 16 * stretches.length;
    const index = new Uint8Array(stretches.reduce((sum, { bytes }) => sum + bytes.length, head) + HASH);
    const view = new DataView(index.buffer);
    let at = 0;
    const number = (value: number) => {
      view.setBigUint64(at, BigInt(value), true);
      at += 8;
    };
    const put = (bytes: Uint8Array) => {
      index.set(bytes, at);
      at += bytes.length;
    };
    put(new TextEncoder().encode(MAGIC));
    number(this.size);
    number(version.length);
    put(version);
    number(stretches.length);
    for (const { offset, bytes } of stretches) {
      number(offset);
      number(bytes.length);
    }
    for (const { bytes } of stretches) put(bytes);
    const hash = await hashOf(index.subarray(0, at));
    if (!hash) {
      throw new UnsupportedError(
        "UNSUPPORTED_RUNTIME",
        "A side index needs SHA-256, which pages have on secure origins only",
      );
    }
    put(hash);
    return index;
  }
}

/**
 * `source` with the stretches of `index` at hand. An index of another file, or of another version of this one, is ignored with a warning.
 *
 * @throws {FormatError} `WRONG_FORMAT`, `TRUNCATED`, `BAD_LENGTH`, `HASH_MISMATCH`: `index` is not an index, or is damaged
 */
export async function withIndex(
  source: Source,
  index: Uint8Array,
  { signal, onWarning }: { signal?: AbortSignal; onWarning?: (warning: Warning) => void } = {},
): Promise<Source> {
  const { size, version, stretches } = await readIndex(index);
  const isSame = size === source.size && !isOtherVersion(version, source.version ?? "") &&
    await hasHead(source, stretches, signal);
  if (isSame) return new IndexedSource(source, stretches);
  onWarning?.({ code: "STALE_INDEX", message: "The index does not match this version of the file: it was ignored" });
  return source;
}

/** Serves bytes from an index, and from the file where the index has none. */
class IndexedSource implements Source {
  readonly size: number;
  readonly name?: string;
  readonly costly = true;
  declare streamRange?: Source["streamRange"];
  readonly #source: Source;
  readonly #stretches: readonly Stretch[];

  constructor(source: Source, stretches: readonly Stretch[]) {
    if (source.streamRange) this.streamRange = (start, end) => source.streamRange!(start, end);
    this.#source = source;
    this.size = source.size;
    this.name = source.name;
    this.#stretches = stretches;
  }

  get version(): string | undefined {
    return this.#source.version;
  }

  async read(offset: number, into: Uint8Array, options?: { signal?: AbortSignal }): Promise<number> {
    const at = this.#find(offset);
    const stretch = this.#stretches[at];
    if (stretch && offset < stretch.offset + stretch.bytes.length) {
      const part = stretch.bytes.subarray(offset - stretch.offset, offset - stretch.offset + into.length);
      into.set(part);
      return part.length;
    }
    return await this.#source.read(offset, into, options);
  }

  async verify(): Promise<void> {
    await this.#source.verify?.();
  }

  async close(): Promise<void> {
    await this.#source.close?.();
  }

  /** Position of the last stretch that begins at or before `offset`; -1 if there is none. */
  #find(offset: number): number {
    let low = 0, high = this.#stretches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#stretches[middle].offset <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** Versions differ only if both are known and of the same kind. */
function isOtherVersion(one: string, other: string): boolean {
  return one.split(":")[0] === other.split(":")[0] && one !== other;
}

async function hasHead(source: Source, [first]: readonly Stretch[], signal?: AbortSignal): Promise<boolean> {
  if (first?.offset !== 0) return false;
  const head = first.bytes.subarray(0, HEAD);
  const there = await readFully(source, 0, new Uint8Array(head.length), signal);
  return there.every((byte, i) => byte === head[i]);
}

async function readIndex(
  index: Uint8Array,
): Promise<{ size: number; version: string; stretches: Stretch[] }> {
  const end = index.length - HASH;
  if (end < MAGIC.length || String.fromCharCode(...index.subarray(0, MAGIC.length)) !== MAGIC) {
    throw new FormatError("WRONG_FORMAT", "This is not a side index", { offset: 0 });
  }
  const hash = await hashOf(index.subarray(0, end));
  if (hash && !hash.every((byte, i) => byte === index[end + i])) {
    throw new FormatError("HASH_MISMATCH", "The side index is damaged: its hash does not match", { offset: end });
  }
  const view = new DataView(index.buffer, index.byteOffset, end);
  let at = MAGIC.length;
  const cut = () => new FormatError("TRUNCATED", `The side index ends early`, { offset: at });
  const number = (): number => {
    if (at + 8 > end) throw cut();
    const value = Number(view.getBigUint64(at, true));
    if (!Number.isSafeInteger(value)) throw new FormatError("BAD_LENGTH", `${value} is not a length`, { offset: at });
    at += 8;
    return value;
  };
  const size = number(), length = number();
  if (length > end - at) throw cut();
  const version = new TextDecoder().decode(index.subarray(at, at += length));
  const count = number();
  if (16 * count > end - at) throw cut();
  const ranges = Array.from({ length: count }, () => [number(), number()]);
  const stretches = ranges.map(([offset, length]) => {
    if (length > end - at) throw cut();
    return { offset, bytes: index.subarray(at, at += length) };
  });
  return { size, version, stretches };
}

/** The SHA-256 of `bytes`; null on pages without a secure context, which have no hashing. */
async function hashOf(bytes: Uint8Array): Promise<Uint8Array | null> {
  if (!globalThis.crypto?.subtle) return null;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
}
