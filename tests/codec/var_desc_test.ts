import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { VarDesc } from "../../src/codec/program/var_desc.ts";

/** A variable `a` of the given kind, whose type has these fields, in the order of protoc --decode's output. */
function variable(kind: number, ...fields: number[][]): VarDesc {
  const type = [0x08, kind, ...fields.flat()];
  return new VarDesc(Uint8Array.of(0x0a, 1, 0x61, 0x12, type.length, ...type));
}

/** A field that contains a message. */
const field = (number: number, ...content: number[]) => [number << 3 | 2, content.length, ...content];
/** A float32 TensorDesc with this shape, in field 1. */
const tensor = (...axes: number[]) => field(1, 0x08, 5, ...axes.flatMap((n) => [0x10, n]));

describe("a program's variable", () => {
  it("that is a tensor array takes its shape from its own description, not from a dense tensor's beside it", () => {
    const array = variable(13, field(3, ...tensor()), field(4, ...tensor(2, 3), 0x10, 1));
    assert.equal(array.kind, "dense_tensor_array");
    assert.deepEqual(array.shape, [2, 3]);
    assert.equal(array.lodLevel, 1);
    array.setTensor("int64", [4]);
    assert.deepEqual([array.dtype, array.shape], ["int64", [4]]);
  });

  it("that is SelectedRows takes its shape from the description of its rows", () => {
    const rows = variable(8, field(2, 0x08, 5, 0x10, 7), field(3, ...tensor(1)));
    assert.equal(rows.kind, "selected_rows");
    assert.deepEqual(rows.shape, [7]);
  });

  it("without a description of its own kind takes the one that is there", () => {
    assert.deepEqual(variable(13, field(3, ...tensor(5))).shape, [5]);
    assert.equal(variable(7).shape, null);
  });

  it("is written with the dtype and shape that it was given after it was read", () => {
    const read = variable(7, field(3, ...tensor(5)));
    read.setTensor("int64", [4, 2]);
    const written = new VarDesc(read.serialize());
    assert.deepEqual([written.name, written.dtype, written.shape], ["a", "int64", [4, 2]]);
  });
});
