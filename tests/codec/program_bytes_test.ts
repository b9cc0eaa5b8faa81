import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { describe, it } from "@std/testing/bdd";
import { type Limits, static as paddleStatic } from "../../mod.ts";
import { BlockDescSchema, OpDescSchema, ProgramDescSchema, VarDescSchema } from "../../proto/gen/framework_pb.ts";

const { deserializeProgram } = paddleStatic;
const utf8 = (text: string) => new TextEncoder().encode(text);
const op = (init: MessageInitShape<typeof OpDescSchema> = {}) =>
  toBinary(OpDescSchema, create(OpDescSchema, { type: utf8("relu"), ...init }));

/** A field of bytes. */
const field = (number: number, bytes: Uint8Array | number[]): number[] => {
  const { length } = bytes;
  assert.ok(number < 16 && length < 2 ** 14);
  return [number << 3 | 2, ...(length < 128 ? [length] : [length & 127 | 128, length >> 7]), ...bytes];
};
/** A variable, by default float32 [2, 3]. */
const variable = (name = "w", dims = [2n, 3n]) =>
  toBinary(
    VarDescSchema,
    create(VarDescSchema, {
      name: utf8(name),
      type: { type: 7, denseTensor: { tensor: { dataType: 5, dims } } },
      persistable: true,
    }),
  );
const block = (fields: number[] = [], idx = 0, parent = 0xff) =>
  field(1, [
    8,
    idx,
    16,
    ...(parent === 0xff ? [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1] : [parent]),
    ...fields,
  ]);
const program = (...blocks: number[][]) => Uint8Array.from(blocks.flat());
const attribute = (bytes: number[]) => program(block(field(4, [...op(), ...field(4, bytes)])));
/** The name and type fields of an attribute. */
const head = (type: number) => [...field(1, utf8("a")), 0x10, type];
const attributeOf = (bytes: Uint8Array) => deserializeProgram(bytes).ops()[0].attributes.get("a");

