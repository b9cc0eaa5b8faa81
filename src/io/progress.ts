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

/** Tells `onProgress`; null where nobody listens. */
export function progressOf(
  onProgress: ((event: ProgressEvent) => void) | undefined,
  phase: string,
  total: number | undefined,
): { at: (loaded: number) => void; end: () => void } | null {
  if (!onProgress) return null;
  let most = 0, last = -Infinity;
  const tell = (loaded: number) => {
    last = performance.now();
    onProgress(total === undefined ? { phase, loaded } : { phase, loaded, total });
  };
  return {
    at(loaded) {
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
