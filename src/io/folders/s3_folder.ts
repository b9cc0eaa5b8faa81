/**
 * An S3-compatible bucket, through its REST API, as a folder.
 *
 * @module
 */
import { byCodePoint } from "../../words/code_point_order.ts";
import { HttpError, quote, SaveError, SourceError } from "../../errors.ts";
import { joinBytes } from "../../words/joined_bytes.ts";
import { conflict, expectedEtag, type Folder, type GetOptions, type PutOptions, refuseDiskOptions } from "../folder.ts";
import { encodedName } from "./http_folder.ts";
import type { HttpBody } from "../http/http_body.ts";
import {
  type Fetch,
  type HttpOptions,
  type HttpSettings,
  httpSettings,
  refuseSignal,
  shownUrl,
  withoutUserInfo,
} from "../http/http_options.ts";
import { httpRequest } from "../http/http_request.ts";
import { markRetryable, RETRIED, Retries } from "../http/http_retries.ts";
import { openHttp } from "../http/http_source.ts";
import { retryAfter } from "../http/http_version.ts";
import { checkNameCount } from "./check_name_count.ts";
import { isFileName, nextPage } from "./listed_pages.ts";
import { partSizeOf, PartsSink, type PartsUpload } from "../sinks/parts_sink.ts";
import type { Sink } from "../sink.ts";
import type { Source } from "../source.ts";

/** How an S3Folder talks to its bucket. */
export interface S3FolderOptions extends HttpOptions {
  /**
   * Signs and fetches: `(url, init) => client.fetch(url, init)` with a library that signs S3 requests. A public bucket
   * needs only the global `fetch`.
   */
  fetch?: Fetch | undefined;
  /** Prefix of all keys, such as `models/`. @default {""} */
  prefix?: string | undefined;
  /** Size in bytes of the parts of a large file, at least 5 MiB. One part is held in memory at a time. @default {8 MiB} */
  partSize?: number | undefined;
}

interface S3Request {
  readonly method: string;
  readonly url: URL;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly signal?: AbortSignal;
  /** A header that makes the server refuse unless the object is in a certain state. */
  readonly condition?: readonly [name: string, value: string];
}

/** Maximum bytes of a response that is read as text: a page of 1,000 keys of 1,024 bytes, with three characters per byte. */
const MAX_TEXT = 8 * 2 ** 20;
/** Statuses that mean that the request had no effect. */
const NOTHING_DONE: ReadonlySet<number> = new Set([429, 503]);

/**
 * A bucket at a URL such as `https://s3.eu-central-1.amazonaws.com/bucket`. Requests are signed by the given
 * `fetch`: this library handles no keys.
 *
 * @example With aws4fetch
 * ```ts ignore
 * import { AwsClient } from "npm:aws4fetch";
 * import { load, S3Folder } from "@oarlock/paddle";
 * const client = new AwsClient({ accessKeyId, secretAccessKey, service: "s3" });
 * const folder = new S3Folder("https://s3.eu-central-1.amazonaws.com/bucket", {
 *   fetch: (url, init) => client.fetch(url, init),
 * });
 * const state = await load("resnet.pdparams", { folder });
 * ```
 */
export class S3Folder implements Folder {
  readonly #base: URL;
  readonly #fetch: Fetch;
  readonly #http: HttpOptions;
  readonly #settings: HttpSettings;
  readonly #prefix: string;
  readonly #partSize: number;

