/**
 * Progress events: monotonic, and not too many (hardening H-PRG-1).
 *
 * @module
 */

/** What `onProgress` is told. */
export interface ProgressEvent {
  /** What is being done: `load` or `save`. */
  phase: string;
  /** Bytes done. */
  loaded: number;
  /** Bytes there are, where it is known. */
  total?: number;
  /** The tensor being read or written, where it is known. */
  name?: string;
}

/** Least milliseconds between two events, the first and the last apart. */
const INTERVAL = 50;

/** Tells of one call. */
export interface Progress {
  /** So many bytes are done. Throws what the listener threw, or what its promise rejected with. */
  at(loaded: number): void;
  /** Throws what the listener's promise rejected with. */
  check(): void;
  /** Whether an error is the listener's. */
  threw(error: unknown): boolean;
  /** All is done. */
  end(): void;
}

/** Tells `onProgress`; null where nobody listens. */
export function progressOf(
  onProgress: ((event: ProgressEvent) => unknown) | undefined,
  phase: string,
  total: number | undefined,
): Progress | null {
  if (!onProgress) return null;
  let most = 0, last = -Infinity;
  let failure: { error: unknown } | null = null;
  const fail = (error: unknown) => void (failure ??= { error });
  const tell = (loaded: number) => {
    last = performance.now();
    try {
      const told = onProgress(total === undefined ? { phase, loaded } : { phase, loaded, total });
      if (told instanceof Promise) told.catch(fail);
    } catch (error) {
      fail(error);
      throw error;
    }
  };
  const check = () => {
    if (failure) throw failure.error;
  };
  return {
    check,
    threw: (error) => failure !== null && failure.error === error,
    at(loaded) {
      check();
      // The last event, with everything done, is for end() alone.
      if (loaded <= most || (total !== undefined && loaded >= total)) return;
      most = loaded;
      if (performance.now() - last >= INTERVAL) tell(loaded);
    },
    end() {
      tell(total ?? most);
    },
  };
}
