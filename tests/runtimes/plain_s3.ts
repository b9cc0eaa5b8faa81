/** A bucket as a part of the suite's server: the requests of S3 that need no signature. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Buffer } from "node:buffer";

/** Sends one version of a file, whole or a range of it. */
export type Give = (request: IncomingMessage, response: ServerResponse, bytes: Uint8Array, etag: string) => unknown;

/** Answers the requests below `/bucket/`. */
export class PlainS3 {
  readonly #objects = new Map<string, { bytes: Uint8Array; etag: string }>();
  readonly #parts = new Map<string, Uint8Array>();
  readonly #give: Give;
  #versions = 0;

  constructor(give: Give) {
    this.#give = give;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = new Uint8Array(Buffer.concat(chunks)), { pathname, searchParams } = new URL(request.url!, "http://x");
    const key = decodeURIComponent(pathname.slice("/bucket/".length)), object = this.#objects.get(key);
    const end = (status: number, text = "", headers: Record<string, string> = {}) => {
      response.writeHead(status, headers);
      response.end(text);
    };
    const { "if-none-match": none, "if-match": match } = request.headers;
    if ((none === "*" && object) || (match !== undefined && match !== object?.etag)) return end(412);
    const part = searchParams.get("partNumber");
    switch (request.method) {
      case "GET":
      case "HEAD":
        if (key === "") return end(200, this.#listed(searchParams.get("prefix") ?? ""));
        return object ? this.#give(request, response, object.bytes, object.etag) : end(404);
      case "PUT":
        if (part === null) this.#objects.set(key, { bytes: body, etag: `"${this.#versions++}"` });
        else this.#parts.set(part, body);
        return end(200, "", { etag: `"part-${part}"` });
      case "POST": {
        if (searchParams.has("uploads")) return end(200, "<UploadId>one</UploadId>");
        const bytes = new Uint8Array(Buffer.concat([...this.#parts.values()]));
        this.#parts.clear();
        this.#objects.set(key, { bytes, etag: `"${this.#versions++}"` });
        return end(200);
      }
      default:
        this.#objects.delete(key);
        end(204);
    }
  }

  #listed(prefix: string): string {
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix));
    return `<IsTruncated>false</IsTruncated>${keys.map((key) => `<Key>${key}</Key>`).join("")}`;
  }
}
