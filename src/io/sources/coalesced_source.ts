/**
 * Reads that are asked for together become few requests: neighbours are read as one, and so many at a time (hardening H-HTTP-11).
 *
 * @module
 */
import { onAbort } from "../waiting/on_abort.ts";
import { readFully } from "./read_fully.ts";
import { Slots } from "../waiting/slots.ts";
import type { Source } from "../source.ts";

/** Bytes between two reads that are read along, at most. */
const GAP = 65_536;
/** Longest request that is put together from several: longer reads go by themselves, straight into their buffers. */
const LONGEST = 4 * 2 ** 20;
const IN_FLIGHT = 6;

interface Read {
  readonly offset: number;
  readonly into: Uint8Array;
  readonly signal?: AbortSignal;
  readonly resolve: (n: number) => void;
  readonly reject: (error: unknown) => void;
}

/** A source whose reads cost a trip each. */
export class CoalescedSource implements Source {
  readonly size: number;
  readonly name?: string;
  readonly costly = true;
  readonly version?: string;
  readonly #source: Source;
  readonly #slots: Slots;
  #batch: Read[] = [];
  /** The same bytes in one pass, where the source below can. */
  readonly readAll?: () => ReadableStream<Uint8Array>;
  /** A long stretch in one trip, where the source below can. */
  readonly streamRange?: Source["streamRange"];

  /** Over `source`, with as many reads of it at a time as there are `slots`. */
  constructor(source: Source, slots = new Slots(IN_FLIGHT)) {
    this.#source = source;
    this.size = source.size;
    this.name = source.name;
    this.version = source.version;
    this.#slots = slots;
    if (source.readAll) this.readAll = () => source.readAll!();
    // Not one of so many at a time: who opens several may read the last one first.
    if (source.streamRange) this.streamRange = (start, end) => source.streamRange!(start, end);
  }

  /** Fill `into` whole, unless the source ends before. */
  read(offset: number, into: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<number> {
    const length = Math.max(0, Math.min(into.length, this.size - offset));
    if (length === 0) return Promise.resolve(0);
    return new Promise<number>((resolve, reject) => {
      if (this.#batch.length === 0) queueMicrotask(() => this.#flush());
      this.#batch.push({ offset, into: into.subarray(0, length), signal, resolve, reject });
    });
  }

  /** Whether the bytes are still those of the first read. */
  async verify(): Promise<void> {
    await this.#source.verify?.();
  }

  /** Let go of the source. */
  async close(): Promise<void> {
    await this.#source.close?.();
  }

  #flush(): void {
    const reads = this.#batch.sort((a, b) => a.offset - b.offset);
    this.#batch = [];
    for (const group of groupsOf(reads)) {
      if (group.length === 1) this.#single(group[0]);
      else this.#several(group);
    }
  }

  async #single(read: Read): Promise<void> {
    try {
      const release = await this.#slots.take(read.signal);
      try {
        await readFully(this.#source, read.offset, read.into, read.signal);
      } finally {
        release();
      }
      read.resolve(read.into.length);
    } catch (error) {
      read.reject(error);
    }
  }

  /** One request for several readers goes on until the last of them leaves. */
  async #several(group: Read[]): Promise<void> {
    const controller = new AbortController();
    let present = group.length;
    const releases: (() => void)[] = [];
    for (const { signal, reject } of group) {
      if (!signal) continue;
      const leave = () => {
        reject(signal.reason);
        if (--present === 0) controller.abort(signal.reason);
      };
      if (signal.aborted) leave();
      else releases.push(onAbort(signal, leave));
    }
    const start = group[0].offset, end = group.reduce((most, read) => Math.max(most, endOf(read)), 0);
    try {
      const release = await this.#slots.take(controller.signal);
      try {
        const bytes = await readFully(this.#source, start, new Uint8Array(end - start), controller.signal);
        for (const { offset, into, signal, resolve } of group) {
          if (signal?.aborted) continue;
          into.set(bytes.subarray(offset - start, offset - start + into.length));
          resolve(into.length);
        }
      } finally {
        release();
      }
    } catch (error) {
      for (const read of group) read.reject(error);
    } finally {
      for (const release of releases) release();
    }
  }
}

function endOf(read: Read): number {
  return read.offset + read.into.length;
}

/** Reads in the order of their places, put together where little lies between them: at most a tenth of what is needed and one gap. */
function groupsOf(reads: Read[]): Read[][] {
  const groups: Read[][] = [];
  let end = -1, start = 0, needed = 0;
  for (const read of reads) {
    const last = groups[groups.length - 1];
    const newEnd = Math.max(end, endOf(read));
    const more = newEnd - Math.max(end, read.offset);
    const fits = last !== undefined && read.offset - end <= GAP && newEnd - start <= LONGEST &&
      newEnd - start <= 1.1 * (needed + more) + GAP;
    if (fits) {
      last.push(read);
      needed += more;
    } else {
      groups.push([read]);
      start = read.offset;
      needed = read.into.length;
    }
    end = fits ? newEnd : endOf(read);
  }
  return groups;
}