describe("the bytes of a ProgramDesc", () => {
  it("may split a message into several parts, which are merged as protobuf's own runtime does", () => {
    // The type of the variable in two parts: its kind, and its tensor in a part that would be incomplete on its own.
    const parts = [
      ...field(1, utf8("w")),
      ...field(2, [8, 7]),
      ...field(2, field(3, [...field(1, [8, 5, 0x10, 2, 0x10, 3]), 0x10, 1])),
      ...[0x18, 1],
    ];
    const bytes = program(block(field(3, parts)));
    const [theirs] = fromBinary(ProgramDescSchema, bytes).blocks[0].vars;
    const { tensor, lodLevel } = theirs.type!.denseTensor!;
    assert.deepEqual([tensor!.dims, lodLevel], [[2n, 3n], 1]);
    const [ours] = deserializeProgram(bytes).vars();
    assert.deepEqual([ours.kind, ours.dtype, ours.shape, ours.lodLevel], ["dense_tensor", "float32", [2, 3], 1]);
  });

  it("may have a slot or an attribute several times: names are joined, and the last value counts, as in Paddle 2.6", () => {
    const slot = (parameter: string, ...names: string[]) => ({
      parameter: utf8(parameter),
      arguments: names.map(utf8),
    });
    const attr = (i: number) => ({ name: utf8("a"), type: 0, i });
    const inputs = [slot("X", "a"), slot("Y", "b"), slot("X", "c", "d")];
    const outputs = [slot("Out", "e"), slot("Out"), slot("Out", "f")];
    const bytes = program(block(field(4, op({ inputs, outputs, attrs: [attr(1), attr(2)] }))));
    const check = ([op]: ReturnType<ReturnType<typeof deserializeProgram>["ops"]>, a = 2) => {
      assert.deepEqual([...op.inputs], [["X", ["a", "c", "d"]], ["Y", ["b"]]]);
      assert.deepEqual([...op.outputs], [["Out", ["e", "f"]]]);
      assert.equal(op.attributes.get("a"), a);
    };
    const read = deserializeProgram(bytes);
    check(read.ops());
    read.ops()[0].setAttribute("a", 7);
    check(read.ops(), 7);
    check(deserializeProgram(read.serialize()).ops(), 7);
  });

  describe("in which messages inside each other are split", () => {
    // Google's Python runtime (7.36) accepts and refuses the same.
    const level = [0x10, 1], tensor = field(1, [8, 5, 0x10, 2]);
    const typeOf = (...parts: number[][]) => [...field(1, utf8("w")), ...parts.flatMap((part) => field(2, part))];
    const WHOLE: Record<string, number[]> = {
      "over two levels": typeOf(field(3, level), [8, 7, ...field(3, tensor)]),
      "over three levels": typeOf(field(3, field(1, [0x10, 2])), [8, 7, ...field(3, [...field(1, [8, 5]), ...level])]),
      "at both of two levels": typeOf([...field(3, level), ...field(3, [])], [8, 7, ...field(3, tensor)]),
    };
    for (const [where, parts] of Object.entries(WHOLE)) {
      it(`${where} are merged before required fields are looked for`, () => {
        const [variable] = deserializeProgram(program(block(field(3, parts)))).vars();
        assert.deepEqual([variable.kind, variable.dtype, variable.shape], ["dense_tensor", "float32", [2]]);
        assert.equal(variable.lodLevel, 1);
      });
    }

    const INCOMPLETE: Record<string, [number[], string]> = {
      "the tensor": [typeOf(field(3, level), [8, 7]), "VarType.DenseTensorDesc.tensor"],
      "the type": [typeOf(field(3, tensor), field(3, level)), "VarType.type"],
      "the tensor's type": [typeOf(field(3, level), [8, 7, ...field(3, field(1, []))]), "VarType.TensorDesc.data_type"],
    };
    for (const [what, [parts, at]] of Object.entries(INCOMPLETE)) {
      it(`are refused if no part has ${what}`, () => {
        const bytes = program(block(field(3, parts)));
        // The first message that lacks something: the description, or the type itself.
        const offset = bytes.length - parts.length + field(1, utf8("w")).length + (what === "the type" ? 2 : 4);
        assert.throws(() => deserializeProgram(bytes), { code: "BAD_FIELD", at, offset });
      });
    }

    it("are not completed by another member of a list", () => {
      const one = [...field(1, utf8("v")), ...field(2, [8, 7, ...field(3, level)])];
      const other = [...field(1, utf8("w")), ...field(2, [8, 7, ...field(3, tensor)])];
      const bytes = program(block([...field(3, one), ...field(3, other)]));
      assert.throws(() => deserializeProgram(bytes), { code: "BAD_FIELD" });
    });
  });

  it("may hold numeric lists packed or unpacked", () => {
    const float = (x: number) => [...new Uint8Array(Float32Array.of(x).buffer)];
    const double = (x: number) => [...new Uint8Array(Float64Array.of(x).buffer)];
    const LISTS: [number[], unknown][] = [
      [[...head(3), ...field(6, [1, 0x96, 1])], [1, 150]],
      [[...head(3), 0x30, 1, ...field(6, [2, 3]), 0x30, 4], [1, 2, 3, 4]],
      [[...head(4), ...field(7, float(0.5)), 0x3d, ...float(2)], [0.5, 2]],
      [[...head(7), ...field(11, [1, 0])], [true, false]],
      [[...head(11), ...field(15, [5, 0x80, 1])], [5, 128]],
      [[...head(12), 0x82, 1, 16, ...double(0.1), ...double(2)], [0.1, 2]],
    ];
    for (const [bytes, value] of LISTS) assert.deepEqual(attributeOf(attribute(bytes)), value);
  });

  const REFUSED: [what: string, bytes: Uint8Array, code: string, fields?: object][] = [
    ["no block", program(), "EMPTY"],
    ["no block, but a version", Uint8Array.of(0x22, 2, 8, 1), "BAD_FIELD"],
    ["a block with a wrong number", program(block([], 1)), "BAD_FIELD"],
    ["a block whose parent comes later", program(block([], 0), block([], 1, 2)), "BAD_FIELD"],
    ["a block without the number of its parent", program(field(1, [8, 0])), "BAD_FIELD", {
      at: "BlockDesc.parent_idx",
    }],
    ["an operator without a type", program(block(field(4, field(1, field(1, utf8("X")))))), "BAD_FIELD", {
      at: "OpDesc.type",
    }],
    ["a variable without a type", program(block(field(3, field(1, utf8("w"))))), "BAD_FIELD", { at: "VarDesc.type" }],
    [
      "a type in two parts, neither of which has a kind",
      program(block(field(3, [
        ...field(1, utf8("w")),
        ...field(2, field(3, field(1, [8, 5]))),
        ...field(2, []),
      ]))),
      "BAD_FIELD",
      { at: "VarType.type" },
    ],
    [
      "a name that is not valid UTF-8",
      program(block(field(3, [...field(1, [0xff]), ...field(2, [8, 7])]))),
      "BAD_TEXT",
    ],
    ["packed floats that end in the middle of one", attribute([...head(4), ...field(7, [0, 0, 0])]), "BAD_LENGTH"],
    ["a number of more than 64 bits", program(block([0x28, ...Array(9).fill(0xff), 2])), "BAD_VARINT"],
    ["a number without an end", program(block([0x28, ...Array(10).fill(0xff)])), "BAD_VARINT"],
    ["a field that reaches beyond its message", program(block([0x1a, 100])), "TRUNCATED"],
    ["a field without a number", program(block([0x02, 0])), "BAD_WIRE"],
    ["a group inside another that ends first", program(block([0x7b, 0x73, 0x7c])), "BAD_WIRE"],
    ["a group without an end", program(block([0x7b, 0x70, 1])), "TRUNCATED"],
    ["a field in a group without a number", program(block([0x7b, 0x02, 0, 0x7c])), "BAD_WIRE"],
    [
      "an operator that runs a block that does not exist",
      program(block(field(4, [
        ...op(),
        ...field(4, [...field(1, utf8("sub_block")), 0x10, 8, 0x60, 1]),
      ]))),
      "BAD_FIELD",
    ],
    [
      "an operator that runs its own block",
      program(block(field(4, [
        ...op(),
        ...field(4, [...field(1, utf8("sub_block")), 0x10, 8, 0x60, 0]),
      ]))),
      "CYCLE",
    ],
    [
      "blocks that are the forward blocks of each other",
      program(block([]), block([0x28, 2], 1, 0), block([0x28, 1], 2, 0)),
      "CYCLE",
    ],
  ];
  for (const [what, bytes, code, fields = {}] of REFUSED) {
    it(`are refused with ${code}: ${what}`, () => {
      assert.throws(() => deserializeProgram(bytes), { code, ...fields });
    });
  }

  it("are read if a block is its own forward block, as of an optimizer that merges gradients", () => {
    const bytes = program(block([]), block([0x28, 1], 1, 0));
    const read = deserializeProgram(bytes);
    assert.deepEqual(read.serialize(), bytes);
    assert.deepEqual(read.blocks.map(({ parentIdx }) => parentIdx), [-1, 0]);
  });

  it("keep unknown groups, however they are nested", () => {
    const groups = [0x7b, 0x73, 0x75, 1, 2, 3, 4, 0x74, 0x71, 1, 2, 3, 4, 5, 6, 7, 8, 0x72, 1, 9, 0x70, 5, 0x7c];
    const made = deserializeProgram(program(block([...field(3, variable()), ...groups])));
    made.rename("w", "other");
    assert.ok(made.serialize().join().includes(groups.join()));
  });

  it("are bounded by the limits on names, operators, variables and depth", () => {
    const bytes = program(
      block([...field(3, variable("long name")), ...field(3, variable("b")), ...field(4, op()), ...field(4, op())]),
    );
    const LIMITS: [keyof Limits, number][] = [["maxNameBytes", 8], ["maxVars", 1], ["maxOps", 1], ["maxProtoDepth", 4]];
    for (const [limit, max] of LIMITS) {
      assert.throws(() => deserializeProgram(bytes, { limits: { [limit]: max } }), { code: "LIMIT", limit });
    }
    assert.equal(deserializeProgram(bytes, { limits: { maxNameBytes: 9, maxVars: 2, maxOps: 2 } }).vars().length, 2);
  });

  it("list a parameter once even if two blocks have it, and are refused if its shapes differ", () => {
    const twice = (dims: bigint[]) => program(block(field(3, variable())), block(field(3, variable("w", dims)), 1, 0));
    assert.deepEqual(deserializeProgram(twice([2n, 3n])).parameters().map(({ name }) => name), ["w"]);
    assert.throws(() => deserializeProgram(twice([3n, 2n])).parameters(), { code: "NAME_COLLISION", names: ["w"] });
  });

  it("keep the number of a block's forward block when something in it is changed", () => {
    const made = deserializeProgram(program(block(), block([...field(3, variable()), 5 << 3, 1], 1, 0)));
    made.rename("w", "v");
    const [, again] = fromBinary(ProgramDescSchema, made.serialize()).blocks;
    assert.deepEqual([again.forwardBlockIdx, new TextDecoder().decode(again.vars[0].name)], [1, "v"]);
  });

  it("do not change when a variable is renamed to its own name", () => {
    const bytes = program(block(field(3, variable())));
    const made = deserializeProgram(bytes);
    made.rename("w", "w");
    assert.deepEqual(made.serialize(), bytes);
    assert.ok(fromBinary(BlockDescSchema, bytes.subarray(2)).vars.length === 1);
  });
});

