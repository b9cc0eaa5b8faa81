import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Buffer } from "node:buffer";
import { describe, it } from "@std/testing/bdd";
import {
  ByteArray,
  Complex,
  decode,
  DefaultDict,
  DenseTensor,
  DTypeValue,
  encode,
  Float,
  fromArray,
  FrozenSet,
  NDArray,
  NumpyScalar,
  OpaqueArray,
  OrderedDict,
  Range,
  SelectedRows,
  Slice,
  Tensor,
  Tuple,
} from "../../mod.ts";
import { driveBytes } from "../../src/codec/drive_bytes.ts";
import { readPickle } from "../../src/codec/pickle/read_pickle.ts";
import { sizeOfPickle, writePickle, type WritePickleOptions } from "../../src/codec/pickle/write/write_pickle.ts";
import { fromPickleInSteps } from "../../src/model/from_pickle.ts";
import { BIG_PARAMS, NAME_TABLE } from "../../src/model/keys.ts";
import { shapeForSave } from "../../src/model/to_pickle.ts";
import { withoutLayersInSteps } from "../../src/model/without_layers.ts";
import { atOnce } from "../../src/words/steps.ts";
import { NO_NUMPY_2, PYTHON } from "../helpers/python.ts";
import { thrownBy } from "../helpers/thrown_by.ts";

const PROTOCOLS = [2, 3, 4] as const;

