import { describe, it } from "@std/testing/bdd";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  type Bucket,
  BucketFolder,
  type Fetch,
  type Folder,
  full,
  load,
  S3Folder,
  type S3FolderOptions,
  save,
  type SaveError,
} from "../../mod.ts";
import { type Answer, type Asked, good, type Script, scriptedServer } from "../helpers/scripted_server.ts";
import { FakeBucket } from "../helpers/fake_bucket.ts";
import { until } from "../helpers/until.ts";

const PATIENCE = { retryDelay: 5 };
/** Two parts and a bit. */
const large = () => new Map([["w", full([3 * 2 ** 20], 1, "float32")]]);
const text = (body: string, status = 200, headers: Record<string, string> = {}): Answer => ({
  status,
  headers,
  body: new TextEncoder().encode(body),
});
const listOf = (more: string, ...keys: string[]): Answer =>
  text(`<ListBucketResult>${more}${keys.map((key) => `<Key>${key}</Key>`).join("")}</ListBucketResult>`);

async function withServer(
  script: Script,
  work: (folder: S3Folder, server: ServerOf) => Promise<void>,
  options: S3FolderOptions = PATIENCE,
): Promise<void> {
  const server = await scriptedServer(script);
  try {
    await work(new S3Folder(`${server.url}/b`, { ...options, partSize: 5 * 2 ** 20 }), server);
  } finally {
    await server.close();
  }
}
type ServerOf = Awaited<ReturnType<typeof scriptedServer>>;

const codeOf = (error: unknown): string | undefined => {
  const { code, cause } = error as SaveError;
  return code === "SINK_FAILED" ? (cause as SaveError)?.code ?? code : code;
};

describe("an S3 bucket whose URL has user info", () => {
  it("is asked with the header that this means, for every call", async () => {
    const authorization = `Basic ${btoa("me:p@ss")}`;
    const server = await scriptedServer((asked) => {
      if (asked.headers.authorization !== authorization) return { status: 401 };
      if (asked.method === "GET" && asked.path.startsWith("/b/?")) return listOf("", "a");
      return asked.method === "GET" ? good(asked, Uint8Array.of(1, 2)) : { status: 200 };
    });
    try {
      const fetched: Fetch = (url, init) =>
        new URL(url).username ? Promise.reject(new TypeError("as in Node: no credentials in URLs")) : fetch(url, init);
      const folder = new S3Folder(`${server.url.replace("//", "//me:p%40ss@")}/b`, { ...PATIENCE, fetch: fetched });
      assert.deepEqual(await folder.list(), ["a"]);
      const source = (await folder.get("a"))!;
      assert.equal(source.size, 2);
      await source.close!();
      await save(1, "a", { folder });
      await folder.delete("a");
      assert.equal(server.asked.length, 4);
    } finally {
      await server.close();
    }
  });
});

describe("an S3 bucket that stops responding", () => {
  const stalls: Record<string, Script> = {
    "sends nothing": () => "silence",
    "stalls in a response": () => ({ ...text("<ListBucketResult>..."), stall: 5 }),
  };
  for (const [what, script] of Object.entries(stalls)) {
    it(`is an HTTP_TIMEOUT if it ${what}`, async () => {
      await withServer(script, async (folder, server) => {
        const calls = {
          list: () => folder.list(),
          delete: () => folder.delete("a"),
          put: () => save(1, "a", { folder }),
        };
        for (const [name, call] of Object.entries(calls)) {
          await assert.rejects(call(), (error) => codeOf(error) === "HTTP_TIMEOUT", name);
        }
        // Node connects anew after an abort, without a request: such connections are not the library's.
        await until(() => [...server.sockets].every(({ bytesRead }) => bytesRead === 0), () => "a connection is open");
      }, { ...PATIENCE, idleTimeout: 150 });
    });
  }
});

