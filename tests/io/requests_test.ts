import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { Checkpoint, fromArray, load, open, openArchive, sideIndex } from "../../mod.ts";
import { encodeNpz, loadNpz, openNpz } from "../../src/npy.ts";
import { type Asked, good, type Script, withServer } from "../helpers/scripted_server.ts";
import { modelOf, SparseFile, stateOf } from "../helpers/sparse_file.ts";
import { tarOf } from "../helpers/tar_of.ts";
import { until } from "../helpers/until.ts";

const MiB = 2 ** 20;

function range({ range }: Asked, file: SparseFile) {
  const { start, end } = range ?? { start: 0, end: file.size };
  const last = Math.min(end, file.size);
  return {
    status: 206,
    headers: { etag: '"1"', "content-range": `bytes ${start}-${last - 1}/${file.size}` },
    body: file.slice(start, last),
  };
}

describe("open of a 2 GiB file on a server", () => {
  it("makes one request for each large tensor and one more, and reads less than 1 MiB", async () => {
    const file = await SparseFile.of(stateOf(299, 7 * MiB));
    assert.ok(file.size > 2 ** 31 - 64 * MiB);
    await withServer((asked) => range(asked, file), async (server) => {
      await using checkpoint = await open(server.url);
      assert.equal(checkpoint.names().length, 299);
      assert.ok(server.asked.length <= 300, `${server.asked.length} requests`);
      assert.ok(server.sent() <= MiB, `${server.sent()} bytes`);
    });
  });

  it("makes no requests for small tensors between them", async () => {
    for (const bias of [1024, 4096]) {
      const file = await SparseFile.of(stateOf(150, 14 * MiB, bias));
      await withServer((asked) => range(asked, file), async (server) => {
        await using checkpoint = await open(server.url);
        assert.equal(checkpoint.names().length, 300);
        assert.ok(server.asked.length <= 155, `${server.asked.length} requests`);
        assert.ok(server.sent() <= MiB, `${server.sent()} bytes`);
      });
    }
  });

  it("makes two requests with a side index, and one more for a tensor", async () => {
    const file = await SparseFile.of(stateOf(300, 7 * MiB));
    const index = await sideIndex({
      size: file.size,
      read(offset: number, into: Uint8Array) {
        const bytes = file.slice(offset, offset + into.length);
        into.set(bytes);
        return Promise.resolve(bytes.length);
      },
    });
    assert.ok(index.length <= MiB, `an index of ${index.length} bytes`);
    const script: Script = (asked) => asked.path === "/index" ? good(asked, index) : range(asked, file);
    await withServer(script, async (server) => {
      await using checkpoint = await open(`${server.url}/m`, { index: `${server.url}/index` });
      assert.equal(checkpoint.names().length, 300);
      assert.equal(server.asked.length, 2);
      await checkpoint.getSlice("blocks.20.attention.3.weight", [10, 20]);
      assert.equal(server.asked.length, 3);
    });
  });
});

