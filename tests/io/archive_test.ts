import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { isPaddleError, load, NDArray, openArchive, type StateDict } from "../../mod.ts";
import { encodeNpz } from "../../src/npy.ts";

const ARCHIVES = ["pax.tar", "gnu.tar", "pax.tar.gz", "dot.tar.gz", "stored.zip", "packed.zip"];
const LONG = `m_infer/${"n".repeat(120)}é`;
const model = "tests/fixtures/real/paddle-3.1.1/infer-model.oldir/m";

describe("archives of model files", () => {
  it("are folders: a model in a tar, tar.gz or zip is loaded by its prefix", async () => {
    const expected = await load(model) as StateDict;
    assert.ok(expected.size > 0);
    for (const name of ARCHIVES) {
      await using folder = await openArchive(`tests/fixtures/archives/${name}`);
      assert.deepEqual(await folder.list(), ["m_infer/inference.pdiparams", "m_infer/inference.pdmodel", LONG], name);
      const params = await load("m_infer/inference", { folder }) as StateDict;
      assert.deepEqual([...params.keys()], [...expected.keys()], name);
      for (const [key, array] of params) assert.ok((array as NDArray).equals(expected.get(key) as NDArray), key);
    }
  });

  it("are read only, and have no file that they have not", async () => {
    await using folder = await openArchive("tests/fixtures/archives/pax.tar");
    assert.equal(await folder.get("m_infer/inference.json"), null);
    assert.equal(await folder.hasFolder!("m_infer"), true);
    await assert.rejects(folder.put("a"), { code: "READ_ONLY" });
    await assert.rejects(folder.delete("a"), { code: "READ_ONLY" });
  });

  it("end in an error of the family, or in fewer files, wherever they are cut", async () => {
    for (const name of ARCHIVES) {
      const whole = new Uint8Array(readFileSync(`tests/fixtures/archives/${name}`));
      const cuts = Array.from({ length: 60 }, (_, i) => Math.floor(i * whole.length / 60));
      for (const n of cuts) {
        try {
          const folder = await openArchive(whole.slice(0, n));
          assert.ok(name.endsWith(".tar") && (await folder.list()).length <= 3, `${name} cut at ${n}`);
        } catch (error) {
          assert.ok(isPaddleError(error), `${name} cut at ${n}: ${error}`);
        }
      }
    }
  });

  it("unpack no more than maxExpansion allows", async () => {
    const sparse = Uint8Array.from({ length: 4_000_000 }, (_, i) => i % 50 === 0 ? Math.imul(i, 0x9e3779b1) >>> 9 : 0);
    const bomb = await encodeNpz(new Map([["a", new NDArray("uint8", [4_000_000], sparse)]]), { compress: true });
    const folder = await openArchive(bomb, { limits: { maxExpansion: 2 } });
    await assert.rejects(folder.get("a.npy"), { code: "LIMIT", limit: "maxExpansion" });
  });

  it("stop where the signal says", async () => {
    const reason = new Error("enough");
    const options = { signal: AbortSignal.abort(reason) };
    await assert.rejects(openArchive("tests/fixtures/archives/pax.tar", options), (error) => error === reason);
  });
});
