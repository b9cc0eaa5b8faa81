import { describe, it } from "@std/testing/bdd";
import "../mod.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { inspect } from "node:util";
import { type DType, dtypeInfo, DTYPES } from "../src/dtype.ts";
import { isPaddleError } from "../src/errors.ts";
import { type ArrayInput, fromArray, full, NDArray, type NumericArray, type Scalar, zeros } from "../src/ndarray.ts";
import { maxDifference, statistics } from "../src/words/statistics.ts";
import { DenseTensor, Tensor } from "../src/tensor.ts";
import { ByteArray, Complex, Float } from "../src/values.ts";

type Row = [dtype: DType, view: string, values: Scalar[], put: Scalar, back: Scalar, bytesOfFirst: number[]];
const HALF = "Float16Array" in globalThis ? "Float16Array" : "Uint16Array";

// One row per dtype: the type of `data`, three values it holds, a value to set and how it reads back, the bytes of the first value.
const ROWS: Row[] = [
  ["bool", "Uint8Array", [true, false, true], 2.5, true, [1]],
  ["int8", "Int8Array", [-128, 0, 127], -1.9, -1, [0x80]],
  ["uint8", "Uint8Array", [255, 0, 1], 1.9, 1, [255]],
  ["int16", "Int16Array", [-32768, 0, 32767], 12n, 12, [0, 0x80]],
  ["uint16", "Uint16Array", [65535, 0, 1], true, 1, [255, 255]],
  ["int32", "Int32Array", [-2147483648, 0, 2147483647], -0.5, 0, [0, 0, 0, 0x80]],
  ["uint32", "Uint32Array", [4294967295, 0, 1], 7, 7, [255, 255, 255, 255]],
  ["int64", "BigInt64Array", [-(2n ** 63n), 0n, 2n ** 53n + 1n], -3.7, -3n, [0, 0, 0, 0, 0, 0, 0, 0x80]],
  ["uint64", "BigUint64Array", [2n ** 64n - 1n, 0n, 1n], 2n ** 63n, 2n ** 63n, [
    255,
    255,
    255,
    255,
    255,
    255,
    255,
    255,
  ]],
  ["float16", HALF, [1.5, -0.25, 65504], 0.1, 0.0999755859375, [0, 0x3e]],
  ["bfloat16", "Uint16Array", [1.5, -0.25, 2 ** 100], 0.1, 0.10009765625, [0xc0, 0x3f]],
  ["float8_e4m3fn", "Uint8Array", [1.5, -0.25, 448], 0.1, 0.1015625, [0x3c]],
  ["float8_e5m2", "Uint8Array", [1.5, -0.25, 57344], 0.1, 0.09375, [0x3e]],
  ["float32", "Float32Array", [1.5, -0.25, 2 ** 100], 0.1, Math.fround(0.1), [0, 0, 0xc0, 0x3f]],
  ["float64", "Float64Array", [1.5, -0.25, 1e300], 0.1, 0.1, [0, 0, 0, 0, 0, 0, 0xf8, 0x3f]],
  [
    "complex64",
    "Float32Array",
    [new Complex(1.5, -2), new Complex(0, 0), new Complex(0, 1)],
    3,
    new Complex(3, 0),
    [0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0],
  ],
  [
    "complex128",
    "Float64Array",
    [new Complex(1.5, -2), new Complex(0, 0), new Complex(0, 1)],
    new Complex(0.1, 0.2),
    new Complex(0.1, 0.2),
    [0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0],
  ],
];

function refused(code: string, run: () => unknown): void {
  assert.throws(run, (error) => isPaddleError(error) && error.code === code);
}

describe("an array from nested lists", () => {
  it("is refused at once when they contain themselves or unfold to too many elements", () => {
    const endless: unknown[] = [];
    endless.push(endless);
    let doubled: unknown[] = [1];
    for (let i = 0; i < 40; i++) doubled = [doubled, doubled];
    for (const [lists, code] of [[endless, "CYCLE"], [doubled, "INVALID_VALUE"]]) {
      assert.throws(() => fromArray(lists as unknown as number[]), { name: "ValueError", code });
    }
  });
});

