/**
 * Progress events: monotonic, and rate-limited (RULES.md PRG-1).
 *
 * @module
 */

/** What `onProgress` is called with. */
export interface ProgressEvent {
  /** What is being done: `load` or `save`. */
  phase: string;
  /** Bytes done so far. */
  loaded: number;
  /** Total number of bytes, if known. */
  total?: number;
  /** The tensor being read or written, if known. */
  name?: string;
}

/** Minimum milliseconds between two events, except for the first and last one. */
const INTERVAL = 50;

/** Reports the progress of one call. */
export interface Progress {
  /** `loaded` bytes are done. Throws what the listener threw, or what its promise rejected with. */
  at(loaded: number, name?: string): void;
  /** Throws what the listener's promise rejected with. */
  check(): void;
  /** Whether `error` came from the listener. */
  threw(error: unknown): boolean;
  /** Everything is done. Rejects with what the listener throws now, or with what its promise rejects with right away. */
  end(name?: string): Promise<void>;
}

/** A progress listener. */
export type OnProgress = (event: ProgressEvent) => unknown;

/** Reports to `onProgress`; null if there is no listener. If `total` is unknown, the last event supplies it. */
export function progressOf(
  onProgress: OnProgress | undefined,
  phase: string,
  total: number | undefined,
): Progress | null {
  if (!onProgress) return null;
  let most = 0, last = -Infinity;
  let failure: { error: unknown } | null = null;
  const fail = (error: unknown) => void (failure ??= { error });
  const tell = (event: ProgressEvent) => {
    last = performance.now();
    try {
      const told = onProgress(event);
      if (isThenable(told)) Promise.resolve(told).catch(fail);
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
    at(loaded, name) {
      check();
      // The last event, with everything done, is left to end().
      if (loaded <= most || (total !== undefined && loaded >= total)) return;
      most = loaded;
      if (performance.now() - last < INTERVAL) return;
      tell({ phase, loaded, ...total !== undefined && { total }, ...name !== undefined && { name } });
    },
    async end(name) {
      const loaded = total ?? most;
      tell({ phase, loaded, total: loaded, ...name !== undefined && { name } });
      // Does not wait for a slow promise, but one that has already rejected is noticed within these steps.
      await null;
      await null;
      check();
    },
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Reports the progress of one call that reads several files in sequence. */
export interface FilesProgress {
  /** The listener for the current file. */
  onProgress(event: ProgressEvent): void;
  /** Everything is done. */
  end(): Promise<void>;
}

/** Reports several files as one: bytes of earlier files are included. Only the last event has the grand total. */
export function progressOfFiles(onProgress: OnProgress | undefined, phase: string): FilesProgress | null {
  const all = progressOf(onProgress, phase, undefined);
  if (!all) return null;
  let before = 0;
  return {
    onProgress({ loaded, total, name }) {
      all.at(before + loaded, name);
      if (loaded === total) before += loaded;
    },
    end: () => all.end(),
  };
}