describe("an archive on a server", () => {
  const arrays = (count: number, size: number) =>
    new Map(Array.from({ length: count }, (_, i) => [`a${i}`, fromArray(Float32Array.from({ length: size }, noise))]));
  /** The most requests that RULES.md HTTP-11 allows for a file. */
  const fair = ({ length }: Uint8Array) => length / 65_536 + 2;

  /** Numbers that do not shrink when they are compressed. */
  function noise(_: unknown, i: number): number {
    return Math.sin(i * 12.9898) * 43758.5453 % 1;
  }

  it("is loaded, and opened, with few requests even if it has many small files", async () => {
    for (const compress of [false, true]) {
      const archive = await encodeNpz(arrays(1000, 100), { compress });
      for (const read of [loadNpz, openNpz]) {
        await withServer((asked) => good(asked, archive), async (server) => {
          const found = await read(server.url);
          const last = found instanceof Map ? found.get("a999")! : await found.get("a999");
          assert.equal(last.at(99), Math.fround(noise(0, 99)));
          assert.ok(server.asked.length <= fair(archive), `${server.asked.length} requests`);
          if (found instanceof Checkpoint) await found.close();
        });
      }
    }
    const name = (i: number) => `f${i}`;
    const tar = tarOf(...Array.from({ length: 1000 }, (_, i) => ({ name: name(i), data: name(i) })));
    await withServer((asked) => good(asked, tar), async (server) => {
      await using folder = await openArchive(server.url);
      assert.equal((await folder.list()).length, 1000);
      assert.ok(server.asked.length <= fair(tar), `${server.asked.length} requests`);
    });
  });

  it("is opened with one request for each large array, or two or three if it is compressed, and little is read", async () => {
    for (const compress of [false, true]) {
      const archive = await encodeNpz(arrays(10, 200_000), { compress });
      await withServer((asked) => good(asked, archive), async (server) => {
        await using opened = await openNpz(server.url);
        assert.equal(opened.names().length, 10);
        // Decompressors since Node 22 take 64 KiB before they give any output.
        assert.ok(server.asked.length <= 3 + (compress ? 30 : 10), `${server.asked.length} requests`);
        assert.ok(server.sent() < archive.length / (compress ? 5 : 10) + 131_072, `${server.sent()} bytes`);
        const before = server.asked.length;
        await Promise.all([...Array(10).keys()].map((i) => opened.get(`a${i}`)));
        assert.ok(server.asked.length - before <= (compress ? 60 : 10), `${server.asked.length - before} requests`);
      });
    }
  });

  it("can be read by others while one reader leaves", async () => {
    const archive = await encodeNpz(arrays(2, 30_000)), held = new AbortController();
    let isHeld = false;
    const released = new Promise<void>((resolve) => held.signal.addEventListener("abort", () => resolve()));
    await withServer((asked) => ({ ...good(asked, archive), held: isHeld ? released : undefined }), async (server) => {
      await using opened = await openNpz(server.url);
      isHeld = true;
      const stop = new AbortController(), reason = new Error("enough");
      const before = server.asked.length;
      const leaving = opened.getSlice("a1", [20_000, 20_010], { signal: stop.signal });
      const staying = opened.getSlice("a1", [20_005, 20_020]);
      await until(() => server.asked.length > before);
      stop.abort(reason);
      await assert.rejects(leaving, (error) => error === reason);
      held.abort();
      assert.equal((await staying).at(0), Math.fround(noise(0, 20_005)));
    });
  });
});

describe("a name that is missing on a server", () => {
  it("is looked for as a file, as a prefix and as a folder, and nothing else is", async () => {
    for (const verb of [load, open]) {
      await withServer(() => ({ status: 404 }), async (server) => {
        await assert.rejects(verb(`${server.url}/m`), { code: "NOT_FOUND", hint: "give the full file name" });
        const paths = ["/m", "/m.json", "/m.pdmodel", "/m/__model__", "/m/__model__.json"];
        assert.deepEqual(server.asked.map(({ path }) => path), paths);
      });
    }
  });
});

describe("reading one tensor of a model on a server", () => {
  it("makes two requests to the parameter file", async () => {
    const { program, params } = modelOf(200, 5000);
    const script: Script = (asked) => {
      if (asked.path === "/m.pdmodel") return good(asked, program);
      return asked.path === "/m.pdiparams" ? range(asked, params) : { status: 404 };
    };
    await withServer(script, async (server) => {
      await using checkpoint = await open(`${server.url}/m`);
      await checkpoint.get("linear_0100.w_0");
      const asked = server.asked.filter(({ path }) => path === "/m.pdiparams");
      assert.equal(asked.length, 2);
      // Rows of a verified tensor take one request.
      await checkpoint.getSlice("linear_0100.w_0", [4000, 4002]);
      assert.equal(server.asked.filter(({ path }) => path === "/m.pdiparams").length, 3);
    });
  });
});
