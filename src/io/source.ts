/**
 * Where bytes come from.
 *
 * @module
 */

/** A place that bytes can be read from at any position. The user's own may be passed wherever `from` is taken. */
export interface Source {
  /** Bytes there are. */
  readonly size: number;
  /** The name shown in errors. */
  readonly name?: string;
  /** Fill `into` from `offset` on; how many bytes were written, which may be fewer than `into` holds but never 0 before the end. */
  read(offset: number, into: Uint8Array, options?: { signal?: AbortSignal }): Promise<number>;
  /** The same at once, where the place can: short reads of structure are then made without a turn of the event loop. */
  readSync?(offset: number, into: Uint8Array): number;
  /** A view of the bytes themselves, where they are in memory: nothing is read or copied then. */
  view?(offset: number, length: number): Uint8Array;
  /** A read takes a trip over a network: little is read at a jump, more as the reading goes on. */
  readonly costly?: boolean;
  /** All bytes in one pass, where that is cheaper than many reads. */
  readAll?(): ReadableStream<Uint8Array>;
  /** The bytes `[start, end)` as they come, where a long stretch is one trip so, and many by {@linkcode Source.read}. */
  streamRange?(start: number, end: number): ReadableStream<Uint8Array>;
  /** Replace bytes in place, all of them or none; the size stays. */
  edit?(offset: number, bytes: Uint8Array, options?: { signal?: AbortSignal }): Promise<void>;
  /** What tells this version of the bytes from others, behind the kind of sign: `etag:"5e1f"`. */
  readonly version?: string;
  /** Whether the bytes are still those of the first read; throws `SOURCE_CHANGED` where they are not. */
  verify?(): Promise<void>;
  /** The same at once, beside {@linkcode Source.readSync}. */
  verifySync?(): void;
  /** Let go of the place. Called once by whoever opened it. */
  close?(): Promise<void>;
}

/** Let go of several places: of all of them, also where one fails. */
export async function closeAll(sources: Iterable<Pick<Source, "close">>): Promise<void> {
  const closed = await Promise.allSettled([...sources].map(async (source) => await source.close?.()));
  for (const one of closed) if (one.status === "rejected") throw one.reason;
}
