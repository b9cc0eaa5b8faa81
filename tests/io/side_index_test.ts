import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { encode, full, isPaddleError, type NDArray, open, sideIndex, Tensor, type Warning } from "../../mod.ts";
import { RecordingSource, withIndex } from "../../src/io/lazy/side_index.ts";
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
        await using plain = await open(from);
        assert.equal(checkpoint.version, plain.version);
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

  it("of a file of another size or with another beginning is ignored with a warning", async () => {
    const saved = (first: number, length: number) =>
      encode(new Map([["a", full([100_000], first, "uint8")], ["b", full([length], 0, "uint8")]]));
    const file = saved(0, 10), longer = saved(0, 11), other = saved(1, 10);
    assert.deepEqual(file.subarray(0, 4096), longer.subarray(0, 4096));
    assert.equal(file.length, other.length);
    for (const wrong of [longer, other]) {
      const warnings: Warning[] = [];
      const onWarning = (warning: Warning) => warnings.push(warning);
      await using checkpoint = await open(new Blob([file]), { index: await sideIndex(new Blob([wrong])), onWarning });
      assert.deepEqual(checkpoint.info("b").shape, [10]);
      assert.deepEqual(warnings.map(({ code }) => code), ["STALE_INDEX"]);
    }
  });

  it("leaves the source's checks to the source, closes it, and holds what was read in any order", async () => {
    const calls: string[] = [];
    const source = {
      size: FILE.length,
      read(offset: number, into: Uint8Array) {
        const part = FILE.subarray(offset, offset + into.length);
        into.set(part);
        calls.push(`read ${offset}`);
        return Promise.resolve(part.length);
      },
      verify: () => Promise.resolve(void calls.push("verify")),
      close: () => Promise.resolve(void calls.push("close")),
    };
    const recording = new RecordingSource(source);
    for (const offset of [500, 0, 200]) await recording.read(offset, new Uint8Array(100));
    const indexed = await withIndex(source, await recording.index());
    calls.length = 0;
    for (const offset of [500, 50, 200, 299]) {
      const into = new Uint8Array(50);
      const length = await indexed.read(offset, into);
      assert.deepEqual(into.subarray(0, length), FILE.subarray(offset, offset + length));
    }
    assert.deepEqual(calls, []);
    await indexed.read(300, new Uint8Array(50));
    await indexed.verify!();
    await indexed.close!();
    assert.deepEqual(calls, ["read 300", "verify", "close"]);
  });

  it("made by hand is refused where it does not add up, and ignored where it lacks the beginning of the file", async () => {
    /** An index with a valid hash whose numbers are `numbers`: size, length of the version, stretches, and each one's place. */
    const made = async (numbers: (number | bigint)[], rest: Uint8Array = new Uint8Array(0)) => {
      const head = new Uint8Array([...new TextEncoder().encode("PDINDEX1"), ...new Uint8Array(8 * numbers.length)]);
      numbers.forEach((value, i) => new DataView(head.buffer).setBigUint64(8 + 8 * i, BigInt(value), true));
      const body = new Uint8Array([...head, ...rest]);
      return new Uint8Array([...body, ...new Uint8Array(await crypto.subtle.digest("SHA-256", body))]);
    };
    const size = FILE.length;
    const REFUSED: [(number | bigint)[], string][] = [
      [[], "TRUNCATED"],
      [[size, 0], "TRUNCATED"],
      [[size, 9, 0], "TRUNCATED"],
      [[size, 2 ** 40, 0], "TRUNCATED"],
      [[size, 0, 1], "TRUNCATED"],
      [[size, 0, 2 ** 40, 0, 0], "TRUNCATED"],
      [[size, 0, 1, 0, 1], "TRUNCATED"],
      [[size, 0, 1, 0, 2 ** 52], "TRUNCATED"],
      [[2n ** 63n, 0, 0], "BAD_LENGTH"],
    ];
    for (const [numbers, code] of REFUSED) {
      await assert.rejects(open(FILE, { index: await made(numbers) }), { code }, `${numbers}`);
    }
    const piece = FILE.subarray(0, 100);
    const IGNORED: [(number | bigint)[], Uint8Array?][] = [
      [[size, 0, 0]],
      [[size, 0, 1, 100, 100], FILE.subarray(100, 200)],
      [[size, 0, 1, 100, 100], piece],
      [[size + 1, 0, 1, 0, 100], piece],
    ];
    for (const [numbers, rest] of IGNORED) {
      const warnings: Warning[] = [];
      const index = await made(numbers, rest);
      await using checkpoint = await open(FILE, { index, onWarning: (warning) => warnings.push(warning) });
      assert.deepEqual([warnings.map(({ code }) => code), checkpoint.names().length], [["STALE_INDEX"], 150]);
    }
  });
});
