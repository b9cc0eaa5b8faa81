import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fromBinary } from "@bufbuild/protobuf";
import { describe, it } from "@std/testing/bdd";
import { type AttributeValue, Complex, Float, type Operator, type Program, static as paddleStatic } from "../../mod.ts";
import type { PirProgram } from "../../src/codec/pir/pir_program.ts";
import { atOnce } from "../../src/words/steps.ts";
import { ProgramDescSchema } from "../../proto/gen/framework_pb.ts";

const { deserializeProgram } = paddleStatic;
const bytesOf = (path: string) => new Uint8Array(readFileSync(`tests/fixtures/${path}`));
const utf8 = (text: string) => new TextEncoder().encode(text);
const again = (program: Program) => deserializeProgram(program.serialize());
const LEGACY = "real/paddle-2.6.2/infer-several/n.pdmodel", PIR = "real/paddle-3.3.1/infer-several/n.json";
const last = (program: Program): Operator => program.ops().at(-1)!;
const BIG = 2n ** 63n - 1n;

/** Type, value, and the field on the wire that must have it, as protobuf's own runtime reads it. */
const TYPES: [type: string, value: AttributeValue, field: string, onWire: unknown, read?: unknown][] = [
  ["INT", -(2 ** 31), "i", -(2 ** 31)],
  ["FLOAT", 0.5, "f", 0.5],
  ["FLOAT", 0.1, "f", Math.fround(0.1), Math.fround(0.1)],
  ["FLOAT", NaN, "f", NaN],
  ["STRING", "größer", "s", utf8("größer")],
  ["STRING", Uint8Array.of(0xff, 0), "s", Uint8Array.of(0xff, 0)],
  ["INTS", [1, -1, 2 ** 31 - 1], "ints", [1, -1, 2 ** 31 - 1]],
  ["FLOATS", [1, -Infinity], "floats", [1, -Infinity]],
  ["STRINGS", ["", "b"], "strings", [utf8(""), utf8("b")]],
  ["BOOLEAN", true, "b", true],
  ["BOOLEANS", [true, false], "bools", [true, false]],
  ["LONG", 2 ** 40, "l", 2n ** 40n],
  ["LONG", -BIG - 1n, "l", -BIG - 1n],
  ["LONGS", [1, BIG], "longs", [1n, BIG]],
  ["BLOCK", 0, "blockIdx", 0],
  ["BLOCKS", [0], "blocksIdx", [0]],
  ["FLOAT64S", [0.1, 1e300], "float64s", [0.1, 1e300]],
  ["VAR", "größe", "varName", utf8("größe")],
  ["VARS", ["x", "y"], "varsName", [utf8("x"), utf8("y")]],
  ["FLOAT64", 0.1, "float64", 0.1],
  ["FLOAT", new Float(0.5), "f", 0.5, 0.5],
  ["FLOATS", [new Float(1), 2], "floats", [1, 2], [1, 2]],
  ["FLOAT64S", [new Float(0.1)], "float64s", [0.1], [0.1]],
  ["FLOAT64", new Float(1), "float64", 1, 1],
  ["SCALAR", true, "scalar", { type: 1, b: true }],
  ["SCALAR", -5, "scalar", { type: 2, i: -5n }],
  ["SCALAR", BIG, "scalar", { type: 2, i: BIG }],
  ["SCALAR", new Float(2), "scalar", { type: 3, r: 2 }],
  ["SCALAR", 0.1, "scalar", { type: 3, r: 0.1 }, new Float(0.1)],
  ["SCALAR", new Complex(1, -2), "scalar", { type: 4, c: { r: 1, i: -2 } }],
  ["SCALARS", [false, new Float(1), 3], "scalars", [{ type: 1, b: false }, { type: 3, r: 1 }, { type: 2, i: 3n }]],
];

/** Only the fields of a message that `like` has. */
function picked(message: unknown, like: unknown): unknown {
  if (Array.isArray(like)) return (message as unknown[]).map((item, i) => picked(item, like[i] ?? null));
  if (typeof like !== "object" || like === null || like instanceof Uint8Array) return message;
  return Object.fromEntries(
    Object.entries(like).map(([key, value]) => [key, picked((message as Record<string, unknown>)[key], value)]),
  );
}