describe("an array from elements of several kinds", () => {
  it("has a dtype that can hold all of them, whichever comes first", () => {
    const i = new Complex(0, 1);
    const lists: [ArrayInput, DType, unknown][] = [
      [[true, false], "bool", [true, false]],
      [[false, 0.5], "float32", [0, 0.5]],
      [[true, 3n], "int64", [1n, 3n]],
      [[1n, 2.5], "float32", [1, 2.5]],
      [[[2.5], [1n]], "float32", [[2.5], [1]]],
      [[1, i], "complex64", [new Complex(1, 0), i]],
      [[true, 2n, 3, i], "complex64", [1, 2, 3].map((re) => new Complex(re, 0)).concat(i)],
      [[[], []], "float32", [[], []]],
      [[Float32Array.of(0.5), BigInt64Array.of(2n)], "float32", [[0.5], [2]]],
      [[BigInt64Array.of(2n), Float32Array.of(0.5)], "float32", [[2], [0.5]]],
    ];
    for (const [list, dtype, elements] of lists) {
      const array = fromArray(list);
      assert.deepEqual([array.dtype, array.toArray()], [dtype, elements]);
    }
  });
});

describe("arrays of every dtype", () => {
  it("are all covered here", () => assert.deepEqual(ROWS.map((row) => row[0]).sort(), [...DTYPES].sort()));

  for (const [dtype, view, values, put, back, first] of ROWS) {
    it(`have elements that can be created, read, set, filled and listed: ${dtype}`, () => {
      const array = fromArray(values, dtype);
      assert.deepEqual([...array.bytes.subarray(0, first.length)], first);
      assert.deepEqual(array.toArray(), values);
      assert.deepEqual([array.at(0), array.at(-1)], [values[0], values[2]]);
      array.set(put, -2);
      assert.deepEqual(array.toArray(), [values[0], back, values[2]]);
      assert.deepEqual(array.clone().fill(put).toArray(), [back, back, back]);
      assert.deepEqual(full([2, 1], put, dtype).toArray(), [[back], [back]]);
      assert.deepEqual(full([], put, dtype).toArray(), back);
      assert.ok(zeros([3], dtype).bytes.every((b) => b === 0));
    });

    it(`have a ${view} over their bytes as data, even if these are unaligned: ${dtype}`, () => {
      const array = fromArray(values, dtype);
      assert.equal(array.data.constructor.name, view);
      assert.equal(array.data.buffer, array.bytes.buffer);
      const askew = new Uint8Array(array.nbytes + 1).subarray(1);
      askew.set(array.bytes);
      const other = new NDArray(dtype, [3], askew);
      assert.equal(other.data.byteLength, array.nbytes);
      other.set(put, 1);
      assert.equal(other.data.buffer, other.bytes.buffer);
      assert.deepEqual(other.toArray(), [values[0], back, values[2]]);
    });

    it(`can be cast to every other dtype and back: 1, 0 and 1 in ${dtype}`, () => {
      const array = fromArray([1, 0, 1], dtype);
      for (const other of DTYPES) {
        const there = array.astype(other);
        assert.equal(there.dtype, other);
        assert.ok(there.equals(fromArray([1, 0, 1], other)), other);
        assert.ok(there.astype(dtype).equals(array), `${other} and back`);
        assert.notEqual(there.bytes.buffer, array.bytes.buffer);
      }
      assert.deepEqual(array.toFloat32Array(), Float32Array.of(1, 0, 1));
    });

    it(`can be sliced, reshaped and copied: ${dtype}`, () => {
      const array = fromArray([values, values], dtype);
      assert.deepEqual(array.slice(1).toArray(), [values]);
      assert.equal(array.slice(1).bytes.buffer, array.bytes.buffer);
      assert.deepEqual(array.slice(-2, -1).reshape([-1]).toArray(), values);
      assert.deepEqual(array.reshape([3, -1]).shape, [3, 2]);
      assert.ok(array.clone().equals(array));
      assert.ok(!array.reshape([6]).equals(array));
    });
  }
});

describe("a view of an array", () => {
  it("shows what is set in either, wherever the bytes were in their buffer", () => {
    for (const dtype of DTYPES) {
      const { itemsize } = dtypeInfo(dtype);
      for (const offset of [0, 1, 2, 4]) {
        const base = new NDArray(dtype, [2, 2], new Uint8Array(offset + 4 * itemsize).subarray(offset));
        const row = base.slice(1, 2), list = base.reshape([4]);
        row.set(1, 0, 0);
        list.set(1, 3);
        base.set(1, 0, 1);
        const [zero, one] = [zeros([], dtype).at(), full([], 1, dtype).at()];
        assert.deepEqual(base.toArray(), [[zero, one], [one, one]], `${dtype} at ${offset}`);
        assert.deepEqual(
          [row.toArray(), list.toArray()],
          [[[one, one]], [zero, one, one, one]],
          `${dtype} at ${offset}`,
        );
      }
    }
  });
});

