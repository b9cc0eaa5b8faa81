import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, it } from "@std/testing/bdd";
import {
  encode,
  type HttpOptions,
  isPaddleError,
  load,
  type NDArray,
  open,
  type StateDict,
  Tensor,
} from "../../mod.ts";
import {
  type Answer,
  type Asked,
  good,
  type Script,
  type ScriptedServer,
  withServer,
} from "../helpers/scripted_server.ts";
import { countedSignal } from "../helpers/counted_signal.ts";
import { SOON, takesLittle, timeOf, TRIES } from "../helpers/soon.ts";
import { until } from "../helpers/until.ts";
import { withGlobals } from "../helpers/with_globals.ts";

function ramp(length: number, from: number): Tensor {
  return new Tensor("int32", [length], Int32Array.from({ length }, (_, i) => from + i), { name: "t" });
}

/** Two tensors: the first is partly, the second entirely beyond the first range requested. */
const FILE = encode(new Map([["a", ramp(30_000, 0)], ["b", ramp(40_000, 7)]]));
const OTHER = encode(new Map([["a", ramp(30_000, 1)], ["b", ramp(40_000, 9)]]));
const QUICK: HttpOptions = { retryDelay: 1 };

/** `"right"`, or the code of the error; anything else is a bug. */
async function outcome(read: () => Promise<NDArray>): Promise<string> {
  let array: NDArray;
  try {
    array = await read();
  } catch (error) {
    if (isPaddleError(error)) return error.code;
    throw error;
  }
  assert.equal(array.size, 40_000);
  assert.deepEqual([array.at(0), array.at(39_999)], [7, 40_006], "the bytes are those of the file");
  return "right";
}

const READERS = {
  load: async (url: string, http: HttpOptions) => (await load(url, { http }) as StateDict).get("b") as NDArray,
  open: async (url: string, http: HttpOptions) => {
    await using checkpoint = await open(url, { http });
    return await checkpoint.get("b");
  },
};

interface Fault {
  /** What the server does. */
  name: string;
  script: Script;
  /** The outcome of `load`, and of `open` with `get`. */
  load: string;
  open: string;
  http?: HttpOptions;
  /** The number of requests that each makes. */
  asked?: { load?: number; open?: number };
}

/** The good response with something changed. */
function but(change: (answer: Answer, asked: Asked) => Partial<Answer> & { without?: string[] }): Script {
  return (asked) => {
    const answer = good(asked, FILE);
    const { without = [], ...changes } = change(answer, asked);
    const headers: Record<string, string | string[]> = { ...answer.headers, ...changes.headers };
    for (const name of without) delete headers[name];
    return { ...answer, ...changes, headers };
  };
}

function first(count: number, answer: Script): Script {
  return (asked) => asked.n < count ? answer(asked) : good(asked, FILE);
}

function after(count: number, answer: Script): Script {
  return (asked) => asked.n < count ? good(asked, FILE) : answer(asked);
}

/** A server that, once told to `gather`, answers only when it has seen `count` requests at the same time. */
async function withGatheringServer(
  fileAt: (path: string) => Uint8Array,
  count: number,
  test: (server: ScriptedServer, gather: () => void) => Promise<void>,
): Promise<void> {
  let held: Promise<unknown> | undefined;
  await withServer((asked) => ({ ...good(asked, fileAt(asked.path)), held }), async (server) => {
    // One request too many would arrive in this time.
    const wait = () => new Promise((resolve) => setTimeout(resolve, 30));
    await test(server, () => held = until(() => server.most() >= count).then(wait, () => {}));
  });
}

const status = (code: number, headers: Record<string, string> = {}): Script => () => ({ status: code, headers });
const whole: Script = (asked) => good({ ...asked, range: null }, FILE);