function pickle(value: unknown, options: WritePickleOptions): Uint8Array {
  const bytes = Buffer.concat([...writePickle(value, options)]);
  assert.equal(sizeOfPickle(value, options), bytes.length, "the announced size");
  return bytes;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const weight = (): Tensor => new Tensor("float32", [2, 3], Float32Array.of(0, 1, 2, 3, 4, 5), { name: "linear_0.w_0" });

// FORMATS.md 3.7: what CPython 3.11 and numpy 2 write.
const STATE_P4 =
  "800495e2000000000000007d94288c06776569676874948c166e756d70792e5f636f72652e6d756c74696172726179948c0c5f7265636f6e7374727563749493948c056e756d7079948c076e6461727261799493944b0085944301629487945294284b014b024b03869468058c0564747970659493948c02663494898887945294284b038c013c944e4e4e4affffffff4affffffff4b00749462894318000000000000803f0000004000004040000080400000a040947494628c1b53747275637475726564546f506172616d657465724e616d654040947d9468018c0c6c696e6561725f302e775f309473752e";
const STATE_P2 =
  "80027d71002858060000007765696768747101636e756d70792e5f636f72652e6d756c746961727261790a5f7265636f6e7374727563740a7102636e756d70790a6e6461727261790a71034b00857104635f636f646563730a656e636f64650a7105580100000062710658060000006c6174696e31710786710852710987710a52710b284b014b024b0386710c636e756d70790a64747970650a710d58020000006634710e898887710f527110284b0358010000003c71114e4e4e4affffffff4affffffff4b0074711262896805581b000000000000000000c2803f00000040000040400000c280400000c2a0407113680786711452711574711662581b00000053747275637475726564546f506172616d657465724e616d65404071177d71186801580c0000006c696e6561725f302e775f30711973752e";
const TENSOR_P4 =
  "800495cd000000000000008c086275696c74696e73948c057475706c659493948c0c6c696e6561725f302e775f30948c166e756d70792e5f636f72652e6d756c74696172726179948c0c5f7265636f6e7374727563749493948c056e756d7079948c076e6461727261799493944b0085944301629487945294284b014b024b03869468078c0564747970659493948c02663494898887945294284b038c013c944e4e4e4affffffff4affffffff4b00749462894318000000000000803f0000004000004040000080400000a040947494628694859452942e";

describe("writePickle, compared with CPython's bytes", () => {
  it("writes a state dict as paddle.save does, at protocols 4 and 2", () => {
    for (const [protocol, expected] of [[4, STATE_P4], [2, STATE_P2]] as const) {
      const { value } = shapeForSave(new Map([["weight", weight()]]), { protocol });
      assert.equal(hex(pickle(value, { protocol, numpy: 2 })), expected);
    }
  });

  it("leaves each chunk unchanged until the chunk after the next is requested, even if small arrays follow", () => {
    const filled = (length: number, byte: number) => new NDArray("uint8", [length], new Uint8Array(length).fill(byte));
    const lengths = [2 ** 20, 10, 20_000, 2 ** 20 + 30, 10, 3 * 2 ** 20, 10, 2 ** 20];
    const value = new Map(lengths.map((length, i) => [`w${i}`, filled(length, 0x60 + i)]));
    const whole = encode(value, { protocol: 2 });
    let given: Uint8Array | null = null, copy = new Uint8Array(0), at = 0;
    for (const chunk of writePickle(value, { protocol: 2, reuse: true })) {
      if (given) assert.ok(Buffer.compare(given, copy) === 0, `the chunk before byte ${at} was changed`);
      given = chunk;
      copy = chunk.slice();
      assert.ok(Buffer.compare(copy, whole.subarray(at, at + copy.length)) === 0, `byte ${at}`);
      at += copy.length;
    }
    assert.equal(at, whole.length);
  });

  it("refers to a key that is a name, too, only if CPython has one object for both, as for é but not for 中", () => {
    // The end of what Paddle 3.3.1 writes for these two parameters: the name table.
    const end = "7d942868018c03e4b8ad946816681675752e";
    const named = (name: string) => new Tensor("float32", [1], undefined, { name });
    const { value } = shapeForSave(new Map([["中", named("中")], ["é", named("é")]]), { protocol: 4 });
    const written = hex(pickle(value, { protocol: 4 }));
    assert.equal(written.slice(-end.length), end);
  });

  it("writes a single Tensor as its name and array", () => {
    assert.equal(hex(pickle(weight(), { protocol: 4, numpy: 2 })), TENSOR_P4);
  });

  it("names numpy 1 by default", () => {
    const text = Buffer.from(pickle(weight(), { protocol: 4 })).toString("latin1");
    assert.ok(text.includes("numpy.core.multiarray") && !text.includes("numpy._core"));
  });
});

// ---- CPython

/** Loads a pickle and dumps it again with the same protocol, which gives the same bytes if CPython would have written them. */
const AGAIN = `
import pickle, struct, sys
data = sys.stdin.buffer.read()
out, at = [], 0
while at < len(data):
    n, = struct.unpack_from("<Q", data, at); at += 8
    text = data[at:at+n]; at += n
    value = pickle.loads(text)
    out.append(pickle.dumps(value, text[1]))
sys.stdout.buffer.write(b"".join(struct.pack("<Q", len(x)) + x for x in out))
`;
/** repr() of each value; arrays as dtype, shape and bytes. */
const SHOW = `
import json, pickle, struct, sys, numpy
def show(v):
    if isinstance(v, numpy.ndarray): return "array(%s, %s, %s)" % (v.dtype.str, v.shape, v.tobytes().hex())
    if isinstance(v, numpy.generic): return "scalar(%s, %s)" % (v.dtype.str, v.tobytes().hex())
    if type(v) is tuple: return "(" + "".join(show(x) + "," for x in v) + ")"
    if type(v) is list: return "[" + "".join(show(x) + "," for x in v) + "]"
    if isinstance(v, dict): return type(v).__name__ + "{" + "".join(show(k) + ":" + show(x) + "," for k, x in v.items()) + "}"
    if isinstance(v, (set, frozenset)): return type(v).__name__ + "{" + "".join(sorted(show(x) + "," for x in v)) + "}"
    return ascii(v)
data = sys.stdin.buffer.read()
out, at = [], 0
while at < len(data):
    n, = struct.unpack_from("<Q", data, at); at += 8
    out.append(show(pickle.loads(data[at:at+n]))); at += n
sys.stdout.write(json.dumps(out))
`;

function python(script: string, pickles: Uint8Array[]): Buffer {
  const input = Buffer.concat(pickles.flatMap((bytes) => {
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length), true);
    return [length, bytes];
  }));
  const { stdout, stderr, status } = spawnSync(PYTHON, ["-c", script], { input, maxBuffer: 2 ** 28 });
  assert.equal(status, 0, String(stderr));
  return stdout;
}

/** Each pickle after a round trip through CPython. */
const dumpsOfLoads = (pickles: Uint8Array[]): Uint8Array[] => framesOf(python(AGAIN, pickles), pickles.length);