describe("an array of a typed array", () => {
  it("has its bits, whatever they are, and bytes of its own", () => {
    const bits = Uint8Array.of(1, 0, 0xa0, 0x7f, 1, 0, 0xa0, 0xff);
    const floats = new Float32Array(bits.buffer);
    for (const array of [fromArray(floats), fromArray(floats, "float32")]) assert.deepEqual(array.bytes, bits);
    const array = fromArray(floats);
    floats[0] = 1;
    assert.ok(Number.isNaN(array.at(0)));
    assert.deepEqual(fromArray(Uint8Array.of(0, 2), "bool").bytes, Uint8Array.of(0, 1));
  });

  it("has its dtype, also as a row of a matrix, unless the rows differ", () => {
    const whole = 2 ** 24 + 1;
    const matrix = fromArray([[Float64Array.of(0.1, whole)], [Float64Array.of(0, 1)]]);
    assert.deepEqual([matrix.dtype, matrix.shape, matrix.at(0, 0, 1)], ["float64", [2, 1, 2], whole]);
    assert.equal(fromArray([Int32Array.of(whole)]).at(0, 0), whole);
    assert.equal(fromArray([BigUint64Array.of(2n ** 63n), BigUint64Array.of(0n)]).at(0, 0), 2n ** 63n);
    for (const rows of [[Int32Array.of(1), Int8Array.of(2)], [Int32Array.of(1), [0.5]], [[0.5], Int32Array.of(1)]]) {
      assert.equal(fromArray(rows).dtype, "float32");
    }
    assert.equal(fromArray([Float64Array.of(1)], "int8").dtype, "int8");
  });
});

describe("casts between dtypes", () => {
  it("give the same for one bigint as for an array of int64", () => {
    // 2^36 + 1 is just above half of float32's step there, 2^52 half of bfloat16's.
    const number = 2n ** 60n + 2n ** 52n + 2n ** 36n + 1n;
    for (const dtype of ["float16", "bfloat16", "float8_e5m2", "float32"] as const) {
      const array = fromArray([number], "int64").astype(dtype);
      assert.deepEqual(fromArray([number], dtype).toArray(), array.toArray(), dtype);
    }
  });

  it("truncate floats toward zero, take the real part of complex, and map non-zero to true", () => {
    assert.deepEqual(fromArray([1.9, -1.9, -0.5], "float64").astype("int32").toArray(), [1, -1, 0]);
    assert.deepEqual(fromArray([NaN, Infinity, -Infinity, 2 ** 40], "float64").astype("int64").toArray(), [
      0n,
      0n,
      0n,
      2n ** 40n,
    ]);
    // The sign and the payload of NaNs, as numpy keeps them.
    const bits = BigUint64Array.of(0x3ff0000000000000n, 0n, 0x7ff8123400000000n, 0xfffc567800000001n);
    const narrow = new NDArray("float64", [4], new Uint8Array(bits.buffer)).astype("float16");
    assert.deepEqual([...new Uint16Array(narrow.bytes.buffer)], [0x3c00, 0, 0x7e04, 0xff15]);
    assert.deepEqual(fromArray([1.9, -1.9, 2 ** 62, -(2 ** 40) - 0.5], "float64").astype("int64").toArray(), [
      1n,
      -1n,
      2n ** 62n,
      -(2n ** 40n),
    ]);
    assert.deepEqual(fromArray([new Complex(2.5, 9), new Complex(0, 1)]).astype("int8").toArray(), [2, 0]);
    assert.deepEqual(fromArray([new Complex(0, 9), new Complex(0, 0)]).astype("bool").toArray(), [true, false]);
    assert.deepEqual(fromArray([NaN, 0.1, -0, 0], "float16").astype("bool").toArray(), [true, true, false, false]);
    assert.deepEqual(fromArray([-1, 300], "int32").astype("uint8").toArray(), [255, 44]);
    assert.deepEqual(fromArray([-1n, 2n ** 40n], "int64").astype("uint64").toArray(), [2n ** 64n - 1n, 2n ** 40n]);
  });

  it("keep the signs and payloads of NaNs to and from complex, as numpy does", () => {
    const rows = [
      ["float32", "complex64", "0056c4ff0001a07f", "0056c4ff000000000001a07f00000000"],
      ["float32", "complex128", "0056c4ff0001a07f", "00000000c08af8ff0000000000000000000000002000fc7f0000000000000000"],
      ["float64", "complex64", "010000007856fcff000000200100f47f", "c0b3e2ff000000000900e07f00000000"],
      [
        "float64",
        "complex128",
        "010000007856fcff000000200100f47f",
        "010000007856fcff0000000000000000000000200100f47f0000000000000000",
      ],
      ["float16", "complex64", "15ff017d", "00a0e2ff000000000020a07f00000000"],
      ["float16", "complex128", "047e15ff", "000000000010f87f0000000000000000000000000054fcff0000000000000000"],
      ["complex64", "float32", "0056c4ff0001a07f0001a07f0056c4ff", "0056c4ff0001a07f"],
      ["complex64", "float64", "0056c4ff0001a07f0001a07f0056c4ff", "00000000c08af8ff000000002000fc7f"],
      ["complex64", "float16", "0056c4ff0001a07f0001a07f0056c4ff", "22fe007d"],
      ["complex128", "float32", "010000007856fcff000000200100f47f000000200100f47f010000007856fcff", "c0b3e2ff0900e07f"],
      [
        "complex128",
        "float64",
        "010000007856fcff000000200100f47f000000200100f47f010000007856fcff",
        "010000007856fcff000000200100f47f",
      ],
      ["complex128", "float16", "010000007856fcff000000200100f47f000000200100f47f010000007856fcff", "15ff007d"],
    ] as const;
    for (const [from, to, given, expected] of rows) {
      assert.equal(
        Buffer.from(new NDArray(from, [2], Buffer.from(given, "hex")).astype(to).bytes).toString("hex"),
        expected,
        `${from} to ${to}`,
      );
    }
  });

  it("give the same for long arrays of any alignment as for short ones", () => {
    const numbers = Float64Array.from({ length: 20001 }, (_, i) => i - 10000.5);
    const ints = fromArray(numbers).slice(1).astype("int16");
    assert.deepEqual([ints.at(0), ints.at(9999), ints.at(-1)], [-9999, 0, 9999]);
  });
});

