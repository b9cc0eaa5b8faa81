import { Buffer } from "node:buffer";
import { describe, it } from "@std/testing/bdd";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decode, load, open } from "../../mod.ts";
import type { Cursor, Decoder } from "../../src/codec/cursor.ts";
import { driveBytes } from "../../src/codec/drive_bytes.ts";
import { detectKind, HEAD_BYTES } from "../../src/codec/detect_kind.ts";
import { type RawSelectedRows, type RawTensor, readBinaryTensorFile } from "../../src/codec/record/read_record.ts";
import {
  plainRecordHead,
  plainRecordHeadSize,
  recordSize,
  writeRecordChunks,
} from "../../src/codec/record/write_record.ts";
import { dtypeInfo, DTYPES } from "../../src/dtype.ts";
import { FormatError, LimitError } from "../../src/errors.ts";
import { Budget, DEFAULT_LIMITS } from "../../src/limits.ts";
import { NDArray } from "../../src/ndarray.ts";
import { DenseTensor } from "../../src/tensor.ts";
import { SelectedRows } from "../../src/values.ts";
import { thrownBy } from "../helpers/thrown_by.ts";
import { bytesOf } from "../../src/words/unread_bytes.ts";

const WINDOWS = [1, 7, Infinity];

const decoder = (cursor: Cursor): Decoder<RawTensor | RawSelectedRows> =>
  readBinaryTensorFile(cursor, { budget: new Budget(DEFAULT_LIMITS) });
const read = (bytes: Uint8Array, window = Infinity) => driveBytes(decoder, bytes, { window });
const readTensor = (bytes: Uint8Array, window = Infinity): RawTensor => {
  const raw = read(bytes, window);
  assert.ok("dtype" in raw);
  return raw;
};
const chunksOf = (value: NDArray | SelectedRows): Uint8Array[] => [...writeRecordChunks(value)].map(bytesOf);
const written = (value: NDArray | SelectedRows): Uint8Array => Uint8Array.from(Buffer.concat(chunksOf(value)));
const fixture = (name: string) => new Uint8Array(readFileSync(join("tests/fixtures/binary", name)));
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const patterned = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * 37 + 11) & 255);

/** float32 [2, 3] with the values 0 to 5, as shown in the description of the format. */
const RECORD = "00000000 0000000000000000 00000000 06000000 080510021003" +
  "00000000 0000803f 00000040 00004040 00008040 0000a040";

