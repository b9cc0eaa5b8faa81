/**
 * One HTTP request that follows redirects by itself, so that headers meant for one server do not reach another (RULES.md HTTP-6).
 *
 * @module
 */
import { HttpError } from "../../errors.ts";
import { HttpBody } from "./http_body.ts";
import { type HttpSettings, shownUrl } from "./http_options.ts";
import { markRetryable } from "./http_retries.ts";
import { TimedOut, within } from "../waiting/within.ts";

const MAX_REDIRECTS = 5;
/** Bytes of a request body that extend the timeout by one second: fetch does not report how much has been sent. */
const UPLOADED = 65_536;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** The result of {@linkcode httpRequest}. */
export interface HttpAnswer {
  /** The last response. */
  readonly body: HttpBody;
  /** Whether later requests may go straight to its URL: every redirect on the way said that it lasts. */
  readonly lasting: boolean;
}

/** What is the same for every hop of a request. */
export interface HttpCall {
  /** The origin that the caller's headers may be sent to. */
  readonly origin: string;
  /** Headers of the range reader; they override the caller's. */
  readonly headers: readonly (readonly [string, string])[];
  readonly settings: HttpSettings;
  readonly signal: AbortSignal | undefined;
  /** @default {"GET"} */
  readonly method: string | undefined;
  /** The body of the request. */
  readonly sent?: Uint8Array<ArrayBuffer>;
}

/** Where a request has got to: the next URL, and whether all before it were of the caller's origin. */
interface Hop {
  readonly url: URL;
  readonly sameOrigin: boolean;
  /** The URL that was requested first, for messages. */
  readonly shown: string;
}

/** Request `url`, following redirects. The response may have any status except that of a redirect. */
export async function httpRequest(url: URL, call: HttpCall): Promise<HttpAnswer> {
  const { origin, method = "GET" } = call, shown = shownUrl(url);
  let at = url, lasting = true, sameOrigin = url.origin === origin;
  for (let hops = 0;; hops++) {
    const hop = { url: at, sameOrigin, shown };
    const body = await once(hop, call, "manual");
    const { response } = body;
    if (response.type === "opaqueredirect") {
      body.cancel();
      return { body: await followedByBrowser(hop, call), lasting: false };
    }
    const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
    if (location === null) return { body, lasting };
    body.cancel();
    if (becomesGet(method, response.status)) throw redirectError(shown, `it would turn a ${method} into a GET`);
    if (hops === MAX_REDIRECTS) throw redirectError(shown, `it redirects more than ${MAX_REDIRECTS} times`);
    const next = URL.canParse(location, at.href) ? new URL(location, at) : null;
    checkRedirect(at, next, shown);
    // Once elsewhere, always elsewhere: a server that redirects us away could redirect us back with a query of its choice.
    sameOrigin &&= next!.origin === origin;
    // If requested directly, a URL on our own server would get our headers although another server chose it.
    lasting &&= isLasting(response) && (sameOrigin || next!.origin !== origin);
    at = next!;
  }
}

function headersFor({ headers: own, settings }: HttpCall, { sameOrigin }: Hop): Headers {
  const headers = new Headers();
  for (const [name, value] of settings.headers) {
    if (sameOrigin || !settings.sameOriginHeaders.has(name)) headers.set(name, value);
  }
  for (const [name, value] of own) headers.set(name, value);
  return headers;
}

/** Whether `fetch` turns the request into a GET at this redirect: then it would no longer change anything. */
function becomesGet(method: string, status: number): boolean {
  return status === 303 ? isChange(method) : method === "POST" && (status === 301 || status === 302);
}

function isChange(method: string): boolean {
  return method !== "GET" && method !== "HEAD";
}