  /** The bucket at `url`. */
  constructor(url: string | URL, options: S3FolderOptions = {}) {
    const { fetch: given, prefix, partSize, ...others } = options;
    refuseSignal(options);
    const { url: plain, options: http } = withoutUserInfo(new URL(url), others);
    this.#settings = httpSettings({ ...http, fetch: given });
    this.#base = new URL(plain);
    if (!this.#base.pathname.endsWith("/")) this.#base.pathname += "/";
    this.#base.search = this.#base.hash = "";
    this.#fetch = given ?? ((input, init) => fetch(input, init));
    this.#http = http;
    this.#prefix = prefix ?? "";
    this.#partSize = partSizeOf(partSize);
  }

  /** The current version of the file `name`. */
  async get(name: string, { signal, onWarning }: GetOptions = {}): Promise<Source | null> {
    try {
      return await openHttp(this.#urlOf(name), { ...this.#http, fetch: this.#fetch, signal, onWarning });
    } catch (error) {
      if (error instanceof HttpError && error.status === 404) return null;
      throw error;
    }
  }

  /** A sink whose bytes become the file `name` when it is closed. */
  // deno-lint-ignore require-await
  async put(name: string, options?: PutOptions): Promise<Sink> {
    const url = this.#urlOf(name);
    refuseDiskOptions(options, "a bucket", { hasVersions: true });
    const signal = options?.signal, wished = expectedEtag(options);
    return new PartsSink(
      {
        put: (bytes) => this.#commit({ method: "PUT", url, body: bytes, signal }, wished),
        begin: () => this.#begin(url, wished, signal),
      },
      name,
      this.#partSize,
    );
  }

  /** Names that start with `prefix`, in code point order. */
  async list(prefix = ""): Promise<string[]> {
    const names: string[] = [];
    let token: string | undefined;
    do {
      const query: Record<string, string> = { "list-type": "2", "encoding-type": "url", prefix: this.#prefix + prefix };
      if (token !== undefined) query["continuation-token"] = token;
      const { text } = await this.#ask({ method: "GET", url: this.#base, query });
      // A bucket that does not support `encoding-type` ignores it and does not encode.
      const isEncoded = elementsOf(text, "EncodingType")[0] === "url";
      for (const key of elementsOf(text, "Key")) {
        const name = (isEncoded ? decodedKey(key) : key).slice(this.#prefix.length);
        if (isFileName(name)) names.push(name);
      }
      checkNameCount(names.length, prefix);
      const isTruncated = elementsOf(text, "IsTruncated")[0] === "true";
      token = nextPage(token, elementsOf(text, "NextContinuationToken")[0], isTruncated, prefix);
    } while (token !== undefined);
    return names.sort(byCodePoint);
  }

  /** Remove a file, if it exists. */
  async delete(name: string): Promise<void> {
    await this.#ask({ method: "DELETE", url: this.#urlOf(name) });
  }

  async #begin(url: URL, wished: string | null | undefined, signal?: AbortSignal): Promise<PartsUpload> {
    const { text } = await this.#ask({ method: "POST", url, query: { uploads: "" }, signal });
    const [uploadId] = elementsOf(text, "UploadId");
    if (uploadId === undefined) throw this.#failed("POST", url, "the response has no UploadId");
    const etags: string[] = [];
    return {
      part: async (number, bytes) => {
        const query = { partNumber: String(number), uploadId };
        const { headers } = await this.#ask({ method: "PUT", url, query, body: bytes, signal });
        const etag = headers.get("etag");
        if (etag === null) throw this.#failed("PUT", url, "the response has no ETag");
        etags.push(etag);
      },
      complete: async () => {
        const parts = etags.map((etag, i) =>
          `<Part><PartNumber>${i + 1}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`
        );
        const body = new TextEncoder().encode(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`);
        const { text } = await this.#commit({ method: "POST", url, query: { uploadId }, body, signal }, wished);
        // This request can fail with status 200: the response begins before the parts are assembled.
        if (text.includes("<Error>")) throw this.#failed("POST", url, elementsOf(text, "Code")[0] ?? "unknown error");
      },
      // The upload is discarded even if the call was aborted.
      abort: () => this.#ask({ method: "DELETE", url, query: { uploadId } }),
    };
  }

  /** Send the request that creates the file, with a condition if there is one. */
  async #commit(request: S3Request, wished: string | null | undefined): Promise<{ text: string; headers: Headers }> {
    if (wished === undefined) return await this.#ask(request);
    const { method, url } = request;
    const condition = wished === null ? ["if-none-match", "*"] as const : ["if-match", wished] as const;
    try {
      return await this.#ask({ ...request, condition });
    } catch (error) {
      // 409: another save was in progress; 404: the object to replace is gone.
      const { status } = error as { status?: number };
      if (status === 412 || status === 409 || (status === 404 && method === "PUT")) throw conflict(shownUrl(url));
      throw error;
    }
  }

  #urlOf(name: string): URL {
    const url = new URL(this.#base);
    url.pathname += this.#prefix.split("/").map(encodeURIComponent).join("/") + encodedName(name);
    return url;
  }

  /** Send a request; retry if that may help and cannot repeat an effect. */
  async #ask(request: S3Request): Promise<{ text: string; headers: Headers }> {
    const { method, url, condition, signal } = request;
    const retries = new Retries(this.#settings, shownUrl(url));
    const isRepeatable = method !== "POST" && !condition;
    for (;;) {
      try {
        return await this.#askOnce(request);
      } catch (error) {
        if (!isRepeatable && !NOTHING_DONE.has((error as HttpError)?.status ?? 0)) throw error;
        await retries.wait(error, signal);
      }
    }
  }

  async #askOnce(request: S3Request): Promise<{ text: string; headers: Headers }> {
    const { method, url, query = {}, body, signal, condition } = request;
    const asked = new URL(url);
    for (const [name, value] of Object.entries(query)) asked.searchParams.set(name, value);
    // Signatures require %20 where forms have +.
    asked.search = asked.search.replaceAll("+", "%20");
    const answer = await httpRequest(asked, {
      origin: url.origin,
      headers: condition ? [condition] : [],
      settings: this.#settings,
      signal,
      method,
      sent: body,
    });
    const { response } = answer.body, text = await textOf(answer.body, signal);
    if (response.ok || (method === "DELETE" && response.status === 404)) return { text, headers: response.headers };
    const error = new HttpError(
      "HTTP_STATUS",
      `${method} ${shownUrl(url)}: the server answered ${response.status} ${elementsOf(text, "Code")[0] ?? ""}`.trim(),
      { path: shownUrl(url), status: response.status },
    );
    if (RETRIED.has(response.status)) markRetryable(error, retryAfter(response.headers, Date.now()));
    throw error;
  }

  #failed(method: string, url: URL, what: string): SaveError {
    return new SaveError("SINK_FAILED", `Cannot ${method} ${shownUrl(url)}: ${what}`, {
      path: shownUrl(url),
      committed: "no",
    });
  }
}

async function textOf(body: HttpBody, signal: AbortSignal | undefined): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let chunk; (chunk = await body.next(signal)) !== null;) {
    chunks.push(chunk);
    if ((length += chunk.length) <= MAX_TEXT) continue;
    body.cancel();
    throw new SourceError("READ_FAILED", `The response has ${length} bytes or more: no list of keys is that long`);
  }
  return new TextDecoder().decode(joinBytes(chunks));
}

function decodedKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", "%20"));
  } catch {
    throw new SourceError("READ_FAILED", `The bucket lists ${quote(key)}, which is not an encoded key`);
  }
}

/** Contents of the elements `<name>`, which have neither attributes nor child elements. */
function elementsOf(xml: string, name: string): string[] {
  const texts: string[] = [];
  const open = `<${name}>`, close = `</${name}>`;
  for (let at = 0; (at = xml.indexOf(open, at)) >= 0;) {
    const start = at + open.length, end = xml.indexOf(close, start);
    if (end < 0) break;
    texts.push(unescapeXml(xml.slice(start, end)));
    at = end + close.length;
  }
  return texts;
}

const ENTITIES: readonly (readonly [string, string])[] = [
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
  ["#34", '"'],
  ["#39", "'"],
  ["amp", "&"],
];

function unescapeXml(text: string): string {
  // The ampersand comes last: what it decodes to must not be decoded again.
  return ENTITIES.reduce((so, [name, letter]) => so.replaceAll(`&${name};`, letter), text);
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
