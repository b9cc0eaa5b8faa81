/** Reads stretches of a checkpoint, requesting the next tensors while the previous ones are being sent. */
import type { Checkpoint } from "@oarlock/paddle";
import type { Stretch } from "./part.ts";

/** Bytes requested together: the library merges adjacent reads into one request. */
const TOGETHER = 4 * 2 ** 20;

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** The bytes of the stretches, with a few MiB in memory at a time. `signal` aborts the reads. */
export async function* stretchBytes(
  checkpoint: Checkpoint,
  stretches: readonly Stretch[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const open = new Set<Reader>();
  // One listener for all: hundreds of small tensors may be in flight.
  const leave = () => open.forEach((reader) => reader.cancel(signal.reason).catch(() => {}));
  signal.addEventListener("abort", leave, { once: true });
  const begin = ({ part, from, to }: Stretch): Uint8Array | Reader => {
    if (part instanceof Uint8Array) return part.subarray(from, to);
    // A stream starts reading as soon as it is created.
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
        // A cancelled reader also reports `done`.
        signal.throwIfAborted();
        open.delete(bytes);
      }
    }
  } finally {
    signal.removeEventListener("abort", leave);
    leave();
  }
}

/** Groups small stretches; large ones are on their own. */
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