describe("binary tensors", () => {
  it("are read and written in every dtype, however the bytes arrive", () => {
    for (const dtype of DTYPES) {
      for (const shape of [[], [3], [2, 0, 4], [2, 3, 5]]) {
        const size = shape.reduce((a, b) => a * b, 1) * dtypeInfo(dtype).itemsize;
        const data = patterned(size);
        const array = new NDArray(dtype, shape, data);
        const bytes = written(array);
        assert.equal(recordSize(array), bytes.length);
        for (const window of WINDOWS) {
          const raw = readTensor(bytes, window);
          assert.deepEqual([raw.dtype, raw.shape, raw.lod], [dtype, shape, []]);
          assert.deepEqual(raw.data, data);
          assert.equal(raw.offset, bytes.length - size);
        }
      }
    }
  });

  it("are TRUNCATED when they are shorter than a LoD level claims, however large the claim", async () => {
    const tail = "00000000 06000000 080510021003";
    const sizes = ["0800000000000020", "0000000000010000", "0000004000000000", "4000000000000000"];
    for (const size of sizes) {
      const bytes = hex(`00000000 0100000000000000 ${size} ${tail}`);
      assert.deepEqual([thrownBy(() => readTensor(bytes)).code, thrownBy(() => readTensor(bytes)).offset], [
        "TRUNCATED",
        12,
      ]);
      // The end of a short stream is known from its first bytes; that of a longer one only once it is reached.
      const longer = [bytes, new Uint8Array(size.startsWith("40") ? 0 : 2 ** 20)];
      for (const parts of [[bytes], longer]) {
        await assert.rejects(load(new Blob(parts).stream()), { code: "TRUNCATED", offset: 12 }, size);
      }
    }
  });

  it("are refused in memory and from a stream when they are shorter than a list of rows claims", async () => {
    for (const count of [17n, 2n ** 20n, 2n ** 20n + 1n, 2n ** 53n, 2n ** 64n - 1n]) {
      const bytes = hex("00000000 0000000000000000 0100000000000000 0200000000000000 0500000000000000");
      new DataView(bytes.buffer).setBigUint64(4, count, true);
      // Without a tensor after that many rows, the count can only be one of LoD levels.
      const refused = { code: "LIMIT", offset: 4 };
      assert.throws(() => readTensor(bytes), refused, `${count} rows in memory`);
      await assert.rejects(load(new Blob([bytes]).stream()), refused, `${count} rows from a stream`);
    }
  });

  it("may have unknown fields and groups in their descriptions, as a later Paddle may write", () => {
    const withDesc = (desc: string) =>
      hex(
        `00000000 0000000000000000 00000000 ${(desc.length / 2).toString(16).padStart(2, "0")}000000 ${desc} 0000803f`,
      );
    for (
      const extra of [
        "1b1c",
        "1b20051c",
        "1b1b1c1c",
        "1b2b2a02ffff2c1c",
        "1801",
        "1d00000000",
        "1a03ffffff",
        "190000000000000000",
      ]
    ) {
      assert.deepEqual(readTensor(withDesc("08051001" + extra)).shape, [1], extra);
    }
    const CASES: [string, string, number][] = [
      ["1b2c", "BAD_WIRE", 25],
      ["1b", "BAD_VARINT", 25],
      ["1c", "BAD_WIRE", 24],
      ["1b0005", "BAD_WIRE", 25],
      ["1b".repeat(100) + "1c".repeat(100), "LIMIT", 24],
      ["0b0c", "BAD_WIRE", 24],
      ["1309", "BAD_WIRE", 24],
    ];
    for (const [extra, code, offset] of CASES) {
      const error = thrownBy(() => readTensor(withDesc("08051001" + extra)));
      assert.deepEqual([error.code, error.offset], [code, offset], extra);
    }
    assert.deepEqual(readTensor(withDesc("08051001" + "1b".repeat(99) + "1c".repeat(99))).shape, [1]);
  });

  it("match the bytes shown in the format's description", () => {
    const array = new NDArray("float32", [2, 3], Float32Array.of(0, 1, 2, 3, 4, 5));
    assert.deepEqual(written(array), hex(RECORD));
    assert.deepEqual(readTensor(hex(RECORD)).shape, [2, 3]);
  });

  it("from Paddle 3.3.1 are read and written back byte for byte", () => {
    for (const name of ["bfloat16", "dense", "int64", "lod", "lod.static", "tensor", "zero_d"]) {
      const bytes = fixture(name + ".bin");
      for (const window of WINDOWS) {
        const { dtype, shape, data, lod } = readTensor(bytes, window);
        assert.deepEqual(written(new DenseTensor(dtype, shape, data as Uint8Array, { lod })), bytes, name);
      }
    }
    assert.equal(readTensor(fixture("bfloat16.bin")).dtype, "bfloat16");
    assert.deepEqual(readTensor(fixture("zero_d.bin")).shape, []);
    assert.equal(readTensor(fixture("lod.bin")).lod.length, 1);
  });

  it("that are SelectedRows are recognized by their structure and written back byte for byte", () => {
    const bytes = fixture("rows.bin");
    for (const window of WINDOWS) {
      const raw = read(bytes, window);
      assert.ok("rows" in raw);
      assert.equal(raw.rows.length, raw.value.shape[0]);
      const value = new NDArray(raw.value.dtype, raw.value.shape, raw.value.data as Uint8Array);
      const rows = new SelectedRows(raw.rows, raw.height, value);
      assert.deepEqual(written(rows), bytes);
      assert.equal(recordSize(rows), bytes.length);
    }
  });

  it("that are SelectedRows may have millions of rows", () => {
    const count = 2 ** 20 + 1;
    const rows = Array.from({ length: count }, (_, i) => 2 ** 33 + count - i);
    const bytes = written(new SelectedRows(rows, 2 ** 34, new NDArray("int8", [count, 1])));
    const raw = read(bytes, 2 ** 16);
    assert.ok("rows" in raw);
    assert.deepEqual([raw.rows.length, raw.rows[0], raw.rows[count - 1]], [count, rows[0], rows[count - 1]]);
    assert.equal(raw.height, 2 ** 34);
    assert.equal(detectKind(bytes.subarray(0, HEAD_BYTES), bytes.length), "selected_rows");
  });

  it("are not written with LoD, row numbers or a height that no reader accepts", () => {
    const lods = [[[0, 2, 1]], [[1, 3]], [[-1, 3]], [[0, 0.5]], [[0, NaN]], [[0, 3], [0, 2 ** 53]], [[0, "3"]], [0, 3]];
    lods.push([, [0]] as number[][], 5 as never);
    for (const lod of lods) {
      const value = new DenseTensor("float32", [3], undefined, { lod: lod as number[][] });
      for (const use of [written, recordSize]) {
        assert.throws(() => use(value), { code: "INVALID_VALUE", message: /LoD/ }, JSON.stringify(lod));
      }
    }
    const matrix = new NDArray("float32", [2, 1]);
    for (
      const [rows, height] of [
        [[0, 5], 5],
        [[-1, 0], 2],
        [[0, 0.5], 2],
        [[0, 1], -1],
        [[0, 1], 2.5],
        [[0, ,], 2],
        ["01", 2],
        [null, 2],
        [[0, 1], Symbol()],
      ] as const
    ) {
      const value = new SelectedRows(rows as never, height as never, matrix);
      for (const use of [written, recordSize]) assert.throws(() => use(value), { code: "INVALID_VALUE" }, String(rows));
    }
    const whole = [[], [[]], [[0]], [[0, 0, 3], [0, 3]]];
    for (const lod of whole) assert.ok(written(new DenseTensor("float32", [3], undefined, { lod })).length > 12);
  });

  it("that are large are read and written without a copy", () => {
    const array = new NDArray("uint8", [5000], patterned(5000));
    const chunks = chunksOf(array);
    assert.equal(chunks[1].buffer, array.bytes.buffer);
    const bytes = written(array);
    for (const window of WINDOWS) {
      const { data } = readTensor(bytes, window);
      assert.ok(data instanceof Uint8Array);
      assert.equal(data.buffer, bytes.buffer);
      assert.deepEqual(data, array.bytes);
    }
  });

  it("are refused with an offset when they are cut anywhere", () => {
    for (const name of ["tensor.bin", "lod.bin", "rows.bin"]) {
      const bytes = fixture(name);
      for (let n = 0; n < bytes.length; n++) {
        for (const window of WINDOWS) {
          const error = thrownBy(() => read(bytes.slice(0, n), window));
          assert.ok(error instanceof FormatError || error instanceof LimitError, `${name} ${n}: ${error}`);
          if (name === "tensor.bin") assert.equal(error.code, "TRUNCATED", `${name} ${n}`);
          assert.ok(error.offset !== undefined && error.offset <= n, `${name} ${n}: ${error.offset}`);
        }
      }
    }
  });

  it("have no LoD in a slice, and none that the caller can change in the file", async () => {
    const file = await open(written(new DenseTensor("int8", [3], undefined, { lod: [[0, 1, 3]] })), { mode: "static" });
    const [name] = file.names();
    (await file.get(name) as DenseTensor).lod[0][1] = 2;
    const slices = await Promise.all([[0, 2], [0, 3]].map((range) => file.getSlice(name, range as [number, number])));
    assert.deepEqual(slices.map((slice) => (slice as DenseTensor).lod), [[], [[0, 1, 3]]]);
    await file.close();
  });

  it("are refused with an offset when bytes follow them", () => {
    for (const window of WINDOWS) {
      const error = thrownBy(() => read(hex(RECORD + "00"), window));
      assert.deepEqual([error.code, error.offset], ["TRAILING_DATA", 50]);
    }
  });

  it("may have description fields in any order, packed, or unknown", () => {
    const record = (desc: string) =>
      hex(`${"00".repeat(16)} ${(desc.length / 2).toString(16).padStart(2, "0")}000000 ${desc} ${"00".repeat(24)}`);
    for (
      const desc of ["100210030805", "080512020203", "08051002100378 01", "0863080510021003", "08858000108200 1003"]
    ) {
      const { dtype, shape } = readTensor(record(desc.replaceAll(" ", "")));
      assert.deepEqual([dtype, shape], ["float32", [2, 3]], desc);
    }
  });

  it("are refused with a specific code and offset when their headers are invalid", () => {
    const cases: [string, string, number][] = [
      ["01000000", "BAD_VERSION", 0],
      ["00000000 1100000000000000", "LIMIT", 4],
      ["00000000 0100000000000000 0700000000000000 00000000000000", "BAD_LENGTH", 12],
      ["00000000 0100000000000000 1000000000000000 0100000000000000 0200000000000000", "BAD_FIELD", 12],
      ["00000000 0000000000000000 01000000", "BAD_VERSION", 12],
      ["00000000 0000000000000000 00000000 ffffffff", "BAD_LENGTH", 16],
      ["00000000 0000000000000000 00000000 02000000 1002", "BAD_FIELD", 20],
      ["00000000 0000000000000000 00000000 02000000 0863", "UNSUPPORTED_DTYPE", 20],
      ["00000000 0000000000000000 00000000 0d000000 0805 10ffffffffffffffffff01", "BAD_SHAPE", 22],
      ["00000000 0000000000000000 00000000 0d000000 0805 10ffffffffffffffffff02", "BAD_VARINT", 23],
      ["00000000 0000000000000000 00000000 05000000 0805 120180", "BAD_VARINT", 24],
      ["00000000 0000000000000000 00000000 06000000 0805 1201 8001", "BAD_VARINT", 22],
      ["00000000 0000000000000000 00000000 08000000 0805 10ffffffff0f", "TRUNCATED", 28],
      [`00000000 0100000000000000 0000000000000010 0500000000000000 ${RECORD.slice(26)}`, "BAD_NUMBER", 4],
    ];
    for (const [text, code, offset] of cases) {
      for (const window of WINDOWS) {
        const error = thrownBy(() => read(hex(text), window));
        assert.deepEqual([error.code, error.offset], [code, offset], text);
      }
    }
  });

  it("are not written when SelectedRows have more row numbers than rows", () => {
    const rows = new SelectedRows([0, 1, 2], 5, new NDArray("float32", [2, 1]));
    assert.equal(thrownBy(() => recordSize(rows)).code, "INVALID_VALUE");
  });

  it("have heads whose size is known without writing them", () => {
    for (const dtype of DTYPES.filter((name) => dtypeInfo(name).varType !== undefined)) {
      for (const shape of [[], [0], [1, 127], [128], [3, 16_383, 16_384], [2 ** 31, 1], [2 ** 40]]) {
        assert.equal(plainRecordHeadSize(dtype, shape), plainRecordHead(dtype, shape).length, `${dtype} [${shape}]`);
      }
    }
  });
});

describe("a tensor whose LoD has a single offset, 0", () => {
  it("is not mistaken for SelectedRows, though it begins like one", () => {
    for (const lod of [[[0]], [[0], []], [[], [], [0]]]) {
      for (const shape of [[0], [2], [0, 3]]) {
        const file = written(new DenseTensor("float32", shape, undefined, { lod }));
        assert.equal(detectKind(file, file.length), "record");
        const tensor = decode(file, { mode: "static" });
        assert.ok(tensor instanceof DenseTensor);
        assert.deepEqual([tensor.lod, tensor.shape], [lod, shape]);
      }
    }
  });
});
