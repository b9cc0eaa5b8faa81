/**
 * Progress events: monotonic, and not too many (RULES.md PRG-1).
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
  at(loaded: number, name?: string): void;
  /** Throws what the listener's promise rejected with. */
  check(): void;
  /** Whether an error is the listener's. */
  threw(error: unknown): boolean;
  /** All is done. Rejects with what the listener throws now, or what its promise rejects with at once. */
  end(name?: string): Promise<void>;
}

/** Who listens. */
export type OnProgress = (event: ProgressEvent) => unknown;

/** Tells `onProgress`; null where nobody listens. Where `total` is not known, the last event tells it. */
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
      // The last event, with everything done, is for end() alone.
      if (loaded <= most || (total !== undefined && loaded >= total)) return;
      most = loaded;
      if (performance.now() - last < INTERVAL) return;
      tell({ phase, loaded, ...total !== undefined && { total }, ...name !== undefined && { name } });
    },
    async end(name) {
      const loaded = total ?? most;
      tell({ phase, loaded, total: loaded, ...name !== undefined && { name } });
      // Nobody waits for a promise that takes its time: one that is rejected already is heard of in the next step.
      await null;
      await null;
      check();
    },
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Tells of one call that reads several files, one after the other. */
export interface FilesProgress {
  /** For the file whose turn it is. */
  onProgress(event: ProgressEvent): void;
  /** All is done. */
  end(): Promise<void>;
}

/** Several files as one: what was done of those before counts along. How much there is in all, the last event tells. */
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