const FAULTS: Fault[] = [
  { name: "no faults", script: but(() => ({})), load: "right", open: "right", asked: { load: 1 } },
  // Ranges other than those requested.
  {
    name: "a range that begins elsewhere",
    script: but((_, { range }) => range ? { headers: { "content-range": `bytes 1-${range.end}/${FILE.length}` } } : {}),
    load: "right",
    open: "HTTP_BAD_RANGE",
  },
  {
    name: "a range that ends after the requested end",
    script: but((_, { range }) =>
      range ? { headers: { "content-range": `bytes ${range.start}-${range.end}/${FILE.length + 9e5}` } } : {}
    ),
    load: "right",
    open: "HTTP_BAD_RANGE",
  },
  {
    name: "white space around what the headers say",
    script: but(({ headers }) => ({
      headers: Object.fromEntries(
        Object.entries({ etag: '"v1"', ...headers }).filter(([name]) => name !== "content-length").map((
          [name, value],
        ) => [name, ` ${value} \t`]),
      ),
    })),
    load: "right",
    open: "right",
  },
  {
    name: "206 without Content-Range",
    script: but(() => ({ without: ["content-range"] })),
    load: "right",
    open: "HTTP_BAD_RANGE",
  },
  {
    name: "a range beyond its own total",
    script: but((_, { range }) => range ? { headers: { "content-range": "bytes 0-65535/50" } } : {}),
    load: "right",
    open: "HTTP_BAD_RANGE",
  },
  {
    name: "an unknown total in the first response, and none by HEAD",
    script: but((_, { range, method }) => {
      if (method === "HEAD") return { without: ["content-length"] };
      return range ? { headers: { "content-range": "bytes 0-65535/*" } } : {};
    }),
    load: "right",
    open: "HTTP_BAD_RANGE",
    asked: { load: 1, open: 2 },
  },
  {
    name: "an unknown total in all ranges, but a length by HEAD",
    script: but((answer, { range, method }) => {
      if (!range || method === "HEAD") return {};
      return { headers: { "content-range": `bytes ${range.start}-${range.start + answer.body!.length - 1}/*` } };
    }),
    load: "right",
    open: "right",
  },
  {
    name: "its ETag in two headers, and the whole file for an If-Range of both",
    script: (asked) => ({
      ...good(asked.headers["if-range"] === undefined ? asked : { range: null }, FILE),
      headers: { ...good(asked, FILE).headers, etag: ['"1"', '"1"'] },
    }),
    http: { maxFallbackBytes: 1000 },
    load: "right",
    open: "right",
  },
  {
    name: "an unknown total in a later response",
    script: after(
      1,
      but((_, { range }) => range ? { headers: { "content-range": `bytes ${range.start}-${range.end - 1}/*` } } : {}),
    ),
    load: "right",
    open: "right",
  },
  {
    name: "another total in a later response",
    script: after(
      1,
      but((_, { range }) =>
        range ? { headers: { "content-range": `bytes ${range.start}-${range.end - 1}/${FILE.length + 1}` } } : {}
      ),
    ),
    load: "right",
    open: "HTTP_CHANGED",
  },
  {
    name: "a Content-Length above that of the range",
    script: but((answer, { range }) =>
      range ? { headers: { "content-length": String(answer.body!.length + 100) }, cut: answer.body!.length } : {}
    ),
    load: "right",
    open: "HTTP_BAD_RANGE",
    asked: { open: 1 },
  },
  {
    name: "a range of 'Bytes'",
    script: but((answer, { range }) =>
      range ? { headers: { "content-range": String(answer.headers!["content-range"]).replace("bytes", "Bytes") } } : {}
    ),
    load: "right",
    open: "right",
  },
  {
    name: "two Content-Range headers",
    script: but((_, { range }) =>
      range ? { headers: { "content-range": [`bytes 0-65535/${FILE.length}`, `bytes 5-9/${FILE.length}`] } } : {}
    ),
    load: "right",
    open: "HTTP_BAD_RANGE",
  },
  {
    name: "a range in other units",
    script: but((_, { range }) => range ? { headers: { "content-range": `items 0-65535/${FILE.length}` } } : {}),
    load: "right",
    open: "HTTP_BAD_RANGE",
  },
  {
    name: "a backward range",
    script: but((_, { range }) => range ? { headers: { "content-range": `bytes 65535-0/${FILE.length}` } } : {}),
    load: "right",
    open: "HTTP_BAD_RANGE",
  },
  {
    name: "a multipart response",
    script: but((_, { range }) =>
      range ? { without: ["content-range"], headers: { "content-type": "multipart/byteranges; boundary=x" } } : {}
    ),
    load: "right",
    open: "HTTP_BAD_RANGE",
  },
  {
    name: "a multipart response with a Content-Range",
    script: but((_, { range }) => range ? { headers: { "content-type": "Multipart/ByteRanges; boundary=x" } } : {}),
    load: "right",
    open: "HTTP_BAD_RANGE",
    asked: { open: 1 },
  },
  {
    name: "at most 30,000 bytes in the first response, then at most 65,536",
    script: (asked) =>
      asked.range
        ? good({
          range: { ...asked.range, end: Math.min(asked.range.end, asked.range.start + (asked.n ? 65_536 : 30_000)) },
        }, FILE)
        : good(asked, FILE),
    load: "right",
    open: "right",
  },
  {
    name: "one byte per response, forever",
    script: after(
      2,
      (asked) => good({ range: { start: asked.range!.start, end: asked.range!.start + 1 } }, FILE),
    ),
    load: "right",
    open: "HTTP_TRUNCATED",
  },
  // Bodies that are shorter or longer than they should be.
  {
    name: "bodies without a length",
    script: but(() => ({ without: ["content-length"] })),
    load: "right",
    open: "right",
  },
  {
    name: "ranges that are always cut short silently",
    script: but((answer, { range }) =>
      range ? { without: ["content-length"], body: answer.body!.subarray(0, answer.body!.length >> 1) } : {}
    ),
    load: "right",
    open: "HTTP_TRUNCATED",
  },
  {
    name: "a connection that breaks in every body",
    script: but((answer) => ({ cut: answer.body!.length >> 1 })),
    load: "HTTP_TRUNCATED",
    open: "HTTP_TRUNCATED",
  },
  {
    name: "a connection that breaks before the first byte of every body",
    script: but(() => ({ cut: 0 })),
    load: "HTTP_TRUNCATED",
    open: "HTTP_TRUNCATED",
    asked: { load: 4, open: 4 },
  },
  {
    name: "a connection that breaks in the first two bodies",
    script: first(2, but((answer) => ({ cut: answer.body!.length >> 1 }))),
    load: "right",
    open: "right",
  },
  {
    name: "a connection that breaks in a download, and then no ranges",
    script: (asked) => ({ ...whole(asked) as Answer, cut: asked.n === 0 ? 1000 : undefined }),
    load: "HTTP_TRUNCATED",
    open: "right",
  },
  {
    name: "a connection that breaks in a download, and then another file",
    script: (asked) => asked.n === 0 ? { ...good(asked, FILE), cut: 1000 } : good(asked, OTHER, { etag: '"2"' }),
    load: "HTTP_CHANGED",
    open: "HTTP_CHANGED",
  },
  {
    name: "a download without a length that breaks, of a version with a strong ETag",
    script: but(({ body }, { range }) => range ? {} : { without: ["content-length"], cut: body!.length >> 1 }),
    load: "right",
    open: "right",
    asked: { load: 2 },
  },
  {
    name: "a download without a length that breaks after its last byte",
    script: but(({ body }, { range }) => range ? {} : { without: ["content-length"], cut: body!.length }),
    load: "right",
    open: "right",
  },
  {
    name: "a download without a length that breaks, of a version with a weak ETag",
    script: but(({ body }, { range }) => ({
      headers: { etag: 'W/"1"' },
      ...range ? {} : { without: ["content-length"], cut: body!.length >> 1 },
    })),
    load: "HTTP_NETWORK",
    open: "right",
    asked: { load: 1 },
  },
  {
    name: "a download without a length that breaks, and then another version",
    script: but(({ body }, { range }) =>
      range ? { headers: { etag: '"2"' } } : { without: ["content-length"], cut: body!.length >> 1 }
    ),
    load: "HTTP_CHANGED",
    open: "right",
    asked: { load: 2 },
  },
  {
    name: "a download without a length that breaks, and no ranges",
    script: (asked) => ({ ...whole(asked) as Answer, headers: { etag: '"1"' }, cut: FILE.length >> 1 }),
    load: "HTTP_NETWORK",
    open: "HTTP_NETWORK",
    asked: { load: 2 },
  },
  {
    name: "a download that breaks, and then ranges shorter than requested",
    script: but((answer, { range }) => {
      if (!range) return { cut: FILE.length >> 1 };
      const end = Math.min(range.end, FILE.length, range.start + 70_000);
      return {
        headers: {
          "content-range": `bytes ${range.start}-${end - 1}/${FILE.length}`,
          "content-length": String(end - range.start),
        },
        body: answer.body!.subarray(0, end - range.start),
      };
    }),
    load: "right",
    open: "right",
  },
  {
    name: "a download without a length that ends early",
    script: (asked) => ({ ...good({ ...asked, range: null }, FILE.subarray(0, 200_000)), headers: { etag: '"1"' } }),
    load: "TRUNCATED",
    open: "TRUNCATED",
  },
  {
    name: "more bytes than the range has",
    script: but((_, { range }) =>
      range ? { without: ["content-length"], body: new Uint8Array(range.end - range.start + 1) } : {}
    ),
    load: "right",
    open: "HTTP_BAD_RANGE",
  },
  // Encodings.
  {
    name: "a gzipped range",
    script: but((answer, { range }) =>
      range
        ? { headers: { "content-encoding": "gzip" }, body: gzipSync(answer.body!), without: ["content-length"] }
        : {}
    ),
    load: "right",
    open: "HTTP_ENCODED",
  },
  {
    name: "a range of the gzipped file",
    script: but((_, { range }) => {
      if (!range) return {};
      const bytes = gzipSync(FILE);
      return {
        headers: {
          "content-encoding": "gzip",
          "content-range": `bytes 0-59/${bytes.length}`,
          "content-length": "60",
        },
        body: bytes.subarray(0, 60),
      };
    }),
    load: "right",
    open: "HTTP_ENCODED",
  },
  {
    name: "the whole file gzipped",
    script: () => {
      const body = gzipSync(FILE);
      return { status: 200, headers: { "content-encoding": "gzip", "content-length": String(body.length) }, body };
    },
    load: "right",
    open: "right",
  },
  {
    name: "an encoding named identity",
    script: but(() => ({ headers: { "content-encoding": "identity" } })),
    load: "right",
    open: "right",
  },
  // Servers without ranges.
  { name: "no ranges", script: whole, load: "right", open: "right", asked: { load: 1, open: 1 } },
  {
    name: "no ranges, and a file above maxFallbackBytes",
    script: whole,
    http: { maxFallbackBytes: 100_000 },
    load: "right",
    open: "HTTP_RANGE_IGNORED",
    asked: { open: 1 },
  },
  {
    name: "no ranges, and a body without a length or an end",
    script: (asked) => asked.range ? { status: 200, endless: true } : good(asked, FILE),
    http: { maxFallbackBytes: 1_000_000 },
    load: "right",
    open: "HTTP_RANGE_IGNORED",
  },
  { name: "no ranges after the first response", script: after(1, whole), load: "right", open: "right" },
  ...([["a part of the file", FILE.subarray(0, 150_000)], ["a web page", new TextEncoder().encode("<html>")]] as const)
    .map((
      [what, body],
    ): Fault => ({
      name: `no ranges and no length after the first response, but ${what}`,
      script: (asked) => asked.n === 0 ? good(asked, FILE, {}) : { status: 200, body },
      load: "right",
      open: "HTTP_CHANGED",
    })),
  // Versions.
  ...[1, 2].map((k): Fault => ({
    name: `another file after ${k} requests`,
    script: after(k, (asked) => good(asked, OTHER, { etag: '"2"' })),
    load: "right",
    open: "HTTP_CHANGED",
  })),
  {
    name: "another file, whole, after the first range",
    script: after(1, (asked) => good({ ...asked, range: null }, OTHER, { etag: '"2"' })),
    load: "right",
    open: "HTTP_CHANGED",
  },
  ...[null, { start: 0, end: 0 }].map((whole): Fault => ({
    name: `another file of the same length without the ETag, ${whole ? "by ranges" : "whole"}`,
    script: after(1, (asked) => good(whole ? asked : { range: null }, OTHER, {})),
    load: "right",
    open: "HTTP_CHANGED",
  })),
  {
    name: "another file with a weak ETag",
    script: (asked) => asked.n === 0 ? good(asked, FILE, { etag: 'W/"1"' }) : good(asked, OTHER, { etag: 'W/"2"' }),
    load: "right",
    open: "HTTP_CHANGED",
  },
  {
    name: "another file, with only another Last-Modified",
    script: (asked) =>
      good(asked, asked.n ? OTHER : FILE, { "last-modified": `Tue, 24 Nov 2026 00:00:0${asked.n ? 1 : 0} GMT` }),
    load: "right",
    open: "HTTP_CHANGED",
  },
  {
    name: "neither an ETag nor a Last-Modified",
    script: (asked) => good(asked, FILE, {}),
    load: "right",
    open: "right",
  },
  {
    name: "a 416 that tells of a shorter file",
    script: after(1, () => ({ status: 416, headers: { "content-range": "bytes */1000" } })),
    load: "right",
    open: "HTTP_CHANGED",
  },
  // Statuses.
  {
    name: "a 416 at first that tells no size",
    script: (asked) => asked.range ? { status: 416 } : good(asked, FILE),
    load: "right",
    open: "right",
    asked: { load: 1, open: 2 },
  },
  {
    name: "a 416 for every request",
    script: status(416),
    load: "HTTP_STATUS",
    open: "HTTP_STATUS",
    asked: { load: 1, open: 2 },
  },
  {
    name: "a 416 at first",
    script: (asked) => asked.range ? { status: 416, headers: { "content-range": "bytes */99" } } : good(asked, FILE),
    load: "right",
    open: "HTTP_STATUS",
  },
  { name: "an empty file", script: (asked) => good(asked, new Uint8Array(0)), load: "EMPTY", open: "EMPTY" },
  {
    name: "an empty file whose 416 tells no size, as from S3",
    script: (asked) => asked.range ? { status: 416 } : good(asked, new Uint8Array(0)),
    load: "EMPTY",
    open: "EMPTY",
    asked: { load: 1, open: 2 },
  },
  { name: "a 204", script: status(204), load: "HTTP_STATUS", open: "HTTP_STATUS", asked: { load: 1, open: 1 } },
  {
    name: "a 206 without a requested range",
    script: (asked) => good({ range: asked.range ?? { start: 0, end: 1000 } }, FILE),
    load: "HTTP_STATUS",
    open: "right",
  },
  ...[400, 401, 403, 404, 410, 501].map((code): Fault => ({
    name: `a ${code}, which is not retried`,
    script: status(code),
    load: "HTTP_STATUS",
    open: "HTTP_STATUS",
    // The URL may be that of a folder: then its program is asked for by either of its names.
    asked: code === 404 ? { load: 3, open: 3 } : { load: 1, open: 1 },
  })),
  ...[408, 429, 500, 502, 503, 504].map((code): Fault => ({
    name: `a ${code} twice`,
    script: first(2, status(code)),
    load: "right",
    open: "right",
    asked: { load: 3 },
  })),
  {
    name: "a 503 every time",
    script: status(503),
    load: "HTTP_STATUS",
    open: "HTTP_STATUS",
    asked: { load: 4, open: 4 },
  },
  {
    name: "a 429 with Retry-After: 0",
    script: first(1, status(429, { "retry-after": "0" })),
    http: { retryDelay: 60_000 },
    load: "right",
    open: "right",
  },
  {
    name: "a 503 with a Retry-After of an hour",
    script: status(503, { "retry-after": "3600" }),
    load: "HTTP_STATUS",
    open: "HTTP_STATUS",
    asked: { load: 1, open: 1 },
  },
  {
    name: "a 503 later",
    script: (asked) => asked.n === 1 ? { status: 503 } : good(asked, FILE),
    load: "right",
    open: "right",
  },
  {
    name: "a web page",
    script: () => ({
      status: 200,
      headers: { "content-type": "text/html" },
      body: new TextEncoder().encode("<!DOCTYPE html><html><body>Please sign in</body></html>"),
    }),
    load: "WRONG_FORMAT",
    open: "WRONG_FORMAT",
  },
  // Connections and time.
  { name: "no connection", script: () => "break", load: "HTTP_NETWORK", open: "HTTP_NETWORK" },
  { name: "no connection at first", script: first(2, () => "break"), load: "right", open: "right" },
  {
    name: "no response",
    script: () => "silence",
    http: { idleTimeout: 60 },
    load: "HTTP_TIMEOUT",
    open: "HTTP_TIMEOUT",
  },
  {
    name: "no response at first",
    script: first(1, () => "silence"),
    http: { idleTimeout: 300 },
    load: "right",
    open: "right",
  },
  {
    name: "a body that always stalls",
    script: but(() => ({ stall: 40_000 })),
    http: { idleTimeout: 60 },
    load: "HTTP_TIMEOUT",
    open: "HTTP_TIMEOUT",
  },
  {
    name: "a body that stalls in the first response",
    script: first(1, but(() => ({ stall: 40_000 }))),
    http: { idleTimeout: 300 },
    load: "right",
    open: "right",
  },
  {
    name: "a download that stalls, of a server without ranges",
    script: (asked) => ({ ...whole(asked) as Answer, stall: asked.n === 0 ? 1000 : undefined }),
    http: { idleTimeout: 300 },
    load: "HTTP_TIMEOUT",
    open: "right",
  },
  {
    name: "a body of one byte every 20 ms",
    script: but(() => ({ trickle: 20 })),
    http: { idleTimeout: 200 },
    load: "HTTP_TIMEOUT",
    open: "HTTP_TIMEOUT",
  },
  // Redirects.
  {
    name: "a redirect",
    script: (asked) => asked.path === "/new" ? good(asked, FILE) : { status: 302, headers: { location: "/new" } },
    load: "right",
    open: "right",
    asked: { load: 2 },
  },
  {
    name: "five redirects",
    script: (asked) =>
      asked.path.length > 5 ? good(asked, FILE) : { status: 307, headers: { location: asked.path + "x" } },
    load: "right",
    open: "right",
  },
  {
    name: "a redirect to itself",
    script: (asked) => ({ status: 301, headers: { location: asked.path } }),
    load: "HTTP_REDIRECT",
    open: "HTTP_REDIRECT",
    asked: { load: 6, open: 6 },
  },
  ...["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "http://[", "http://me:secret@127.0.0.1/"].map((
    location,
  ): Fault => ({
    name: `a redirect to ${location}`,
    script: () => ({ status: 302, headers: { location } }),
    load: "HTTP_REDIRECT",
    open: "HTTP_REDIRECT",
  })),
  {
    name: "a redirect without a location",
    script: status(302),
    load: "HTTP_STATUS",
    open: "HTTP_STATUS",
  },
  {
    name: "a redirect whose target is gone after the first range",
    script: (asked) =>
      asked.path === "/"
        ? { status: 301, headers: { location: `/at${asked.n}` } }
        : asked.n < 3 || asked.path !== "/at0"
        ? good(asked, FILE)
        : { status: 403 },
    load: "right",
    open: "right",
  },
];

