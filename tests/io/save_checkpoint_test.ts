import assert from "node:assert/strict";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import {
  encode,
  fromArray,
  isPaddleError,
  load,
  MemoryFolder,
  type NDArray,
  open,
  save,
  type Source,
  static as staticGraph,
  Tensor,
} from "../../mod.ts";
import { shapeForSave } from "../../src/model/to_pickle.ts";
import { loadNpz, openNpz, saveNpz } from "../../src/npy.ts";
import { good, scriptedServer } from "../helpers/scripted_server.ts";
import { slowly } from "../helpers/slowly.ts";
import { equal } from "./source_contract.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

const LENGTHS = [3_000_000, 5, 20_000, 16_384, 16_383, 4_000_000, 1];
const STATE = new Map(LENGTHS.map((length, i) => {
  const data = Int32Array.from({ length }, (_, j) => j * 31 + i);
  return [`layer.${i}`, new Tensor("int32", [length], data, { name: `p_${i}` })];
}));
const FILE = encode(STATE);

async function saved(value: Parameters<typeof save>[0], options = {}): Promise<Uint8Array> {
  const folder = new MemoryFolder();
  await save(value, "x", { ...options, folder });
  return await staticGraph.loadFromFile("x", { folder });
}

function inFolder(test: (path: string) => Promise<void>): Promise<void> {
  return inTempFolder((folder) => {
    const path = join(folder, "a.pdparams");
    writeFileSync(path, FILE);
    return test(path);
  });
}

