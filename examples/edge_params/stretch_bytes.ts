/** Reads stretches of a checkpoint, requesting the next tensors while the previous ones are being sent. */
import type { Checkpoint } from "@oarlock/paddle";
import type { Stretch } from "./part.ts";

/** Bytes requested together: the library merges adjacent reads into one request. */
const TOGETHER = 4 * 2 ** 20;
/** Tensors requested together: each takes memory of its own, however small it is. */
const MANY = 1024;
/** A tensor up to this size is read as a whole, and sent with its neighbors: a stream of its own would take more memory than it. */
const SMALL = 2 ** 16;

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** The bytes of the stretches, with a few MiB in memory at a time. `signal` aborts the reads. */
export async function* stretchBytes(
  checkpoint: Checkpoint,
  stretches: readonly Stretch[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const open = new Set<Reader>();
  const begin = ({ part, from, to }: Stretch): Promise<Uint8Array> | Reader => {
    if (part instanceof Uint8Array) return Promise.resolve(part.subarray(from, to));
    if (part.nbytes <= SMALL) {
      const read = checkpoint.get(part.name, { signal }).then(({ bytes }) => bytes.subarray(from, to));
      // Nobody awaits it if an earlier one fails.
      read.catch(() => {});
      return read;
    }
    // A stream starts reading as soon as it is created.
    const reader = checkpoint.stream(part.name, { range: [from, to], signal }).getReader();
    open.add(reader);
    return reader;
  };
  try {
    const groups = groupsOf(stretches);
    let next = groups.shift()?.map(begin) ?? [];
    while (next.length > 0) {
      const now = next;
      next = groups.shift()?.map(begin) ?? [];
      let small: Uint8Array[] = [];
      for (const bytes of now) {
        if (bytes instanceof Promise) {
          small.push(await bytes);
          continue;
        }
        if (small.length > 0) yield joined(small);
        small = [];
        for (let step; !(step = await bytes.read()).done;) yield step.value;
        open.delete(bytes);
      }
      if (small.length > 0) yield joined(small);
    }
  } finally {
    for (const reader of open) reader.cancel(signal.reason).catch(() => {});
  }
}

/** Groups small stretches; large ones are on their own. */
function groupsOf(stretches: readonly Stretch[]): Stretch[][] {
  const groups: Stretch[][] = [];
  let size = Infinity;
  for (const stretch of stretches) {
    const length = stretch.to - stretch.from;
    if (size + length > TOGETHER || groups[groups.length - 1].length === MANY) {
      groups.push([]);
      size = 0;
    }
    groups[groups.length - 1].push(stretch);
    size += length;
  }
  return groups;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0];
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
