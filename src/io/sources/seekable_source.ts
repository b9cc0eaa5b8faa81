/**
 * Turns anything that was opened into a source that can be read at any offset.
 *
 * @module
 */
import { limitError } from "../../limits.ts";
import { BytesSource } from "./bytes_source.ts";
import type { Opened } from "./opened.ts";
import type { Source } from "../source.ts";
import { joinInTurns } from "../streams/join_in_turns.ts";
import { streamChunks } from "../streams/stream_chunks.ts";

/** Return a source as it is. A stream, which can be read only once, is read into memory: at most `most` bytes. */
export async function seekableSource(opened: Opened, most: number, signal?: AbortSignal): Promise<Source> {
  if (!("stream" in opened)) return opened;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of streamChunks(opened.stream, signal)) {
    size += chunk.length;
    if (size > most) {
      throw limitError("maxStreamBytes", most, size, ": the stream has more bytes", { offset: most });
    }
    chunks.push(chunk);
  }
  return new BytesSource(await joinInTurns(chunks, signal), opened.name);
}
