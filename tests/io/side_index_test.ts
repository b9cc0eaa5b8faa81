import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { encode, full, isPaddleError, type NDArray, open, sideIndex, Tensor, type Warning } from "../../mod.ts";
import { good, scriptedServer } from "../helpers/scripted_server.ts";

const STATE: ReadonlyMap<string, Tensor> = new Map(Array.from({ length: 150 }, (_, i) => {
  const length = i % 2 ? 40_000 + i : 12;
  return [`block.${i}`, new Tensor("int32", [length], new Int32Array(length).fill(i), { name: `p_${i}` })] as const;
}));
const FILE = encode(new Map(STATE));

describe("a side index", () => {
  it("lets open make two requests, and a tensor one more", async () => {
    const index = await sideIndex(new Blob([FILE]));
    assert.ok(index.length < 1_000_000, `${index.length} of ${FILE.length}`);
    const server = await scriptedServer((asked) => good(asked, asked.path === "/m.pdindex" ? index : FILE));
    try {
      await using checkpoint = await open(server.url + "/m", { index: server.url + "/m.pdindex" });
      assert.equal(server.asked.length, 2);
      assert.deepEqual(checkpoint.names(), [...STATE.keys()]);
      server.asked.length = 0;
      assert.ok((await checkpoint.get("block.149")).equals(STATE.get("block.149")!));
      assert.equal(server.asked.length, 1);
      for await (const [name, array] of checkpoint) assert.ok(array.equals(STATE.get(name)!), name);
    } finally {
      await server.close();
    }
  });

  it("may be built over a network, and works for every kind of source", async () => {
    const server = await scriptedServer((asked) => good(asked, FILE));
    try {
      const index = await sideIndex(server.url);
      for (const from of [server.url, FILE, new Blob([FILE])]) {
        const warnings: Warning[] = [];
        await using checkpoint = await open(from, { index, onWarning: (warning) => warnings.push(warning) });
        assert.deepEqual(warnings, []);
        const slice = await checkpoint.getSlice("block.3", [39_000, 39_002]) as NDArray;
        assert.deepEqual(slice.toArray(), [3, 3]);
      }
    } finally {
      await server.close();
    }
  });

  it("of another file or version is ignored with a warning", async () => {
    const other = encode(new Map([["other", full([100_000], 1, "float32")]]));
    const versions = ['"1"', '"2"'].map((etag) => scriptedServer((asked) => good(asked, FILE, { etag })));
    const [one, two] = await Promise.all(versions);
    try {
      for (const [from, index] of [[FILE, await sideIndex(other)], [two.url, await sideIndex(one.url)]] as const) {
        const warnings: Warning[] = [];
        await using checkpoint = await open(from, { index, onWarning: (warning) => warnings.push(warning) });
        assert.deepEqual(warnings.map(({ code }) => code), ["STALE_INDEX"]);
        assert.equal((await checkpoint.get("block.1")).at(0), 1);
      }
    } finally {
      await one.close();
      await two.close();
    }
  });

  it("is refused when it is not an index, or when any byte is damaged", async () => {
    const index = await sideIndex(FILE);
    const codeOf = async (bytes: Uint8Array) => {
      const error = await open(FILE, { index: bytes }).then(() => null, (error) => error);
      return isPaddleError(error) ? error.code : String(error);
    };
    assert.equal(await codeOf(FILE), "WRONG_FORMAT");
    assert.equal(await codeOf(new Uint8Array(0)), "WRONG_FORMAT");
    for (let at = 8; at < index.length; at += 997) {
      const wrong = index.slice();
      wrong[at] ^= 1 << (at % 8);
      assert.equal(await codeOf(wrong), "HASH_MISMATCH");
      assert.equal(await codeOf(index.slice(0, at)), at < 40 ? "WRONG_FORMAT" : "HASH_MISMATCH");
    }
  });
});
