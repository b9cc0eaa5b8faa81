import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { decode, encode, Float, fromArray, Tensor, toMap, toObject, Tuple, type Value } from "../../mod.ts";

/** How a 2.0 is written, which 2 never is. */
const TWO = "G\x40\0\0\0\0\0\0\0";
const isFloat = (value: Value): boolean => String.fromCharCode(...encode(value)).includes(TWO);
const again = (value: Value): Map<Value, Value> => decode(encode(value)) as Map<Value, Value>;
const tensor = (): Tensor => Tensor.from(fromArray([1, 3]));

/** The key 2.0, as in a file: no number of JavaScript is one, so it is that of a pickle `{2.0: value}`. */
function keyed(value: Value): Map<Value, Value> {
  const bytes = encode(new Map([["KEY", value]]));
  const at = String.fromCharCode(...bytes).indexOf("\x8c\x03KEY\x94");
  // The put stays: it is of the float now.
  const made = [...bytes.subarray(0, at), ...[...TWO].map((c) => c.charCodeAt(0)), ...bytes.subarray(at + 5)];
  // The frame is 4 bytes longer.
  made[3] += 4;
  return decode(Uint8Array.from(made)) as Map<Value, Value>;
}

describe("a float of a loaded file that is a whole number stays a float when it is saved again", () => {
  it("beside the metadata of a state dict", () => {
    const dict = again(new Map<Value, Value>([["__paddle_state_dict_metadata__", new Map()], ["lr", new Float(2)]]));
    assert.deepEqual([dict.get("lr"), isFloat(dict)], [2, true]);
  });

  it("as a key of tensors, beside a Layer, and in toMap", () => {
    assert.ok(isFloat(keyed(tensor())));
    const layer = { stateDict: () => new Map([["weight", tensor()]]) };
    assert.ok(isFloat(Tuple.of<Value>(layer, keyed("value"))));
    assert.ok(isFloat(toMap(keyed("value") as unknown as Record<string, Value>)));
  });

  it("as a value in toObject and toMap, unless it is replaced", () => {
    const dict = again(new Map([["lr", new Float(2)]]));
    const object = toObject(dict);
    assert.ok(isFloat(object) && isFloat(toMap(dict as Map<string, Value> as unknown as typeof object)));
    assert.ok(isFloat(toMap(object)));
    assert.ok(!isFloat(toObject(new Map([["epoch", 2]]))), "an int stays one");
    object.lr = 3;
    assert.equal((again(object)).get("lr"), 3);
    assert.ok(!isFloat(again(new Map([["lr", 2]]))));
  });
});
