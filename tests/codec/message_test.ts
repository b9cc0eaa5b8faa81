import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { create, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, it } from "@std/testing/bdd";
import * as framework from "../../proto/gen/framework_pb.ts";
import { file_framework } from "../../proto/gen/framework_pb.ts";
import { file_property } from "../../proto/gen/property_pb.ts";
import * as numbers from "../../src/codec/program/field_numbers.ts";
import { makeMessage, type Messages, readMessage, writeMessage } from "../../src/codec/program/message.ts";
import { ruleOf } from "../../src/codec/program/schema.ts";
import { ProgramDesc } from "../../src/codec/program/program_desc.ts";

/** The bytes after a round trip through protobuf's own runtime. */
const again = (schema: DescMessage, bytes: Uint8Array) => toBinary(schema, fromBinary(schema, bytes));

/** The bytes after a round trip through ours. */
const ours = (name: keyof Messages, bytes: Uint8Array) => writeMessage(name, readMessage(name, bytes));

function programs(): string[] {
  return readdirSync("tests/fixtures", { recursive: true, encoding: "utf8" })
    .filter((name) => /\.pdmodel$|__model__$/.test(name)).map((name) => `tests/fixtures/${name}`);
}

function messagesOf(desc: DescMessage): DescMessage[] {
  return [desc, ...desc.nestedMessages.flatMap(messagesOf)];
}

describe("protobuf messages of programs, compared with protobuf's own runtime", () => {
  it("have the same fields as the descriptors", () => {
    for (const file of [file_framework, file_property]) {
      for (const desc of file.messages.flatMap(messagesOf)) {
        const rule = ruleOf(desc.typeName.slice(file.proto.package.length + 1));
        const fields = rule.fields.flatMap((f) => f ? [[f.number, f.name, f.key, f.isList, f.required !== 0]] : []);
        assert.deepEqual(
          fields,
          desc.fields.map((f) => [f.number, f.name, f.localName, f.fieldKind === "list", f.presence === 3]),
          desc.typeName,
        );
      }
    }
  });

  it("are written with the same bytes, for every operator and variable of real programs", () => {
    let count = 0;
    for (const path of programs()) {
      for (const { ops, vars } of ProgramDesc.parse(new Uint8Array(readFileSync(path))).blocks) {
        const both = [
          ...ops.map((op) => ["OpDesc", framework.OpDescSchema, op.serialize()] as const),
          ...vars.map((variable) => ["VarDesc", framework.VarDescSchema, variable.serialize()] as const),
        ];
        for (const [name, schema, bytes] of both) assert.deepEqual(ours(name, bytes), again(schema, bytes), path);
        count += both.length;
      }
    }
    assert.ok(count > 500, `${count}`);
  });

  it("keep numbers of every sign and size, packed and unpacked lists, split messages and unknown fields", () => {
    const scalar = create(framework.ScalarSchema, { type: -1, b: true, i: -(2n ** 63n), c: { r: -0, i: NaN } });
    const attribute = toBinary(
      framework.OpDesc_AttrSchema,
      create(framework.OpDesc_AttrSchema, {
        name: Uint8Array.of(0xff),
        type: 2 ** 31 - 1,
        i: -(2 ** 31),
        f: -1.5,
        ints: [0, -1, 300],
        strings: [new Uint8Array(0), new Uint8Array(200)],
        bools: [true, false],
        longs: [2n ** 63n - 1n, -1n, 127n, 128n, 2n ** 32n],
        float64s: [1e300, -Infinity],
        blocksIdx: [1],
        scalar,
        scalars: [scalar, create(framework.ScalarSchema, { type: 2 })],
      }),
    );
    const packed = [0x32, 3, 1, 0x96, 1], oneMoreScalar = [0xa2, 1, 2, 0x18, 5];
    const unknown = [0xc2, 0x3e, 2, 8, 1, 0xcb, 0x3e, 8, 1, 0xcc, 0x3e];
    const bytes = Uint8Array.from([...attribute, ...packed, ...unknown, ...oneMoreScalar]);
    const wanted = again(framework.OpDesc_AttrSchema, bytes);
    assert.deepEqual(ours("OpDesc.Attr", bytes), wanted);
    const read = readMessage("OpDesc.Attr", bytes);
    assert.deepEqual([read.ints, read.scalar!.i, read.scalar!.b, read.l, read.s.length], [
      [0, -1, 300, 1, 150],
      5n,
      true,
      0n,
      0,
    ]);
    assert.ok(!Object.hasOwn(read, "l"));
  });

  it("are refused when a field has another wire type", () => {
    assert.throws(() => readMessage("Version", Uint8Array.of(0x0d, 0, 0, 0, 0)), { code: "BAD_WIRE", offset: 0 });
    assert.throws(() => readMessage("Version", Uint8Array.of(0x08)), { code: "TRUNCATED", offset: 0 });
  });

  it("have only the fields that were set", () => {
    const message = makeMessage("VarDesc", { name: Uint8Array.of(0x61), persistable: undefined });
    assert.deepEqual(writeMessage("VarDesc", message), Uint8Array.of(0x0a, 1, 0x61));
    assert.equal(message.persistable, false);
  });
});

describe("the field numbers that the code refers to", () => {
  it("are those of framework.proto", () => {
    const messages: [prefix: string, message: string][] = [
      ["PROGRAM_", "ProgramDesc"],
      ["BLOCK_", "BlockDesc"],
      ["OP_", "OpDesc"],
      ["SLOT_", "OpDesc.Var"],
      ["ATTR_", "OpDesc.Attr"],
      ["TENSOR_", "VarType.TensorDesc"],
    ];
    for (const [name, number] of Object.entries(numbers)) {
      const [prefix, message] = messages.find(([prefix]) => name.startsWith(prefix))!;
      assert.equal(ruleOf(message).fields[number]?.name, name.slice(prefix.length).toLowerCase());
    }
  });
});