/** The JSON of a PIR program after a change. */
// deno-lint-ignore no-explicit-any
function changedJson(change: (json: any, ops: any[]) => void): Uint8Array {
  const json = JSON.parse(readFileSync("tests/fixtures/real/paddle-3.3.1/infer-several/n.json", "utf8"));
  change(json, json.program.regions[0].blocks[0].ops);
  return utf8(JSON.stringify(json));
}

describe("the JSON of a PIR program", () => {
  const REFUSED: [what: string, change: Parameters<typeof changedJson>[0], code: string, message: RegExp][] = [
    ["no base_code", (json) => delete json.base_code, "WRONG_FORMAT", /no base_code/],
    ["another magic", (json) => json.base_code.magic = "ri", "WRONG_FORMAT", /magic/],
    ["a negative version", (json) => json.base_code.version = -1, "BAD_FIELD", /base_code\/version.*is -1/],
    ["two regions", (json) => json.program.regions.push(json.program.regions[0]), "BAD_FIELD", /2 entries, not one/],
    [
      "a parameter with too few flags",
      (_, ops) => ops.find((op) => op["#"] === "p").A.pop(),
      "BAD_FIELD",
      /has 3 entries/,
    ],
    [
      "a parameter with too few flags of training",
      (_, ops) => ops.find((op) => op["#"] === "p").OA.pop(),
      "BAD_FIELD",
      /has 2 entries/,
    ],
    [
      "a parameter that is not a tensor",
      (_, ops) => ops.find((op) => op["#"] === "p").O.TT = { "#": "0.t_bool" },
      "BAD_FIELD",
      /no tensor|TT/,
    ],
    ["an operand without a number", (_, ops) => delete ops.at(-1).I[0]["%"], "BAD_FIELD", /%/],
    ["an operand whose number is a string", (_, ops) => ops.at(-1).I[0]["%"] = "1", "BAD_FIELD", /%/],
    ["an attribute without a kind", (_, ops) => delete ops.at(-1).A[0].AT["#"], "BAD_FIELD", /#/],
    ["an attribute without a name", (_, ops) => delete ops.at(-1).A[0].N, "BAD_FIELD", /N/],
    [
      "a list whose items are not attributes",
      (_, ops) => ops.at(-1).A[0].AT = { "#": "0.a_array", D: [1] },
      "BAD_FIELD",
      /D/,
    ],
  ];
  for (const [what, change, code, message] of REFUSED) {
    it(`is refused with ${code}: ${what}`, () => {
      assert.throws(() => deserializeProgram(changedJson(change)), { code, message });
    });
  }
});
