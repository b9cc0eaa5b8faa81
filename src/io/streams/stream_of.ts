/**
 * A generator of bytes as a stream.
 *
 * @module
 */

/** A stream of what `make` gives. Cancelling it ends the signal that `make` got, so that nobody waits for bytes that nobody wants. */
export function streamOf(make: (signal: AbortSignal) => AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  const controller = new AbortController();
  const chunks = make(controller.signal);
  return new ReadableStream<Uint8Array>({
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
      // What it meets on its way out concerns nobody any more.
      await chunks.return(undefined).catch(() => {});
    },
  });
}