/** The `count` pickles that a script wrote. */
function framesOf(answer: Buffer, count: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at < answer.length;) {
    const length = Number(answer.readBigUInt64LE(at));
    out.push(answer.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  assert.equal(out.length, count, "pickles from Python");
  return out;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const shared = [1, "shared"];
const selfList: unknown[] = [1];
selfList.push(selfList, "after");
const selfDict = new Map<unknown, unknown>([["a", 1]]);
selfDict.set("self", selfDict);
const selfTuples = [1, 2, 3, 4].map((n) => {
  const list: unknown[] = [], tuple = Tuple.from<unknown>(range(n).map(() => list));
  list.push(tuple);
  return tuple;
});
const array = fromArray([[1, 2], [3, 4]], "float32");

const VALUES: [string, unknown][] = [
  ["None", null],
  ["bool", [true, false]],
  ["text", [
    "",
    "a",
    "aa",
    "aa",
    "é",
    "é",
    "日本",
    "日本",
    "😀",
    "😀",
    "\ud800",
    "x\udfffy",
    "x".repeat(255),
    "y".repeat(256),
  ]],
  ["names", [63, 64, 65].flatMap((n) => ["n".repeat(n), "n".repeat(n - 1) + "é", "é" + "n".repeat(n)])],
  ["many names and floats", range(10_000).map((i) => i % 2 ? `layer_${i}.w_0` : i / 3)],
  ["long text", ["z".repeat(65_535), "z".repeat(65_536), "é".repeat(40_000)]],
  ["ints", [0, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, -1, -128, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53 - 1]],
  ["bigints", [1n, -1n, 2n ** 31n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, -(2n ** 2039n), 2n ** 3000n]],
  ["floats", [new Float(1), 0.5, -0, NaN, Infinity, -Infinity, 5e-324, 1e300, 2 ** 60]],
  ["complex", [new Complex(1, -2), new Complex(0.5, 0)]],
  ["lists", [[], [1], range(999), range(1000), range(1001), range(2000), range(2001)]],
  ["tuples", [
    Tuple.of(),
    Tuple.of(1),
    Tuple.of(1, 2),
    Tuple.of(1, 2, 3),
    Tuple.of(1, 2, 3, 4),
    Tuple.from(range(1500)),
  ]],
  ["dicts", [0, 1, 2, 999, 1000, 1001, 2000, 2001].map((n) => new Map(range(n).map((i) => [`k${i}`, i])))],
  ["OrderedDicts", [0, 1, 2, 999, 1000, 1001, 2001].map((n) => new OrderedDict(range(n).map((i) => [`k${i}`, i])))],
  ["sets", [0, 1, 2, 999, 1000, 1001, 2000].map((n) => new Set(range(n)))],
  ["frozensets", [1, 2, 1000, 1001].map((n) => new FrozenSet(range(n)))],
  [
    "mixed keys",
    new Map<unknown, unknown>(
      [[1, "int"], ["1", "str"], [null, 0], [Tuple.of<unknown>(1, "a"), 2]],
    ),
  ],
  ["plain object", { a: 1, b: { c: [] } }],
  ["shared", [shared, shared, { again: shared }]],
  ["many objects", range(400).map((i) => [`name ${i}`, `name ${i % 7}`])],
  ["self list", selfList],
  ["self dict", selfDict],
  ["self tuples", selfTuples],
  ["bytes", [0, 1, 2, 255, 256, 65_535, 65_536, 70_000].map((n) => Uint8Array.from(range(n)))],
  [
    "shared bytes",
    (() => {
      const b = Uint8Array.of(1, 200, 3);
      return [b, b, Uint8Array.of(98), Uint8Array.of(98)];
    })(),
  ],
  ["bytearray", [ByteArray.of(), ByteArray.of(1), ByteArray.of(1, 200, 255), ByteArray.from(range(70_000))]],
  ["slice and range", [new Slice(1, null), new Slice(null, 5, 2), new Range(0, 10), new Range(5, 0, -1)]],
  ["dtypes", [new DTypeValue("float32", false), new DTypeValue("int8", false), new DTypeValue("float32", false)]],
  ["array", array],
  ["arrays", [array, fromArray([1, 2, 3], "float32"), array, fromArray([1n], "int64"), fromArray([true, false])]],
  ["array shapes", [
    new NDArray("float64", []),
    new NDArray("float32", [0]),
    new NDArray("int8", [1]),
    new NDArray("int16", [1, 1, 1, 1, 3]),
  ]],
  ["big arrays", [new NDArray("float32", [20_000]), new NDArray("uint8", [65_536]), new NDArray("uint8", [65_535]), 1]],
  ["numpy scalars", [new NumpyScalar("float32", 0.5), new NumpyScalar("int64", 7n), new NumpyScalar("bool", true)]],
  ["frames", range(9000).map((i) => `text ${i}`)],
  ["state dict of many", new Map(range(1500).map((i) => [`layer.${i}`, new NDArray("float32", [3])]))],
];

describe("writePickle, read by CPython", () => {
  for (const [name, value] of VALUES) {
    it(`${name}: CPython dumps what it loaded to the same bytes`, { skip: NO_NUMPY_2 }, () => {
      const pickles = PROTOCOLS.map((protocol) => pickle(value, { protocol, numpy: 2 }));
      dumpsOfLoads(pickles).forEach((again, i) => {
        if (Buffer.compare(again, pickles[i]) === 0) return;
        let at = 0;
        while (again[at] === pickles[i][at]) at++;
        const part = (bytes: Uint8Array) => hex(bytes.subarray(Math.max(0, at - 24), at + 24));
        assert.fail(`protocol ${PROTOCOLS[i]}, byte ${at}: ${part(pickles[i])} should be ${part(again)}`);
      });
    });
  }

  it("gives Python the same random values", { skip: NO_NUMPY_2 }, () => {
    const random = generator(7);
    const values = range(300).map(() => randomValue(random, 4));
    for (const protocol of PROTOCOLS) {
      const shown: string[] = JSON.parse(
        String(python(SHOW, values.map((v) => pickle(v.value, { protocol, numpy: 2 })))),
      );
      assert.deepEqual(shown, values.map((v) => v.shown));
    }
  });
});

/** Pseudorandom numbers below n, the same in every run. */
function generator(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * n);
  };
}

