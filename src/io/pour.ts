/**
 * Chunks into a sink.
 *
 * @module
 */
import { type Chunk, UnreadBytes } from "../unread_bytes.ts";
import { type PieceBuffers, piecesOf } from "./load_lazy_arrays.ts";
import { FileSink } from "./file_sink.ts";
import type { Sink } from "./sink.ts";
import { Turns } from "./turns.ts";
import { within } from "./within.ts";

/** Small chunks are gathered up to this before they are written. */
export const GATHER = 2 ** 20;
/** Write chunks: small ones together, large ones as they are. */
export async function pour(
  chunks: Iterable<Chunk>,
  sink: Sink,
  signal: AbortSignal | undefined,
  onWritten: ((loaded: number) => void) | undefined,
): Promise<void> {
  const turns = new Turns(signal);
  const gathered = new Uint8Array(GATHER), buffers: PieceBuffers = [];
  let held = 0, written = 0;
  const write = async (chunk: Uint8Array) => {
    signal?.throwIfAborted();
    // Nobody waits for a sink that does not look at the signal; what is under way in a file ends soon by itself.
    if (signal && !(sink instanceof FileSink)) await within(Promise.resolve(sink.write(chunk)), Infinity, signal);
    else await sink.write(chunk);
    written += chunk.length;
    onWritten?.(written);
  };
  const flush = async () => {
    if (held === 0) return;
    const chunk = gathered.subarray(0, held);
    held = 0;
    await write(chunk);
  };
  for (const chunk of chunks) {
    if (turns.due()) await turns.take();
    if (chunk instanceof UnreadBytes) {
      await flush();
      for await (const piece of piecesOf(chunk, signal, buffers)) await write(piece);
      continue;
    }
    if (held + chunk.length > GATHER) await flush();
    if (chunk.length > GATHER / 4) {
      await flush();
      for (let at = 0; at < chunk.length; at += LONGEST) await write(chunk.subarray(at, at + LONGEST));
    } else {
      gathered.set(chunk, held);
      held += chunk.length;
    }
  }
  await flush();
}

/** Longest single write: an abort is seen between two. */
const LONGEST = 16 * 2 ** 20;
