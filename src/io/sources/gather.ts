/**
 * Whatever was opened, as a source that can be read at any position.
 *
 * @module
 */
import { joinBytes } from "../../words/joined_bytes.ts";
import { LimitError } from "../../errors.ts";
import { BytesSource } from "./bytes_source.ts";
import type { Opened } from "../open_source.ts";
import type { Source } from "../source.ts";
import { streamChunks } from "../streams/stream_chunks.ts";

/** A source stays what it is; a stream, which is read once, is kept in memory: at most `most` bytes. */
export async function gather(opened: Opened, most: number, signal?: AbortSignal): Promise<Source> {
  if (!("stream" in opened)) return opened;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of streamChunks(opened.stream, signal)) {
    size += chunk.length;
    if (size > most) {
      throw new LimitError("LIMIT", `Limit maxStreamBytes=${most} reached: the stream goes on`, {
        limit: "maxStreamBytes",
        max: most,
        actual: size,
        offset: most,
      });
    }
    chunks.push(chunk);
  }
  return new BytesSource(joinBytes(chunks), opened.name);
}
