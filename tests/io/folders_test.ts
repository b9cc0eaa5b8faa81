import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { AwsClient } from "aws4fetch";
import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import {
  BucketFolder,
  DirectoryFolder,
  FileListFolder,
  HandleFolder,
  HttpFolder,
  IndexedDbFolder,
  isPaddleError,
  MemoryFolder,
  S3Folder,
  save,
} from "../../mod.ts";
import { FakeBucket } from "../helpers/fake_bucket.ts";
import { fakeDirectory, type FakeTraits } from "../helpers/fake_file_system.ts";
import { ACCESS, fakeS3 } from "../helpers/fake_s3.ts";
import { folderContract, type MakeFolder } from "./folder_contract.ts";
import { good, scriptedServer } from "../helpers/scripted_server.ts";

/** Creates the files through the folder itself. */
function filled(make: () => ReturnType<MakeFolder>): MakeFolder {
  return async (files) => {
    const made = await make();
    for (const [name, bytes] of files) {
      const sink = await made.folder.put(name);
      await sink.write(bytes);
      await sink.close();
    }
    return made;
  };
}

folderContract("memory", (files) => Promise.resolve({ folder: new MemoryFolder(files) }));

folderContract("a directory", (files) => {
  const path = mkdtempSync(join(tmpdir(), "oarlock-folder-"));
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), bytes);
  }
  return Promise.resolve({ folder: new DirectoryFolder(path), done: () => rmSync(path, { recursive: true }) });
});

folderContract("dropped files", (files) => {
  const list = [...files].map(([name, bytes]) => [name, new File([bytes as Uint8Array<ArrayBuffer>], name)] as const);
  return Promise.resolve({ folder: new FileListFolder(list) });
}, { readOnly: true });

const BROWSERS: [string, FakeTraits][] = [
  ["a directory handle", {}],
  ["a directory handle that cannot move", { movable: false }],
  ["a directory handle in a worker of a browser without createWritable", { writable: false }],
];
for (const [name, traits] of BROWSERS) {
  folderContract(name, filled(() => Promise.resolve({ folder: new HandleFolder(fakeDirectory(traits)) })));
}

folderContract(
  "a browser's database",
  filled(() => {
    const real = globalThis as { indexedDB?: unknown; IDBKeyRange?: unknown };
    real.indexedDB = new IDBFactory();
    real.IDBKeyRange = IDBKeyRange;
    const folder = new IndexedDbFolder();
    return Promise.resolve({
      folder,
      done: async () => {
        await folder.close();
        delete real.indexedDB;
        delete real.IDBKeyRange;
      },
    });
  }),
);

folderContract("an R2 bucket", (files) => Promise.resolve({ folder: new BucketFolder(new FakeBucket(files)) }));

folderContract("an R2 bucket below a prefix", (files) => {
  const bucket = new FakeBucket([...files].map(([name, bytes]) => [`models/${name}`, bytes]));
  bucket.put("other/a.bin", new Uint8Array(1));
  return Promise.resolve({ folder: new BucketFolder(bucket, { prefix: "models/" }) });
});

folderContract("an S3 bucket", async (files) => {
  const server = await fakeS3(new Map([...files].map(([name, bytes]) => [`m/${name}`, bytes])));
  const client = new AwsClient({ ...ACCESS, service: "s3", region: "eu-central-1", retries: 0 });
  const folder = new S3Folder(server.url, { fetch: (url, init) => client.fetch(url, init), prefix: "m/" });
  return { folder, done: () => server.close() };
});

function overHttp(listed: boolean): MakeFolder {
  return async (files) => {
    const server = await scriptedServer((asked) => {
      const name = decodeURIComponent(new URL(asked.path, "http://x").pathname).replace("/base dir/", "");
      const bytes = files.get(name);
      return bytes ? good(asked, bytes) : { status: 404 };
    });
    const names = listed ? files.keys() : undefined;
    return { folder: new HttpFolder(`${server.url}/base dir?key=1`, { names }), done: () => server.close() };
  };
}
folderContract("a base URL", overHttp(false), { readOnly: true, unlisted: true });
folderContract("a base URL with its names", overHttp(true), { readOnly: true });

describe("a file in an R2 bucket", () => {
  /** A bucket with a file `a`, and the number of its bodies that were cancelled. */
  function counting() {
    const bucket = new FakeBucket([["a", new Uint8Array(2 ** 21)]]), count = { cancelled: 0 };
    const get = bucket.get.bind(bucket);
    bucket.get = async (...asked) => {
      const object = await get(...asked);
      if (object && "body" in object) {
        const cancel = object.body.cancel.bind(object.body), { getReader } = object.body;
        object.body.cancel = (reason) => (count.cancelled++, cancel(reason));
        // deno-lint-ignore no-explicit-any
        object.body.getReader = function (...how: any[]): any {
          const reader = getReader.apply(this, how as []), stop = reader.cancel.bind(reader);
          reader.cancel = (reason) => (count.cancelled++, stop(reason));
          return reader;
        };
      }
      return object;
    };
    return { folder: new BucketFolder(bucket), count };
  }

  it("is not read on once nobody wants the rest of it", async () => {
    const { folder, count } = counting();
    const source = await folder.get("a");
    const reader = source!.streamRange!(0, 2 ** 21).getReader();
    assert.ok((await reader.read()).value!.length < 2 ** 21);
    assert.equal(count.cancelled, 0);
    await reader.cancel();
    assert.equal(count.cancelled, 1);
  });
});

describe("an S3 bucket whose response never ends", () => {
  it("is given up after 8 MiB, whatever was requested", async () => {
    let sent = 0, cancelled = 0;
    const endless = () =>
      new ReadableStream<Uint8Array>({
        pull(controller) {
          sent += 65_536;
          if (sent > 2 ** 26) controller.close();
          else controller.enqueue(new Uint8Array(65_536).fill(97));
        },
        cancel: () => void cancelled++,
      });
    for (const status of [200, 500]) {
      const folder = new S3Folder("http://127.0.0.1:9/b", {
        fetch: () => Promise.resolve(new Response(endless(), { status })),
      });
      for (const call of [() => folder.list(), () => folder.delete("a"), () => save(1, "a", { folder })]) {
        [sent, cancelled] = [0, 0];
        await assert.rejects(call(), isPaddleError);
        assert.ok(sent < 2 ** 24 && cancelled === 1, `${sent} bytes were taken, ${cancelled} cancelled`);
      }
    }
  });
});