describe("saving an opened checkpoint", () => {
  it("writes the original file byte for byte, and every protocol as after load", async () => {
    for (const from of [FILE, new Blob([FILE])]) {
      await using checkpoint = await open(from);
      assert.ok(equal(await saved(checkpoint), FILE));
      for (const protocol of [2, 3, 4]) {
        await using again = await open(from);
        assert.ok(equal(await saved(again, { protocol }), encode(STATE, { protocol })), `protocol ${protocol}`);
      }
    }
  });

  it("never holds it in memory: large arrays go in pieces and are not kept", async () => {
    let longest = 0, inFlight = 0, most = 0;
    const source: Source = {
      size: FILE.length,
      async read(offset, into) {
        longest = Math.max(longest, into.length);
        most = Math.max(most, ++inFlight);
        await new Promise((resolve) => setTimeout(resolve, 1));
        inFlight--;
        const part = FILE.subarray(offset, offset + into.length);
        into.set(part);
        return part.length;
      },
    };
    await using checkpoint = await open(source);
    const value = await checkpoint.value() as Map<string, NDArray>;
    longest = 0;
    assert.ok(equal(await saved(checkpoint), FILE));
    assert.ok(longest <= 4 * 2 ** 20 && most <= 64, `${longest} bytes, ${most} at once`);
    assert.deepEqual([...value.values()].map((array) => array.isLoaded), LENGTHS.map((length) => length * 4 < 4096));
  });

  it("never holds it in memory either when it changes protocols, or compresses to .npz", async () => {
    for (const from of [2, 4]) {
      const bytes = encode(STATE, { protocol: from });
      await using checkpoint = await open(slowly(bytes));
      const value = await checkpoint.value() as Map<string, NDArray>;
      for (const protocol of [2, 3, 4]) {
        assert.ok(equal(await saved(checkpoint, { protocol }), encode(STATE, { protocol })), `${from} to ${protocol}`);
      }
      const folder = new MemoryFolder(), middle = new Map([...value].slice(1, 5));
      await saveNpz(middle, "x.npz", { folder, compress: true });
      assert.deepEqual([...value.values()].map((array) => array.isLoaded), LENGTHS.map((length) => length * 4 < 4096));
      await using packed = await openNpz(slowly(await staticGraph.loadFromFile("x.npz", { folder })));
      const arrays = await packed.value() as Map<string, NDArray>;
      await saveNpz(arrays, "y.npz", { folder });
      for (const [name, array] of await loadNpz("y.npz", { folder })) assert.ok(STATE.get(name)!.equals(array), name);
      await saveNpz(packed, "z.npz", { folder });
      const [y, z] = await Promise.all(["y.npz", "z.npz"].map((name) => staticGraph.loadFromFile(name, { folder })));
      assert.ok(equal(y, z), "the checkpoint itself");
    }
  });

  it("splits big parameters into the same slices as an array in memory", () => {
    const w = STATE.get("layer.0")!, maxArrayBytes = 5_000_000;
    const whole = shapeForSave(new Map([["w", w]]), { protocol: 2, maxArrayBytes }).value as Map<string, NDArray>;
    const lazy = new Tensor("int32", w.shape, { read: () => Promise.resolve(w.bytes), readSync: () => w.bytes }, w);
    const left = shapeForSave(new Map([["w", lazy]]), { protocol: 2, maxArrayBytes }).value as Map<string, NDArray>;
    for (let k = 0; k < 3; k++) {
      const name = `w@@.${k}`;
      assert.equal(left.get(name)!.isLoaded, false);
      assert.ok(left.get(name)!.equals(whole.get(name)!), name);
    }
  });

  it("goes from a URL to a file, with some arrays replaced", () =>
    inFolder(async (path) => {
      const server = await scriptedServer((asked) => good(asked, FILE));
      try {
        await using checkpoint = await open(server.url);
        const value = new Map(await checkpoint.value() as Map<string, NDArray>);
        value.set("layer.0", fromArray([[1, 2]], "float32"));
        const report = await save(value, path);
        assert.equal(report.bytes, readFileSync(path).length);
        const state = await load(path) as Map<string, NDArray>;
        assert.deepEqual(state.get("layer.0")!.toArray(), [[1, 2]]);
        for (let i = 1; i < LENGTHS.length; i++) {
          assert.ok(state.get(`layer.${i}`)!.equals(STATE.get(`layer.${i}`)!), `${i}`);
        }
      } finally {
        await server.close();
      }
    }));

  it("may go over its own file", () =>
    inFolder(async (path) => {
      await using checkpoint = await open(path);
      await save(checkpoint, path, { verify: true });
      assert.ok(equal(new Uint8Array(readFileSync(path)), FILE));
      assert.equal((await checkpoint.get("layer.5")).at(3_999_999), 3_999_999 * 31 + 5, "the opened one goes on");
    }));

  it("leaves no file when the source fails or changes, or the save is aborted", () =>
    inFolder(async (path) => {
      const folder = new MemoryFolder();
      await using checkpoint = await open(path);
      const value = await checkpoint.value() as Map<string, NDArray>;
      truncateSync(path, FILE.length - 1_000_000);
      const error = await save(value, "x", { folder }).then(() => null, (error) => error);
      assert.ok(isPaddleError(error) && ["SHORT_READ", "SOURCE_CHANGED"].includes(error.code), String(error));
      writeFileSync(path, FILE);
      const changed = await save(value, "x", { folder }).then(() => null, (error) => error);
      assert.ok(isPaddleError(changed) && changed.code === "SOURCE_CHANGED", String(changed));
      const controller = new AbortController();
      const onProgress = () => controller.abort("enough");
      await using other = await open(path);
      await assert.rejects(save(other, "x", { folder, signal: controller.signal, onProgress }), (e) => e === "enough");
      assert.deepEqual(await folder.list(), []);
    }));

  it("may write one tensor in Paddle's binary format", async () => {
    const tensor = STATE.get("layer.0")!;
    await using checkpoint = await open(new Blob([encode(new Map([["w", tensor]]))]));
    const lazy = (await checkpoint.value() as Map<string, NDArray>).get("w")!;
    assert.ok(equal(await saved(lazy, { useBinaryFormat: true }), encode(tensor, { useBinaryFormat: true })));
    assert.equal(lazy.isLoaded, false);
  });
});
