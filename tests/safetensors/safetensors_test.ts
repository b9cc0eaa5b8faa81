import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import {
  DTYPES,
  encode as pickled,
  fromArray,
  load as loadPaddle,
  MemoryFolder,
  NDArray,
  type OpaqueArray,
  open as openAny,
  save as savePaddle,
  type Source,
  Tensor,
  type Value,
} from "../../mod.ts";
import { decode, encode, encodeChunks, load, open, save } from "../../src/safetensors.ts";
import { saveNpz } from "../../src/npy.ts";
import { thrownBy } from "../helpers/thrown_by.ts";

/** Written by safetensors' own writer: see make.py beside it. */
const written = new Uint8Array(readFileSync("tests/fixtures/safetensors/every_dtype.safetensors"));

/** A source that counts the bytes read from it. */
function counted(bytes: Uint8Array): Source & { bytesRead: number; reads: number } {
  return {
    size: bytes.length,
    bytesRead: 0,
    reads: 0,
    read(offset: number, into: Uint8Array) {
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      this.bytesRead += part.length;
      this.reads++;
      return Promise.resolve(part.length);
    },
  };
}

describe("a safetensors file", () => {
  it("have names of at most maxNameBytes, in UTF-8", () => {
    for (const name of ["weights9", "größe"]) {
      const bytes = encode(new Map([[name, fromArray([1], "float32")]]));
      const size = new TextEncoder().encode(name).length;
      assert.deepEqual([...decode(bytes, { limits: { maxNameBytes: size } }).keys()], [name]);
      assert.throws(() => decode(bytes, { limits: { maxNameBytes: size - 1 } }), {
        code: "LIMIT",
        limit: "maxNameBytes",
      });
    }
  });

  it("from safetensors' own writer is read in every dtype, including bfloat16 and float8", () => {
    const tensors = decode(written);
    assert.equal(tensors.size, 19);
    assert.deepEqual([...tensors.metadata], [["format", "pd"]]);
    for (const dtype of DTYPES.filter((dtype) => dtype !== "complex128")) {
      const array = tensors.get(`a.${dtype}`)!;
      assert.equal(array.dtype, dtype);
      assert.deepEqual(array.shape, [2, 3]);
    }
    assert.deepEqual(tensors.get("a.bool")!.toArray(), [[true, false, true], [false, true, false]]);
    assert.equal(tensors.get('z/é😀～"\\\n\x7f\x01')!.at(), 1.5);
    assert.deepEqual(tensors.get("b.empty")!.shape, [0, 4]);
  });

  it("has no metadata when the header says null, as in safetensors itself", () => {
    const header = new TextEncoder().encode(
      '{"__metadata__":null,"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
    );
    const tensors = decode(Uint8Array.of(header.length, 0, 0, 0, 0, 0, 0, 0, ...header, 7));
    assert.equal(tensors.metadata.size, 0);
    assert.equal(tensors.get("w")!.at(0), 7);
  });

  it("is written with the bytes of safetensors' own writer, whatever the order of the tensors", () => {
    const tensors = decode(written);
    assert.deepEqual(encode(tensors), written);
    const turned = new Map([...tensors].reverse());
    assert.deepEqual(encode(turned, { metadata: { format: "pd" } }), written);
  });

  it("is written without copying a tensor, which has its own chunk", () => {
    const array = fromArray([1, 2, 3], "float32");
    const chunks = [...encodeChunks(new Map([["w", array]]))];
    assert.equal(chunks.length, 2);
    assert.equal(chunks[1], array.bytes);
  });

  it("is opened by its header, and read one tensor or some rows at a time", async () => {
    const big = NDArray.zeros([1000, 100], "float32");
    big.set(7, 500, 3);
    const bytes = encode(new Map([["big", big], ["small", fromArray([1, 2], "int8")]]));
    const source = counted(bytes);
    await using checkpoint = await open(source);
    assert.deepEqual(checkpoint.names(), ["big", "small"]);
    assert.deepEqual(checkpoint.info("big"), {
      dtype: "float32",
      shape: [1000, 100],
      offset: bytes.length - 400_002,
      nbytes: 400_000,
      kind: "NDArray",
    });
    assert.ok(source.bytesRead <= 65_536 && source.reads <= 2, `${source.bytesRead} bytes, ${source.reads} reads`);
    const before = source.bytesRead;
    const rows = await checkpoint.getSlice("big", [500, 501]);
    assert.equal(rows.at(0, 3), 7);
    assert.equal(source.bytesRead - before, 400);
  });

  it("with tensors of four or six bits is opened, and the others are read; load says how", async () => {
    const header =
      '{"q":{"dtype":"F4","shape":[4],"data_offsets":[0,2]},"w":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},' +
      '"s":{"dtype":"F8_E8M0","shape":[2],"data_offsets":[3,5]},"e":{"dtype":"F6_E2M3","shape":[0],"data_offsets":[5,5]}}';
    const bytes = Uint8Array.from(
      `${String.fromCharCode(header.length)}\0\0\0\0\0\0\0${header}12\x0745`,
      (c) => c.charCodeAt(0),
    );
    const refused = { code: "UNSUPPORTED_DTYPE", at: "q", actual: "F4", hint: /^open reads the other/ };
    assert.throws(() => decode(bytes), refused);
    for (const from of [bytes, new Blob([bytes]).stream()]) await assert.rejects(load(from), refused);
    const tensors = (from: Parameters<typeof open>[0]) => openAny(from, { safetensors: true });
    for (const opening of [open, openAny, tensors]) {
      for (const from of [bytes, new Blob([bytes]).stream()]) {
        await using file = await opening(from);
        assert.deepEqual([file.names(), (await file.get("w")).toArray()], [["w"], [7]]);
        assert.deepEqual(
          file.warnings.map(({ code, at }) => [code, at]),
          ["q", "s", "e"].map((at) => ["UNSUPPORTED_DTYPE", at]),
        );
        const value = await file.value() as Map<string, OpaqueArray>;
        assert.deepEqual([...value].map(([name, { dtype, shape }]) => [name, dtype, shape[0]]), [
          ["q", "F4", 4],
          ["w", "uint8", 1],
          ["s", "F8_E8M0", 2],
          ["e", "F6_E2M3", 0],
        ]);
        await assert.rejects(file.get("q"), refused);
        const folder = new MemoryFolder(), lacks = { name: "UnsupportedError", code: "UNSUPPORTED_DTYPE" };
        for (const write of [save, savePaddle, saveNpz]) await assert.rejects(write(file, "x", { folder }), lacks);
        assert.throws(() => pickled(value, { safetensors: true }), lacks);
        assert.deepEqual(await folder.list(), []);
      }
    }
    bytes[bytes.indexOf(0x34)] = 0x35;
    await assert.rejects(open(bytes), { code: "BAD_DTYPE" });
    bytes.set(new TextEncoder().encode('4","shape":[5]'), bytes.indexOf(0x35));
    await assert.rejects(open(bytes), { code: "SIZE_MISMATCH", at: "q" });
  });

  it("is recognized by the main open function", async () => {
    await using checkpoint = await openAny(written);
    assert.equal((await checkpoint.get("a.bfloat16")).dtype, "bfloat16");
  });

  it("is saved and loaded again, from a stream too", async () => {
    const folder = new MemoryFolder();
    const { bytes } = await save(decode(written), "a.safetensors", { folder });
    assert.equal(bytes, written.length);
    const again = await load("a.safetensors", { folder });
    assert.deepEqual(encode(again), written);
    const streamed = await load(new Blob([written]).stream());
    assert.deepEqual(encode(streamed), written);
  });

  it("is written and read by paddle.save and paddle.load with the safetensors option", async () => {
    const folder = new MemoryFolder();
    const state = new Map([["w", new Tensor("bfloat16", [2, 2])], ["b", new Tensor("float32", [2])]]);
    await savePaddle(state, "m.safetensors", { folder, safetensors: true });
    assert.deepEqual(pickled(state, { safetensors: true }), encode(state));
    const back = await loadPaddle("m.safetensors", { folder, safetensors: true }) as Map<string, unknown>;
    assert.deepEqual([...back.keys()], ["b", "w"]);
    for (const [name, tensor] of state) {
      assert.ok(back.get(name) instanceof Tensor && tensor.equals(back.get(name) as Tensor), name);
    }
    for (const other of [[new Tensor("float32", [2])], new Map<string, Value>([["w", new Map()]]), 1]) {
      assert.throws(() => pickled(other, { safetensors: true }), { code: "INVALID_VALUE" });
    }
  });

  it("is written from a checkpoint piece by piece, which stays unread", async () => {
    const ramp = (n: number) => new NDArray("float32", [n], Float32Array.from({ length: n }, (_, i) => i));
    const state = new Map([["a", ramp(2_000_000)], ["b", ramp(10)], ["c", ramp(1_500_000)]]);
    const source = counted(pickled(state));
    await using checkpoint = await openAny(source);
    const chunks: Uint8Array[] = [];
    const sink = { write: (chunk: Uint8Array) => void chunks.push(chunk.slice()), close() {}, abort() {} };
    await save(checkpoint, sink, { metadata: { format: "pd" } });
    assert.ok(chunks.every((chunk) => chunk.length <= 4 * 2 ** 20));
    const value = await checkpoint.value() as Map<string, NDArray>;
    assert.deepEqual([...value.values()].map((array) => array.isLoaded), [false, true, false]);
    const bytes = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
    assert.deepEqual(bytes, encode(state, { metadata: { format: "pd" } }));
    const folder = mkdtempSync(join(tmpdir(), "oarlock-safetensors-"));
    try {
      await save(checkpoint, join(folder, "m.safetensors"), { metadata: { format: "pd" } });
      assert.ok(readFileSync(join(folder, "m.safetensors")).equals(bytes));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is refused with the same code, EMPTY or TRUNCATED, in memory and from a stream, wherever it is cut", async () => {
    for (let n = 0; n < written.length; n++) {
      const part = written.slice(0, n);
      const expected = n === 0 ? "EMPTY" : "TRUNCATED";
      assert.equal(thrownBy(() => decode(part)).code, expected, `in memory, cut at ${n}`);
      const streamed = await load(new Blob([part]).stream()).then(() => "none", (error) => error.code);
      assert.equal(streamed, expected, `from a stream, cut at ${n}`);
    }
    assert.equal(thrownBy(() => decode(new Uint8Array([...written, 0]))).code, "TRAILING_DATA");
  });

  it("keeps its metadata when load reads it and save writes it again", async () => {
    const folder = new MemoryFolder();
    await save(new Map([["w", fromArray([1], "float32")]]), "a", { folder, metadata: { format: "pt" } });
    const opened = await openAny({ folder, name: "a" });
    for (const value of [await loadPaddle({ folder, name: "a" }), opened]) {
      await savePaddle(value, "b", { folder, safetensors: true });
      assert.deepEqual([...(await load({ folder, name: "b" })).metadata], [["format", "pt"]]);
    }
    const odd = await load({ folder, name: "b" });
    odd.metadata.set("epoch", 3 as never);
    assert.equal(thrownBy(() => pickled(odd, { safetensors: true })).code, "INVALID_VALUE");
  });

  it("is refused for values that it cannot hold, before anything is written", () => {
    const array = fromArray([1], "float32");
    assert.equal(thrownBy(() => encode(new Map([["__metadata__", array]]))).code, "INVALID_VALUE");
    assert.equal(thrownBy(() => encode(new Map([["w", fromArray([1], "complex128")]]))).code, "UNSUPPORTED_DTYPE");
    assert.equal(thrownBy(() => encode(new Map([["\ud800", array]]))).code, "LONE_SURROGATE");
    for (const metadata of [new Map([["\ud800", "a"]]), new Map([["a", "\ud800"]])]) {
      assert.equal(thrownBy(() => encode(new Map([["w", array]]), { metadata })).code, "LONE_SURROGATE");
    }
    assert.equal(thrownBy(() => encode(new Map([["w", 3]]))).code, "INVALID_VALUE");
    for (const metadata of ["pt", 5, [["a", "b"]]]) {
      assert.throws(() => encode(new Map([["w", array]]), { metadata: metadata as never }), {
        name: "TypeError",
        message: /^Option metadata must be a Map or an object of strings/,
      });
    }
  });
});
