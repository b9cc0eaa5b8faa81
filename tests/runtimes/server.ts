/** The server for the suite: a good file, two models, faulty responses, a bucket, the page, and a route to which the page reports its outcomes. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { tarOf } from "../helpers/tar_of.ts";
import { PlainS3 } from "./plain_s3.ts";
import type { Outcome } from "./suite.ts";

/** A running server. */
export interface SuiteServer {
  url: string;
  /** The outcomes that the next page reports. */
  told(): Promise<Outcome[]>;
  close(): Promise<void>;
}

const CSP = "default-src 'self'; script-src 'self'";

const REAL = "tests/fixtures/real";
/** A model of Paddle 2 and one of Paddle 3, as their files. */
const MODELS: Record<string, string> = {
  "two.pdmodel": "paddle-2.6.2/jit-save/m.pdmodel",
  "two.pdiparams": "paddle-2.6.2/jit-save/m.pdiparams",
  "two.pdiparams.info": "paddle-2.6.2/jit-save/m.pdiparams.info",
  "three.json": "paddle-3.3.1/jit-save/m.json",
  "three.pdiparams": "paddle-3.3.1/jit-save/m.pdiparams",
};

/** Start a server; `script` is the bundled suite, `file` the contents of `/good`. */
export async function suiteServer(script: string, file: Uint8Array): Promise<SuiteServer> {
  const counts = new Map<string, number>();
  let tell: (outcomes: Outcome[]) => void = () => {};
  const give = (request: IncomingMessage, response: ServerResponse, bytes: Uint8Array, etag = '"1"') => {
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const head = { etag, "cache-control": "no-store" };
    if (!match) {
      response.writeHead(200, { ...head, "content-length": bytes.length });
      return response.end(bytes);
    }
    const start = Number(match[1]), end = Math.min(Number(match[2]) + 1, bytes.length);
    if (start >= bytes.length) {
      response.writeHead(416, { ...head, "content-range": `bytes */${bytes.length}` });
      return response.end();
    }
    response.writeHead(206, {
      ...head,
      "content-range": `bytes ${start}-${end - 1}/${bytes.length}`,
      "content-length": end - start,
    });
    response.end(bytes.subarray(start, end));
  };
  const send = (response: ServerResponse, status: number, type: string, body: string, csp?: string) => {
    const headers: Record<string, string> = { "content-type": type, "cache-control": "no-store" };
    if (csp) headers["content-security-policy"] = csp;
    response.writeHead(status, headers);
    response.end(body);
  };
  const models = Object.entries(MODELS).map(([name, path]) => ({ name, data: readFileSync(`${REAL}/${path}`) }));
  const files = new Map<string, Uint8Array>(models.map(({ name, data }) => [`/models/${name}`, data]));
  files.set("/models.tar", tarOf(...models));
  files.set("/models.tar.gz", gzipSync(tarOf(...models)));
  const bucket = new PlainS3(give);
  const paths: Record<string, (request: IncomingMessage, response: ServerResponse, n: number) => unknown> = {
    "/good": (request, response) => give(request, response, file),
    "/whole": (_, response) => {
      response.writeHead(200, { "content-length": file.length, "cache-control": "no-store" });
      response.end(file);
    },
    "/elsewhere": (request, response) => {
      if (!request.headers.range) return give(request, response, file);
      response.writeHead(206, { "content-range": `bytes 5-65540/${file.length}`, "content-length": 65_536 });
      response.end(file.subarray(5, 65_541));
    },
    "/changed": (request, response, n) => give(request, response, file, `"${n}"`),
    "/busy": (_, response) => send(response, 503, "text/plain", "busy"),
    "/once": (request, response, n) =>
      n % 2 ? give(request, response, file) : send(response, 503, "text/plain", "busy"),
    "/silent": () => {},
    "/page": (_, response) => send(response, 200, "text/html", "<!DOCTYPE html><html><body>Sign in</body></html>"),
    "/empty": (request, response) => give(request, response, new Uint8Array(0)),
    "/suite.js": (_, response) => send(response, 200, "text/javascript", script),
    "/run": (_, response) => send(response, 200, "text/html", page("main"), `${CSP} 'wasm-unsafe-eval'`),
    "/run-strict": (_, response) => send(response, 200, "text/html", page("main"), CSP),
    "/run-worker": (_, response) => send(response, 200, "text/html", page("worker"), `${CSP} 'wasm-unsafe-eval'`),
    "/main.js": (_, response) => send(response, 200, "text/javascript", MAIN),
    "/worker.js": (_, response) => send(response, 200, "text/javascript", WORKER),
    "/in-worker.js": (_, response) => send(response, 200, "text/javascript", MAIN, `${CSP} 'wasm-unsafe-eval'`),
  };
  const server = createServer(async (request, response) => {
    const path = new URL(request.url!, "http://x").pathname;
    if (request.method === "POST" && path === "/told") {
      let text = "";
      for await (const chunk of request) text += chunk;
      send(response, 200, "text/plain", "");
      return tell(JSON.parse(text));
    }
    const n = counts.get(path) ?? 0;
    counts.set(path, n + 1);
    if (path.startsWith("/bucket/")) await bucket.answer(request, response);
    else if (files.has(path)) give(request, response, files.get(path)!);
    else if (Object.hasOwn(paths, path)) paths[path](request, response, n);
    else send(response, 404, "text/plain", "there is none");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    told: () => new Promise((resolve) => tell = resolve),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function page(script: string): string {
  return `<!DOCTYPE html><meta charset="utf-8"><title>suite</title><script type="module" src="/${script}.js"></script>`;
}

const MAIN = `import { suite } from "/suite.js";
const outcomes = await suite(self.location.origin);
await fetch("/told", { method: "POST", body: JSON.stringify(outcomes) });
`;
const WORKER = `new Worker("/in-worker.js", { type: "module" });
`;