/** A value, and how the Python script shows it. */
function randomValue(random: (n: number) => number, depth: number): { value: unknown; shown: string } {
  const children = () => range(random(5)).map(() => randomValue(random, depth - 1));
  switch (random(depth > 0 ? 12 : 7)) {
    case 0:
      return { value: null, shown: "None" };
    case 1:
      return random(2) ? { value: true, shown: "True" } : { value: false, shown: "False" };
    case 2: {
      const value = (random(2 ** 31) - 2 ** 30) * (random(3) ? 1 : 2 ** 20);
      return { value, shown: String(value) };
    }
    case 3: {
      const value = BigInt(random(2 ** 32)) ** BigInt(random(40)) * (random(2) ? 1n : -1n);
      return { value, shown: String(value) };
    }
    case 4: {
      const value = (random(2 ** 20) - 2 ** 19) / 8 + 0.125 / 2;
      return { value, shown: String(value) };
    }
    case 5: {
      const value = "abcdefgh".slice(random(4), 4 + random(5));
      return { value, shown: `'${value}'` };
    }
    case 6: {
      const bytes = Uint8Array.from(range(4 * random(4)), () => random(256));
      const value = new NDArray("int32", [bytes.length / 4], bytes);
      return { value, shown: `array(<i4, (${bytes.length / 4},), ${hex(bytes)})` };
    }
    case 7: {
      const items = children();
      return { value: items.map((x) => x.value), shown: `[${items.map((x) => x.shown + ",").join("")}]` };
    }
    case 8: {
      const items = children();
      return { value: Tuple.from(items, (x) => x.value), shown: `(${items.map((x) => x.shown + ",").join("")})` };
    }
    case 9: {
      const members = [...new Set(range(random(6)).map(() => random(100)))];
      const shown = members.map((x) => `${x},`).sort().join("");
      return random(2)
        ? { value: new Set(members), shown: `set{${shown}}` }
        : { value: new FrozenSet(members), shown: `frozenset{${shown}}` };
    }
    default: {
      const items = children().map((x, i) => ({ ...x, key: `k${i}` }));
      const isOrdered = random(2) === 1;
      const entries = items.map((x): [string, unknown] => [x.key, x.value]);
      const shown = items.map((x) => `'${x.key}':${x.shown},`).join("");
      return {
        value: isOrdered ? new OrderedDict(entries) : new Map(entries),
        shown: `${isOrdered ? "OrderedDict" : "dict"}{${shown}}`,
      };
    }
  }
}