describe("an operator that was changed and written", () => {
  it("is written anew after another change, and a copy that was made before stays as it was", () => {
    const program = deserializeProgram(bytesOf(LEGACY));
    last(program).setAttribute("a", 1);
    assert.equal(last(again(program)).attributes.get("a"), 1);
    const copy = program.clone();
    last(program).setAttribute("a", 2);
    assert.equal(last(again(program)).attributes.get("a"), 2);
    assert.equal(last(again(copy)).attributes.get("a"), 1);
    last(copy).setAttribute("a", 3);
    assert.equal(last(again(copy)).attributes.get("a"), 3);
    assert.equal(last(again(program)).attributes.get("a"), 2);
  });
});

describe("an attribute of an operator in a ProgramDesc", () => {
  for (const [type, value, field, onWire, read = value] of TYPES) {
    it(`of type ${type} is ${JSON.stringify(onWire, (_, v) => typeof v === "bigint" ? `${v}n` : v)} in the file`, () => {
      const program = deserializeProgram(bytesOf(LEGACY));
      last(program).setAttribute("new", value, type);
      const attrs = fromBinary(ProgramDescSchema, program.serialize()).blocks[0].ops.at(-1)!.attrs;
      const attr = attrs.find(({ name }) => new TextDecoder().decode(name) === "new")!;
      assert.deepEqual(picked(attr[field as keyof typeof attr], onWire), onWire);
      const back = last(again(program));
      assert.deepEqual([back.attributeType("new"), back.attributes.get("new")], [type, read]);
      // Attributes are sorted by name, as Paddle 2 writes them.
      const names = [...back.attributes.keys()];
      assert.deepEqual(names, names.toSorted());
    });
  }

  const GUESSED: [AttributeValue, string][] = [
    [true, "BOOLEAN"],
    ["text", "STRING"],
    [Uint8Array.of(0xff), "STRING"],
    [1, "INT"],
    [2 ** 31, "LONG"],
    [BIG, "LONG"],
    [0.5, "FLOAT"],
    [Infinity, "FLOAT"],
    [2 ** 53, "FLOAT"],
    [-(2 ** 64), "FLOAT"],
    [-0, "FLOAT"],
    [new Float(1), "SCALAR"],
    [new Complex(0, 1), "SCALAR"],
    [[false], "BOOLEANS"],
    [["a"], "STRINGS"],
    [[1, 2], "INTS"],
    [[1, 2 ** 40], "LONGS"],
    [[1, BIG], "LONGS"],
    [[1, 0.5], "FLOATS"],
    [[1, 2 ** 70], "FLOATS"],
    [[1, -0], "FLOATS"],
  ];
  for (const [value, type] of GUESSED) {
    it(`set to ${String(value)} without a type becomes ${type}`, () => {
      const program = deserializeProgram(bytesOf(LEGACY));
      last(program).setAttribute("new", value);
      const back = last(again(program));
      assert.deepEqual([back.attributeType("new"), back.attributes.get("new")], [type, value]);
    });
  }

  const REFUSED: [string, AttributeValue][] = [
    ["INT", 2 ** 31],
    ["INT", -(2 ** 31) - 1],
    ["INT", 1n],
    ["INT", 0.5],
    ["INTS", [1, "2"]],
    ["INTS", 1],
    ["LONG", BIG + 1n],
    ["LONG", 2 ** 53],
    ["FLOAT", "1"],
    ["BOOLEAN", 1],
    ["STRING", 1],
    ["VAR", Uint8Array.of(1)],
    ["SCALAR", "1"],
    ["SCALARS", [1, null]],
    ["BLOCK", 0.5],
    ["NONSENSE", 1],
  ];
  it("keeps its value when the new one does not fit its type, or the type does not exist", () => {
    for (const [type, value] of REFUSED) {
      const program = deserializeProgram(bytesOf(LEGACY)), before = program.serialize();
      assert.throws(() => last(program).setAttribute("col", value, type), { code: "INVALID_VALUE", at: "col" }, type);
      assert.deepEqual(program.serialize(), before, type);
    }
    const program = deserializeProgram(bytesOf(LEGACY));
    const itself: AttributeValue[] = [];
    itself.push(itself);
    for (const value of [[], [[1]], itself]) {
      assert.throws(() => last(program).setAttribute("new", value), { code: "INVALID_VALUE", at: "new" });
    }
    assert.throws(() => last(program).setAttribute("new", "\ud800"), { code: "LONE_SURROGATE" });
  });

  it("can be deleted, and the others stay", () => {
    const program = deserializeProgram(bytesOf(LEGACY)), op = last(program);
    const names = [...op.attributes.keys()];
    op.deleteAttribute("nobody");
    op.deleteAttribute("col");
    assert.deepEqual([...last(again(program)).attributes.keys()], names.filter((name) => name !== "col"));
  });
});

