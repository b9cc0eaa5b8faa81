/**
 * A generator of bytes, as a stream.
 *
 * @module
 */

/**
 * A stream of what `make` yields. Cancelling it aborts the signal passed to `make`, so that nothing waits for bytes that are no longer
 * wanted.
 */
export function streamOf<Bytes extends Uint8Array>(
  make: (signal: AbortSignal) => AsyncGenerator<Bytes>,
): ReadableStream<Bytes> {
  const controller = new AbortController();
  const chunks = make(controller.signal);
  return new ReadableStream<Bytes>({
    async pull(stream) {
      try {
        const step = await chunks.next();
        if (step.done) stream.close();
        else stream.enqueue(step.value);
      } catch (error) {
        stream.error(error);
      }
    },
    async cancel(reason) {
      controller.abort(reason);
      // Errors on the way out no longer matter.
      await chunks.return(undefined).catch(() => {});
    },
  });
}
