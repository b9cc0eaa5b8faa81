import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import {
  ByteArray,
  Complex,
  decode,
  DefaultDict,
  encode,
  FrozenSet,
  NDArray,
  type NumpyScalar,
  OpaqueArray,
  OrderedDict,
  PythonRecord,
  Range,
  toMap,
  toObject,
  Tuple,
} from "../src/pickle.ts";
import * as codec from "../src/codec.ts";
import { namedArrays } from "../src/model/named_arrays.ts";
import { decode as decodeForPaddle, encode as encodeForPaddle, fromArray, Tensor, type Value } from "../mod.ts";

describe("the pickle entry point", () => {
  it("gives the file's values without Paddle's conventions: the name table stays, arrays stay arrays", () => {
    const value = decode(readFileSync("tests/fixtures/real/paddle-2.6.2/load-places/state.pdparams")) as Map<
      string,
      unknown
    >;
    assert.ok(value.has("StructuredToParameterName@@"));
    for (const [key, item] of value) {
      if (key.endsWith("weight")) assert.ok(item instanceof NDArray && !(item instanceof Tensor));
    }
  });

  it("names the unit of dates that Python 2 wrote, and refuses one that is none", () => {
    const read = (unit: string) => {
      const dtype =
        `cnumpy\ndtype\nU\x02M8K\0K\x01\x87R(K\x04U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0}${unit}\x86tb`;
      const pickle = `\x80\x02cnumpy.core.multiarray\nscalar\n${dtype}U\x08\x03\0\0\0\0\0\0\0\x86R.`;
      return decode(Uint8Array.from(pickle, (c) => c.charCodeAt(0))) as NumpyScalar;
    };
    const scalar = read("(U\x01sK\x19K\x01K\x01t");
    assert.deepEqual([scalar.dtype, scalar.value], ["datetime64[25s]", 3]);
    for (const wrong of ["(U\x01s\x88K\x01K\x01t", "(K\x01K\x19K\x01K\x01t", "N"]) {
      assert.throws(() => read(wrong), { code: "FORBIDDEN_CALL" }, JSON.stringify(wrong));
    }
  });

  it("says so if an array of strings, dates or structures has another number of bytes than its shape needs", () => {
    for (const protocol of [2, 4]) {
      const bytes = encode(new OpaqueArray("|S1", [2, 2], Uint8Array.of(5, 6, 7, 8)), { protocol });
      const shape = [0x4b, 2, 0x4b, 2, 0x86];
      bytes[bytes.findIndex((_, i) => shape.every((byte, k) => bytes[i + k] === byte)) + 3] = 3;
      assert.throws(() => decode(bytes), { code: "SIZE_MISMATCH", expected: 6, actual: 4 });
    }
  });

  it("refuses an array of objects whose data are bytes, which would be addresses", () => {
    const bytes = encode(new OpaqueArray("|S8", [1], new Uint8Array(8)), { protocol: 4 });
    const code = [0x8c, 2, 0x53, 0x38];
    bytes[bytes.findIndex((_, i) => code.every((byte, k) => bytes[i + k] === byte)) + 2] = 0x4f;
    assert.throws(() => decode(bytes), { code: "FORBIDDEN_CALL" });
  });

  it("refuses an array of objects whose number is not that of its shape: numpy may crash on such a file", () => {
    const bytes = encode(new OpaqueArray("|O", [2, 2], new Uint8Array(0), [5, 6, 7, 8]), { protocol: 2 });
    const shape = [0x4b, 2, 0x4b, 2, 0x86];
    const at = bytes.findIndex((_, i) => shape.every((byte, k) => bytes[i + k] === byte));
    assert.deepEqual((decode(bytes) as OpaqueArray).items, [5, 6, 7, 8]);
    for (const wrong of [0, 1, 3]) {
      bytes[at + 1] = wrong;
      assert.throws(() => decode(bytes), { code: "SIZE_MISMATCH", expected: 2 * wrong, actual: 4 });
    }
  });

  it("reads an array without elements whose other lengths multiply beyond every number", () => {
    const bytes = encode(NDArray.zeros([0, 2]), { protocol: 2 });
    const shape = [0x4b, 0, 0x4b, 2, 0x86];
    const at = bytes.findIndex((_, i) => shape.every((byte, k) => bytes[i + k] === byte));
    const long = [0x8a, 7, 255, 255, 255, 255, 255, 255, 31];
    const lengths = [...new Array<number[]>(20).fill(long).flat(), 0x4b, 0];
    const array = decode(Uint8Array.of(...bytes.slice(0, at), 0x28, ...lengths, 0x74, ...bytes.slice(at + 5)));
    assert.deepEqual((array as NDArray).shape, [...new Array(20).fill(2 ** 53 - 1), 0]);
    assert.equal((array as NDArray).size, 0);
  });

  it("converts dicts with any keys to objects without prototype and back, but refuses colliding names", () => {
    const map = new Map<Value, Value>([["a", 1], ["__proto__", 2], ["constructor", 3]]);
    const object = toObject(map);
    assert.equal(Object.getPrototypeOf(object), null);
    assert.deepEqual(Object.keys(object), ["a", "__proto__", "constructor"]);
    assert.deepEqual(toMap(object), map);
    assert.deepEqual(
      toObject(new Map([[1, "one"], [null, "none"]])),
      Object.assign(Object.create(null), { 1: "one", null: "none" }),
    );
    for (const [a, b] of [[1, "1"], [null, "null"], [2n, 2]] as [Value, Value][]) {
      assert.throws(() => toObject(new Map([[a, 0], [b, 0]])), { code: "NAME_COLLISION", names: [String(a)] });
    }
  });

  it("gives complex numbers as keys names with the signs that Python prints", () => {
    for (
      const [re, im, text] of [[1, 2, "1+2j"], [1, -0, "1-0j"], [-0, -0, "-0-0j"], [-0, 1, "-0+1j"], [
        0,
        -2,
        "0-2j",
      ]] as const
    ) {
      assert.equal(String(new Complex(re, im)), text);
    }
  });

  it("writes any value and reads it back", () => {
    const value = new Map<unknown, unknown>([["a", Tuple.of<unknown>(1, "x", null)], [
      2,
      fromArray([[1, 2]], "int64"),
    ]]);
    for (const protocol of [2, 3, 4]) {
      const back = decode(encode(value, { protocol })) as Map<unknown, unknown>;
      assert.ok(back.get("a") instanceof Tuple);
      assert.ok((back.get(2) as NDArray).equals(value.get(2) as NDArray));
    }
    assert.throws(() => encode(value, { protocol: 5 }), { code: "INVALID_VALUE" });
    assert.throws(() => encode(value, { protocl: 2 } as object), TypeError);
  });
});

