/**
 * Options for reading files over HTTP.
 *
 * @module
 */
import { percentDecoded } from "../../words/percent_decoded.ts";
import { nearest } from "../../limits.ts";

/** A function with the contract of the global `fetch`. */
export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

/** How `load` and `open` talk to a server. */
export interface HttpOptions {
  /** Headers sent with every request, such as `Authorization`. */
  headers?: RequestInit["headers"] | undefined;
  /** Names of the headers that are not sent to another origin. @default every header given, except `Accept*` and `User-Agent` */
  sameOriginHeaders?: readonly string[] | undefined;
  /** Whether cookies are sent, as in `fetch`. @default the runtime's own */
  credentials?: RequestInit["credentials"] | undefined;
  /** Maximum number of concurrent requests. @default {6} */
  concurrency?: number | undefined;
  /** Maximum bytes of a file that is held in memory whole because the server does not support ranges. @default {256 MiB} */
  maxFallbackBytes?: number | undefined;
  /** How often a request is retried after a network failure, `idleTimeout` or status 408, 429, 500, 502, 503 or 504. @default {3} */
  retries?: number | undefined;
  /** Milliseconds before the first retry; each further delay is twice as long. A server's `Retry-After` takes precedence. @default {250} */
  retryDelay?: number | undefined;
  /** Milliseconds without a byte after which a request fails, and is retried where it left off. @default {30_000} */
  idleTimeout?: number | undefined;
  /** Minimum bytes per second, measured over twice `idleTimeout`. @default {1024} */
  minBytesPerSecond?: number | undefined;
}

/** How an HTTP source is opened. */
export interface HttpSourceOptions extends HttpOptions {
  /** Used in place of the global `fetch`. */
  fetch?: Fetch | undefined;
  /** Aborts the opening; the rejection is `signal.reason`. */
  signal?: AbortSignal | undefined;
  /** Called for every irregularity that does not stop the call. */
  onWarning?: ((warning: { code: string; message: string }) => void) | undefined;
}

/**
 * Check the options of a folder, which outlives calls.
 *
 * @throws {TypeError} there is a signal
 */
export function refuseSignal(options: object): void {
  if ("signal" in options) throw new TypeError("Option signal belongs to the calls that read, not to their folder");
}

/** The options with defaults filled in. */
export interface HttpSettings {
  readonly fetch: Fetch;
  readonly headers: readonly (readonly [string, string])[];
  readonly sameOriginHeaders: ReadonlySet<string>;
  readonly credentials?: RequestInit["credentials"];
  readonly concurrency: number;
  readonly maxFallbackBytes: number;
  readonly retries: number;
  readonly retryDelay: number;
  readonly idleTimeout: number;
  readonly minBytesPerSecond: number;
  readonly onWarning?: (warning: { code: string; message: string }) => void;
}

const NUMBERS = {
  concurrency: [6, 1],
  maxFallbackBytes: [256 * 2 ** 20, 0],
  retries: [3, 0],
  retryDelay: [250, 0],
  idleTimeout: [30_000, 1],
  minBytesPerSecond: [1024, 0],
} as const;
const NAMES = [...Object.keys(NUMBERS), "headers", "sameOriginHeaders", "credentials", "fetch", "signal", "onWarning"];
/** Headers that reveal nothing about the caller. */
const HARMLESS = ["range", "if-range", "user-agent"];

/** Check the options and fill in defaults. A wrong one throws a TypeError that names it. */
export function httpSettings(options: HttpSourceOptions = {}): HttpSettings {
  if (typeof options !== "object" || options === null) throw new TypeError("Option http must be an object");
  for (const name of Object.keys(options)) {
    if (!NAMES.includes(name)) {
      throw new TypeError(`Unknown option "http.${name}": the nearest is "${nearest(name, NAMES)}"`);
    }
  }
  const number = (name: keyof typeof NUMBERS): number => {
    const value = options[name] ?? NUMBERS[name][0];
    if (typeof value !== "number" || !(value >= NUMBERS[name][1])) {
      throw new TypeError(`Option http.${name} must be a number from ${NUMBERS[name][1]} on: got ${String(value)}`);
    }
    return value;
  };
  if (options.fetch !== undefined && typeof options.fetch !== "function") {
    throw new TypeError("Option fetch must be a function");
  }
  const headers = [...new Headers(options.headers)];
  const kept = options.sameOriginHeaders?.map((name) => name.toLowerCase()) ??
    headers.map(([name]) => name).filter((name) => !name.startsWith("accept") && !HARMLESS.includes(name));
  return {
    // Some runtimes require that their own fetch is called as a method of the global object.
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    headers,
    sameOriginHeaders: new Set(kept),
    credentials: options.credentials,
    concurrency: number("concurrency"),
    maxFallbackBytes: number("maxFallbackBytes"),
    retries: number("retries"),
    retryDelay: number("retryDelay"),
    idleTimeout: number("idleTimeout"),
    minBytesPerSecond: number("minBytesPerSecond"),
    onWarning: options.onWarning,
  };
}

/** The URL to fetch, with its user info moved to a header unless there is one already: `fetch` itself refuses URLs with user info. */
export function withoutUserInfo<Options extends HttpOptions>(
  url: URL,
  options: Options,
): { url: URL; options: Options } {
  if (url.username === "" && url.password === "") return { url, options };
  const plain = new URL(url), headers = new Headers(options.headers);
  plain.username = plain.password = "";
  if (headers.has("authorization")) return { url: plain, options };
  const text = `${percentDecoded(url.username)}:${percentDecoded(url.password)}`;
  const bytes = new TextEncoder().encode(text);
  headers.set("authorization", `Basic ${btoa(String.fromCharCode(...bytes))}`);
  // The caller's list cannot be expected to name this header, which comes from the URL.
  const sameOriginHeaders = options.sameOriginHeaders && [...options.sameOriginHeaders, "authorization"];
  return { url: plain, options: { ...options, headers, sameOriginHeaders } };
}

/** A URL for messages: without user info, query and fragment (RULES.md PATH-10). */
export function shownUrl(url: URL): string {
  if (url.protocol === "data:" || url.protocol === "blob:") return url.protocol;
  return url.origin + url.pathname;
}
