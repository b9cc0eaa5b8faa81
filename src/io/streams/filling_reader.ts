/**
 * Readers that fill our buffer instead of returning chunks of their own.
 *
 * @module
 */

/** A reader of either kind. */
export type BytesReader = ReadableStreamDefaultReader<Uint8Array> | ReadableStreamBYOBReader;

/** Elsewhere such readers are slower, as chunks are made and copied anyway. workerd has too little memory for chunks. */
const IS_WORTH = "Deno" in globalThis ||
  (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent === "Cloudflare-Workers";

/** A BYOB reader, if that pays off here and `stream` supports it; otherwise a default reader. */
export function readerOf(stream: ReadableStream<Uint8Array>): BytesReader {
  if (!IS_WORTH) return stream.getReader();
  try {
    return stream.getReader({ mode: "byob" });
  } catch (error) {
    // Only byte streams have BYOB readers; a locked stream has no reader of either kind.
    if (stream.locked) throw error;
    return stream.getReader();
  }
}

/** Whether `reader` fills a caller's buffer. */
export function isFilling(reader: BytesReader): reader is ReadableStreamBYOBReader {
  return typeof ReadableStreamBYOBReader !== "undefined" && reader instanceof ReadableStreamBYOBReader;
}

/** Reads the next bytes into a buffer, which it takes over. */
export type FillBytes = (into: Uint8Array<ArrayBuffer>) => Promise<ReadableStreamReadResult<Uint8Array>>;

/**
 * The reads of a filling reader. If the stream closes without answering the last one, as many do, that one reports the end. A stream that has
 * all its bytes at hand closes just before it answers: that answer comes first.
 */
export function fillsOf(reader: ReadableStreamBYOBReader): FillBytes {
  let end = () => {};
  reader.closed.then(() => {}).then(() => end(), () => {});
  return (into) =>
    new Promise((resolve, reject) => {
      end = () => resolve({ done: true, value: undefined });
      reader.read(into).then(resolve, reject);
    });
}

/** Reads the next bytes. */
export type ReadBytes = () => Promise<ReadableStreamReadResult<Uint8Array>>;

/**
 * Reads what `reader` has. If it fills a buffer, that has `size` bytes and is used again and again: no garbage is left behind, and the bytes
 * are valid only until the next read.
 */
export function readsOf(reader: BytesReader, size: number): ReadBytes {
  if (!isFilling(reader)) return () => reader.read();
  const fill = fillsOf(reader);
  let scratch = new Uint8Array(size);
  return async () => {
    const step = await fill(scratch);
    if (step.done) return { done: true, value: undefined };
    scratch = new Uint8Array(step.value.buffer as ArrayBuffer);
    return step;
  };
}