describe("values that pickles have and paddle.save refuses", () => {
  const VALUES: Record<string, unknown> = {
    bytes: Uint8Array.of(1, 200),
    "no bytes": new Uint8Array(0),
    "a bytearray": new ByteArray(new ArrayBuffer(3)),
    "a frozenset": new FrozenSet(["a", 1]),
    "a defaultdict": Object.assign(new DefaultDict<string, unknown>([["a", 1]]), { factory: "builtins.list" }),
    "a range": new Range(0, 10n ** 20n, 3),
  };
  for (const [name, value] of Object.entries(VALUES)) {
    it(`are written by the pickle entry point and read back: ${name}`, () => {
      for (const protocol of [2, 3, 4]) assert.deepEqual(decode(encode([value], { protocol })), [value]);
      assert.throws(() => encodeForPaddle([value]), { code: "INVALID_VALUE" });
    });

    it(`are saved inside the dicts of a state dict, into which Paddle does not look: ${name}`, () => {
      const state = new Map<string, unknown>([["w", new Tensor("float32", [1])], ["cfg", new Map([["v", [value]]])]]);
      for (const mode of ["dygraph", "static"] as const) {
        const again = decodeForPaddle(encodeForPaddle(state, { mode, protocol: 2 }), { mode }) as Map<string, unknown>;
        assert.deepEqual(again.get("cfg"), new Map([["v", [value]]]));
      }
      assert.throws(() => encodeForPaddle(new Map(state).set("epoch", 1)), { code: "INVALID_VALUE" });
    });
  }

  it("are saved as Paddle saves them: a defaultdict in place of a dict of a state dict, or as the state dict itself", () => {
    const tensor = new Tensor("float32", [1]);
    const counts = Object.assign(new DefaultDict<string, unknown>([["a", 1]]), { factory: "builtins.int" });
    const again = decodeForPaddle(encodeForPaddle(new Map<string, unknown>([["w", tensor], ["cfg", counts]])));
    assert.deepEqual((again as Map<string, unknown>).get("cfg"), counts);
    assert.deepEqual(encodeForPaddle(new DefaultDict([["w", tensor]])), encodeForPaddle(new Map([["w", tensor]])));
  });

  it("are written as the outermost dict, too, of whatever is in it", () => {
    const w = NDArray.zeros([2], "int8"), tensor = new Tensor("int8", [2]);
    for (const entries of [[], [["a", new Map()]], [["w", w]]] as [string, unknown][][]) {
      const ordered = new OrderedDict(entries), counts = new DefaultDict(entries);
      ordered.attributes = new Map([["_metadata", 1]]);
      counts.factory = "builtins.int";
      for (const dict of [ordered, counts]) assert.deepEqual(decode(encode(dict)), dict);
    }
    assert.deepEqual(encode(new OrderedDict([["w", tensor]])), encode(new OrderedDict([["w", w]])));
    const self = new Map<string, unknown>();
    const again = decode(encode(self.set("self", self))) as Map<string, unknown>;
    assert.equal(again.get("self"), again);
  });

  it("are refused when they are invalid: a factory that is no type, an unhashable key, a range with fractions or without steps", () => {
    const factory = (name: string) => Object.assign(new DefaultDict(), { factory: name });
    const factories = ["os.system", "list", "__builtin__.int", "builtins.long"].map(factory);
    for (const wrong of [...factories, new FrozenSet([[1]]), new Range(0.5, 1), new Range(0, 5, 0)]) {
      assert.throws(() => encode([wrong]), { code: "INVALID_VALUE", at: "[0]" });
    }
  });

  it("are read if they could be written: a key of bytes is below 4 KiB, not its form in protocol 2, which has two bytes for one", () => {
    for (const byte of [0x61, 0xff]) {
      const dict = new Map([[new Uint8Array(4095).fill(byte), 1]]);
      assert.deepEqual(decode(encode(dict, { protocol: 2 })), dict);
      const longer = new Map([[new Uint8Array(4096).fill(byte), 1]]);
      assert.throws(() => encode(longer, { protocol: 2 }), { code: "INVALID_VALUE" });
    }
  });
});