/** Arrays and scalars of types that tensors cannot have, as pickles that CPython would write again. */
const OPAQUE = `
import pickle, struct, sys, numpy as np
v = [np.array(["a", "bc"]), np.array([b"abc"]), np.array(["2020-01-01"], "M8[D]"), np.zeros((2, 3), "m8[25s]"), np.zeros(2, "M8"),
     np.array([1, "x", None, 2.0, np.zeros(2, "f4")], object), np.zeros(2, "V8"), np.zeros(1, [("a", "f4"), ("b", "i8")]),
     np.zeros(2, [("a", ">f4", (2,))]), np.zeros(2, "f16"), np.array(["q"], ">U1"), np.array(5, object), np.str_("abc"), np.str_(""),
     np.datetime64("2020"), np.timedelta64(5, "ms"), np.bytes_(b"ab\\0c"), np.dtype("M8[D]"), np.dtype("U5"), np.dtype("O"), np.dtype(">f4"), np.dtype(">i8"), np.dtype("f4")]
v.append(np.array([v[0], v[0], 1], dtype=object))
out = []
for p in (2, 3, 4):
    out.append(pickle.dumps(pickle.loads(pickle.dumps(v, p)), p))
sys.stdout.buffer.write(b"".join(struct.pack("<Q", len(x)) + x for x in out))
`;

describe("arrays of text, dates, structures and objects", () => {
  it("are read and written back byte for byte", { skip: NO_NUMPY_2 }, () => {
    framesOf(python(OPAQUE, []), PROTOCOLS.length).forEach((bytes, i) => {
      const again = encode(decode(bytes, { returnNumpy: true }), { protocol: PROTOCOLS[i], numpy: 2 });
      assert.equal(hex(again), hex(bytes), `protocol ${PROTOCOLS[i]}`);
    });
  });

  it("are given as public values, never as the reader's internal objects", { skip: NO_NUMPY_2 }, () => {
    const values = decode(framesOf(python(OPAQUE, []), PROTOCOLS.length)[2], { returnNumpy: true }) as unknown[];
    const objects = values[5] as OpaqueArray;
    assert.ok(objects.items![4] instanceof NDArray);
    const nested = values.at(-1) as OpaqueArray;
    assert.ok(nested.items![0] instanceof OpaqueArray && nested.items![0] === nested.items![1]);
    assert.equal(nested.items![0], values[0]);
  });

  it("with one element are the strings that numpy gives, NULs inside them included", { skip: NO_NUMPY_2 }, () => {
    const script = `
import json, numpy, pickle, struct, sys
texts = ["ab", "a\\0b", "\\0a", "\\0", "", "\\ud800x", "\\U0001f600"]
made = [x for t in texts for x in (numpy.str_(t), numpy.str_(t).astype(">U%d" % max(len(t), 1)))]
out = [pickle.dumps(x, p) for x in made for p in (2, 4)]
out.append(json.dumps([str(pickle.loads(x)) for x in out]).encode())
sys.stdout.buffer.write(b"".join(struct.pack("<Q", len(x)) + x for x in out))
`;
    // Seven texts in both byte orders, by two protocols; then what Python makes of them.
    const frames = framesOf(python(script, []), 7 * 2 * 2 + 1);
    const expected = JSON.parse(new TextDecoder().decode(frames.pop()));
    assert.deepEqual(frames.map((bytes) => (decode(bytes, { returnNumpy: true }) as NumpyScalar).value), expected);
    const bad = Uint8Array.from(frames[1], (byte, i) => byte === 0x62 && frames[1][i + 1] === 0 ? 0x11 : byte);
    bad.copyWithin(bad.indexOf(0x11) + 2, bad.indexOf(0x11), bad.indexOf(0x11) + 1);
    assert.throws(() => decode(bad), { code: "BAD_TEXT" });
  });

  it("are written under numpy's dtype names when the caller created them", { skip: NO_NUMPY_2 }, () => {
    const text = Uint8Array.of(0x61, 0, 0, 0, 0x62, 0, 0, 0);
    const made: [unknown, string][] = [
      [new OpaqueArray("<U2", [1], text), `array(<U2, (1,), ${hex(text)})`],
      [new OpaqueArray("|S3", [1], Uint8Array.of(1, 2, 3)), "array(|S3, (1,), 010203)"],
      [new OpaqueArray("<M8[25s]", [1], new Uint8Array(8)), `array(<M8[25s], (1,), ${"00".repeat(8)})`],
      [new OpaqueArray("float128", [], new Uint8Array(16)), `array(<f16, (), ${"00".repeat(16)})`],
      [new NumpyScalar("str64", "ab"), `scalar(<U2, ${hex(text)})`],
      [new NumpyScalar("datetime64[D]", 1n), "scalar(<M8[D], 0100000000000000)"],
      [new NumpyScalar("bytes24", Uint8Array.of(7, 8, 9)), "scalar(|S3, 070809)"],
    ];
    for (const protocol of PROTOCOLS) {
      const pickles = made.map(([value]) => pickle(shapeForSave(value, { protocol }).value, { protocol, numpy: 2 }));
      assert.deepEqual(JSON.parse(String(python(SHOW, pickles))), made.map(([, shown]) => shown));
    }
  });
});

