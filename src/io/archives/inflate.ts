/**
 * Decompression within limits.
 *
 * @module
 */
import { FormatError, UnsupportedError } from "../../errors.ts";
import { limitError, type Limits } from "../../limits.ts";
import { gunzipping } from "../platform.ts";
import { eitherSignal } from "../waiting/either_signal.ts";
import { arrived, Turns } from "../waiting/turns.ts";
import { Feed } from "./feed.ts";

/** The options of {@linkcode inflate}. */
export interface InflateOptions {
  format: "deflate-raw" | "gzip";
  /** Size of the compressed data in bytes. */
  compressed: number;
  limits: Readonly<Limits>;
  /** Offset of the compressed data, for errors. */
  offset: number;
  name?: string;
  signal?: AbortSignal;
}

/** Output of up to this many bytes is never too much: short runs of zeros shrink a thousandfold. */
export const FREE_EXPANSION: number = 2 ** 20;

/**
 * The decompressed bytes of what `make` yields, in chunks.
 *
 * @throws {LimitError} `LIMIT`: the output exceeds maxExpansion or maxStreamBytes
 * @throws {FormatError} `BAD_FIELD`: the data are not compressed in this format
 */
export async function* inflate(
  make: (signal: AbortSignal) => AsyncGenerator<Uint8Array>,
  options: InflateOptions,
): AsyncGenerator<Uint8Array> {
  const { format, offset, name, signal } = options;
  const { readable, writable } = unpacker(format), reader = readable.getReader();
  const over = new AbortController(), either = eitherSignal(over.signal, signal), turns = new Turns(signal);
  const feed = new Feed(make(either.signal), writable);
  let out = 0;
  try {
    for (;;) {
      signal?.throwIfAborted();
      // Bytes in memory are decompressed without a turn of the event loop.
      if (turns.due()) await turns.take();
      const { done, value } = await feed.during(() => reader.read()).catch((cause) => {
        throw feed.failure ?? notPacked(offset, name, cause);
      });
      if (done) return;
      out += value.length;
      checkExpansion(out, options);
      yield value;
    }
  } finally {
    over.abort();
    feed.end();
    either.release();
    await arrived();
    await reader.cancel().catch(() => {});
  }
}

function notPacked(offset: number, path: string | undefined, cause: unknown): FormatError {
  const message = `The packed data at byte ${offset} cannot be unpacked`;
  return new FormatError("BAD_FIELD", message, { offset, path, cause });
}

/** Throw if `size` decompressed bytes are more than the compressed ones may expand to. */
export function checkExpansion(size: number, { compressed, limits, offset, name }: InflateOptions): void {
  const most = Math.max(FREE_EXPANSION, limits.maxExpansion * compressed);
  const [limit, max, actual] = size > limits.maxStreamBytes
    ? ["maxStreamBytes", limits.maxStreamBytes, size] as const
    : ["maxExpansion", limits.maxExpansion, Math.ceil(size / Math.max(1, compressed))] as const;
  if (size <= most && limit === "maxExpansion") return;
  const finding = `: the packed data at byte ${offset} unpack to ${size} bytes or more`;
  throw limitError(limit, max, actual, finding, { offset, path: name });
}

function unpacker(format: "deflate-raw" | "gzip"): ReadableWritablePair<Uint8Array, Uint8Array> {
  const own = format === "gzip" ? gunzipping() : null;
  if (own) return own;
  if (typeof DecompressionStream === "undefined") {
    throw new UnsupportedError(
      "UNSUPPORTED_RUNTIME",
      "This runtime has no DecompressionStream: packed files cannot be read",
    );
  }
  return new DecompressionStream(format as CompressionFormat) as unknown as TransformStream<Uint8Array, Uint8Array>;
}
