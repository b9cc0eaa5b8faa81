import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { decode, encode, NDArray, Tuple } from "../src/pickle.ts";
import * as codec from "../src/codec.ts";
import { encode as encodeForPaddle, fromArray, Tensor } from "../mod.ts";

describe("the pickle door", () => {
  it("gives what is in the file, without Paddle's habits: the name table stays, arrays stay arrays", () => {
    const value = decode(readFileSync("tests/fixtures/real/paddle-2.6.2/load-places/state.pdparams")) as Map<
      string,
      unknown
    >;
    assert.ok(value.has("StructuredToParameterName@@"));
    for (const [key, item] of value) {
      if (key.endsWith("weight")) assert.ok(item instanceof NDArray && !(item instanceof Tensor));
    }
  });

  it("writes what it is given, and reads it again", () => {
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

describe("the codec door", () => {
  it("decodes and encodes as the front door does", () => {
    const state = new Map([["w", new Tensor("float32", [2], new Float32Array([1, 2]), { name: "w_0" })]]);
    assert.deepEqual(codec.encode(state), encodeForPaddle(state));
    assert.equal(codec.detectKind(codec.encode(state)), "pickle");
  });
});
