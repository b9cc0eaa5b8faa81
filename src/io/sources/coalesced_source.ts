/**
 * Merges reads that are requested together into few requests: neighbours become one, and only a limited number run at a time (RULES.md
 * HTTP-11).
 *
 * @module
 */
import { onAbort } from "../waiting/on_abort.ts";
import { readFully } from "./read_fully.ts";
import { Slots } from "../waiting/slots.ts";
import type { Source } from "../source.ts";

/** Maximum bytes between two reads that are fetched along with them. */
const GAP = 65_536;
/** Maximum bytes of a merged request. A longer read goes alone, straight into its buffer. */
const LONGEST = 4 * 2 ** 20;
const IN_FLIGHT = 6;

interface Read {
  readonly offset: number;
  readonly into: Uint8Array;
  readonly signal?: AbortSignal;
  readonly resolve: (n: number) => void;
  readonly reject: (error: unknown) => void;
}

/** A source each of whose reads costs a round trip. */
export class CoalescedSource implements Source {
  readonly size: number;
  readonly name?: string;
  readonly costly = true;
  readonly version?: string;
  readonly #source: Source;
  readonly #slots: Slots;
  #batch: Read[] = [];
  /** All bytes in one pass, if the underlying source can. */
  readonly readAll?: () => ReadableStream<Uint8Array>;
  /** A long range in one request, if the underlying source can. */
  readonly streamRange?: Source["streamRange"];

  /** Over `source`, running at most as many reads at a time as there are `slots`. */
  constructor(source: Source, slots = new Slots(IN_FLIGHT)) {
    this.#source = source;
    this.size = source.size;
    this.name = source.name;
    this.version = source.version;
    this.#slots = slots;
    if (source.readAll) this.readAll = () => source.readAll!();
    // Takes no slot: a caller that opens several streams may read the last one first.
    if (source.streamRange) this.streamRange = (start, end) => source.streamRange!(start, end);
  }

  /** Fill all of `into`, unless the source ends before. */
  read(offset: number, into: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<number> {
    const length = Math.max(0, Math.min(into.length, this.size - offset));
    if (length === 0) return Promise.resolve(0);
    return new Promise<number>((resolve, reject) => {
      if (this.#batch.length === 0) queueMicrotask(() => this.#flush());
      this.#batch.push({ offset, into: into.subarray(0, length), signal, resolve, reject });
    });
  }

  /** Check that the bytes are still those of the first read. */
  async verify(): Promise<void> {
    await this.#source.verify?.();
  }

  /** Close the underlying source. */
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

  /** A request shared by several readers is aborted only when the last of them has left. */
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
        // Workers have little memory, and the collector may take its time. Node 20 cannot free it.
        (bytes.buffer as ArrayBuffer).transfer?.(0);
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

/** Group reads, sorted by offset, whose gaps are small: a group may fetch a tenth more than it needs, plus one gap. */
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
