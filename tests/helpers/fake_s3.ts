/** An S3-compatible server on 127.0.0.1 that checks signatures (AWS Signature Version 4). */
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const ACCESS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };

const LEAST_PART = 5 * 2 ** 20;

export interface FakeS3 {
  /** URL of the bucket. */
  url: string;
  objects: Map<string, Uint8Array>;
  uploads: Map<string, Map<number, Uint8Array>>;
  asked: string[];
  close(): Promise<void>;
}

/** Start a server. */
export async function fakeS3(files: Map<string, Uint8Array>): Promise<FakeS3> {
  const objects = new Map(files);
  const uploads = new Map<string, Map<number, Uint8Array>>();
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url!, "http://x");
    asked.push(`${request.method} ${url.pathname}${url.search}`);
    if (!isSigned(request, url)) return send(response, 403, "<Error><Code>SignatureDoesNotMatch</Code></Error>");
    try {
      answer(request, response, url, body);
    } catch (error) {
      send(response, 500, String(error));
    }
  });

  const answer = (request: IncomingMessage, response: ServerResponse, url: URL, body: Uint8Array) => {
    const key = decodeURIComponent(url.pathname.replace("/bucket/", "")), query = url.searchParams;
    const { method } = request;
    const upload = uploads.get(query.get("uploadId") ?? "");
    const { "if-match": match, "if-none-match": none } = request.headers;
    const etag = etagOf(key);
    if (match !== undefined && match !== etag) {
      const [status, code] = etag === null ? [404, "NoSuchKey"] : [412, "PreconditionFailed"];
      return send(response, status as number, `<Error><Code>${code}</Code></Error>`);
    }
    if (none === "*" && etag !== null) return send(response, 412, "<Error><Code>PreconditionFailed</Code></Error>");
    if (method === "GET" && key === "") return send(response, 200, listed(query));
    if (method === "GET") return give(request, response, key);
    if (method === "POST" && query.has("uploads")) {
      const id = `up&load ${uploads.size}+/=`;
      uploads.set(id, new Map());
      return send(
        response,
        200,
        `<InitiateMultipartUploadResult><UploadId>${
          id.replace("&", "&amp;")
        }</UploadId></InitiateMultipartUploadResult>`,
      );
    }
    if (query.has("uploadId") && !upload) return send(response, 404, "<Error><Code>NoSuchUpload</Code></Error>");
    if (method === "PUT" && upload) {
      upload.set(Number(query.get("partNumber")), body);
      return send(response, 200, "", { etag: `"part-${query.get("partNumber")}"` });
    }
    if (method === "POST" && upload) {
      const numbers = [
        ...new TextDecoder().decode(body).matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>&quot;part-(\d+)&quot;</g),
      ];
      const parts = numbers.map((m) => upload.get(Number(m[1]))!);
      if (parts.slice(0, -1).some((part) => part.length < LEAST_PART)) {
        return send(response, 200, "<Error><Code>EntityTooSmall</Code></Error>");
      }
      objects.set(key, Buffer.concat(parts));
      uploads.delete(query.get("uploadId")!);
      return send(response, 200, "<CompleteMultipartUploadResult/>");
    }
    if (method === "DELETE") {
      if (upload) uploads.delete(query.get("uploadId")!);
      else objects.delete(key);
      return send(response, 204);
    }
    if (method === "PUT") {
      objects.set(key, body);
      return send(response, 200);
    }
    send(response, 400);
  };

  const etagOf = (key: string) => {
    const bytes = objects.get(key);
    return bytes ? `"${createHash("md5").update(bytes).digest("hex")}"` : null;
  };

  const give = (request: IncomingMessage, response: ServerResponse, key: string) => {
    const bytes = objects.get(key);
    if (!bytes) return send(response, 404, "<Error><Code>NoSuchKey</Code></Error>");
    const etag = etagOf(key)!;
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    if (!match || (request.headers["if-range"] ?? etag) !== etag) return send(response, 200, bytes, { etag });
    const start = Number(match[1]), end = Math.min(Number(match[2]) + 1, bytes.length);
    if (start >= bytes.length) return send(response, 416, "", { "content-range": `bytes */${bytes.length}` });
    send(response, 206, bytes.subarray(start, end), {
      etag,
      "content-range": `bytes ${start}-${end - 1}/${bytes.length}`,
    });
  };

  /** Lists two keys per page, percent-encoded. */
  const listed = (query: URLSearchParams) => {
    const keys = [...objects.keys()].filter((key) => key.startsWith(query.get("prefix") ?? "")).sort();
    const from = Number(query.get("continuation-token")?.slice(5) ?? 0);
    const more = from + 2 < keys.length;
    const contents = keys.slice(from, from + 2).map((key) =>
      `<Contents><Key>${
        encodeURIComponent(key).replaceAll("%2F", "/").replaceAll("%20", "+")
      }</Key><Size>1</Size></Contents>`
    );
    return `<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${more}</IsTruncated>${
      contents.join("")
    }${more ? `<NextContinuationToken>page=${from + 2}</NextContinuationToken>` : ""}</ListBucketResult>`;
  };

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket`,
    objects,
    uploads,
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function send(
  response: ServerResponse,
  status: number,
  body: string | Uint8Array = "",
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { ...headers, ...(status === 204 ? {} : { "content-length": Buffer.byteLength(body) }) });
  response.end(body);
}

/** Whether the request is signed by ACCESS; recomputes the signature from what arrived. */
function isSigned(request: IncomingMessage, url: URL): boolean {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/
      .exec(request.headers.authorization ?? "");
  if (!match || match[1] !== ACCESS.accessKeyId) return false;
  const [, , day, region, service, names, signature] = match;
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
  const query = [...url.searchParams].map(([name, value]) => [encode(name), encode(value)])
    .sort((a, b) => (a[0] < b[0] ? -1 : 1)).map((pair) => pair.join("=")).join("&");
  const headers = names.split(";").map((name) => `${name}:${request.headers[name]}\n`).join("");
  const path = url.pathname.split("/").map((part) => encode(decodeURIComponent(part))).join("/");
  const canonical = [request.method, path, query, headers, names, request.headers["x-amz-content-sha256"]].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = [
    "AWS4-HMAC-SHA256",
    request.headers["x-amz-date"],
    scope,
    createHash("sha256").update(canonical).digest("hex"),
  ].join("\n");
  const hmac = (key: string | Uint8Array, data: string) => createHmac("sha256", key).update(data).digest();
  const key = hmac(hmac(hmac(hmac("AWS4" + ACCESS.secretAccessKey, day), region), service), "aws4_request");
  return createHmac("sha256", key).update(text).digest("hex") === signature;
}
