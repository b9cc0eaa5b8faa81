/**
 * Retries of requests: after which failures, how often, and with what delay (RULES.md HTTP-7).
 *
 * @module
 */
import { HttpError } from "../../errors.ts";
import type { HttpSettings } from "./http_options.ts";
import { sleep } from "../waiting/within.ts";

/** Statuses after which a request may be repeated. */
export const RETRIED: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
/** Maximum `Retry-After` that is honoured, and maximum delay of our own, in milliseconds. */
const LONGEST_WAIT = 60_000;
/** A response shorter than this, in bytes, counts as a failure, unless it completes the range. */
export const FAIR_PART = 65_536;
/** After this many bytes of progress, the failures of a range are counted from zero again. */
const GOOD_PROGRESS = 2 ** 20;

/** Failures after which a retry may help, with the delay that the server requests, in milliseconds. */
const waits = new WeakMap<Error, number | null>();

/** Record that a retry may help after this failure, after `ms` milliseconds if the server requests that; returns `error`. */
export function markRetryable(error: HttpError, ms: number | null = null): HttpError {
  waits.set(error, ms);
  return error;
}

/** Counts the failures of one range, and waits between attempts. */
export class Retries {
  readonly #settings: HttpSettings;
  readonly #shown: string;
  #failures = 0;
  #good = 0;

  constructor(settings: HttpSettings, shown: string) {
    this.#settings = settings;
    this.#shown = shown;
  }

  /** `bytes` bytes arrived. */
  progress(bytes: number): void {
    this.#good += bytes;
    if (this.#good < GOOD_PROGRESS) return;
    this.#good = 0;
    this.#failures = 0;
  }

  /** Count a failure that needs no delay; throws it if there were too many. */
  count(error: unknown): void {
    if (++this.#failures > this.#settings.retries) throw error;
  }

  /** Wait before the next attempt; throws `error` if there is none. */
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
