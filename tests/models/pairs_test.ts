import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { decode, encode, fromArray, NDArray, NumpyScalar, open, Tensor, type Value, type Warning } from "../../mod.ts";

/** `pickle.dumps((numpy.str_("w"), numpy.arange(2, dtype="float32")))` of Python 3.11 with numpy 1.26, by protocol. */
const PAIRS: Record<number, string> = {
  2: "8002636e756d70792e636f72652e6d756c746961727261790a7363616c61720a7100636e756d70790a64747970650a7101580200000055317102898887710352" +
    "7104284b0358010000003c71054e4e4e4b044b044b0874710662635f636f646563730a656e636f64650a7107580400000077000000710858060000006c617469" +
    "6e31710986710a52710b86710c52710d636e756d70792e636f72652e6d756c746961727261790a5f7265636f6e7374727563740a710e636e756d70790a6e6461" +
    "727261790a710f4b00857110680758010000006271116809867112527113877114527115284b014b028571166801580200000066347117898887711852711928" +
    "4b0368054e4e4e4affffffff4affffffff4b0074711a628968075809000000000000000000c2803f711b680986711c52711d74711e6286711f2e",
  4: "800495c8000000000000008c156e756d70792e636f72652e6d756c74696172726179948c067363616c61729493948c056e756d7079948c0564747970659493948c" +
    "02553194898887945294284b038c013c944e4e4e4b044b044b08749462430477000000948694529468008c0c5f7265636f6e73747275637494939468038c076e" +
    "6461727261799493944b0085944301629487945294284b014b02859468058c02663494898887945294284b0368094e4e4e4affffffff4affffffff4b00749462" +
    "894308000000000000803f9474946286942e",
};

describe("a tuple of a numpy.str_ and an array", () => {
  for (const [protocol, hex] of Object.entries(PAIRS)) {
    const bytes = Uint8Array.from(hex.match(/../g)!, (pair) => parseInt(pair, 16));
    it(`is a Tensor with that name, since a numpy.str_ is a Python str (protocol ${protocol})`, () => {
      const tensor = decode(bytes);
      assert.ok(tensor instanceof Tensor);
      assert.equal(tensor.name, "w");
      assert.deepEqual(tensor.toArray(), [0, 1]);
      const array = decode(bytes, { returnNumpy: true });
      assert.ok(array instanceof NDArray && !(array instanceof Tensor));
    });
  }
});

describe("an array that a pickle has in several places of a state dict", () => {
  const array = fromArray([1, 2, 3], "float32");
  const state = new Map<string, Value>([
    ["a", array],
    ["b", array],
    ["other", new Map([["c", array]])],
    ["StructuredToParameterName@@", new Map([["a", "fc_0.w_0"], ["b", "fc_1.w_0"]])],
  ]);

  it("becomes a Tensor with its own name and bytes under each key of the name table, and stays an array elsewhere", () => {
    for (const copy of [false, true]) {
      const { a, b, other } = Object.fromEntries(decode(encode(state), { copy }) as Map<string, Value>);
      assert.ok(a instanceof Tensor && b instanceof Tensor && other instanceof Map);
      assert.deepEqual([a.name, b.name], ["fc_0.w_0", "fc_1.w_0"]);
      a.set(7, 0);
      b.set(8, 0);
      const c = other.get("c");
      assert.ok(c instanceof NDArray && !(c instanceof Tensor));
      assert.deepEqual([a.toArray(), b.toArray(), c.toArray()], [[7, 2, 3], [8, 2, 3], [1, 2, 3]]);
    }
  });

  it("becomes a Tensor if the key of the name table equals its key in Python, as True equals 1", () => {
    for (
      const [key, named] of [[1, true], [false, 0], [2, new NumpyScalar("int64", 2n)], [new NumpyScalar("int8", 3), 3]]
    ) {
      const table = new Map<unknown, string>([[named, "p"]]);
      const file = encode(new Map<unknown, Value>([[key, array], ["StructuredToParameterName@@", table]]));
      const [[back, tensor]] = decode(file) as Map<unknown, unknown>;
      assert.deepEqual([typeof back, (tensor as Tensor).name], [typeof key, "p"]);
    }
  });

  it("has the right values in each if the file is big-endian", () => {
    const bytes = encode(state);
    const order = bytes.indexOf(0x3c, bytes.indexOf(0x64, 60));
    assert.deepEqual([...bytes.subarray(order - 2, order + 1)], [0x8c, 1, 0x3c]);
    bytes[order] = 0x3e;
    const data = bytes.indexOf(0x43, order) + 2;
    bytes.subarray(data, data + 12).reverse();
    for (const copy of [false, true]) {
      const found = decode(bytes, { copy }) as Map<string, Value>;
      const arrays = [found.get("a"), found.get("b"), (found.get("other") as Map<string, Value>).get("c")];
      assert.deepEqual(arrays.map((array) => (array as NDArray).toArray()), [[3, 2, 1], [3, 2, 1], [3, 2, 1]]);
    }
  });

  it("is one array everywhere if it is to stay one, as in Paddle", () => {
    const back = decode(encode(state), { returnNumpy: true }) as Map<string, Value>;
    assert.equal(back.get("a"), back.get("b"));
  });

  it("can be read under each key of an opened file", async () => {
    const file = await open(encode(state));
    assert.deepEqual(file.names(), ["a", "b", "other.c"]);
    for (const name of file.names()) assert.deepEqual((await file.get(name)).toArray(), [1, 2, 3]);
    assert.equal((await file.get("b") as Tensor).name, "fc_1.w_0");
  });
});

describe("the name table of a state dict", () => {
  const decoded = (table: unknown, onWarning?: (warning: Warning) => void) =>
    decode(encode(new Map<string, unknown>([["epoch", 3], ["StructuredToParameterName@@", table]])), { onWarning });

  it("may name what is no array, and is reported if it names what is not there", () => {
    const warnings: Warning[] = [];
    decoded(new Map([["epoch", "e"], ["absent", "a"]]), (warning) => warnings.push(warning));
    assert.deepEqual(warnings.map(({ message }) => /"[^"]*"/.exec(message)![0]), ['"absent"']);
  });

  it("is refused if it is no dict, or holds a name that is no string", () => {
    for (const table of [["epoch"], new Map([["epoch", 3]])]) {
      assert.throws(() => decoded(table), { code: "BAD_FIELD", at: '["StructuredToParameterName@@"]' });
    }
  });
});
