import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { convert } from "../../examples/node/convert.mjs";
import { encode, fromArray } from "../../mod.ts";
import { decodeNpz } from "../../src/npy.ts";
import * as safetensors from "../../src/safetensors.ts";

describe("examples/node/convert.mjs", () => {
  let folder: string, from: string;
  const w = fromArray([[1, 2], [3, 4]], "float32"), b = fromArray([5n], "int64");
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "oarlock-convert-"));
    from = join(folder, "net.pdparams");
    writeFileSync(from, encode(new Map<string, unknown>([["w", w], ["epoch", 3], ["b", b]]) as never));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("writes the arrays, reports what it left out, and completes its progress", async () => {
    for (const end of ["safetensors", "npz"]) {
      const to = join(folder, `net.${end}`);
      let last = { loaded: 0, total: -1 as number | undefined };
      const report = await convert(from, to, { onProgress: (event) => void (last = { total: undefined, ...event }) });
      assert.deepEqual(report, { arrays: 2, leftOut: ["epoch"] });
      assert.equal(last.loaded, last.total);
      const bytes = new Uint8Array(readFileSync(to));
      const arrays = end === "npz" ? await decodeNpz(bytes) : safetensors.decode(bytes);
      assert.deepEqual([arrays.get("w")!.toArray(), arrays.get("b")!.toArray()], [w.toArray(), b.toArray()]);
    }
  });

  it("keeps the metadata of safetensors, and writes the format of PaddleNLP's files if there is none", async () => {
    const [one, two] = ["one", "two"].map((name) => join(folder, `${name}.safetensors`));
    await convert(from, one);
    assert.deepEqual([...safetensors.decode(new Uint8Array(readFileSync(one))).metadata], [["format", "np"]]);
    writeFileSync(one, safetensors.encode(new Map([["w", w]]), { metadata: { format: "pt", by: "me" } }));
    await convert(one, two);
    assert.deepEqual(readFileSync(two), readFileSync(one));
  });

  it("writes the arrays of dicts within dicts, and does not write a file without arrays", async () => {
    const to = join(folder, "net.safetensors");
    writeFileSync(
      from,
      encode(new Map<string, unknown>([["model", new Map([["w", w], ["b", b]])], ["epoch", 3]]) as never),
    );
    assert.deepEqual(await convert(from, to), { arrays: 2, leftOut: ["epoch"] });
    assert.deepEqual([...safetensors.decode(new Uint8Array(readFileSync(to))).keys()].sort(), ["model.b", "model.w"]);
    writeFileSync(from, encode(new Map<string, unknown>([["model.w", w], ["model", new Map([["w", b]])]]) as never));
    await assert.rejects(convert(from, to), /two entries that would be called model\.w/);
    writeFileSync(from, encode(new Map([["epoch", 3]])));
    await assert.rejects(convert(from, join(folder, "none.npz")), /holds no arrays/);
    assert.equal(existsSync(join(folder, "none.npz")), false);
  });

  it("writes nothing when it is aborted or does not know the file's extension", async () => {
    const to = join(folder, "net.npz");
    await assert.rejects(convert(from, to, { signal: AbortSignal.abort() }), { name: "AbortError" });
    await assert.rejects(convert(from, join(folder, "net.txt")), /ends in \.safetensors or \.npz/);
    assert.deepEqual([existsSync(to), existsSync(join(folder, "net.txt"))], [false, false]);
  });
});
