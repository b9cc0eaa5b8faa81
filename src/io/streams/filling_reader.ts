/**
 * Readers that fill memory of ours, in place of giving chunks of theirs.
 *
 * @module
 */

/** A reader of either kind. */
export type BytesReader = ReadableStreamDefaultReader<Uint8Array> | ReadableStreamBYOBReader;

/** Elsewhere such readers are slower, as chunks are made and copied all the same; workerd has too little memory for chunks. */
const IS_WORTH = "Deno" in globalThis ||
  (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent === "Cloudflare-Workers";

/** A reader that fills memory, where that is worth it and `stream` can; else one that gives chunks. */
export function readerOf(stream: ReadableStream<Uint8Array>): BytesReader {
  if (!IS_WORTH) return stream.getReader();
  try {
    return stream.getReader({ mode: "byob" });
  } catch (error) {
    // Only streams of bytes can; one that somebody reads already can do neither.
    if (stream.locked) throw error;
    return stream.getReader();
  }
}

/** Whether it fills memory. */
export function isFilling(reader: BytesReader): reader is ReadableStreamBYOBReader {
  return typeof ReadableStreamBYOBReader !== "undefined" && reader instanceof ReadableStreamBYOBReader;
}
