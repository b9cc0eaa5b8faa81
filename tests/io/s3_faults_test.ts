import { describe, it } from "@std/testing/bdd";
import assert from "node:assert/strict";
import { type Bucket, BucketFolder, full, S3Folder, type S3FolderOptions, save, type SaveError } from "../../mod.ts";
import { type Answer, type Asked, type Script, scriptedServer } from "../helpers/scripted_server.ts";
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

describe("an S3 bucket that does not answer", () => {
  const stalls: Record<string, Script> = {
    "says nothing": () => "silence",
    "stops in its answer": () => ({ ...text("<ListBucketResult>..."), stall: 5 }),
  };
  for (const [what, script] of Object.entries(stalls)) {
    it(`fails in time where it ${what}`, async () => {
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
      }, { idleTimeout: 150 });
    });
  }
});

describe("an S3 bucket that fails now and then", () => {
  it("is asked again where that cannot do a thing twice", async () => {
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

  it("is not asked again to do what it may have done, where that has a condition", async () => {
    let asked = 0;
    const broken = () => Promise.reject(new TypeError(`broken ${++asked}`));
    const folder = new S3Folder("http://127.0.0.1:9/b", { ...PATIENCE, fetch: broken });
    const done = save(1, "a", { folder, ifUnchanged: { version: null } });
    await assert.rejects(done, (error: SaveError) => error.committed === "unknown" && codeOf(error) === "HTTP_NETWORK");
    assert.equal(asked, 1);
  });

  it("gives up after as many tries as the options say", async () => {
    await withServer(() => text("<Error><Code>SlowDown</Code></Error>", 503), async (folder, server) => {
      await assert.rejects(folder.list(), { code: "HTTP_STATUS", status: 503 });
      assert.equal(server.asked.length, 4);
    });
  });
});

describe("an S3 bucket that leads elsewhere", () => {
  it("gets the body again, and no other server gets the headers meant for it", async () => {
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

  it("may not turn a save into a question", async () => {
    await withServer(() => ({ status: 303, headers: { location: "/elsewhere" } }), async (folder, server) => {
      await assert.rejects(save(1, "a", { folder }), (error) => codeOf(error) === "HTTP_REDIRECT");
      assert.equal(server.asked.length, 1);
    });
  });
});

describe("lists of buckets", () => {
  it("come to an end where a bucket shows the same page again and again", async () => {
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

  it("take keys as they are where the bucket does not say that it encoded them, and refuse what is no encoding", async () => {
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

describe("an upload in parts that is stopped", () => {
  it("is taken back also where it had only been asked for", async () => {
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
});
