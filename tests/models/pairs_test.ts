import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { decode, NDArray, Tensor } from "../../mod.ts";

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