async function once(hop: Hop, call: HttpCall, redirect: RequestRedirect): Promise<HttpBody> {
  const { url, shown } = hop, { settings, signal, method = "GET", sent } = call;
  signal?.throwIfAborted();
  const controller = new AbortController();
  const init: RequestInit = { method, headers: headersFor(call, hop), redirect, signal: controller.signal };
  if (sent) init.body = sent;
  // Some edge runtimes reject the field, whatever its value.
  if (settings.credentials !== undefined) init.credentials = settings.credentials;
  // Treats a fetch that throws synchronously like one that rejects.
  const answer = (async () => await settings.fetch(url.href, init))();
  const patience = settings.idleTimeout + 1000 * (sent?.length ?? 0) / UPLOADED;
  try {
    const response = await within(answer, patience, signal);
    if (typeof response?.status !== "number") throw new TypeError("The given fetch did not resolve with a Response");
    return new HttpBody(response, url, shown, settings, controller);
  } catch (error) {
    controller.abort();
    // Release a response that arrives too late.
    answer.then((late) => late?.body?.cancel()).catch(() => {});
    if (signal?.aborted) throw signal.reason;
    if (error instanceof TimedOut) {
      const message = `${shown} did not answer within ${Math.ceil(patience)} ms`;
      throw markRetryable(new HttpError("HTTP_TIMEOUT", message, { path: shown }));
    }
    throw new HttpError("HTTP_NETWORK", `Cannot ${method === "GET" ? "fetch" : method} ${shown}`, {
      path: shown,
      cause: error,
      hint: isCrossOrigin(url) ? "a server that other pages may read sends Access-Control-Allow-Origin" : undefined,
    });
  }
}

/** Whether this runs in a web page of another origin; browsers do not tell a page why such a request failed. */
function isCrossOrigin(url: URL): boolean {
  const { origin } = (globalThis as { location?: { origin?: string } }).location ?? {};
  return origin !== undefined && origin !== "null" && origin !== url.origin;
}

/** Browsers hide the target of a redirect: let the browser follow it, but not where that could leak headers. */
async function followedByBrowser(hop: Hop, call: HttpCall): Promise<HttpBody> {
  const { url, shown } = hop, { settings, method = "GET" } = call;
  if (isChange(method)) {
    throw redirectError(shown, `it redirects, and a browser would not tell if it turned the ${method} into a GET`);
  }
  if (settings.headers.some(([name]) => settings.sameOriginHeaders.has(name))) {
    throw redirectError(shown, "it redirects, and a browser would carry the request's headers along", {
      hint: "request the final URL itself, or leave out of http.sameOriginHeaders what must not be forwarded",
    });
  }
  const body = await once(hop, call, "follow");
  const last = body.response.url && URL.canParse(body.response.url) ? new URL(body.response.url) : null;
  try {
    if (last) checkRedirect(url, last, shown);
  } catch (error) {
    body.cancel();
    throw error;
  }
  return body;
}

function checkRedirect(from: URL, to: URL | null, shown: string): void {
  if (to === null) throw redirectError(shown, "it redirects to an invalid URL");
  if (to.protocol !== "http:" && to.protocol !== "https:") throw redirectError(shown, `it redirects to ${to.protocol}`);
  if (from.protocol === "https:" && to.protocol === "http:") throw redirectError(shown, "it redirects to plain http");
  if (to.username !== "" || to.password !== "") throw redirectError(shown, "it redirects to a URL with a password");
}

/** Whether a redirect lasts: permanent ones do unless they say otherwise, others only if they say so (RFC 9111, 3). */
function isLasting(response: Response): boolean {
  const control = (response.headers.get("cache-control") ?? "").toLowerCase();
  if (control.includes("no-store") || control.includes("no-cache")) return false;
  return response.status === 301 || response.status === 308 || /max-age=[1-9]/.test(control);
}

function redirectError(shown: string, what: string, fields: { hint?: string } = {}): HttpError {
  return new HttpError("HTTP_REDIRECT", `${shown} cannot be followed: ${what}`, { path: shown, ...fields });
}