describe("an S3 bucket that fails occasionally", () => {
  it("gets a request again if repeating it is safe", async () => {
    const failed = new Set<string>();
    const once = (asked: Asked, fine: Answer): Answer | "break" => {
      const key = `${asked.method} ${asked.path}`;
      if (failed.has(key)) return fine;
      failed.add(key);
      return asked.method === "GET" ? "break" : text("<Error><Code>SlowDown</Code></Error>", 503);
    };
    await withServer((asked) => {
      const { method, path } = asked;
      if (method === "GET") return once(asked, listOf("", "a"));
      if (method === "DELETE") return once(asked, { status: 204 });
      if (path.endsWith("?uploads=")) return once(asked, text("<UploadId>u</UploadId>"));
      return once(asked, text("<ok/>", 200, { etag: '"e"' }));
    }, async (folder, server) => {
      assert.deepEqual(await folder.list(), ["a"]);
      await folder.delete("a");
      await save(large(), "a", { folder });
      await save(1, "b", { folder });
      // A list, a removal, the beginning of an upload, three parts, its end, a small file: each twice.
      assert.equal(server.asked.length, 2 * 8);
    });
  });

  it("does not get a conditional request again that it may have carried out", async () => {
    let asked = 0;
    const broken = () => Promise.reject(new TypeError(`broken ${++asked}`));
    const folder = new S3Folder("http://127.0.0.1:9/b", { ...PATIENCE, fetch: broken });
    const done = save(1, "a", { folder, ifUnchanged: { version: null } });
    await assert.rejects(done, (error: SaveError) => error.committed === "unknown" && codeOf(error) === "HTTP_NETWORK");
    assert.equal(asked, 1);
  });

  it("is given up after as many tries as the options say", async () => {
    await withServer(() => text("<Error><Code>SlowDown</Code></Error>", 503), async (folder, server) => {
      await assert.rejects(folder.list(), { code: "HTTP_STATUS", status: 503 });
      assert.equal(server.asked.length, 4);
    });
  });
});

describe("an S3 bucket that redirects", () => {
  it("has the body sent to the new location, without the headers meant for the bucket", async () => {
    const other = await scriptedServer(() => text("<ok/>"));
    const server = await scriptedServer((asked) => ({ status: 307, headers: { location: other.url + asked.path } }));
    try {
      const folder = new S3Folder(`${server.url}/b`, { ...PATIENCE, headers: { "x-key": "secret" } });
      await save(1, "a", { folder });
      assert.deepEqual(other.asked.map(({ method, path }) => [method, path]), [["PUT", "/b/a"]]);
      assert.equal(server.asked[0].headers["x-key"], "secret");
      assert.equal(other.asked[0].headers["x-key"], undefined);
    } finally {
      await server.close();
      await other.close();
    }
  });

  it("has the body sent again for the redirects with which fetch does so", async () => {
    for (const status of [301, 302, 307, 308]) {
      const script: Script = ({ path }) => path === "/b/a" ? { status, headers: { location: "/b/c" } } : text("");
      await withServer(script, async (folder, server) => {
        await save(1, "a", { folder });
        assert.deepEqual(server.asked.map(({ method, path }) => method + path), ["PUT/b/a", "PUT/b/c"]);
      });
    }
  });

  it("cannot turn a save into a GET, not even where a browser hides how it redirects", async () => {
    await withServer(() => ({ status: 303, headers: { location: "/elsewhere" } }), async (folder, server) => {
      await assert.rejects(save(1, "a", { folder }), (error) => codeOf(error) === "HTTP_REDIRECT");
      assert.equal(server.asked.length, 1);
    });
    for (const status of [301, 302]) {
      await withServer(() => ({ status, headers: { location: "/elsewhere" } }), async (folder, server) => {
        await assert.rejects(save(large(), "a", { folder }), (error) => codeOf(error) === "HTTP_REDIRECT");
        assert.equal(server.asked.length, 1, "a POST");
      });
    }
    const inBrowser: Fetch = (_, { redirect } = {}) => {
      const response = new Response(null, { headers: { etag: '"e"' } });
      return Promise.resolve(
        redirect === "manual" ? Object.defineProperty(response, "type", { value: "opaqueredirect" }) : response,
      );
    };
    const folder = new S3Folder("https://bucket.example/b", { ...PATIENCE, fetch: inBrowser });
    await assert.rejects(save(1, "a", { folder }), (error) => codeOf(error) === "HTTP_REDIRECT");
    await assert.rejects(folder.delete("a"), { code: "HTTP_REDIRECT" });
  });
});