describe("bytes whose buffer was detached", () => {
  const detached = <T extends Uint8Array>(bytes: T): T => {
    structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
    return bytes;
  };
  const gone = { code: "INVALID_VALUE", message: /detached or resized/ };

  it("are refused by both entry points, as a value, a key or in a key, and never saved as empty", () => {
    const bytes = detached(new Uint8Array(8)), array = detached(new ByteArray(new ArrayBuffer(8)));
    for (const value of [bytes, array, new OpaqueArray("<M8[D]", [0], bytes)]) {
      assert.throws(() => encode(value), gone);
      assert.throws(() => encode([value]), gone);
    }
    for (const key of [bytes, Tuple.of(bytes), new FrozenSet([bytes])]) {
      assert.throws(() => encode(new Map([[key, 1]])), gone);
      assert.throws(() => encodeForPaddle(new Map([[key, 1]])), gone);
    }
    assert.throws(() => encodeForPaddle(new Map([["LR_Scheduler", new Map([["a", array]])]])), gone);
  });
});

describe("a value whose getter returns something else each time", () => {
  it("is refused by both entry points, whether it grows or shrinks", () => {
    for (const step of [10, -10]) {
      let length = 100;
      const value = {
        get text() {
          return "a".repeat(length += step);
        },
      };
      assert.throws(() => encode(value), { code: "SOURCE_CHANGED" });
      assert.throws(() => encodeForPaddle(value), { code: "SOURCE_CHANGED" });
    }
  });
});

