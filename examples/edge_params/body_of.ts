/** Response bodies of known length, made from pieces. */
import { letGo } from "./let_go.ts";

type Pieces = AsyncGenerator<Uint8Array>;
type Done = (reason?: unknown) => Promise<void>;

/** Provided by workerd, where a generated body has no Content-Length without it. */
interface FixedLength {
  FixedLengthStream?: new (length: number) => TransformStream<Uint8Array, Uint8Array>;
}

/**
 * A body made of the pieces. Resolves once the first piece is read, so that an error before that can still be reported by a status code.
 * `done` is called once, when everything was sent, a read failed or the client went away.
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
    // Either a read failed, or the client went away.
    await writer.abort(error).catch(() => {});
    await done(error);
  }
}