// ---- what cannot be saved, and odd cases

describe("shapeForSave", () => {
  it("says where the value is that cannot be saved", () => {
    const things = [
      new OpaqueArray("|O", [2], new Uint8Array(0), [1]),
      new OpaqueArray("<U1", [2], new Uint8Array(4)),
      new OpaqueArray("whatever", [1], new Uint8Array(4)),
      new DefaultDict(),
      new Date(0),
      new WeakMap(),
      () => 1,
      Symbol("s"),
      undefined,
      new (class Config extends Map {})(),
      new (class Stack extends Array {})(),
      new (class Pair extends Tuple {})(),
      new Slice(1, () => 1),
      new Slice(0.5, null),
    ];
    for (const thing of things) {
      const error = thrownBy(() => shapeForSave(new Map([["a", [1, thing]]]), { protocol: 4 }));
      assert.equal(error.code, "INVALID_VALUE");
      assert.equal(error.at, '["a"][1]');
    }
  });

  it("points to the binary format for SelectedRows", () => {
    const rows = new SelectedRows([0], 3, new NDArray("float32", [1, 2]));
    const error = thrownBy(() => shapeForSave(new Map([["r", rows]]), { protocol: 4 }));
    assert.equal(error.code, "INVALID_VALUE");
    assert.match(error.message, /useBinaryFormat/);
  });

  it("refuses, before the first byte, what could otherwise only fail during writing", () => {
    for (
      const thing of [
        new NumpyScalar("datetime64[D]", 2n ** 63n),
        new NumpyScalar("datetime64[D]", "today"),
        new NumpyScalar("str32", "too long"),
        new NumpyScalar("int8", 1000),
        new NumpyScalar("bfloat16", 1.5),
        new NumpyScalar("float8_e4m3fn", 1.5),
        new DTypeValue("bfloat16", false),
        new DTypeValue("float", false),
        new DTypeValue("<M8[D]", true),
        new DTypeValue("float8_e5m2", true),
        new Slice(1, new Date(0)),
        new Map([[Tuple.of(new Date(0)), 1]]),
        new Map<unknown, unknown>([[new Date(0), 1]]),
        new Set([new Date(0)]),
        new Map([[new Uint8Array(4096), 1]]),
        new Set([Tuple.of<unknown>(new Uint8Array(5000))]),
      ]
    ) {
      const error = thrownBy(() => shapeForSave([thing], { protocol: 4 }));
      assert.equal(error.code, "INVALID_VALUE", String(thing));
      assert.match(error.at ?? "", /^\[0\]/, String(thing));
    }
  });

  it("warns of an empty dict and of float8", () => {
    assert.deepEqual(shapeForSave(new Map(), { protocol: 4 }).warnings.map((w) => w.code), ["EMPTY_DICT"]);
    const float8 = new Tensor("float8_e4m3fn", [2], Uint8Array.of(1, 2));
    const { value, warnings } = shapeForSave(new Map([["w", float8]]), { protocol: 4 });
    assert.deepEqual(warnings.map((w) => w.code), ["FLOAT8_AS_INT8"]);
    assert.ok(hex(pickle(value, { protocol: 4 })).includes("8c026931"), "dtype i1");
  });

  it("puts the name table last, and omits it for DenseTensors", () => {
    const dygraph = shapeForSave(new Map([["w", weight()]]), { protocol: 4 }).value as Map<string, unknown>;
    assert.deepEqual([...dygraph.keys()], ["w", NAME_TABLE]);
    const dense = new DenseTensor("float32", [1]);
    const fixed = shapeForSave(new Map([["w", dense]]), { protocol: 4 }).value as Map<string, unknown>;
    assert.deepEqual([...fixed.keys()], ["w"]);
  });

  it("omits the name table for DenseTensors beside the state of a scheduler, too: they are tensors again when read", () => {
    const file = new Uint8Array(readFileSync("tests/fixtures/real/paddle-1.8.5/dygraph_v1/adam_cosine.pdopt"));
    const state = decode(file, { mode: "static" }) as Map<string, unknown>;
    const back = decode(encode(state), { mode: "static" }) as Map<string, unknown>;
    assert.deepEqual(
      [...back].map(([key, value]) => [key, value?.constructor]),
      [...state].map(([key, value]) => [key, value?.constructor]),
    );
  });

  it("splits arrays that are too large for protocols 2 and 3, and reading joins them", () => {
    const big = new Tensor("int16", [3, 3], Int16Array.from(range(9)), { name: "b" });
    for (const protocol of [2, 3]) {
      const { value } = shapeForSave(new Map([["big", big], ["w", weight()]]), { protocol, maxArrayBytes: 9 });
      const keys = [...(value as Map<string, unknown>).keys()];
      const slices = ["big@@.0", "big@@.1", "big@@.2"];
      assert.deepEqual(keys, [NAME_TABLE, ...slices, "w@@.0", "w@@.1", "w@@.2", BIG_PARAMS]);
      const read = driveBytes((cursor) => readPickle(cursor), pickle(value, { protocol }));
      const back = atOnce(fromPickleInSteps(read, { borrowed: true })) as Map<string, Tensor>;
      assert.ok(back.get("big")!.equals(big) && back.get("big")!.name === "b");
      assert.ok(back.get("w")!.equals(weight()));
    }
    const whole = shapeForSave(new Map([["big", big]]), { protocol: 4, maxArrayBytes: 9 }).value;
    assert.deepEqual([...(whole as Map<string, unknown>).keys()], ["big", NAME_TABLE]);
  });

  it("splits such an array under any key: one that was a float is a float again", () => {
    const big = new Tensor("int16", [9], Int16Array.from(range(9)), { name: "b" });
    const floats = decode(Uint8Array.from("\x80\x02}(G?\xf0\0\0\0\0\0\0K\x05K\x02K\x06u.", (c) => c.charCodeAt(0)));
    const tuple = Tuple.of<unknown>(1, "a");
    const state = (floats as Map<unknown, unknown>).set(1, big).set(2, big).set(tuple, big);
    const { value } = shapeForSave(state, { protocol: 2, maxArrayBytes: 9 });
    const read = driveBytes((cursor) => readPickle(cursor), pickle(value, { protocol: 2 }));
    const back = atOnce(fromPickleInSteps(read, { borrowed: true }));
    assert.deepEqual([...(back as Map<unknown, unknown>).keys()], [1, 2, tuple]);
    const again = pickle(shapeForSave(back, { protocol: 4 }).value, { protocol: 4 });
    assert.equal(hex(again), hex(pickle(shapeForSave(state, { protocol: 4 }).value, { protocol: 4 })));
  });

  it("saves a layer as its state dict", () => {
    const layer = { stateDict: () => new Map([["w", weight()]]) };
    const inside = shapeForSave(new Map<string, unknown>([["model", layer], ["epoch", 1]]), { protocol: 4 }).value;
    const plain = shapeForSave(new Map<string, unknown>([["model", layer.stateDict()], ["epoch", 1]]), { protocol: 4 });
    assert.equal(hex(pickle(inside, { protocol: 4 })), hex(pickle(plain.value, { protocol: 4 })));
  });
});