const item = (kind: string, data: unknown) => ({ "#": kind, D: data });

/** Type, value, and the JSON in the file. */
const PIR_TYPES: [type: string, value: AttributeValue, json: unknown, read?: unknown][] = [
  ["a_bool", true, item("0.a_bool", true)],
  ["a_i32", -(2 ** 31), item("0.a_i32", -(2 ** 31))],
  ["a_i64", 2 ** 40, item("0.a_i64", 2 ** 40)],
  ["a_index", 3, item("0.a_index", 3)],
  ["a_f32", 2, item("0.a_f32", 2)],
  ["a_f32", 0.1, item("0.a_f32", Math.fround(0.1)), Math.fround(0.1)],
  ["a_f64", 0.1, item("0.a_f64", 0.1)],
  ["a_f64", 1e-300, item("0.a_f64", 1e-300)],
  ["a_f64", 1e300, item("0.a_f64", 1e300)],
  ["a_f32", NaN, { "#": "0.a_f32", VD: "NAN" }],
  ["a_f32", Infinity, { "#": "0.a_f32", VD: "INF" }],
  ["a_f64", -Infinity, { "#": "0.a_f64", VD: "-INF" }],
  ["a_str", 'größer "\n', item("0.a_str", 'größer "\n')],
  ["a_tensorname", "w", item("0.a_tensorname", "w")],
  ["a_c64", new Complex(1, -0.5), item("0.a_c64", [1, -0.5])],
  ["a_c128", new Complex(0.1, 2), item("0.a_c128", [0.1, 2])],
  ["a_array", [1, 2], item("0.a_array", [item("0.a_i32", 1), item("0.a_i32", 2)])],
  ["a_array", [1, 0.5], item("0.a_array", [item("0.a_f32", 1), item("0.a_f32", 0.5)])],
  ["a_array", [1, 2 ** 40], item("0.a_array", [item("0.a_i64", 1), item("0.a_i64", 2 ** 40)])],
  ["a_array", [], item("0.a_array", [])],
  [
    "a_array",
    [[true], ["x"]],
    item("0.a_array", [
      item("0.a_array", [item("0.a_bool", true)]),
      item("0.a_array", [item("0.a_str", "x")]),
    ]),
  ],
  ["a_intarray", [1, -1], item("1.a_intarray", [1, -1])],
  ["a_dtype", "float32", item("1.a_dtype", "float32")],
  ["a_layout", "NCHW", item("1.a_layout", "NCHW")],
  ["a_place", [2, 0, ""], item("1.a_place", [2, 0, ""])],
];

/** The attributes of the last op, as JSON. */
function jsonOf(program: Program): Map<string, unknown> {
  const { program: { regions } } = JSON.parse(new TextDecoder().decode(program.serialize()));
  const op = regions[0].blocks[0].ops.at(-1);
  return new Map(op.A.map(({ N, AT }: { N: string; AT: unknown }) => [N, AT]));
}

