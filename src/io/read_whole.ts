/**
 * A small file, whole.
 *
 * @module
 */
import { LimitError } from "../errors.ts";
import { joinBytes } from "../joined_bytes.ts";
import { type From, sourceOf, type SourceOfOptions } from "./open_source.ts";
import { readFully } from "./read_fully.ts";
import { within } from "./within.ts";

/** All bytes of `from`, at most `limit`. */
export async function readWhole(from: From, limit: number, options: SourceOfOptions): Promise<Uint8Array> {
  const { signal } = options;
  const opened = await sourceOf(from, { ...options, onePass: true });
  const check = (length: number) => {
    if (length <= limit) return;
    throw new LimitError("LIMIT", `Limit maxStructureBytes=${limit} reached: the file has ${length} bytes or more`, {
      limit: "maxStructureBytes",
      max: limit,
      actual: length,
      path: opened.name,
    });
  };
  if (!("stream" in opened)) {
    try {
      check(opened.size);
      return await readFully(opened, 0, new Uint8Array(opened.size), signal);
    } finally {
      await opened.close?.();
    }
  }
  const reader = opened.stream.getReader();
  try {
    const chunks: Uint8Array[] = [];
    for (let length = 0;;) {
      const step = await within(reader.read(), Infinity, signal);
      if (step.done) return joinBytes(chunks);
      check(length += step.value.length);
      chunks.push(step.value);
    }
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  }
}
