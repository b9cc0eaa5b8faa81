import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import * as paddle from "../../mod.ts";
import { PickledObject, Tuple } from "../../mod.ts";

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** The object that the file holds, as text: `symbol args state items`. */
async function objectIn(pickle: string): Promise<PickledObject> {
  const { value } = await paddle.audit(latin1(pickle), { unknown: "opaque" });
  assert.ok(value instanceof PickledObject);
  return value;
}

const parts = ({ symbol, args, state, items }: PickledObject) => [symbol, args, state, items];

const HALF = "G\x3f\xe0\0\0\0\0\0\0";

describe("audit with { unknown: 'opaque' }", () => {
  const OBJECTS: Record<string, [pickle: string, ...parts: unknown[]]> = {
    "a function that is named": ["cos\nsystem\n.", "os.system", null, null, null],
    "a call": ["cos\nsystem\n(Vls\ntR.", "os.system", Tuple.of("ls"), null, null],
    "a call of what a call returned": ["cm\nf\n(I1\ntR(I2\ntR.", "m.f", Tuple.of(2), null, null],
    "an object and its fields": [
      `cargparse\nNamespace\n)\x81}X\x02\0\0\0lr${HALF}sb.`,
      "argparse.Namespace",
      new Tuple(),
      new Map([["lr", 0.5]]),
      null,
    ],
    "an object whose state is a number": [`cm\nC\n)\x81${HALF}b.`, "m.C", new Tuple(), 0.5, null],
    "keywords of a constructor": [
      "cm\nC\nK\x01\x85}U\x01aK\x02s\x92.",
      "m.C",
      Tuple.of<unknown>(1, new Map([["a", 2]])),
      null,
      null,
    ],
    "a subclass of list": [`cm\nL\n)\x81(K\x01${HALF}eK\x03a.`, "m.L", new Tuple(), null, [1, 0.5, 3]],
    "a subclass of dict": [
      "cm\nD\n)\x81(U\x01aK\x01uU\x01bK\x02s.",
      "m.D",
      new Tuple(),
      null,
      new Map([["a", 1], ["b", 2]]),
    ],
    "a subclass of set": ["\x80\x04cm\nS\n)\x81(K\x01K\x02\x90.", "m.S", new Tuple(), null, new Set([1, 2])],
    "a known function with other arguments": ["c_codecs\nencode\n(I1\ntR.", "_codecs.encode", Tuple.of(1), null, null],
    "a known class as a value": ["cnumpy\nndarray\n.", "numpy.ndarray", null, null, null],
  };
  for (const [what, [pickle, ...expected]] of Object.entries(OBJECTS)) {
    it(`gives ${what}`, async () => assert.deepEqual(parts(await objectIn(pickle)), expected));
  }

  it("gives an object that holds itself", async () => {
    const object = await objectIn("cm\nC\n)\x81q\x00}U\x02meh\x00sb.");
    assert.equal((object.state as Map<string, unknown>).get("me"), object);
  });

  const arrayOf = (dtype: string, data: string) =>
    `cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\nt${dtype}I00\n${data}tb.`;

  it("gives the state of an array whose dtype is unknown", async () => {
    const { symbol, state } = await objectIn(arrayOf("cm\ndtype\n)R", "S'ab'\n"));
    const [, shape, dtype] = state as unknown[];
    assert.deepEqual([symbol, shape, (dtype as PickledObject).symbol], ["numpy.ndarray", Tuple.of(2), "m.dtype"]);
  });

  it("gives the state of an array whose data are no bytes", async () => {
    const { symbol, state } = await objectIn(arrayOf("cnumpy\ndtype\n(S'f4'\nI0\nI1\ntR", "I5\n"));
    assert.deepEqual([symbol, (state as unknown[])[4]], ["numpy.ndarray", 5]);
  });

  it("gives one object where the file has one", async () => {
    const { value } = await paddle.audit(latin1("(lcm\nC\n)\x81q\x00ah\x00a."), { unknown: "opaque" });
    const [first, second] = value as unknown[];
    assert.equal(first, second);
  });

  it("gives frozen objects, which no save takes", async () => {
    const object = await objectIn("cm\nC\n)\x81.");
    assert.ok(Object.isFrozen(object));
    assert.throws(() => paddle.encode(new Map([["a", [object]]])), {
      code: "INVALID_VALUE",
      message: 'Cannot save the object "m.C" at ["a"][0]',
    });
  });

  /** A checkpoint of `{ args: Namespace(lr=0.5, w=...), model: {...} }`. */
  function checkpoint(): Uint8Array {
    const w = new paddle.Tensor("float32", [2], Float32Array.of(1, 2));
    const plain = paddle.encode(new Map<string, unknown>([["args", "HERE"], ["model", new Map([["w", w]])]]), {
      protocol: 2,
    });
    let text = "";
    for (const byte of plain) text += String.fromCharCode(byte);
    const namespace = `cargparse\nNamespace\n)\x81}X\x02\0\0\0lr${HALF}sb`;
    return latin1(text.replace("X\x04\0\0\0HERE", () => namespace));
  }

  it("gives the weights beside an object that load refuses; they are saved without it", async () => {
    const file = checkpoint();
    await assert.rejects(paddle.load(file), { code: "FORBIDDEN_SYMBOL" });
    for (const from of [file, new Blob([file as BlobPart]), new Response(file as BodyInit).body!]) {
      const { ok, error, value } = await paddle.audit(from, { unknown: "opaque" });
      assert.deepEqual([ok, error!.code], [false, "FORBIDDEN_SYMBOL"]);
      const model = (value as Map<string, unknown>).get("model") as paddle.StateDict;
      assert.deepEqual(paddle.decode(paddle.encode(model)), model);
      assert.deepEqual((model.get("w") as paddle.Tensor).toArray(), [1, 2]);
    }
  });

  it("has no value without the option, nor of a file that cannot be parsed on", async () => {
    assert.equal((await paddle.audit(checkpoint())).value, undefined);
    assert.equal((await paddle.audit(checkpoint().slice(0, -1), { unknown: "opaque" })).value, undefined);
  });

  it("gives what load returns, if nothing is unknown", async () => {
    const file = paddle.encode(new Map([["w", new paddle.Tensor("float32", [2], Float32Array.of(1, 2))]]));
    const { ok, value } = await paddle.audit(file, { unknown: "opaque" });
    assert.deepEqual([ok, value], [true, await paddle.load(file)]);
  });

  it("keeps within the limits", async () => {
    const many = "(l" + "cm\nC\n)\x81a".repeat(10_000) + ".";
    const limits = { maxStructureBytes: 2 ** 20 };
    const report = await paddle.audit(latin1(many), { unknown: "opaque", limits });
    assert.deepEqual([report.value, report.exitCode], [undefined, 1]);
  });

  it("refuses any other value of the option, and the index of a sharded checkpoint", async () => {
    await assert.rejects(paddle.audit(latin1("N."), { unknown: "keep" as "opaque" }), TypeError);
    const folder = new paddle.MemoryFolder([[
      "m.index.json",
      latin1('{"metadata":{},"weight_map":{"w":"a.pdparams"}}'),
    ]]);
    await assert.rejects(paddle.audit("m.index.json", { folder, unknown: "opaque" }), { code: "INVALID_VALUE" });
  });
});
