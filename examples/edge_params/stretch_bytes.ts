/** From stretches of a checkpoint to bytes, with some of the next tensors on their way while the last ones are sent. */
import type { Checkpoint } from "@oarlock/paddle";
import type { Stretch } from "./part.ts";

/** Bytes that are asked for together: the library makes one request of neighbours. */
const TOGETHER = 4 * 2 ** 20;

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** The bytes of the stretches, a few MiB of them in memory at a time. `signal` ends the reads. */
export async function* stretchBytes(
  checkpoint: Checkpoint,
  stretches: readonly Stretch[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const open = new Set<Reader>();
  // One listener for all: hundreds of small tensors may be on their way.
  const leave = () => open.forEach((reader) => reader.cancel(signal.reason).catch(() => {}));
  signal.addEventListener("abort", leave, { once: true });
  const begin = ({ part, from, to }: Stretch): Uint8Array | Reader => {
    if (part instanceof Uint8Array) return part.subarray(from, to);
    // A stream begins to read when it is made.
    const reader = checkpoint.stream(part.name, { range: [from, to] }).getReader();
    open.add(reader);
    return reader;
  };
  try {
    const groups = groupsOf(stretches);
    let next = groups.shift()?.map(begin) ?? [];
    while (next.length > 0) {
      const now = next;
      next = groups.shift()?.map(begin) ?? [];
      for (const bytes of now) {
        if (bytes instanceof Uint8Array) {
          yield bytes;
          continue;
        }
        for (let step; !(step = await bytes.read()).done;) yield step.value;
        // A reader that was cancelled is at its end, too.
        signal.throwIfAborted();
        open.delete(bytes);
      }
    }
  } finally {
    signal.removeEventListener("abort", leave);
    leave();
  }
}

/** Small stretches together, large ones alone. */
function groupsOf(stretches: readonly Stretch[]): Stretch[][] {
  const groups: Stretch[][] = [];
  let size = Infinity;
  for (const stretch of stretches) {
    const length = stretch.to - stretch.from;
    if (size + length > TOGETHER) {
      groups.push([]);
      size = 0;
    }
    groups[groups.length - 1].push(stretch);
    size += length;
  }
  return groups;
}