describe("an attribute of an operator in PIR", () => {
  for (const [type, value, json, read = value] of PIR_TYPES) {
    it(`of type ${type} is ${JSON.stringify(json)} in the file`, () => {
      const program = deserializeProgram(bytesOf(PIR));
      last(program).setAttribute("new", value, type);
      assert.deepEqual(jsonOf(program).get("new"), json);
      const back = last(again(program));
      assert.deepEqual([back.attributeType("new"), back.attributes.get("new")], [type, read]);
      // The full name of the type, or setting it again, gives the same result.
      const other = deserializeProgram(bytesOf(PIR));
      last(other).setAttribute(
        "new",
        value,
        `${/intarray|dtype|layout|place/.test(type) ? "pd_op" : "builtin"}.${type}`,
      );
      last(other).setAttribute("new", value);
      assert.deepEqual(other.serialize(), program.serialize());
    });
  }

  const GUESSED: [AttributeValue, string][] = [
    [false, "a_bool"],
    ["text", "a_str"],
    [7, "a_i32"],
    [2 ** 31, "a_i64"],
    [BIG, "a_i64"],
    [0.5, "a_f32"],
    [NaN, "a_f32"],
    [2 ** 53, "a_f32"],
    [-0, "a_f32"],
    [new Complex(1, 0), "a_c128"],
    [["a"], "a_array"],
  ];
  for (const [value, type] of GUESSED) {
    it(`set to ${String(value)} without a type becomes ${type}`, () => {
      const program = deserializeProgram(bytesOf(PIR));
      last(program).setAttribute("new", value);
      const back = last(again(program));
      assert.deepEqual([back.attributeType("new"), back.attributes.get("new")], [type, value]);
    });
  }

  it("keeps the type of its items when a list gets other values", () => {
    const program = deserializeProgram(bytesOf(PIR));
    last(program).setAttribute("new", [1, 2 ** 40]);
    last(program).setAttribute("new", [3]);
    assert.deepEqual(jsonOf(program).get("new"), item("0.a_array", [item("0.a_i64", 3)]));
    assert.throws(() => last(program).setAttribute("new", ["x"]), { code: "INVALID_VALUE" });
  });

  const REFUSED: [string, AttributeValue][] = [
    ["a_bool", 1],
    ["a_i32", 2 ** 31],
    ["a_i32", 0.5],
    ["a_i64", BIG + 1n],
    ["a_f32", "1"],
    ["a_f64", 1n],
    ["a_str", 1],
    ["a_c64", 1],
    ["a_c128", new Complex(NaN, 0)],
    ["a_array", 1],
    ["a_array", [1, "x"]],
    ["a_intarray", [0.5]],
    ["a_intarray", 1],
    ["a_dtype", 5],
    ["a_place", [0, 0]],
    ["a_place", [0.5, 0, ""]],
    ["a_place", [0, 0, 0]],
    ["a_nonsense", 1],
  ];
  it("keeps its value when the new one does not fit its type, or the type does not exist", () => {
    for (const [type, value] of REFUSED) {
      const program = deserializeProgram(bytesOf(PIR)), before = program.serialize();
      assert.throws(
        () => last(program).setAttribute("new", value, type),
        { code: "INVALID_VALUE" },
        `${type} ${value}`,
      );
      assert.deepEqual(program.serialize(), before, type);
    }
    const program = deserializeProgram(bytesOf(PIR));
    const itself: AttributeValue[] = [];
    itself.push([1, itself], itself);
    let deep: AttributeValue = [];
    for (let i = 0; i < 100_000; i++) deep = [deep];
    for (const value of [null, Uint8Array.of(1), itself, deep]) {
      assert.throws(() => last(program).setAttribute("new", value), { code: "INVALID_VALUE", at: "new" });
    }
    const before = program.serialize(), [{ name }] = program.parameters();
    for (const value of ["\ud800", ["a", "\ud800"]]) {
      assert.throws(() => last(program).setAttribute("new", value), { code: "LONE_SURROGATE" });
    }
    assert.throws(() => program.rename(name, "\ud800"), { code: "LONE_SURROGATE" });
    assert.deepEqual(program.serialize(), before);
  });

  it("of a Float is a float, new or not, and fits lists of floats", () => {
    const program = deserializeProgram(bytesOf(PIR));
    last(program).setAttribute("new", new Float(1));
    last(program).setAttribute("list", [1, new Float(2)]);
    assert.deepEqual(jsonOf(program).get("new"), item("0.a_f32", 1));
    assert.deepEqual(jsonOf(program).get("list"), item("0.a_array", [item("0.a_f32", 1), item("0.a_f32", 2)]));
    last(program).setAttribute("new", new Float(-3));
    assert.equal(last(again(program)).attributes.get("new"), -3);
    assert.throws(() => last(program).setAttribute("col", new Float(0)), { code: "INVALID_VALUE" });
  });

  /** A program whose last operator has these entries in its attributes, too. */
  const withEntries = (...entries: unknown[]): Program => {
    const json = JSON.parse(new TextDecoder().decode(bytesOf(PIR)));
    json.program.regions[0].blocks[0].ops.at(-1).A.push(...entries);
    return deserializeProgram(utf8(JSON.stringify(json)));
  };

  // As deserialize_pir_program of 3.3.1 reads them.
  it("that is there several times has the first value, and one without a value is not there", () => {
    const entry = (name: string, value: number) => ({ N: name, AT: item("0.a_i32", value) });
    const program = withEntries(entry("new", 1), entry("new", 2), { N: "gone" }, entry("col", 9));
    const op = last(program), col = op.attributes.get("col");
    assert.equal(op.attributes.get("new"), 1);
    assert.notEqual(col, 9);
    assert.deepEqual([op.attributes.has("gone"), op.attributeType("gone")], [false, undefined]);
    op.setAttribute("new", 5);
    op.setAttribute("gone", "back");
    const { attributes } = last(again(program));
    assert.deepEqual([attributes.get("new"), attributes.get("gone"), attributes.get("col")], [5, "back", col]);
    for (const entry of [{ N: "x", AT: null }, { N: 1 }, {}]) {
      assert.throws(() => withEntries(entry), { code: "BAD_FIELD" });
    }
  });

  it("that is a float is spelled as Paddle spells it", () => {
    // As serialize_pir_program of 3.3.1 wrote them.
    const texts =
      "100000000000000.0 999999999999999.0 1e+15 9.999999999999998e+15 -1e+16 1.7976931348623157e+308 123456789012345.67 " +
      "0.0001 0.00012 1e-05 1.5e-05 1e-07 5e-324 -0.0 100.0 0.1";
    for (const text of texts.split(" ")) {
      const program = deserializeProgram(bytesOf(PIR));
      last(program).setAttribute("new", Number(text), "a_f64");
      const written = new TextDecoder().decode(program.serialize());
      assert.ok(written.includes(`{"#":"0.a_f64","D":${text}}`), text);
    }
  });

  it("of unknown kind is given as it is in the file", () => {
    const program = deserializeProgram(bytesOf(PIR));
    last(program).setAttribute("new", "here");
    const text = new TextDecoder().decode(program.serialize());
    const value = '{"a":[1,2.5,{"__proto__":null}],"b":12345678901234567890}';
    const odd = deserializeProgram(utf8(text.replace('{"#":"0.a_str","D":"here"}', `{"#":"1.a_odd","D":${value}}`)));
    const read = last(odd).attributes.get("new") as Record<string, unknown>;
    assert.equal(Object.getPrototypeOf(read), null);
    assert.deepEqual(Object.keys(read), ["a", "b"]);
    assert.deepEqual(read.b, 12345678901234567890n);
    const [one, half, inner] = read.a as [number, number, object];
    assert.deepEqual([one, half, Object.keys(inner)], [1, 2.5, ["__proto__"]]);
    assert.equal(last(odd).attributeType("new"), "a_odd");
    assert.throws(() => last(odd).setAttribute("new", 1), { code: "INVALID_VALUE" });
    assert.ok(new TextDecoder().decode(odd.serialize()).includes(value));
  });
});

