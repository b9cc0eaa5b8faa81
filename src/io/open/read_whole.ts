/**
 * Reads a file whole.
 *
 * @module
 */
import { allocate } from "../../words/allocate.ts";
import { limitError } from "../../limits.ts";
import { type From, sourceOf, type SourceOfOptions } from "./open_source.ts";
import { readFully } from "../sources/read_fully.ts";
import { joinInTurns } from "../streams/join_in_turns.ts";
import { streamChunks } from "../streams/stream_chunks.ts";

/** All bytes of `from`, of which there may be at most `limit`. */
export async function readWhole(from: From, limit: number, options: SourceOfOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { signal } = options;
  const opened = await sourceOf(from, { ...options, onePass: true });
  const check = (length: number) => {
    if (length <= limit) return;
    const finding = `: the file has ${length} bytes or more`;
    throw limitError("maxStructureBytes", limit, length, finding, { path: opened.name });
  };
  if (!("stream" in opened)) {
    try {
      check(opened.size);
      const bytes = await readFully(opened, 0, allocate(opened.size), signal);
      await opened.verify?.();
      return bytes;
    } finally {
      await opened.close?.();
    }
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of streamChunks(opened.stream, signal)) {
    check(length += chunk.length);
    chunks.push(chunk);
  }
  return await joinInTurns(chunks, signal);
}