describe("a file on a server", () => {
  for (const fault of FAULTS) {
    for (const reader of ["load", "open"] as const) {
      const outcomeOf = fault[reader] === "right" ? "is read" : `is refused with ${fault[reader]}`;
      it(`${outcomeOf} by ${reader} when there is ${fault.name}`, async () => {
        const due = fault.asked?.[reader];
        let asked: number | undefined;
        // On a busy machine all that was sent before a connection broke may be lost, which costs one more request.
        for (let tries = 0; tries === 0 || tries < TRIES && asked !== due; tries++) {
          await withServer(fault.script, async (server) => {
            const result = await outcome(() => READERS[reader](server.url + "/", { ...QUICK, ...fault.http }));
            assert.equal(result, fault[reader]);
            if (due !== undefined) asked = server.asked.length;
          });
        }
        assert.equal(asked, due);
      });
    }
  }
});

describe("reading from a server", () => {
  const asked = (server: ScriptedServer) =>
    server.asked.map(({ headers }) => headers.range?.replace("bytes=", "") ?? "-");

  it("makes one request for load; for open it fetches the structure, then only what is requested", () =>
    withServer(but(() => ({})), async (server) => {
      await load(server.url);
      assert.deepEqual(asked(server), ["-"]);
      server.asked.length = 0;
      await using checkpoint = await open(server.url);
      assert.ok(server.asked.length <= 3, `${asked(server)}`);
      assert.equal(asked(server)[0], "0-65535");
      const { offset } = checkpoint.info("b");
      server.asked.length = 0;
      assert.deepEqual((await checkpoint.getSlice("b", [100, 102])).toArray(), [107, 108]);
      assert.deepEqual(asked(server), [`${offset + 400}-${offset + 407}`]);
    }));

  it("fetches neighbouring tensors in one request, and makes at most six requests at once", async () => {
    const bytes = encode(new Map(Array.from({ length: 300 }, (_, i) => [`t${i}`, ramp(30_000, i)] as const)));
    await withGatheringServer(() => bytes, 6, async (server, gather) => {
      await using checkpoint = await open(server.url);
      assert.ok(server.asked.length <= 302, `${server.asked.length}`);
      assert.ok(server.sent() < 2 ** 20, `${server.sent()} bytes`);
      server.asked.length = 0;
      gather();
      const arrays = await Promise.all(checkpoint.names().map((name) => checkpoint.get(name)));
      arrays.forEach((array, i) => assert.equal(array.at(29_999), i + 29_999));
      assert.ok(server.asked.length <= 12, `${server.asked.length} requests for 36 MB`);
      assert.equal(server.most(), 6);
      server.asked.length = 0;
      await Promise.all(checkpoint.names().map((name) => checkpoint.getSlice(name, [0, 1])));
      assert.ok(server.asked.length <= 300);
    });
  });

  it("resumes at the last good byte, with the same If-Range", async () => {
    let breaks = false, isResumed = false;
    const script: Script = (asked) => {
      const answer = good(asked, FILE);
      if (!breaks) return answer;
      breaks = false;
      return { ...answer, cut: 50_000 };
    };
    await withServer(script, async (server) => {
      await using checkpoint = await open(server.url, { http: QUICK });
      const { offset } = checkpoint.info("b"), end = offset + 159_999;
      // On a busy machine some of the bytes before the break may be lost.
      for (let tries = 0; tries < TRIES && !isResumed; tries++) {
        const before = server.asked.length;
        breaks = true;
        assert.equal((await checkpoint.get("b")).at(39_999), 40_006);
        isResumed = String(asked(server).slice(before)) === `${offset}-${end},${offset + 50_000}-${end}`;
      }
      assert.ok(isResumed, String(asked(server)));
      for (const { headers } of server.asked.slice(1)) assert.equal(headers["if-range"], '"1"');
      assert.equal(server.asked[0].headers["if-range"], undefined);
    });
  });

  it("sends no If-Range for a weak ETag, and asks for no compression", () =>
    withServer((asked) => good(asked, FILE, { etag: 'W/"1"' }), async (server) => {
      await using checkpoint = await open(server.url);
      await checkpoint.get("b");
      for (const { headers } of server.asked) {
        assert.equal(headers["if-range"], undefined);
        assert.match(headers["accept-encoding"]!, /^identity(, identity)?$/);
      }
    }));

  it("in a page gives a file whose ranges the browser refuses, because the server compresses them", () =>
    withServer(whole, async (server) => {
      const refusals: string[] = [], http = { retries: 1, retryDelay: 1 };
      const asPage = async (path: string, init?: RequestInit): Promise<Response> => {
        if (!new Headers(init?.headers).has("range")) return await fetch(path, init);
        refusals.push(path);
        throw new TypeError("Failed to fetch");
      };
      await withGlobals({ location: { origin: "https://page.example" } }, async () => {
        assert.equal(await outcome(async () => (await open(server.url, { fetch: asPage, http })).get("b")), "right");
        assert.equal(refusals.length, 2, "an outage may be short");
        const fetch = () => Promise.reject(new TypeError("Failed to fetch"));
        await assert.rejects(open(server.url, { fetch, http }), { code: "HTTP_NETWORK" });
        const missing = (_: string, init?: RequestInit) => asPage(server.url + "/gone", init);
        await assert.rejects(open(server.url, { fetch: missing, http: { maxFallbackBytes: 9, ...http } }), {
          code: "HTTP_RANGE_IGNORED",
        });
      });
      await assert.rejects(open(server.url, { fetch: asPage, http }), { code: "HTTP_NETWORK" });
    }));

  it("makes as many requests at once as http.concurrency says, over all files of a folder", async () => {
    const bytes = encode(new Map(Array.from({ length: 5 }, (_, i) => [`t${i}`, ramp(1_200_000, i)] as const)));
    const weightMap = Object.fromEntries([0, 1, 2, 3, 4].map((i) => [`t${i}`, `${i % 4}.pd`]));
    const index = new TextEncoder().encode(JSON.stringify({ metadata: {}, weight_map: weightMap }));
    const fileAt = (path: string) => path.endsWith(".json") ? index : bytes;
    for (const concurrency of [2, 9]) {
      await withGatheringServer(fileAt, concurrency, async (server, gather) => {
        const http = { concurrency };
        await using one = await open(server.url + "/0.pd", { http });
        gather();
        const twice = [...one.names(), ...one.names(), ...one.names()];
        await Promise.all(twice.map((name) => one.get(name)));
        assert.equal(server.most(), concurrency, "one file");
      });
      await withGatheringServer(fileAt, concurrency, async (server, gather) => {
        await using shards = await open(server.url + "/m.index.json", { http: { concurrency } });
        gather();
        const twice = [...shards.names(), ...shards.names()];
        await Promise.all(twice.map((name) => shards.get(name)));
        assert.equal(server.most(), concurrency, "several");
      });
    }
  });

  it("gives no array of a checkpoint once the file has changed, not even from memory", async () => {
    const file = encode(new Map([["a", ramp(3, 1)], ["b", ramp(10_000, 1)], ["c", ramp(40_000, 2)]]));
    let etag = '"1"';
    await withServer((asked) => good(asked, file, { etag }), async (server) => {
      await using checkpoint = await open(server.url, { http: QUICK });
      for (const name of ["a", "b"]) assert.equal((await checkpoint.get(name)).at(0), 1);
      etag = '"2"';
      for (const name of ["c", "a", "b"]) {
        const error = await checkpoint.get(name).then(() => null, (error) => error);
        assert.equal(error?.code, "HTTP_CHANGED", name);
      }
    });
  });

  it("sends no custom headers after redirects to another origin and back", async () => {
    let home = "";
    await withServer(() => ({ status: 308, headers: { location: home + "/back" } }), async (away) => {
      const script: Script = (asked) =>
        asked.path === "/back" ? good(asked, FILE) : { status: 308, headers: { location: away.url + "/q" } };
      await withServer(script, async (server) => {
        home = server.url;
        const http = { ...QUICK, headers: { "x-key": "k" } };
        assert.equal(await outcome(() => READERS.open(server.url + "/m", http)), "right");
        for (const { path, headers } of server.asked) assert.equal(headers["x-key"], path === "/m" ? "k" : undefined);
        assert.ok(server.asked.length > 3);
      });
    });
  });

  it("sends credentials and custom headers to no other origin, unless sameOriginHeaders lets them", async () => {
    const http: HttpOptions = { ...QUICK, headers: { authorization: "Bearer s", "x-key": "k", accept: "a/b" } };
    await withServer((asked) => good(asked, FILE), async (other) => {
      await withServer(() => ({ status: 302, headers: { location: other.url + "/f" } }), async (server) => {
        assert.equal(await outcome(() => READERS.open(server.url, http)), "right");
        assert.equal(server.asked[0].headers.authorization, "Bearer s");
        assert.equal(server.asked[0].headers["x-key"], "k");
        // Targets of temporary redirects may be gone, so each range request starts at the original URL.
        assert.equal(server.asked.length, other.asked.length);
      });
      assert.ok(other.asked.length > 1);
      for (const { headers } of other.asked) {
        assert.equal(headers.authorization, undefined);
        assert.equal(headers["x-key"], undefined);
        assert.equal(headers.accept, "a/b");
      }
    });
    await withServer((asked) => good(asked, FILE), async (other) => {
      await withServer(() => ({ status: 308, headers: { location: other.url } }), async (server) => {
        assert.equal(await outcome(() => READERS.open(server.url, { ...http, sameOriginHeaders: ["X-Key"] })), "right");
        assert.equal(server.asked.length, 1, "a permanent redirect is remembered");
      });
      assert.equal(other.asked[0].headers.authorization, "Bearer s", "the caller may let a header travel");
      assert.equal(other.asked[0].headers["x-key"], undefined);
    });
  });

  it("sends the user info of a URL to no other origin, whichever headers stay at theirs", () =>
    withServer((asked) => good(asked, FILE), async (other) => {
      await withServer(() => ({ status: 302, headers: { location: other.url } }), async (server) => {
        const http = { ...QUICK, sameOriginHeaders: ["x-key"] };
        assert.equal(await outcome(() => READERS.open(server.url.replace("//", "//me:secret@"), http)), "right");
        for (const { headers } of server.asked) assert.equal(headers.authorization, `Basic ${btoa("me:secret")}`);
      });
      for (const { headers } of other.asked) assert.equal(headers.authorization, undefined);
    }));

  it("says why a bucket refuses, if that is in the response", async () => {
    const refusal = (type: string, body: string) => ({
      status: 403,
      headers: { "content-type": type },
      body: new TextEncoder().encode(body),
    });
    const messageFor = async (answer: Answer) => {
      let message = "";
      await withServer(() => answer, async (server) => {
        const error = await load(server.url + "/m", { http: QUICK }).then(() => null, (error) => error);
        assert.deepEqual([error.code, error.status], ["HTTP_STATUS", 403]);
        message = error.message;
      });
      return message;
    };
    const code = "<?xml version='1.0'?><Error><Code>RequestTimeTooSkewed</Code><Message>...</Message></Error>";
    assert.match(await messageFor(refusal("application/xml", code)), /403 Forbidden \(RequestTimeTooSkewed\)$/);
    assert.match(await messageFor(refusal("text/html", code)), /403 Forbidden$/);
    assert.match(await messageFor(refusal("application/xml", "<Code>\x1b[2J</Code>")), /403 Forbidden$/);
    assert.match(await messageFor({ ...refusal("text/xml", code), cut: 20 }), /403 Forbidden$/);
  });

  it("sends the user info of a URL as a header, and shows it in no message", () =>
    withServer((asked) => asked.headers.authorization ? good(asked, FILE) : { status: 401 }, async (server) => {
      const url = new URL(server.url + "/m?token=t");
      url.username = "me";
      url.password = "p%40ss";
      assert.equal(await outcome(async () => (await load(url) as StateDict).get("b") as NDArray), "right");
      assert.equal(server.asked[0].headers.authorization, `Basic ${btoa("me:p@ss")}`);
      server.asked.length = 0;
      const error = await load(server.url + "/m?token=t").then(() => null, (error) => error);
      assert.equal(error.path, server.url + "/m");
      assert.doesNotMatch(error.message, /token/);
    }));

  it(`stops within ${SOON} ms of an abort, and the checkpoint stays usable`, async () => {
    let wait = false;
    await withServer((asked) => wait ? "silence" : good(asked, FILE), async (server) => {
      await using checkpoint = await open(server.url);
      wait = true;
      await takesLittle("three calls", async () => {
        const controller = new AbortController();
        const reason = { mine: true }, { signal } = controller;
        const calls = [checkpoint.get("b", { signal }), load(server.url, { signal }), open(server.url, { signal })];
        const ended = Promise.allSettled<unknown>(calls);
        await new Promise((resolve) => setTimeout(resolve, 30));
        controller.abort(reason);
        return await timeOf(async () => {
          assert.ok((await ended).every((end) => end.status === "rejected" && end.reason === reason));
        });
      });
      wait = false;
      assert.equal((await checkpoint.get("b")).at(0), 7);
    });
  });

  it("lets others finish the request that an aborted reader shared", async () => {
    let delay = 0;
    await withServer((asked) => ({ ...good(asked, FILE), delay }), async (server) => {
      await using checkpoint = await open(server.url);
      const controller = new AbortController(), before = server.asked.length;
      delay = 50;
      const left = checkpoint.getSlice("b", [0, 10], { signal: controller.signal }).then(() => null, (error) => error);
      const stays = checkpoint.getSlice("b", [5, 15]);
      await until(() => server.asked.length > before);
      controller.abort("gone");
      assert.equal(await left, "gone");
      assert.equal((await stays).at(0), 12);
      assert.equal(server.asked.length, before + 1);
    });
  });

  it("leaves no answer under way after a failure", async () => {
    const scripts: Record<string, Script> = {
      "a whole file": whole,
      "an endless one": () => ({ status: 200, endless: true }),
      "a body that stops": but(() => ({ stall: 10 })),
      "a body that breaks": but(() => ({ cut: 10 })),
      "no answer": () => "silence",
      "an endless 404": () => ({ status: 404, endless: true }),
      "an endless 503": () => ({ status: 503, endless: true }),
    };
    for (const [name, script] of Object.entries(scripts)) {
      await withServer(script, async (server) => {
        const http = { ...QUICK, idleTimeout: 50, maxFallbackBytes: 10 };
        assert.notEqual(await outcome(() => READERS.open(server.url, http)), "right");
        await until(() => server.underWay() === 0, () => `${name}: ${server.underWay()} are under way`);
      });
    }
  });

  it("leaves no listener on a signal that many reads share", () =>
    withServer((asked) => good(asked, FILE), async (server) => {
      const { signal, listeners, added } = countedSignal();
      await using checkpoint = await open(server.url, { signal });
      for (let i = 0; i < 20; i++) await checkpoint.getSlice("b", [i, i + 9], { signal });
      await load(server.url, { signal });
      assert.ok(added() > 20);
      assert.equal(listeners.size, 0);
      const reading = Promise.all(
        Array.from({ length: 200 }, (_, i) => checkpoint.getSlice("b", [i, i + 9], { signal })),
      );
      assert.equal(listeners.size, 1, "one for all who wait");
      await new Promise((resolve) => setTimeout(resolve));
      assert.equal(listeners.size, 1);
      await reading;
      assert.equal(listeners.size, 0);
    }));

  it("finds the files of a model prefix, with the URL's query", () => {
    const files = new Map(["m.pdmodel", "m.pdiparams"].map((name) => {
      return [
        "/a%20b/" + name,
        new Uint8Array(readFileSync("tests/fixtures/real/paddle-3.1.1/infer-model.oldir/" + name)),
      ];
    }));
    return withServer((asked) => {
      const bytes = files.get(asked.path.split("?")[0]);
      return bytes ? good(asked, bytes) : { status: 404 };
    }, async (server) => {
      const value = await load(server.url + "/a b/m?key=1") as Map<string, NDArray>;
      assert.ok(value.size > 0);
      assert.ok(server.asked.every(({ path }) => path.endsWith("?key=1")));
      const error = await load(server.url + "/nothing").then(() => null, (error) => error);
      assert.ok(isPaddleError(error) && error.code === "NOT_FOUND", String(error));
    });
  });

  it("may use a fetch function of the caller", async () => {
    const urls: string[] = [];
    const fetch = (input: string, init?: RequestInit) => {
      urls.push(input);
      const range = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init?.headers).get("range") ?? "");
      const { status, headers, body } = good({
        range: range ? { start: Number(range[1]), end: Number(range[2]) + 1 } : null,
      }, FILE);
      return Promise.resolve(new Response(body as BodyInit, { status, headers: headers as Record<string, string> }));
    };
    assert.equal(((await load("https://nowhere.invalid/m", { fetch }) as StateDict).get("b") as NDArray).at(0), 7);
    await using checkpoint = await open(new URL("https://nowhere.invalid/m"), { fetch });
    assert.equal((await checkpoint.get("b")).at(1), 8);
    assert.equal(urls[0], "https://nowhere.invalid/m");
  });

  it("reads on where a body ends before its announced length, which a fetch of the caller may not notice", async () => {
    const starts: number[] = [];
    const fetch = (_: string, init?: RequestInit) => {
      const range = /^bytes=(\d+)-/.exec(new Headers(init?.headers).get("range") ?? ""),
        start = Number(range?.[1] ?? 0);
      starts.push(start);
      const { status, headers } = good({ range: range ? { start, end: FILE.length } : null }, FILE);
      const body = FILE.slice(start, start === 0 ? 40_000 : FILE.length);
      return Promise.resolve(new Response(body, { status, headers: headers as Record<string, string> }));
    };
    const state = await load("https://nowhere.invalid/m", { fetch, http: QUICK }) as StateDict;
    assert.equal((state.get("b") as NDArray).at(0), 7);
    assert.deepEqual(starts, [0, 40_000]);
  });

  it("is HTTP_NETWORK when that fetch gives no Response", async () => {
    for (const given of [null, undefined, "text", {}]) {
      const fetch = () => Promise.resolve(given as unknown as Response);
      for (const read of [load, open]) {
        const error = await read("https://nowhere.invalid/m", { fetch, http: { retries: 0 } }).then(
          () => null,
          (e) => e,
        );
        assert.ok(isPaddleError(error) && error.code === "HTTP_NETWORK", String(error));
      }
    }
  });

  it("takes the size from HEAD, with one warning, when CORS hides the headers from a page", async () => {
    const run = async (hides: readonly string[], body = (bytes: Uint8Array) => bytes) => {
      const methods: string[] = [], warnings: string[] = [];
      const fetch = (_: string, init?: RequestInit) => {
        methods.push(init!.method!);
        const range = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init?.headers).get("range") ?? "");
        const answer = good({ range: range ? { start: Number(range[1]), end: Number(range[2]) + 1 } : null }, FILE);
        const headers = new Headers(answer.headers as Record<string, string>);
        for (const name of hides) headers.delete(name);
        const bytes = init!.method === "HEAD" ? null : body(answer.body!) as Uint8Array<ArrayBuffer>;
        const response = new Response(bytes, { status: answer.status, headers });
        return Promise.resolve(Object.defineProperty(response, "type", { value: "cors" }));
      };
      const onWarning = ({ code, message }: { code: string; message: string }) => {
        warnings.push(code);
        assert.match(message, /Access-Control-Expose-Headers: Content-Range, ETag$/, "what the server must add");
      };
      const result = await outcome(async () => {
        await using checkpoint = await open("https://other.example/m", { fetch, onWarning });
        return await checkpoint.get("b");
      });
      return { result, heads: methods.filter((method) => method === "HEAD").length, warnings };
    };
    assert.deepEqual(await run([]), { result: "right", heads: 0, warnings: [] });
    const hidden = ["content-range", "etag"];
    assert.deepEqual(await run(hidden), { result: "right", heads: 1, warnings: ["HTTP_BAD_RANGE"] });
    assert.equal((await run([...hidden, "content-length"])).result, "HTTP_BAD_RANGE");
    assert.equal((await run(hidden, (bytes) => bytes.subarray(1))).result, "HTTP_TRUNCATED");
  });

  it("follows redirects that a browser hides, unless custom headers would be carried along", async () => {
    const run = async (last: string, http: HttpOptions = {}) => {
      const asked: [string, RequestRedirect | undefined, string | null][] = [];
      const fetch = (url: string, init?: RequestInit) => {
        const headers = new Headers(init?.headers);
        asked.push([url, init?.redirect, headers.get("accept")]);
        if (init?.redirect === "manual") {
          return Promise.resolve(Object.defineProperty(new Response(null), "type", { value: "opaqueredirect" }));
        }
        const range = /^bytes=(\d+)-(\d+)$/.exec(headers.get("range") ?? "");
        const answer = good({ range: range ? { start: Number(range[1]), end: Number(range[2]) + 1 } : null }, FILE);
        const response = new Response(answer.body as BodyInit, answer as ResponseInit);
        return Promise.resolve(Object.defineProperty(response, "url", { value: last }));
      };
      const read = async () => {
        await using checkpoint = await open("https://page.example/m", { fetch, http: { ...QUICK, ...http } });
        return await checkpoint.get("b");
      };
      return { result: await outcome(read), asked };
    };
    const { result, asked } = await run("https://other.example/m", { headers: { accept: "a/b" } });
    assert.equal(result, "right");
    // The redirect may not last, so every range request follows it again.
    assert.ok(asked.length > 2 && asked.length % 2 === 0);
    asked.forEach((one, i) => assert.deepEqual(one, ["https://page.example/m", i % 2 ? "follow" : "manual", "a/b"]));
    for (const name of ["authorization", "x-key"]) {
      const { result, asked } = await run("https://other.example/m", { headers: { [name]: "k" } });
      assert.deepEqual([result, asked.length], ["HTTP_REDIRECT", 1], "it is not followed");
    }
    assert.equal((await run("https://x/", { headers: { "x-key": "k" }, sameOriginHeaders: [] })).result, "right");
    for (const last of ["http://other.example/m", "https://u:p@other.example/m", "ftp://other.example/m"]) {
      assert.equal((await run(last)).result, "HTTP_REDIRECT", last);
    }
  });

  it("refuses a misspelt option by name", async () => {
    await assert.rejects(load("http://127.0.0.1:1/", { http: { retry: 3 } as HttpOptions }), /retries/);
    await assert.rejects(load("http://127.0.0.1:1/", { http: { retries: -1 } }), /http\.retries/);
  });
});