describe("saving a Layer among other containers", () => {
  it("keeps the types and attributes of those containers", () => {
    const layer = { stateDict: () => new Map([["w", weight()]]) };
    const counts = new DefaultDict<string, unknown>([["a", new Float(1)]]);
    counts.factory = "builtins.int";
    const ordered = new OrderedDict<string, unknown>([["o", Tuple.of(1, 2)]]);
    ordered.attributes = new Map([["_metadata", 1]]);
    const copy = atOnce(withoutLayersInSteps(
      new Map<string, unknown>([["counts", counts], ["layer", layer], ["again", layer], ["ordered", ordered]]),
    )) as Map<string, unknown>;
    const [a, b] = [copy.get("counts") as DefaultDict, copy.get("ordered") as OrderedDict];
    assert.ok(a instanceof DefaultDict && a.factory === "builtins.int" && (a.get("a") as Float).value === 1);
    assert.ok(b instanceof OrderedDict && b.attributes === ordered.attributes && b.get("o") instanceof Tuple);
    assert.equal(copy.get("layer"), copy.get("again"), "one layer, one dict");
  });
});

describe("encode", () => {
  it("refuses protocols other than 2, 3 and 4", () => {
    for (const protocol of [0, 1, 5, 2.5, NaN]) {
      assert.equal(thrownBy(() => encode(1, { protocol })).code, "INVALID_VALUE", String(protocol));
    }
  });
});

