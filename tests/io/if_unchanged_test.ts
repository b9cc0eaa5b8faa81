import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { AwsClient } from "aws4fetch";
import {
  type Bucket,
  BucketFolder,
  decode,
  DirectoryFolder,
  encode,
  type Folder,
  fromArray,
  load,
  MemoryFolder,
  type NDArray,
  open,
  S3Folder,
  save,
  type StateDict,
  zeros,
} from "../../mod.ts";
import { FakeBucket } from "../helpers/fake_bucket.ts";
import { ACCESS, fakeS3 } from "../helpers/fake_s3.ts";

const state = (n: number) => new Map([["w", fromArray([n], "int32")]]);
/** More than one part. */
const LARGE = new Map([["w", zeros([9 * 2 ** 18], "float32")]]);
const NAME = "m.pdparams";

/** The tensor that is loaded after this value was saved. */
const tensorOf = (value: Map<string, NDArray>) => (decode(encode(value)) as StateDict).get("w");

const PLACES: Record<string, () => Promise<{ folder: Folder; uploads: () => number; done: () => unknown }>> = {
  "an R2 bucket": () => {
    const bucket = new FakeBucket();
    return Promise.resolve({ folder: new BucketFolder(bucket), uploads: () => bucket.uploads, done: () => {} });
  },
  "an S3 bucket": async () => {
    const server = await fakeS3(new Map());
    const client = new AwsClient({ ...ACCESS, service: "s3", region: "eu-central-1", retries: 0 });
    const folder = new S3Folder(server.url, { fetch: (url, init) => client.fetch(url as string, init) });
    return { folder, uploads: () => server.uploads.size, done: () => server.close() };
  },
  "a directory": () => {
    const path = mkdtempSync(join(tmpdir(), "oarlock-unchanged-"));
    return Promise.resolve({
      folder: new DirectoryFolder(path),
      uploads: () => 0,
      done: () => rmSync(path, { recursive: true }),
    });
  },
};

async function versionIn(folder: Folder): Promise<string> {
  await using file = await open(NAME, { folder });
  return file.version!;
}

describe("a bucket without ETags", () => {
  it("gives sources that are read, and no version", async () => {
    const bytes = encode(new Map([["w", 1]]));
    const bucket = Object.assign(Object.create(new FakeBucket([])), {
      head: () => Promise.resolve({ size: bytes.length }),
      get: (_: string, { range }: { range: { offset: number; length: number } }) => {
        const body = new Blob([bytes.slice(range.offset, range.offset + range.length)]).stream();
        return Promise.resolve({ size: bytes.length, body });
      },
    }) as Bucket;
    await using checkpoint = await open("a", { folder: new BucketFolder(bucket) });
    assert.deepEqual([checkpoint.version, await checkpoint.value()], [undefined, new Map([["w", 1]])]);
  });
});

describe("a server that sends the whole file for every range", () => {
  it("gives a version all the same", async () => {
    const body = encode(new Map([["w", 1]]));
    for (const [etag, version] of [['"5e1f"', 'etag:"5e1f"'], ['W/"5e1f"', undefined]] as const) {
      const fetch = () => Promise.resolve(new Response(body as BodyInit, { headers: { etag } }));
      await using checkpoint = await open("https://example.com/m", { fetch });
      assert.deepEqual([checkpoint.version, await checkpoint.value()], [version, new Map([["w", 1]])]);
    }
  });
});

describe("a save with ifUnchanged and a version", () => {
  for (const [place, make] of Object.entries(PLACES)) {
    it(`is a CONFLICT when somebody else saved meanwhile: ${place}`, async () => {
      const { folder, uploads, done } = await make();
      try {
        const none = { folder, ifUnchanged: { version: null } };
        await save(state(1), NAME, none);
        await assert.rejects(save(state(2), NAME, none), { code: "CONFLICT", committed: "no" });
        for (const value of [state(3), LARGE]) {
          const ifUnchanged = { version: await versionIn(folder) };
          // File times are reported in milliseconds.
          await new Promise((resolve) => setTimeout(resolve, 5));
          await save(value, NAME, { folder, ifUnchanged });
          await assert.rejects(save(state(4), NAME, { folder, ifUnchanged }), { code: "CONFLICT", committed: "no" });
          await assert.rejects(save(LARGE, NAME, { folder, ifUnchanged }), { code: "CONFLICT" });
          assert.deepEqual((await load(NAME, { folder }) as StateDict).get("w"), tensorOf(value));
          assert.notEqual(await versionIn(folder), ifUnchanged.version);
        }
        const ifUnchanged = { version: await versionIn(folder) };
        await folder.delete(NAME);
        await assert.rejects(save(state(5), NAME, { folder, ifUnchanged }), { code: "CONFLICT" });
        assert.equal(await folder.get(NAME), null);
        assert.equal(uploads(), 0, "uploads that were begun are taken back");
      } finally {
        await done();
      }
    });
  }

  it("is refused where files have no versions, or when the version is not valid", async () => {
    const folder = new BucketFolder(new FakeBucket());
    for (const ifUnchanged of [{ size: 1, mtimeMs: 1 }, { version: "mtime:1" }]) {
      await assert.rejects(save(state(1), NAME, { folder, ifUnchanged }), TypeError);
    }
    const wrong = { version: undefined as unknown as string };
    await assert.rejects(save(state(1), NAME, { folder, ifUnchanged: wrong }), TypeError);
    const memory = new MemoryFolder();
    await assert.rejects(save(state(1), NAME, { folder: memory, ifUnchanged: { version: null } }), TypeError);
  });
});
