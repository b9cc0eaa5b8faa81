import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { type DType, DTYPES, fromArray, isPaddleError, MemoryFolder, NDArray } from "../../mod.ts";
import { decode, decodeNpz, encode, encodeChunks, encodeNpz, load, loadNpz, save, saveNpz } from "../../src/npy.ts";

/** Written by numpy: see make.py beside them. */
const fixture = (name: string) => new Uint8Array(readFileSync(`tests/fixtures/npy/${name}`));
const KNOWN = DTYPES.filter((dtype) => dtype !== "float8_e5m2");
const numbers = [[0, 1, 2], [3, 4, 5]];

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(isPaddleError(error), String(error));
    return error.code;
  }
  return "none";
}

describe(".npy files", () => {
  it("give every dtype that numpy and ml_dtypes write, and are written with numpy's own bytes", () => {
    for (const dtype of KNOWN) {
      const bytes = fixture(`${dtype}.npy`);
      const array = decode(bytes);
      assert.equal(array.dtype, dtype);
      const expected = fromArray(numbers, "float32").astype(dtype);
      assert.ok(array.equals(new NDArray(dtype, [2, 3], expected.bytes)), dtype);
      assert.deepEqual(encode(array), bytes, dtype);
    }
    for (const name of ["zero_d.npy", "one_axis.npy", "empty.npy"]) {
      assert.deepEqual(encode(decode(fixture(name))), fixture(name), name);
    }
  });

  it("are turned to C order and little-endian, whichever version they have", () => {
    for (const name of ["fortran.npy", "version_2.npy", "version_3.npy"]) {
      assert.deepEqual(decode(fixture(name)).toArray(), numbers, name);
    }
    assert.deepEqual(decode(fixture("big_endian.npy")).astype("float32").toArray(), numbers);
    const bytes = fixture("big_endian.npy"), before = bytes.slice();
    decode(bytes);
    assert.deepEqual(bytes, before, "the caller's bytes were changed");
  });

  it("keep float8 by the option, as a byte has no word for it", () => {
    const array = fromArray([1, 2], "float32").astype("float8_e5m2");
    assert.ok(decode(encode(array), { float8: "float8_e5m2" }).equals(array));
  });

  it("are written in chunks without copying the array", () => {
    const array = fromArray([1, 2, 3], "float64");
    assert.equal([...encodeChunks(array)][1], array.bytes);
  });

  it("are refused wherever they are cut, and with a byte too many", async () => {
    const whole = fixture("float32.npy");
    for (let n = 0; n < whole.length; n++) {
      assert.ok(["EMPTY", "TRUNCATED"].includes(codeOf(() => decode(whole.slice(0, n)))), String(n));
    }
    await assert.rejects(load(new Blob([whole, "x"]).stream()), { code: "TRAILING_DATA" });
  });

  it("go to a folder and back", async () => {
    const folder = new MemoryFolder();
    const array = fromArray(numbers, "bfloat16");
    await save(array, "w.npy", { folder });
    assert.ok((await load("w.npy", { folder })).equals(array));
  });
});

describe(".npz files", () => {
  it("give what numpy stored or packed, names that differ in case only included", async () => {
    for (const name of ["stored.npz", "packed.npz"]) {
      const arrays = await decodeNpz(fixture(name));
      assert.deepEqual([...arrays.keys()], ["w", "W", "a/b", "é"], name);
      assert.deepEqual([...arrays.values()].map((a) => a.dtype), ["float32", "int64", "bfloat16", "float64"]);
      assert.deepEqual(arrays.get("w")!.toArray(), numbers);
      assert.deepEqual(arrays.get("é")!.shape, [2000]);
    }
  });

  it("go to a folder and back, stored or packed", async () => {
    const folder = new MemoryFolder();
    const arrays = new Map(DTYPES.map((dtype) => [dtype, fromArray(numbers, "float32").astype(dtype)]));
    const big = new NDArray("float32", [100_000]);
    big.set(1, 99_999);
    arrays.set("bool" as DType, big);
    for (const compress of [false, true]) {
      const { bytes } = await saveNpz(arrays, "a.npz", { folder, compress });
      assert.ok(compress ? bytes < 20_000 : bytes > 400_000, String(bytes));
      const again = await loadNpz("a.npz", { folder });
      assert.equal(again.size, arrays.size);
      for (const [name, array] of arrays) {
        if (name !== "float8_e5m2") assert.ok(again.get(name)!.equals(array), name);
      }
    }
  });

  it("are refused where a byte of an array was changed", async () => {
    const bytes = await encodeNpz(new Map([["w", fromArray([1, 2, 3], "float32")]]));
    for (const at of [60, 100, 170]) {
      const bad = bytes.slice();
      bad[at] ^= 1;
      await assert.rejects(decodeNpz(bad), (error) => isPaddleError(error), `byte ${at}`);
    }
  });

  it("end in an error of the family wherever they are cut", async () => {
    const bytes = await encodeNpz(new Map([["w", fromArray([1, 2, 3], "float32")]]), { compress: true });
    for (let n = 0; n < bytes.length; n++) {
      await assert.rejects(decodeNpz(bytes.slice(0, n)), (error) => isPaddleError(error), `cut at ${n}`);
    }
  });

  it("do not unpack without bounds", async () => {
    const bytes = await encodeNpz(new Map([["w", new NDArray("uint8", [4_000_000])]]), { compress: true });
    await assert.rejects(decodeNpz(bytes), { code: "LIMIT", limit: "maxExpansion" });
    const arrays = await decodeNpz(bytes, { limits: { maxExpansion: 2000 } });
    assert.equal(arrays.get("w")!.nbytes, 4_000_000);
  });

  const hasNumpy = spawnSync("python3", ["-c", "import numpy"]).status === 0;
  it("are read by numpy, with the same numbers", { skip: hasNumpy ? false : "numpy is not here" }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "oarlock-npz-"));
    try {
      const dtypes = KNOWN.filter((dtype) => !dtype.startsWith("bfloat") && !dtype.startsWith("float8"));
      const arrays = new Map(dtypes.map((dtype) => [dtype, fromArray(numbers, "float32").astype(dtype)]));
      writeFileSync(join(folder, "stored.npz"), await encodeNpz(arrays));
      writeFileSync(join(folder, "packed.npz"), await encodeNpz(arrays, { compress: true }));
      const script = `
import sys, numpy as np
for kind in ("stored", "packed"):
    z = np.load(sys.argv[1] + "/" + kind + ".npz")
    assert z.files == ${JSON.stringify(dtypes)}, z.files
    for name in z.files:
        assert z[name].dtype == name and (z[name] == np.arange(6).reshape(2, 3).astype(name)).all(), name
`;
      const { status, stderr } = spawnSync("python3", ["-c", script, folder], { encoding: "utf8" });
      assert.equal(status, 0, stderr);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the fixtures of numpy", () => {
  it("are all read", async () => {
    for (const name of readdirSync("tests/fixtures/npy")) {
      if (name.endsWith(".npy")) assert.ok(decode(fixture(name)) instanceof NDArray, name);
      if (name.endsWith(".npz")) assert.equal((await decodeNpz(fixture(name))).size, 4);
    }
  });
});
