/**
 * Decompression within limits.
 *
 * @module
 */
import { FormatError, LimitError, UnsupportedError } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import { gunzipping } from "../platform.ts";
import { eitherSignal } from "../waiting/either_signal.ts";
import { arrived, Turns } from "../waiting/turns.ts";

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
  checkExpansion(0, options);
  const { readable, writable } = unpacker(format), reader = readable.getReader(), writer = writable.getWriter();
  const over = new AbortController(), either = eitherSignal(over.signal, signal), turns = new Turns(signal);
  let failure: unknown, isWanted = false, resume = () => {};
  const pieces = async function* () {
    try {
      yield* make(either.signal);
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  const feed = async () => {
    for await (const piece of pieces()) {
      await writer.write(piece);
      // A pipe would have more read than may ever be wanted.
      if (!isWanted) await new Promise<void>((resolve) => resume = resolve);
      if (over.signal.aborted) return;
    }
    await writer.close();
  };
  // Its errors, and those of the decompressor, are what the reader fails with.
  feed().catch((error) => writer.abort(error)).catch(() => {});
  let out = 0;
  try {
    for (;;) {
      signal?.throwIfAborted();
      // Bytes in memory are decompressed without a turn of the event loop.
      if (turns.due()) await turns.take();
      let step: ReadableStreamReadResult<Uint8Array>;
      try {
        isWanted = true;
        resume();
        step = await reader.read();
        isWanted = false;
      } catch (cause) {
        if (failure !== undefined) throw failure;
        throw new FormatError("BAD_FIELD", `The packed data at byte ${offset} cannot be unpacked`, {
          offset,
          path: name,
          cause,
        });
      }
      if (step.done) return;
      out += step.value.length;
      checkExpansion(out, options);
      yield step.value;
    }
  } finally {
    over.abort();
    resume();
    either.release();
    await arrived();
    await reader.cancel().catch(() => {});
  }
}

/** Throw if `size` decompressed bytes are more than the compressed ones may expand to. */
export function checkExpansion(size: number, { compressed, limits, offset, name }: InflateOptions): void {
  const most = Math.max(FREE_EXPANSION, limits.maxExpansion * compressed);
  const [limit, max, actual] = size > limits.maxStreamBytes
    ? ["maxStreamBytes", limits.maxStreamBytes, size] as const
    : ["maxExpansion", limits.maxExpansion, Math.ceil(size / Math.max(1, compressed))] as const;
  if (size <= most && limit === "maxExpansion") return;
  throw new LimitError(
    "LIMIT",
    `Limit ${limit}=${max} reached: the packed data at byte ${offset} unpack to ${size} bytes or more. If you trust this file: { limits: { ${limit}: ${actual} } }.`,
    { limit, max, actual, offset, path: name },
  );
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
