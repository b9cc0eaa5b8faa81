/** A body of known length out of pieces. */

/** Of workerd: without it, a body that a program makes has no Content-Length there. */
interface FixedLength {
  FixedLengthStream?: new (length: number) => TransformStream<Uint8Array, Uint8Array>;
}

/**
 * The pieces as a body, after the first of them is here: what goes wrong before that can still be told by a status. `done` is called once,
 * when all was sent, a read failed or nobody listens any more.
 */
export async function bodyOf(
  pieces: AsyncGenerator<Uint8Array>,
  length: number,
  done: (reason?: unknown) => Promise<void>,
): Promise<ReadableStream<Uint8Array>> {
  let next: IteratorResult<Uint8Array> | null = await pieces.next();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const step: IteratorResult<Uint8Array> = next ?? await pieces.next();
        next = null;
        if (!step.done) return controller.enqueue(step.value);
        await done();
        controller.close();
      } catch (error) {
        await done(error);
        controller.error(error);
      }
    },
    cancel: (reason) => done(reason ?? new TypeError("The body was cancelled")),
  }, { highWaterMark: 0 });
  const { FixedLengthStream } = globalThis as FixedLength;
  if (!FixedLengthStream) return body;
  const fixed = new FixedLengthStream(length);
  // It fails when the reader goes away, which `done` is told.
  body.pipeTo(fixed.writable).catch(() => {});
  return fixed.readable;
}
