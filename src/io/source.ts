/**
 * Where bytes come from.
 *
 * @module
 */

/** Bytes that can be read at any offset. A source of your own may be passed wherever `from` is accepted. */
export interface Source {
  /** Total number of bytes. */
  readonly size: number;
  /** The name shown in errors. */
  readonly name?: string | undefined;
  /**
   * Read from `offset` into `into`. Resolves to the number of bytes read, which may be less than `into.length` but never 0 before the end.
   */
  read(offset: number, into: Uint8Array, options?: { signal?: AbortSignal }): Promise<number>;
  /** The same, synchronously, where that is possible: short reads of structure then need no turn of the event loop. */
  readSync?(offset: number, into: Uint8Array): number;
  /** A view of the bytes themselves, if they are in memory: nothing is then read or copied. */
  view?(offset: number, length: number): Uint8Array;
  /** Whether each read costs a network round trip: then little is read after a jump, and more as reading goes on. */
  readonly costly?: boolean | undefined;
  /** All bytes in one pass, where that is cheaper than many reads. */
  readAll?(): ReadableStream<Uint8Array>;
  /** The bytes `[start, end)` as a stream, where a long range takes one request this way but many through {@linkcode Source.read}. */
  streamRange?(start: number, end: number): ReadableStream<Uint8Array>;
  /** Replace bytes in place, all of them or none; the size does not change. */
  edit?(offset: number, bytes: Uint8Array, options?: { signal?: AbortSignal }): Promise<void>;
  /** Identifies this version of the bytes, prefixed with the kind of validator: `etag:"5e1f"`. */
  readonly version?: string | undefined;
  /** Check that the bytes are still those of the first read; throws `SOURCE_CHANGED` if they are not. */
  verify?(): Promise<void>;
  /** The same, synchronously, to go with {@linkcode Source.readSync}. */
  verifySync?(): void;
  /** Release the source. Called once, by whoever opened it. */
  close?(): Promise<void>;
}

/** Close several sources: all of them, even if one fails. null stands for none. */
export async function closeAll(sources: Iterable<Pick<Source, "close"> | null>): Promise<void> {
  const closed = await Promise.allSettled([...sources].map(async (source) => await source?.close?.()));
  for (const one of closed) if (one.status === "rejected") throw one.reason;
}

/** What `work` makes of a source, which is closed then. */
export async function closing<Closed extends Pick<Source, "close">, T>(
  source: Closed,
  work: (source: Closed) => Promise<T>,
): Promise<T> {
  try {
    return await work(source);
  } finally {
    await source.close?.();
  }
}