describe("a PIR parameter, whose attributes are stored as flags", () => {
  const parameterOf = (program: Program) => program.ops().find((op) => op.type === "builtin.parameter")!;

  it("gives them as attributes, and accepts new values", () => {
    const program = deserializeProgram(bytesOf(PIR)), parameter = parameterOf(program);
    const types = [["is_distributed", "a_bool"], ["parameter_name", "a_str"], ["persistable", "a_array"]];
    for (const [name, type] of types) assert.equal(parameter.attributeType(name), type);
    assert.equal(parameter.attributeType("nobody"), undefined);
    const changes: [string, AttributeValue, AttributeValue?][] = [
      ["is_distributed", true],
      ["need_clip", false],
      ["persistable", [false]],
      ["stop_gradient", true, [true]],
      ["trainable", [false]],
      ["parameter_name", "other"],
    ];
    for (const [name, value] of changes) parameter.setAttribute(name, value);
    const back = parameterOf(again(program));
    for (const [name, ...values] of changes) assert.deepEqual(back.attributes.get(name), values.at(-1), name);
    assert.ok(program.vars().some(({ name, persistable }) => name === "other" && !persistable));
  });

  it("refuses to delete a flag, which every parameter has, and deletes other attributes", () => {
    const program = deserializeProgram(bytesOf(PIR)), op = parameterOf(program), before = program.serialize();
    for (const name of ["is_parameter", "parameter_name", "stop_gradient"]) {
      assert.throws(() => op.deleteAttribute(name), { code: "INVALID_VALUE", at: name });
    }
    op.setAttribute("new", 1);
    op.deleteAttribute("new");
    op.deleteAttribute("nobody");
    assert.deepEqual(program.serialize(), before);
  });

  it("keeps its flags when a value is not a boolean, or its name when one is not a string", () => {
    const program = deserializeProgram(bytesOf(PIR)), parameter = parameterOf(program), before = program.serialize();
    const misfits: [string, AttributeValue][] = [
      ["is_parameter", 1],
      ["need_clip", "true"],
      ["is_distributed", [true]],
      ["parameter_name", 5],
      ["trainable", 1],
      ["persistable", [1]],
      ["stop_gradient", []],
      ["stop_gradient", [true, false]],
    ];
    for (const [name, value] of misfits) {
      assert.throws(() => parameter.setAttribute(name, value), { code: "INVALID_VALUE", at: name }, name);
    }
    assert.deepEqual(program.serialize(), before);
  });

  it("has the flags that Paddle reads: whatever is not 0 as an int32, and what lists before them say", () => {
    const flagged = (flag: string, more = "") => {
      const text = new TextDecoder().decode(bytesOf(PIR)).replace(
        /"OA":\[1,0,1\](,"QA":\[\])?/,
        `"OA":[1,${flag},1]${more}`,
      );
      return parameterOf(deserializeProgram(utf8(text))).attributes.get("stop_gradient");
    };
    // As deserialize_pir_program of 3.3.1 reads them, which fails for the last three.
    const read = { true: true, 2: true, "-1": true, 1.5: true, 0.5: false, "-0.0": false, 1099511627776: false };
    for (const [flag, value] of Object.entries(read)) assert.deepEqual(flagged(flag), [value], flag);
    for (const flag of ['"1"', "null", "[]"]) assert.throws(() => flagged(flag), { code: "BAD_FIELD" }, flag);
    const own = JSON.stringify([{ N: "stop_gradient", AT: item("0.a_array", [item("0.a_bool", true)]) }]);
    assert.deepEqual(flagged("0", `,"QA":${own}`), [true]);
  });

  it("gets back flags of training that were dropped, with Paddle's defaults for the others", () => {
    const program = deserializeProgram(bytesOf(PIR));
    atOnce((program as PirProgram).dropTrainingInSteps());
    const bare = again(program), parameter = parameterOf(bare);
    assert.deepEqual((bare as Program & { trainable: boolean }).trainable, false);
    assert.equal(parameter.attributes.has("trainable"), false);
    parameter.setAttribute("trainable", [false]);
    const { attributes } = parameterOf(again(bare));
    const flags = ["persistable", "stop_gradient", "trainable"].map((name) => attributes.get(name));
    assert.deepEqual(flags, [[true], [false], [false]]);
  });
});