describe("an array refuses", () => {
  it("no negative zero as a length, but means 0 with it, as files have it", () => {
    for (const array of [zeros([-0, 2]), new NDArray("float32", [2, -0]), zeros([3, 2]).slice(-0, -0)]) {
      assert.ok(array.shape.every((length) => !Object.is(length, -0)), String(array.shape));
    }
  });

  it("invalid shapes, and bytes that do not fit them", () => {
    for (const shape of [[-1], [1.5], [NaN], [2 ** 53], [2 ** 30, 2 ** 30], [2 ** 52]]) {
      refused("INVALID_VALUE", () => new NDArray("float32", shape, new Uint8Array(4)));
    }
    refused("INVALID_VALUE", () => new NDArray("float32", [2], new Uint8Array(4)));
    refused("INVALID_VALUE", () => zeros([2 ** 48]));
    refused("INVALID_VALUE", () => zeros([2, 3]).reshape([4]));
    refused("INVALID_VALUE", () => zeros([2, 3]).reshape([-1, -1]));
    refused("INVALID_VALUE", () => zeros([0]).reshape([-1, 0]));
    refused("INVALID_VALUE", () => zeros([]).slice(0));
    refused("INVALID_VALUE", () => zeros([3]).slice(0.5));
    refused("INVALID_VALUE", () => zeros([2 ** 40, 0]).toArray());
  });

  it("indices that are out of range or of the wrong number", () => {
    const array = zeros([2, 3]);
    for (const index of [[2, 0], [-3, 0], [0], [0, 0, 0], [0.5, 0], [NaN, 0]]) {
      refused("INVALID_VALUE", () => array.at(...index));
      refused("INVALID_VALUE", () => array.set(1, ...index));
    }
  });

  it("values that do not fit the dtype", () => {
    refused("INVALID_VALUE", () => zeros([1], "int8").set(128, 0));
    refused("INVALID_VALUE", () => zeros([1], "uint8").set(-1, 0));
    refused("INVALID_VALUE", () => zeros([1], "int32").set(NaN, 0));
    refused("INVALID_VALUE", () => zeros([1], "uint64").set(-1n, 0));
    refused("INVALID_VALUE", () => zeros([1], "int64").set(2n ** 63n, 0));
    refused("PRECISION_LOSS", () => zeros([1], "int64").set(2 ** 53, 0));
    refused("INVALID_VALUE", () => zeros([1]).set("1" as unknown as number, 0));
    refused("INVALID_VALUE", () => zeros([1]).set(new Complex(1, 0), 0));
    refused("INVALID_VALUE", () => fromArray([[1, 2], [3]]));
    refused("INVALID_VALUE", () => fromArray([[1], 2]));
    refused("INVALID_VALUE", () => fromArray([1, [2]]));
  });

  it("to read a bool that is neither 0 nor 1, but keeps its byte", () => {
    const array = new NDArray("bool", [2], Uint8Array.of(1, 2));
    assert.equal(array.at(0), true);
    refused("BAD_NUMBER", () => array.at(1));
    refused("BAD_NUMBER", () => array.toArray());
    refused("BAD_NUMBER", () => array.astype("int8"));
    assert.deepEqual([...array.clone().bytes], [1, 2]);
  });
});