describe("a listing of a bucket", () => {
  it("fails if the bucket has more names, but does not say how to go on", async () => {
    const more = { code: "READ_FAILED", message: /more names/ };
    await withServer(() => listOf("<IsTruncated>true</IsTruncated>", "a"), async (folder) => {
      await assert.rejects(folder.list(), more);
    });
    const bucket = { head() {}, list: () => Promise.resolve({ objects: [{ key: "a" }], truncated: true }) };
    await assert.rejects(new BucketFolder(bucket as unknown as Bucket).list(), more);
  });

  it("fails if the bucket returns the same page forever", async () => {
    const more = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>";
    await withServer(() => listOf(more), async (folder) => {
      await assert.rejects(folder.list(), { code: "READ_FAILED" });
    });
    const bucket = new FakeBucket([]);
    const again = Object.assign(Object.create(bucket) as Bucket, {
      list: () => Promise.resolve({ objects: [], truncated: true, cursor: "c" }),
    });
    await assert.rejects(new BucketFolder(again).list(), { code: "READ_FAILED" });
  });

  it("leaves out the empty objects that stand for folders in a bucket's console, so that the folders can be loaded", async () => {
    // A copy: a stream transfers it, and with it Node's pool of small buffers.
    const record = new Uint8Array(readFileSync("tests/fixtures/real/paddle-1.8.5/fluid-infer-separate/d/fc_0.b_0"));
    const keys = ["m/", "m/run/", "m/run/fc_0.b_0", "m/run/old/"];
    const check = async (folder: Folder) => {
      assert.deepEqual(await folder.list(), ["run/fc_0.b_0"]);
      const state = await load("run", { folder }) as Map<string, unknown>;
      assert.deepEqual([...state.keys()], ["fc_0.b_0"]);
    };
    const script: Script = (asked) => {
      if (asked.path.includes("list-type")) return listOf("", ...keys);
      return asked.path.endsWith("fc_0.b_0") ? good(asked, record) : { status: 404 };
    };
    await withServer(script, async (_, { url }) => await check(new S3Folder(`${url}/b`, { prefix: "m/" })));
    const objects = keys.map((key) => [key, key.endsWith("/") ? new Uint8Array(0) : record] as const);
    await check(new BucketFolder(new FakeBucket(objects), { prefix: "m/" }));
  });

  it("has keys as they are unless the bucket says that it encoded them, and fails if that is not true", async () => {
    await withServer(() => listOf("", "100%+1"), async (folder) => assert.deepEqual(await folder.list(), ["100%+1"]));
    const encoded = "<EncodingType>url</EncodingType>";
    await withServer(() => listOf(encoded, "a%2Bb+c"), async (folder) => {
      assert.deepEqual(await folder.list(), ["a+b c"]);
    });
    await withServer(() => listOf(encoded, "100%"), async (folder) => {
      await assert.rejects(folder.list(), { code: "READ_FAILED" });
    });
  });
});

describe("a multipart upload that is aborted", () => {
  it("is discarded even if the bucket creates it only afterwards", async () => {
    const stop = new AbortController(), reason = new Error("stop"), done: string[] = [];
    let begun = () => {};
    const bucket = Object.assign(Object.create(new FakeBucket([])) as Bucket, {
      createMultipartUpload: async () => {
        stop.abort(reason);
        await new Promise<void>((resolve) => begun = resolve);
        return {
          uploadPart: () => void done.push("part"),
          complete: () => void done.push("complete"),
          abort: () => void done.push("abort"),
        };
      },
    });
    const folder = new BucketFolder(bucket, { partSize: 5 * 2 ** 20 });
    await assert.rejects(save(large(), "a", { folder, signal: stop.signal }), (error) => error === reason);
    begun();
    await until(() => done.length > 0);
    assert.deepEqual(done, ["abort"]);
  });

  it("is told by the error that came first if it cannot be discarded either", async () => {
    const bucket = Object.assign(Object.create(new FakeBucket([])) as Bucket, {
      createMultipartUpload: () => ({
        uploadPart: () => Promise.reject(new Error("no part")),
        complete: () => Promise.reject(new Error("not complete")),
        abort: () => Promise.reject(new Error("not discarded")),
      }),
    });
    const folder = new BucketFolder(bucket, { partSize: 5 * 2 ** 20 });
    await assert.rejects(save(large(), "a", { folder }), { code: "SINK_FAILED", committed: "no", message: /no part/ });
  });
});
