import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import * as paddle from "../../mod.ts";
import { type DType, DTYPES, fromArray, isPaddleError, MemoryFolder, NDArray, type Source } from "../../mod.ts";
import { NO_NUMPY, PYTHON } from "../helpers/python.ts";
import { readWhole } from "../../src/io/open/read_whole.ts";
import {
  decode,
  decodeNpz,
  encode,
  encodeChunks,
  encodeNpz,
  load,
  loadNpz,
  open,
  openNpz,
  save,
  saveNpz,
} from "../../src/npy.ts";
import { decode as decodePickle } from "../../src/pickle.ts";
import { planZip, type ZipMember } from "../../src/codec/zip/write_zip.ts";
import { joinBytes } from "../../src/words/joined_bytes.ts";
import { atOnce } from "../../src/words/steps.ts";

/** Written by numpy: see make.py beside them. */
const fixture = (name: string) => new Uint8Array(readFileSync(`tests/fixtures/npy/${name}`));
const KNOWN = DTYPES.filter((dtype) => dtype !== "float8_e5m2");
const numbers = [[0, 1, 2], [3, 4, 5]];

describe(".npy files", () => {
  it("are read in every dtype of numpy and ml_dtypes, and written with numpy's bytes", () => {
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

  it("are converted to C order and little-endian, whatever their version", () => {
    for (const name of ["fortran.npy", "version_2.npy", "version_3.npy"]) {
      assert.deepEqual(decode(fixture(name)).toArray(), numbers, name);
    }
    assert.deepEqual(decode(fixture("big_endian.npy")).astype("float32").toArray(), numbers);
    const bytes = fixture("big_endian.npy"), before = bytes.slice();
    decode(bytes);
    assert.deepEqual(bytes, before, "the caller's bytes were changed");
  });

  it("keep float8 with the float8 option, as their header has no name for it", () => {
    const array = fromArray([1, 2], "float32").astype("float8_e5m2");
    assert.ok(decode(encode(array), { float8: "float8_e5m2" }).equals(array));
  });

  it("are written in version 2 when their shape is too long for the header of version 1", () => {
    for (const rank of [21_000, 21_500, 21_700, 30_000]) {
      const array = new NDArray("int8", Array(rank).fill(1)), bytes = encode(array);
      assert.equal((bytes.length - 1) % 64, 0);
      assert.ok(decode(bytes, { limits: { maxRank: rank } }).equals(array), String(rank));
    }
  });

  it("are written in chunks without copying the array", () => {
    const array = fromArray([1, 2, 3], "float64");
    assert.equal([...encodeChunks(array)][1], array.bytes);
  });

  it("are refused wherever they are cut, and with a byte too many", async () => {
    const whole = fixture("float32.npy");
    const thrown: unknown[] = [], streamed: unknown[] = [];
    for (let n = 0; n < whole.length; n++) {
      const cut = whole.slice(0, n);
      assert.throws(() => decode(cut), (error: paddle.PaddleError) => {
        assert.ok(["EMPTY", "TRUNCATED"].includes(error.code), String(n));
        thrown.push([error.code, error.offset]);
        return true;
      });
      // A stream does not know its end in advance, but gives the same error at the same byte.
      await load(new Blob([cut]).stream()).catch((error) => streamed.push([error.code, error.offset]));
    }
    assert.deepEqual(streamed, thrown);
    await assert.rejects(load(new Blob([whole, "x"]).stream()), { code: "TRAILING_DATA" });
  });

  const GOOD = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  const withHeader = (header: string | Uint8Array): Uint8Array => {
    const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
    const data = fromArray([1, 2], "float32").bytes;
    return Uint8Array.from([0x93, ...new TextEncoder().encode("NUMPY"), 3, 0, text.length, 0, 0, 0, ...text, ...data]);
  };

  it("are read with any order, whitespace and quotes in their header", () => {
    for (
      const header of [
        GOOD,
        "{'shape':(2,),'descr':'<f4','fortran_order':True}",
        '{ "descr" :\t"<f4",\n"fortran_order": False , "shape": ( 2 , ) }\n',
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2L,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2,), }",
      ]
    ) assert.deepEqual(decode(withHeader(header)).reshape([2]).toArray(), [1, 2], header);
  });

  /** dtypes by what `numpy.dtype(text)` accepts for them, on Linux. */
  const SPELLINGS: Record<string, string> = {
    bool: "? |b1 b1 <? |? bool bool_ bool8",
    int8: "b |i1 <i1 >b i1 byte int8",
    uint8: "B |u1 u1 ubyte uint8",
    int16: "h i2 <h =i2 |i2 short int16",
    uint16: "H u2 <u2 ushort uint16",
    int32: "i i4 |i <i intc int32",
    uint32: "I u4 uintc uint32",
    int64: "l q p n i8 <q int int_ intp long longlong int64 int0",
    uint64: "L Q P N u8 uint uintp ulong ulonglong uint64 uint0",
    float16: "e f2 <e half float16",
    float32: "f f4 =f |f4 single float32",
    float64: "d f8 <d float double float64 float_",
    complex64: "F c8 csingle complex64 singlecomplex",
    complex128: "D c16 complex cdouble complex128 cfloat complex_",
  };
  const spelled = (descr: string) => GOOD.replace("(2,)", "(1,)").replace("<f4", descr);

  it("are read however their dtype is spelled, if numpy accepts it", () => {
    for (const [dtype, descrs] of Object.entries(SPELLINGS)) {
      for (const descr of descrs.split(" ")) {
        const array = fromArray([1], dtype as DType), head = withHeader(spelled(descr)).slice(0, -8);
        assert.ok(decode(joinBytes([head, array.bytes])).equals(array), descr);
      }
    }
    const swapped = withHeader(spelled(">h")).slice(0, -8);
    assert.equal(decode(joinBytes([swapped, Uint8Array.of(1, 2)])).at(0), 258);
    for (const descr of ["<float32", "x", "", "<", "<bool", "bfloat16", "float8_e5m2", "F4", "<<f4"]) {
      assert.throws(() => decode(withHeader(spelled(descr))), { code: "BAD_DTYPE" }, descr);
    }
    for (
      const descr of [
        "object",
        "str",
        "S3",
        "<U1",
        "f4,f4",
        "3f4",
        "(2,)f4",
        "g",
        "c",
        "<M8[s]",
        "longdouble",
        "f4,".repeat(40) + "f4",
      ]
    ) {
      assert.throws(() => decode(withHeader(spelled(descr))), { code: "UNSUPPORTED_DTYPE" }, descr);
    }
  });

  it("have these dtypes in numpy, too", { skip: NO_NUMPY }, () => {
    const script = `
import json, sys, warnings, numpy as np
warnings.simplefilter("ignore")
gone = "bool8 int0 uint0 float_ cfloat complex_ singlecomplex n N".split()
for dtype, spellings in json.loads(sys.argv[1]).items():
    for s in spellings.split():
        if s in gone and int(np.__version__[0]) > (1 if s not in "nN" else 0): continue
        assert np.dtype(s).name == dtype, (s, dtype)
`;
    const { status, stderr } = spawnSync(PYTHON, ["-c", script, JSON.stringify(SPELLINGS)], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
  });

  const HEADERS: [header: string, code: string, what: RegExp][] = [
    [GOOD.slice(1), "BAD_FIELD", /lacks "\{"/],
    [GOOD.slice(0, -1), "BAD_FIELD", /lacks a quoted string/],
    [GOOD + "x", "BAD_FIELD", /continues after its dict/],
    [GOOD.replace("'<f4',", "'<f4'"), "BAD_FIELD", /lacks a comma/],
    [GOOD.replace("'descr':", "'descr'"), "BAD_FIELD", /lacks ":"/],
    [GOOD.replace("'descr'", "descr"), "BAD_FIELD", /lacks a quoted string/],
    [GOOD.replace("'descr'", "'other'"), "BAD_FIELD", /has the key "other"/],
    [GOOD.replace("'descr': '<f4', ", ""), "BAD_FIELD", /lacks the key "descr"/],
    [GOOD.replace("'fortran_order'", "'descr'"), "DUPLICATE_KEY", /"descr" twice/],
    [GOOD.replace("False", "0"), "BAD_FIELD", /neither True nor False/],
    [GOOD.replace("'<f4'", "'<f4"), "BAD_FIELD", /has an unterminated string|lacks/],
    [GOOD.replace("'<f4'", "'<f\\x34'"), "BAD_FIELD", /has an unterminated string/],
    [GOOD.replace("'<f4'", "'<f\n4'"), "BAD_FIELD", /has an unterminated string/],
    [GOOD.replace("'<f4'", "[('a', '<f4')]"), "UNSUPPORTED_DTYPE", /structured array/],
    [GOOD.replace("'<f4'", "('<f4', (2,))"), "UNSUPPORTED_DTYPE", /structured array/],
    [GOOD.replace("'<f4'", "'|O'"), "UNSUPPORTED_DTYPE", /\|O/],
    ...[
      "2",
      "(2)",
      "[2,]",
      "(2 2)",
      "(-2,)",
      "(2.0,)",
      "(,)",
      "(99999999999999999999,)",
      "(True,)",
      "(02,)",
      `(${"0".repeat(20)}2,)`,
    ].map((shape) =>
      [GOOD.replace("(2,)", shape), "BAD_SHAPE", /not a tuple of dimensions/] as [string, string, RegExp]
    ),
  ];
  for (const [header, code, message] of HEADERS) {
    it(`are refused with ${code} when the header is ${JSON.stringify(header)}`, () => {
      assert.throws(() => decode(withHeader(header)), { code, message });
    });
  }

  it("are refused when the header is not UTF-8", () => {
    const header = new TextEncoder().encode(GOOD.replace("<f4", "<fX")).map((byte) => byte === 0x58 ? 0xff : byte);
    assert.throws(() => decode(withHeader(header)), { code: "BAD_TEXT", offset: 12 });
  });

  it("are saved to a folder and loaded again", async () => {
    const folder = new MemoryFolder();
    const array = fromArray(numbers, "bfloat16");
    await save(array, "w.npy", { folder });
    assert.ok((await load("w.npy", { folder })).equals(array));
  });
});

describe("the options of a save", () => {
  it("are those that mean something for it: none is ignored", async () => {
    const folder = new MemoryFolder(), array = fromArray([1]);
    for (const name of ["safetensors", "protocol", "useBinaryFormat", "mode", "numpy"]) {
      const options = { folder, [name]: name === "safetensors" ? true : undefined };
      await assert.rejects(save(array, "a.npy", options), { name: "TypeError", message: RegExp(`"${name}"`) });
      await assert.rejects(saveNpz(new Map([["a", array]]), "a.npz", options), { name: "TypeError" });
    }
    assert.deepEqual(await folder.list(), []);
  });
});

describe(".npz files", () => {
  it("are read stored or compressed, with names that differ only in case", async () => {
    for (const name of ["stored.npz", "packed.npz"]) {
      const arrays = await decodeNpz(fixture(name));
      assert.deepEqual([...arrays.keys()], ["w", "W", "a/b", "é"], name);
      assert.deepEqual([...arrays.values()].map((a) => a.dtype), ["float32", "int64", "bfloat16", "float64"]);
      assert.deepEqual(arrays.get("w")!.toArray(), numbers);
      assert.deepEqual(arrays.get("é")!.shape, [2000]);
    }
  });

  it("are saved to a folder and loaded again, stored or compressed", async () => {
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

  it("are read with the default limits even if zeros are compressed a thousandfold", async () => {
    const zeros = new Map([["w", new NDArray("float32", [700_000])]]);
    const bytes = await encodeNpz(zeros, { compress: true });
    assert.ok((await decodeNpz(bytes)).get("w")!.equals(zeros.get("w")!));
  });

  it("are never written with names that would become others", async () => {
    for (const compress of [false, true]) {
      for (const [name, code] of [["a\ud800", "LONE_SURROGATE"], [1, "INVALID_VALUE"]] as const) {
        const arrays = new Map([[name, fromArray([1])]]) as never, folder = new MemoryFolder();
        await assert.rejects(encodeNpz(arrays, { compress }), { name: "ValueError", code });
        await assert.rejects(saveNpz(arrays, "a.npz", { folder, compress }), { code });
        assert.deepEqual(await folder.list(), []);
      }
    }
  });

  it("are told from other files, which are not called truncated", async () => {
    for (const bytes of [encode(fromArray([1])), paddle.encode(new Map([["w", paddle.zeros([1])]]))]) {
      for (const read of [decodeNpz, openNpz]) await assert.rejects(read(bytes), { code: "WRONG_FORMAT" });
    }
    const bytes = await encodeNpz(new Map([["w", fromArray([1])]]));
    await assert.rejects(decodeNpz(bytes.subarray(0, -1)), { code: "TRUNCATED" });
  });

  it("are compressed by true and nothing else", async () => {
    const arrays = new Map([["w", fromArray([1])]]), compress = "no" as never, folder = new MemoryFolder();
    const expected = { name: "TypeError", message: /Option compress must be a boolean: got "no"/ };
    await assert.rejects(encodeNpz(arrays, { compress }), expected);
    await assert.rejects(saveNpz(arrays, "a.npz", { folder, compress }), expected);
  });

  /** An archive with arrays of these dtypes, two elements each. */
  function archiveOf(descrs: Record<string, string>): Uint8Array {
    const members = Object.entries(descrs).map(([name, descr]) => {
      const head = `{'descr': ${descr}, 'fortran_order': False, 'shape': (2,), }`;
      const bytes = Uint8Array.from(`\x93NUMPY\x01\0${String.fromCharCode(head.length)}\0${head}\x01\0\x02\0`, codeOf);
      const { length } = bytes;
      return { name: `${name}.npy`, method: 0, size: length, compressed: length, chunks: () => [bytes] } as ZipMember;
    });
    return joinBytes([...atOnce(planZip(members)).chunks()] as Uint8Array[]);
  }
  const codeOf = (character: string) => character.charCodeAt(0);

  it("with an array of strings are refused by load, with a hint how to read the others", async () => {
    const bytes = archiveOf({ w: "'<i2'", names: "'<U1'" });
    const expected = { code: "UNSUPPORTED_DTYPE", actual: "<U1", path: "names.npy", at: "names", hint: /^openNpz/ };
    await assert.rejects(decodeNpz(bytes), expected);
    await assert.rejects(loadNpz(bytes), expected);
  });

  it("with arrays of strings, objects and records are opened: the others are read, and only these are refused", async () => {
    const bytes = archiveOf({ names: "'<U1'", w: "'<i2'", any: "'|O'", points: "[('x', ['<f4'], (\"}])\", 2))]" });
    const warned: paddle.Warning[] = [];
    const file = await openNpz(bytes, { onWarning: (warning) => warned.push(warning) });
    assert.deepEqual([file.names(), (await file.get("w")).toArray()], [["w"], [1, 2]]);
    const value = await file.value() as Map<string, paddle.OpaqueArray>;
    assert.deepEqual([...value].map(([name, { dtype, shape }]) => [name, dtype, ...shape]), [
      ["names", "<U1", 2],
      ["w", "int16", 2],
      ["any", "|O", 2],
      ["points", "structured", 2],
    ]);
    for (const name of ["names", "any", "points"]) {
      const expected = { code: "UNSUPPORTED_DTYPE", path: `${name}.npy`, at: name };
      await assert.rejects(file.get(name), expected);
      assert.throws(() => file.info(name), expected);
      assert.throws(() => value.get(name)!.bytes, expected);
    }
    assert.deepEqual(
      warned.map(({ code, at }) => [code, at]),
      ["names", "any", "points"].map((at) => ["UNSUPPORTED_DTYPE", at]),
    );
    assert.deepEqual(file.warnings, warned);
    await assert.rejects(paddle.save(file, "x", { folder: new MemoryFolder() }), { code: "UNSUPPORTED_DTYPE" });
    await file.close();
  });

  it("are refused when a byte of an array was changed", async () => {
    const bytes = await encodeNpz(new Map([["w", fromArray([1, 2, 3], "float32")]]));
    for (const at of [60, 100, 170]) {
      const bad = bytes.slice();
      bad[at] ^= 1;
      await assert.rejects(decodeNpz(bad), (error) => isPaddleError(error), `byte ${at}`);
    }
  });

  it("give a PaddleError wherever they are cut", async () => {
    const bytes = await encodeNpz(new Map([["w", fromArray([1, 2, 3], "float32")]]), { compress: true });
    for (let n = 0; n < bytes.length; n++) {
      await assert.rejects(decodeNpz(bytes.slice(0, n)), (error) => isPaddleError(error), `cut at ${n}`);
    }
  });

  it("expand no further than maxExpansion allows", async () => {
    const sparse = Uint8Array.from({ length: 4_000_000 }, (_, i) => i % 50 === 0 ? Math.imul(i, 0x9e3779b1) >>> 9 : 0);
    const bytes = await encodeNpz(new Map([["w", new NDArray("uint8", [4_000_000], sparse)]]), { compress: true });
    await assert.rejects(decodeNpz(bytes, { limits: { maxExpansion: 2 } }), { code: "LIMIT", limit: "maxExpansion" });
    const arrays = await decodeNpz(bytes);
    assert.equal(arrays.get("w")!.nbytes, 4_000_000);
  });

  it("are read by numpy, with the same values", { skip: NO_NUMPY }, async () => {
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
      const { status, stderr } = spawnSync(PYTHON, ["-c", script, folder], { encoding: "utf8" });
      assert.equal(status, 0, stderr);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("numpy's fixtures", () => {
  it("of Python objects, such as a dict of arrays, are refused with the place of the pickle, which can be read", () => {
    const bytes = fixture("objects.npy");
    assert.throws(() => decode(bytes), (error) => {
      assert.ok(isPaddleError(error) && error.code === "UNSUPPORTED_DTYPE");
      const { items } = decodePickle(
        bytes.subarray(Number(/from byte (\d+) on/.exec(error.message)![1])),
      ) as paddle.OpaqueArray;
      const [dict] = items as [Map<string, unknown>];
      assert.deepEqual((dict.get("w") as NDArray).toArray(), [[0, 1, 2], [3, 4, 5]]);
      assert.deepEqual(dict.get("classes"), ["cat", "dog"]);
      return true;
    });
  });

  it("of numbers are all read", async () => {
    for (const name of readdirSync("tests/fixtures/npy")) {
      if (name.endsWith(".npy") && name !== "objects.npy") assert.ok(decode(fixture(name)) instanceof NDArray, name);
      if (name.endsWith(".npz")) assert.equal((await decodeNpz(fixture(name))).size, 4);
    }
  });
});

/** A source that counts the bytes read from it. */
function counted(bytes: Uint8Array): Source & { sum: number } {
  return {
    size: bytes.length,
    sum: 0,
    read(offset: number, into: Uint8Array) {
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      this.sum += part.length;
      return Promise.resolve(part.length);
    },
  };
}

/** 4 MB that can hardly be compressed. */
function noise(rows: number): NDArray {
  let x = 1;
  const data = Float32Array.from({ length: rows * 1000 }, () => (x = Math.imul(x, 1664525) + 1013904223 | 0) / 7);
  return new NDArray("float32", [rows, 1000], data);
}

describe("opened .npy and .npz files", () => {
  it("show an array without reading it, and give it whole or in rows", async () => {
    const array = noise(1000), source = counted(encode(array));
    await using file = await open(source);
    assert.deepEqual(file.names(), [""]);
    assert.deepEqual([file.info("").dtype, file.info("").shape, file.info("").offset], ["float32", [1000, 1000], 128]);
    assert.ok(source.sum < 100_000, `${source.sum} bytes`);
    assert.ok((await file.getSlice("", [10, 12])).equals(array.slice(10, 12)));
    assert.ok(source.sum < 110_000);
    assert.ok((await file.get("")).equals(array));
    await using turned = await open(fixture("fortran.npy"));
    assert.deepEqual((await turned.getSlice("", [1, 2])).toArray(), [numbers[1]]);
    await using small = await open(fixture("big_endian.npy"));
    assert.deepEqual((await small.get("")).astype("float32").toArray(), numbers);
  });

  it("can have an array written in place", async () => {
    const bytes = encode(noise(10));
    await using file = await open(bytes);
    await file.write("", new NDArray("float32", [10, 1000]));
    assert.deepEqual(bytes, encode(new NDArray("float32", [10, 1000])));
  });

  it("list the arrays of an archive, stored or compressed, and read only the requested one", async () => {
    const arrays = new Map([["a", noise(1000)], ["b/c", fromArray(numbers, "int64")], ["d", noise(900)]]);
    for (const compress of [false, true]) {
      const bytes = await encodeNpz(arrays, { compress });
      const source = counted(bytes);
      await using file = await openNpz(source);
      assert.deepEqual(file.names(), ["a", "b/c", "d"]);
      assert.deepEqual(file.info("d").shape, [900, 1000]);
      // Node's decompressor reads ahead regardless of backpressure.
      const isNode = !("Deno" in globalThis || "Bun" in globalThis);
      assert.ok((compress && isNode) || source.sum < 1_500_000, `${source.sum} of ${bytes.length} bytes`);
      const before = source.sum;
      assert.ok((await file.get("d")).equals(arrays.get("d")!));
      assert.ok(source.sum - before < 3_900_000, `${source.sum - before} bytes`);
      assert.ok((await file.getSlice("a", [1, 3])).equals(arrays.get("a")!.slice(1, 3)));
      for await (const [name, array] of file) assert.ok(array.equals(arrays.get(name)!), name);
      const error = await file.write("d", noise(900)).then(() => null, (error) => error);
      assert.ok(isPaddleError(error) && error.code === "UNSUPPORTED_FEATURE");
      await using streamed = await openNpz(new Blob([bytes as BlobPart]).stream());
      assert.ok((await streamed.get("b/c")).equals(arrays.get("b/c")!));
      // A wrong byte shows when its array is read.
      const spoilt = bytes.slice();
      spoilt[2_000_000] ^= 1;
      await using wrong = await openNpz(counted(spoilt));
      assert.ok((await wrong.get("d")).equals(arrays.get("d")!));
      const code = await wrong.get("a").then(
        (array) => array.equals(arrays.get("a")!) ? "same" : "other",
        (e) => e.code,
      );
      if (compress) assert.ok(["HASH_MISMATCH", "SIZE_MISMATCH", "BAD_FIELD"].includes(code), code);
      else assert.equal(code, "HASH_MISMATCH");
    }
  });
});

describe("a compressed archive that changes after it was opened", () => {
  it("is SOURCE_CHANGED, for an array that is read in part as well", async () => {
    const folder = mkdtempSync(join(tmpdir(), "npz-")), path = join(folder, "a.npz");
    try {
      await saveNpz(new Map([["a", paddle.full([2 ** 18], 1)]]), path, { compress: true });
      await using opened = await openNpz(path);
      writeFileSync(path, readFileSync(path), { flag: "a" });
      await assert.rejects(opened.getSlice("a", [0, 10]), { code: "SOURCE_CHANGED" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("an archive with a flipped bit", () => {
  it("gives the same error in loadNpz and openNpz, HASH_MISMATCH among them", async () => {
    const bytes = await encodeNpz(new Map([["a", fromArray([[1, 2], [3, 4]], "float32")]]), { compress: true });
    const seen = new Set<string>();
    for (let i = 0; i < bytes.length; i++) {
      for (const bit of [1, 0x80]) {
        const spoilt = bytes.slice();
        spoilt[i] ^= bit;
        const loaded = await loadNpz(spoilt).then(() => "fine", (error) => error.code);
        const opened = await openNpz(spoilt).then(async (file) => {
          for (const name of file.names()) await file.get(name);
          return "fine";
        }).catch((error) => error.code);
        assert.equal(loaded, opened, `byte ${i}`);
        seen.add(loaded);
      }
    }
    assert.ok(seen.has("HASH_MISMATCH") && !seen.has("BAD_SHAPE"), [...seen].join());
  });
});

describe("arrays of an opened checkpoint that are saved as .npz or .npy", () => {
  it("may be read by others meanwhile", async () => {
    const state = new Map(["a", "b", "c", "d"].map((name, i) => [name, paddle.full([5000], i)] as const));
    await using checkpoint = await paddle.open(new Blob([paddle.encode(state)]));
    const value = await checkpoint.value() as Map<string, NDArray>, folder = new MemoryFolder();
    const saving = saveNpz(value, "a.npz", { folder });
    await value.get("b")!.load();
    await saving;
    const arrays = await loadNpz("a.npz", { folder });
    for (const [name, array] of state) assert.deepEqual(arrays.get(name)!.bytes, array.bytes, name);
  });

  it("are copied in pieces, never held whole, with the same bytes as arrays in memory", async () => {
    const arrays = new Map([
      ["a", new NDArray("float32", [3, 100_000], Float32Array.from({ length: 300_000 }, (_, i) => i))],
      ["b", fromArray([1, 2], "int64")],
    ]);
    await using checkpoint = await paddle.open(new Blob([paddle.encode(arrays)]));
    const lazy = await checkpoint.value() as Map<string, NDArray>;
    const folder = new MemoryFolder();
    const written = async (name: string) => await readWhole({ folder, name }, 2 ** 24, {});
    for (const compress of [false, true]) {
      await saveNpz(lazy, "a.npz", { folder, compress });
      assert.deepEqual(await written("a.npz"), await encodeNpz(arrays, { compress }));
    }
    await save(lazy.get("a")!, "a.npy", { folder });
    assert.deepEqual(await written("a.npy"), encode(arrays.get("a")!));
    assert.equal(lazy.get("a")!.isLoaded, false);
  });
});