describe("arrays from lists", () => {
  it("take their dtype from the values", () => {
    assert.equal(fromArray([true]).dtype, "bool");
    assert.equal(fromArray([[1n]]).dtype, "int64");
    assert.equal(fromArray([new Complex(0, 1)]).dtype, "complex64");
    assert.equal(fromArray([new Float(1)]).at(0), 1);
    const typed: [NumericArray, DType][] = [[Int8Array.of(1), "int8"], [Float64Array.of(1), "float64"]];
    for (const [list, dtype] of typed) assert.equal(fromArray(list).dtype, dtype);
    assert.deepEqual(fromArray([Float32Array.of(1, 2), Float32Array.of(3, 4)]).toArray(), [[1, 2], [3, 4]]);
    for (const bytes of [Buffer.of(200), ByteArray.of(200)]) {
      for (const input of [bytes, [bytes]]) {
        const array = fromArray(input as ArrayInput);
        assert.deepEqual([array.dtype, array.toArray()], ["uint8", bytes === input ? [200] : [[200]]]);
      }
    }
    assert.deepEqual(fromArray(5).shape, []);
    assert.deepEqual(fromArray([[], []]).shape, [2, 0]);
    assert.deepEqual(zeros([2, 0, 3]).toArray(), [[], []]);
  });

  it("may be nested to any depth", () => {
    const deep = full(new Array(30000).fill(1), 7);
    let list: unknown = deep.toArray();
    let depth = 0;
    for (; Array.isArray(list); depth++) list = list[0];
    assert.deepEqual([list, depth], [7, 30000]);
    assert.equal(fromArray(deep.toArray()).shape.length, 30000);
  });
});

describe("tensors", () => {
  it("keep their class and attributes in views and copies", () => {
    const options = { name: "w", stopGradient: false, persistable: true };
    const tensor = new Tensor("float32", [2, 2], undefined, options);
    for (const made of [tensor.clone(), tensor.astype("float16"), tensor.reshape([4])]) {
      assert.ok(made instanceof Tensor);
      assert.deepEqual([made.name, made.stopGradient, made.persistable], ["w", false, true]);
    }
    const row = tensor.slice(0, 1);
    assert.ok(row instanceof Tensor && row.name === "");
    const lod = [[0, 1, 3]];
    const dense = new DenseTensor("int64", [3], undefined, { lod });
    lod[0][1] = 2;
    assert.deepEqual(dense.clone().lod, [[0, 1, 3]]);
    assert.deepEqual(dense.slice(1).lod, []);
    // deno-lint-ignore no-explicit-any
    assert.deepEqual(new DenseTensor("int64", [3], undefined, { lod: null } as any).lod, []);
    assert.ok(Tensor.zeros([1]) instanceof Tensor && DenseTensor.full([1], 2).at(0) === 2);
    assert.ok(Tensor.fromArray([1, 2], "bfloat16") instanceof Tensor);
  });

  it("have shapes of their own: the caller may change the list", () => {
    const shape = [2, 3];
    const arrays = [
      new NDArray("int8", shape),
      new Tensor("int8", shape, new Int8Array(6)),
      new DenseTensor("int8", shape),
    ];
    shape[0] = 7;
    for (const array of arrays) assert.deepEqual(array.shape, [2, 3]);
  });

  it("are created from arrays without a copy, with uint16 as bfloat16", async () => {
    const array = fromArray([0x3f80], "uint16");
    const tensor = Tensor.from(array, { name: "b" });
    assert.deepEqual([tensor.dtype, tensor.at(0), tensor.name], ["bfloat16", 1, "b"]);
    assert.equal(tensor.bytes, array.bytes);
    refused("UNSUPPORTED_DTYPE", () => Tensor.from(zeros([1], "uint32")));
    const lazy = new NDArray("int8", [1], { read: () => Promise.resolve(Uint8Array.of(5)) });
    const later = Tensor.from(lazy);
    assert.equal(later.isLoaded, false);
    refused("UNSUPPORTED_FEATURE", () => later.bytes);
    assert.equal((await later.load()).at(0), 5);
  });
});

