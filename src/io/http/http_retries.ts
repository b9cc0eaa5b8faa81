/**
 * Requests that are repeated: after which failures, how often, and how long is waited between two tries (RULES.md HTTP-7).
 *
 * @module
 */
import { HttpError } from "../../errors.ts";
import type { HttpSettings } from "./http_options.ts";
import { sleep } from "../waiting/within.ts";

/** Longest `Retry-After` that is waited for, and the longest wait of our own. Milliseconds. */
const LONGEST_WAIT = 60_000;
/** A range that brought this much may fail as often as a new one. */
const GOOD_PROGRESS = 2 ** 20;

/** Failures after which a request may be repeated, and how long the server wants us to wait. */
const waits = new WeakMap<Error, number | null>();

/** To repeat a request that failed so may help, after `ms` if the server wants that. */
export function mayHelp(error: HttpError, ms: number | null = null): void {
  waits.set(error, ms);
}

/** Counts the failures of one range, and waits between two tries. */
export class Retries {
  readonly #settings: HttpSettings;
  readonly #shown: string;
  #failures = 0;
  #good = 0;

  constructor(settings: HttpSettings, shown: string) {
    this.#settings = settings;
    this.#shown = shown;
  }

  /** Bytes that came. */
  progress(bytes: number): void {
    this.#good += bytes;
    if (this.#good < GOOD_PROGRESS) return;
    this.#good = 0;
    this.#failures = 0;
  }

  /** A failure that needs no waiting; thrown when there were too many. */
  count(error: unknown): void {
    if (++this.#failures > this.#settings.retries) throw error;
  }

  /** Wait before the next try; throws `error` where there is none. */
  async wait(error: unknown, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw signal.reason;
    if (!(error instanceof HttpError)) throw error;
    const isNetwork = error.code === "HTTP_NETWORK" && error.path === this.#shown;
    if (!isNetwork && !waits.has(error)) throw error;
    const wished = waits.get(error) ?? null;
    if (wished !== null && wished > LONGEST_WAIT) throw error;
    this.count(error);
    const own = Math.min(LONGEST_WAIT, this.#settings.retryDelay * 2 ** (this.#failures - 1));
    await sleep(wished ?? own * (0.5 + Math.random() / 2), signal);
  }
}
