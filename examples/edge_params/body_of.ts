/** A body of known length out of pieces. */

type Pieces = AsyncGenerator<Uint8Array>;
type Done = (reason?: unknown) => Promise<void>;

/** Of workerd: without it, a body that a program makes has no Content-Length there. */
interface FixedLength {
  FixedLengthStream?: new (length: number) => TransformStream<Uint8Array, Uint8Array>;
}

/**
 * The pieces as a body, after the first of them is here: what goes wrong before that can still be told by a status. `done` is called once,
 * when all was sent, a read failed or nobody listens any more.
 */
export async function bodyOf(pieces: Pieces, length: number, done: Done): Promise<ReadableStream<Uint8Array>> {
  const first = await pieces.next();
  const { FixedLengthStream } = globalThis as FixedLength;
  if (!FixedLengthStream) return pulled(first, pieces, done);
  const { readable, writable } = new FixedLengthStream(length);
  written(first, pieces, done, writable.getWriter());
  return readable;
}

function pulled(first: IteratorResult<Uint8Array>, pieces: Pieces, done: Done): ReadableStream<Uint8Array> {
  let next: IteratorResult<Uint8Array> | null = first;
  return new ReadableStream<Uint8Array>({
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
}

async function written(
  first: IteratorResult<Uint8Array>,
  pieces: Pieces,
  done: Done,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  try {
    for (let step = first; !step.done; step = await pieces.next()) {
      await writer.write(step.value);
      letGo(step.value);
    }
    await writer.close();
    await done();
  } catch (error) {
    // Either a read failed, or the reader went away.
    await writer.abort(error).catch(() => {});
    await done(error);
  }
}

/** Free the memory of a piece that was sent, which would else wait for the garbage collector: workers have little. */
function letGo({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer(0);
}
