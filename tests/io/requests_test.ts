import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { open, sideIndex } from "../../mod.ts";
import { type Asked, good, type Script, withServer } from "../helpers/scripted_server.ts";
import { modelOf, SparseFile, stateOf } from "../helpers/sparse_file.ts";

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