describe("the string b, used by arrays at protocol 2 and by the caller", () => {
  it("stays a string in tuples and keys", () => {
    const value = [fromArray([1], "float32"), Tuple.of("a", "b"), new Map<unknown, unknown>([[Tuple.of("b"), "b"]])];
    const back = decode(encode(value, { protocol: 2 }), { returnNumpy: true }) as unknown[];
    assert.deepEqual(back[1], Tuple.of("a", "b"));
    assert.deepEqual([...back[2] as Map<unknown, unknown>], [[Tuple.of("b"), "b"]]);
  });
});

describe("a numpy scalar that is no number", () => {
  const NANS = {
    f2: [[0x01, 0x7c], [0xff, 0xff]],
    f4: [[1, 0, 0xa0, 0x7f], [0, 0, 0xc0, 0xff]],
    f8: [[1, 0, 0, 0, 0, 0, 0xf0, 0x7f], [0, 0, 0, 0, 0, 0, 0xf8, 0xff]],
    c8: [[1, 0, 0xa0, 0x7f, 0, 0, 0x80, 0x3f], [0, 0, 0, 0, 1, 0, 0xa0, 0xff]],
  };
  it("keeps its bits through load and save", () => {
    for (const [code, all] of Object.entries(NANS)) {
      for (const bits of all) {
        const text = `cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02${code}\x89\x88\x87RC`;
        const file = Uint8Array.from(`\x80\x04${text}`, (char) => char.charCodeAt(0));
        const scalar = decode(Uint8Array.from([...file, bits.length, ...bits, 0x86, 0x52, 0x2e]));
        assert.ok(scalar instanceof NumpyScalar);
        assert.ok(Buffer.from(encode(scalar)).includes(Buffer.from([0x43, bits.length, ...bits])), `${code} ${bits}`);
      }
    }
  });
});

describe("a Node Buffer", () => {
  it("is read like any bytes, at any alignment", () => {
    const array = fromArray([1, 2, 3], "float32");
    const bytes = encode(array);
    for (let offset = 0; offset < 4; offset++) {
      const buffer = Buffer.alloc(bytes.length + offset).subarray(offset);
      buffer.set(bytes);
      const tensor = decode(buffer) as Tensor;
      assert.deepEqual(tensor.toArray(), [1, 2, 3]);
      assert.deepEqual(Array.from(tensor.data as Float32Array), [1, 2, 3]);
    }
  });

  it("under an array is copied by clone()", () => {
    const array = new NDArray("uint8", [2], Buffer.from([1, 2]));
    array.clone().fill(9);
    assert.deepEqual(array.toArray(), [1, 2]);
  });

  it("of big-endian numbers is not changed by decoding", () => {
    // numpy.array([1.0], ">f4"), minimal
    const text = encode(fromArray([1], "float32"));
    const at = Buffer.from(text).indexOf(Buffer.from([0x8c, 1, 0x3c]));
    const buffer = Buffer.from(text);
    buffer[at + 2] = 0x3e;
    const before = hex(buffer);
    const swapped = decode(buffer) as Tensor;
    assert.equal(hex(buffer), before);
    assert.equal(hex(swapped.bytes), "3f800000");
  });
});

describe("chunks of a pickle", () => {
  it("are the tensor's own bytes when it is large", () => {
    const large = new NDArray("uint8", [100_000]);
    for (const protocol of [3, 4] as const) {
      assert.ok([...writePickle(large, { protocol })].some((chunk) => chunk.buffer === large.bytes.buffer));
    }
  });

  it("are pieces of encoded text at protocol 2, never the whole of it", () => {
    const large = new NDArray("uint8", [5 * 2 ** 20]).fill(200);
    assert.ok([...writePickle(large, { protocol: 2 })].every((chunk) => chunk.length <= 2 * 2 ** 20));
    assert.equal(sizeOfPickle(large, { protocol: 2 }), pickle(large, { protocol: 2 }).length);
  });
});

describe("deeply nested values", () => {
  it("are written without overflowing the call stack", () => {
    let deep: unknown = [];
    for (let i = 0; i < 100_000; i++) deep = [deep];
    assert.equal(pickle(shapeForSave(deep, { protocol: 3 }).value, { protocol: 3 }).at(-1), 0x2e);
  });
});