describe("an unread array", () => {
  it("is read once and for all, even if several calls read it at the same time", async () => {
    const answers: ((bytes: Uint8Array) => void)[] = [];
    const array = new NDArray("int8", [1], { read: () => new Promise((resolve) => answers.push(resolve)) });
    const first = array.load(), second = array.load();
    answers[1](Uint8Array.of(5));
    await second;
    array.set(7, 0);
    answers[0](Uint8Array.of(5));
    await first;
    assert.deepEqual([array.at(0), array.data[0], array.bytes[0]], [7, 7, 7]);
  });
});

describe("statistics and maxDifference", () => {
  it("describe the values of an array of any real dtype", () => {
    for (const dtype of DTYPES) {
      if (dtype === "bool" || dtypeInfo(dtype).name.startsWith("complex")) continue;
      const { min, max, mean } = statistics(fromArray([1, 2, 3, 6], dtype));
      assert.deepEqual([min, max, mean], [1, 6, 3], dtype);
    }
    const odd = statistics(fromArray([NaN, 1, -Infinity]));
    assert.deepEqual(odd, { min: -Infinity, max: 1, mean: -Infinity, nanCount: 1, infCount: 1 });
    assert.ok(Number.isNaN(statistics(zeros([0])).mean));
  });

  it("measure how far 64-bit integers are apart exactly, beyond 2^53, too", () => {
    const big = 2n ** 63n - 1n;
    const far = (a: bigint, b: bigint, of: DType = "int64") =>
      maxDifference(fromArray([0n, a], "int64"), fromArray([0n, b], of));
    assert.deepEqual([far(big, big - 1n), far(big - 1n, big), far(big, big)], [1, 1, 0]);
    assert.deepEqual([far(-big, big), far(big, big + 3n, "uint64"), far(5n, 5n, "uint64")], [2 ** 64, 3, 0]);
    assert.equal(maxDifference(fromArray([7n], "int64"), fromArray([7.5], "float64")), 0.5);
  });

  it("measure how far two arrays are apart", () => {
    const a = full([40000], 1);
    const b = a.astype("float16");
    assert.equal(maxDifference(a, b), 0);
    b.set(1.5, -1);
    assert.equal(maxDifference(a, b), 0.5);
    b.set(NaN, 0);
    assert.ok(Number.isNaN(maxDifference(a, b)));
    refused("INVALID_VALUE", () => maxDifference(a, zeros([1])));
  });
});

describe("an array given to console.log", () => {
  it("is shown with its elements, if they are few and in memory", () => {
    const shown = (value: unknown) => inspect(value).replaceAll(/\s+/g, " ");
    const weight = Tensor.fromArray([[[[1]], [[2.5]]]], "float32");
    weight.name = "linear_0.w_0";
    const text = shown(new Map([["w", weight]]));
    for (const part of ["Tensor { dtype: ", "shape: [ 1, 2, 1, 1 ]", "linear_0.w_0", "[ 1 ]", "[ 2.5 ]"]) {
      assert.ok(text.includes(part), `${part}: ${text}`);
    }
    assert.match(shown(NDArray.zeros([2], "int64")), /NDArray \{ .*elements: \[ 0n, 0n \],? \}$/);
    assert.match(shown(NDArray.zeros([0, 4])), /elements: \[\],? \}$/);
    const unread = new NDArray("float32", [2], { read: () => Promise.reject(new Error("it is not read")) });
    for (const array of [NDArray.zeros([1001]), unread]) {
      assert.match(shown(array), /NDArray \{ .*nbytes: \d+,? \}$/);
    }
  });

  it("is shown without them if they cannot be listed: bools of other bytes, millions of empty lists, a buffer that is gone", () => {
    const bools = new NDArray("bool", [2], Uint8Array.of(1, 2)), many = NDArray.zeros([2 ** 24 + 1, 0]);
    const gone = NDArray.zeros([2]);
    structuredClone(gone.data.buffer, { transfer: [gone.data.buffer] });
    for (const array of [bools, many, gone]) assert.match(inspect(array), /^_?NDArray \{[^]*nbytes: \d+,?\s\}$/);
  });
});
