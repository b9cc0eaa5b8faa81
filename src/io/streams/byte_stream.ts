/**
 * A generator of bytes, as a stream whose reader may bring its own memory.
 *
 * @module
 */
import { Copies } from "./copies.ts";

/** Maximum bytes of a chunk. */
const LONGEST = 2 ** 20;

/**
 * A stream of what `make` yields, where each piece is valid until the next one is requested. A BYOB reader gets the bytes in its own
 * memory, so that none is allocated; any other reader gets copies. WebKit's streams have no BYOB readers. Cancelling the stream aborts the
 * signal passed to `make`.
 */
export function byteStream(
  make: (signal: AbortSignal) => AsyncGenerator<Uint8Array>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const controller = new AbortController(), copies = new Copies();
  const pieces = make(controller.signal);
  let rest: Uint8Array = new Uint8Array(0);
  const next = async () => {
    while (rest.length === 0) {
      const step = await pieces.next();
      if (step.done) return false;
      rest = step.value;
    }
    return true;
  };
  // Reading begins at once, so that neighbouring arrays are read together.
  let ahead: Promise<boolean> | null = next();
  ahead.catch(() => {});
  const take = (most: number) => {
    const part = rest.subarray(0, most);
    rest = rest.subarray(part.length);
    return part;
  };
  return new ReadableStream({
    type: "ReadableByteStreamController" in globalThis ? "bytes" : undefined,
    async pull(stream: ReadableByteStreamController) {
      try {
        const isMore = await (ahead ?? next());
        ahead = null;
        const request = stream.byobRequest, view = request?.view;
        if (!isMore) {
          stream.close();
          request?.respond(0);
        } else if (view) {
          const part = take(view.byteLength);
          new Uint8Array(view.buffer, view.byteOffset, part.length).set(part);
          request.respond(part.length);
        } else stream.enqueue(copies.of(take(LONGEST)));
      } catch (error) {
        stream.error(error);
      }
    },
    async cancel(reason: unknown) {
      controller.abort(reason);
      // Errors on the way out no longer matter.
      await pieces.return(undefined).catch(() => {});
    },
  } as UnderlyingByteSource, { highWaterMark: 0 }) as ReadableStream<Uint8Array<ArrayBuffer>>;
}