describe("a dict under many keys", () => {
  it("is searched once when it is saved or its arrays are listed, not once for each key", () => {
    let searches = 0;
    const entries = Array.from({ length: 100 }, (_, i) => i);
    const shared = new Map(entries.map((i) => [i, i]));
    for (const name of ["values", "keys"] as const) {
      Object.defineProperty(shared, name, { value: () => (searches++, Map.prototype[name].call(shared)) });
    }
    const value = new Map(entries.map((i) => [`${i}`, shared]));
    encodeForPaddle(value);
    namedArrays(value);
    assert.ok(searches < 9, `${searches} searches`);
  });
});

describe("the state of a random generator", () => {
  it("is saved with all its fields, also if one is called state", () => {
    for (const more of [[], [["seed", 1]]] as [string, Value][][]) {
      const fields = new Map<string, Value>([["state", Tuple.of<Value>(1, 2)], ...more]);
      const record = new PythonRecord("paddle.base.libpaddle", "GeneratorState", fields);
      assert.deepEqual(decode(encode(record)), record);
    }
  });

  it("that a call makes is made by the same call in a saved file", () => {
    const text = "cpaddle.base.libpaddle\nGeneratorState\nq\0J\xff\xff\xff\xffK\x07K\0\x87q\x01Rq\x02.";
    const file = Uint8Array.from("\x80\x02" + text, (c) => c.charCodeAt(0));
    assert.deepEqual(encode(decode(file), { protocol: 2 }), file);
  });

  it("may be in its own arguments", () => {
    for (const items of [Tuple.of<Value>(1), [1]]) {
      const args = items instanceof Tuple ? items : Tuple.of<Value>(items);
      const record = new PythonRecord("paddle.base.libpaddle", "GeneratorState", new Map([["args", args]]));
      items.push(record);
      const back = decode(encode(record)) as PythonRecord;
      const [arg, own] = back.fields.get("args") as Tuple<unknown>;
      assert.equal(items === args ? own : (arg as unknown[])[1], back);
    }
  });
});

describe("a paddle.dtype", () => {
  // As Paddle 2.4 to 3.3 write {"d": paddle.float32}: its number in that Paddle's table, which the file does not name.
  const FILE = (protocol: number, number: number) => {
    const symbol = protocol < 4 ? "cpaddle\ndtype\n" : "\x8c\x06paddle\x94\x8c\x05dtype\x94\x93";
    return Uint8Array.from(
      `\x80${String.fromCharCode(protocol)}${symbol})\x81K${String.fromCharCode(number)}b.`,
      (c) => c.charCodeAt(0),
    );
  };

  it("is loaded as its number, and saved as what it was", () => {
    for (const protocol of [2, 4] as const) {
      const dtype = decode(FILE(protocol, 10));
      assert.deepEqual(dtype, new PythonRecord("paddle", "dtype", new Map([["value", 10]])));
      assert.deepEqual(decode(encode(new Map<string, unknown>([["d", dtype]]), { protocol })), new Map([["d", dtype]]));
    }
  });

  it("has no other state and no arguments, when read or saved", () => {
    const file = (text: string) => Uint8Array.from("\x80\x02cpaddle\ndtype\n" + text, (c) => c.charCodeAt(0));
    for (
      const text of [
        ")\x81]b.",
        ")\x81J\xff\xff\xff\xffb.",
        ")\x81}X\x05\0\0\0valueK\x05sb.",
        "K\x05\x85\x81.",
        "K\x05\x85R.",
      ]
    ) {
      assert.throws(() => decode(file(text)), { code: "FORBIDDEN_CALL" });
    }
    for (const fields of [[], [["value", -1]], [["value", 1.5]], [["other", 1]], [["value", 1], ["other", 1]]]) {
      const dtype = new PythonRecord("paddle", "dtype", new Map(fields as [string, number][]));
      assert.throws(() => encodeForPaddle(dtype), { code: "INVALID_VALUE" }, JSON.stringify(fields));
    }
  });
});

describe("the codec entry point", () => {
  it("decodes and encodes like the main entry point", () => {
    const state = new Map([["w", new Tensor("float32", [2], new Float32Array([1, 2]), { name: "w_0" })]]);
    assert.deepEqual(codec.encode(state), encodeForPaddle(state));
    assert.equal(codec.detectKind(codec.encode(state)), "pickle");
  });
});
