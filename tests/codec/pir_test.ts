import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { static as staticGraph } from "../../mod.ts";
import { writeJsonInSteps } from "../../src/codec/json/write_json.ts";
import { PirProgram } from "../../src/codec/pir/pir_program.ts";
import type { PaddleError } from "../../src/errors.ts";
import { UNLIMITED } from "../../src/limits.ts";
import { atOnce } from "../../src/words/steps.ts";

const OP = '{"#":"1.relu","A":[],"I":[{"%":1}],"O":[{"%":2,"TT":{"#":"0.t_f32"}}],"OA":[]}';

function moduleOf(ops: string, args = ""): Uint8Array {
  return new TextEncoder().encode(
    '{"base_code":{"magic":"pir","trainable":true,"version":1},"program":{"regions":[{"#":"r","blocks":[' +
      `{"#":"b","args":[${args}],"ops":[${ops}]}]}]}}`,
  );
}

function withAttribute(attribute: string): Uint8Array {
  return moduleOf(OP.replace('"A":[]', `"A":[{"AT":${attribute},"N":"x"}]`));
}

function nested(open: string, inner: string, close: string, depth: number): string {
  return open.repeat(depth) + inner + close.repeat(depth);
}

describe("a PIR module after white space", () => {
  it("is a program, as in Paddle", () => {
    for (const space of ["\n", " \t\r\n"]) {
      const bytes = Uint8Array.from([...new TextEncoder().encode(space), ...moduleOf(OP)]);
      const program = staticGraph.deserializeProgram(bytes);
      assert.deepEqual([program.form, program.ops().map(({ type }) => type)], ["json", ["pd_op.relu"]]);
      assert.deepEqual(program.serialize(), bytes);
    }
  });
});

describe("a PIR module with a lone surrogate, which JSON can escape", () => {
  it("is written with it after an edit, too", () => {
    const program = staticGraph.deserializeProgram(withAttribute('{"#":"0.a_str","D":"a\\ud800"}'));
    program.ops()[0].setAttribute("y", 1);
    const again = staticGraph.deserializeProgram(program.serialize());
    assert.deepEqual([...again.ops()[0].attributes], [["x", "a\ud800"], ["y", 1]]);
  });

  it("gets no other one: Paddle cannot read it", () => {
    const program = staticGraph.deserializeProgram(withAttribute('{"#":"0.a_str","D":"a"}')), [op] = program.ops();
    const before = program.serialize();
    assert.throws(() => op.setAttribute("\ud800", 1), { code: "LONE_SURROGATE" });
    assert.throws(() => op.setAttribute("x", "\ud800"), { code: "LONE_SURROGATE" });
    assert.throws(() => op.setAttribute("x", [9, 0, "\ud800"], "a_place"), { code: "INVALID_VALUE" });
    assert.deepEqual(program.serialize(), before);
  });
});

describe("a PIR module nested without bound, when limits allow it", () => {
  const DEPTH = 20_000;
  const depthOf = (value: unknown) => {
    let depth = 0;
    for (let at = value; typeof at === "object" && at !== null; at = Object.values(at)[0]) depth++;
    return depth;
  };
  for (
    const [what, attribute] of [
      ["lists of attributes", nested('{"#":"0.a_array","D":[', "", "]}", DEPTH)],
      ["lists of an unknown kind", `{"#":"9.odd","D":${nested("[", "", "]", DEPTH)}}`],
      ["objects", `{"#":"9.odd","D":${nested('{"__proto__":', "1", "}", DEPTH)}}`],
    ]
  ) {
    it(`is read, cloned and written back, and gives its attributes: ${what}`, () => {
      const program = PirProgram.parse(withAttribute(attribute), UNLIMITED);
      assert.equal(depthOf(program.ops()[0].attributes.get("x")), DEPTH);
      assert.equal(program.clone().ops().length, 1);
      program.ops()[0].setAttribute("y", 1, "a_i32");
      assert.ok(program.serialize().length > 2 * DEPTH);
      assert.equal(program.clone().ops()[0].attributes.get("y"), 1);
    });
  }

  it("is refused as too large for a string when indentation would fill the memory", () => {
    const program = PirProgram.parse(withAttribute(`{"#":"9.odd","D":${nested("[", "", "]", DEPTH)}}`), UNLIMITED);
    program.isReadable = true;
    assert.throws(() => program.serialize(), { code: "LIMIT", limit: "memory" });
  });

  it("may have any number of regions in an operator", () => {
    const regions = Array(200_000).fill('{"blocks":[]}').join(",");
    const program = PirProgram.parse(moduleOf(OP.replace('"OA"', `"regions":[${regions}],"OA"`)), UNLIMITED);
    program.filterOps(() => true);
    assert.ok(program.serialize().length > 2_000_000);
  });
});

describe("an operator of a PIR module without results", () => {
  it("is no parameter, whatever its attributes say", () => {
    const named = '{"AT":{"#":"0.a_str","D":"x"},"N":"name"},{"AT":{"#":"0.a_str","D":"x"},"N":"parameter_name"}';
    const flags = '{"AT":{"#":"0.a_array","D":[{"#":"0.a_bool","D":true}]},"N":"persistable"}';
    for (const type of ["1.data", "1.feed", "0.parameter"]) {
      const op = `{"#":"${type}","A":[${named}],"I":[],"O":[],"OA":[${flags}]}`;
      const program = staticGraph.deserializeProgram(moduleOf(`${OP.replace('{"%":1}', "")},${op}`));
      assert.deepEqual(program.parameters(), [], type);
      assert.equal(staticGraph.normalizeProgram(program, [], "%2").ops()[0].type, "pd_op.relu");
    }
  });
});

describe("attributes of a PIR module", () => {
  it("keep their order and their contents", () => {
    const attribute = (kind: string, data: unknown) => ({ "#": kind, D: data });
    const value = (given: unknown) =>
      PirProgram.parse(withAttribute(JSON.stringify(given))).ops()[0].attributes.get("x");
    const lists = [[1, 2], [3], []].map((list) =>
      attribute("0.a_array", list.map((item) => attribute("0.a_i32", item)))
    );
    assert.deepEqual(value(attribute("0.a_array", lists)), [[1, 2], [3], []]);
    const odd = value(attribute("9.odd", { b: [1, { c: null }], a: { d: [[], [true]] } })) as object;
    assert.equal(JSON.stringify(odd), '{"b":[1,{"c":null}],"a":{"d":[[],[true]]}}');
    assert.equal(Object.getPrototypeOf(odd), null);
    assert.equal(value({ "#": "0.a_bool" }), null);
  });
});

describe("a damaged field of a PIR module", () => {
  const ops = "program/regions/0/blocks/0/ops/0";
  for (
    const [what, bytes, at] of [
      ["an operator that is not an object", moduleOf("7"), ops],
      ["an operator without a type", moduleOf(OP.replace('"#":"1.relu",', "")), `${ops}/#`],
      ["operands that are not a list", moduleOf(OP.replace('[{"%":1}]', "7")), `${ops}/I`],
      ["an operand that is not an object", moduleOf(OP.replace('{"%":1}', "7")), `${ops}/I/0`],
      [
        "a second result that is not an object",
        moduleOf(OP.replace('"O":[', '"O":[{"%":3,"TT":{"#":"0.t_f32"}},7,')),
        `${ops}/O/1`,
      ],
      [
        "an attribute without a name",
        moduleOf(OP.replace('"A":[]', '"A":[{"AT":{"#":"0.a_bool","D":true}}]')),
        `${ops}/A/0/N`,
      ],
      [
        "an item of an attribute list that is not an attribute",
        withAttribute('{"#":"0.a_array","D":[{"#":"0.a_bool"},7]}'),
        `${ops}/A/0/AT/D/1`,
      ],
      [
        "an item of a nested attribute list that is not an attribute",
        withAttribute('{"#":"0.a_array","D":[{"#":"0.a_array","D":[{"#":7}]}]}'),
        `${ops}/A/0/AT/D/0/D/0/#`,
      ],
      ["a list of attributes without its items", withAttribute('{"#":"0.a_array"}'), `${ops}/A/0/AT/D`],
      ["a block argument that is not an object", moduleOf(OP, "7"), "program/regions/0/blocks/0/args/0"],
      ["a block argument without a type", moduleOf(OP, '{"%":-1}'), "program/regions/0/blocks/0/args/0/TT"],
    ] as const
  ) {
    it(`is reported with its path: ${what}`, () => {
      assert.throws(() => PirProgram.parse(bytes), (error: PaddleError) => {
        assert.equal(error.code, "BAD_FIELD");
        assert.equal(error.at, at);
        assert.ok(error.message.includes(`${at} `), error.message);
        return true;
      });
    });
  }

  it("is reported when the module has no block, or a second one, which Paddle does not read", () => {
    const [before, after] = new TextDecoder().decode(moduleOf(OP)).split(/(?<="blocks":\[).*(?=\]\}\]\}\}$)/);
    const block = '{"#":"b","args":[],"ops":[]}';
    const withBlocks = (blocks: string) => PirProgram.parse(new TextEncoder().encode(before + blocks + after));
    assert.equal(withBlocks(block).blocks.length, 1);
    for (const blocks of ["", `${block},${block}`]) {
      assert.throws(() => withBlocks(blocks), { code: "BAD_FIELD", at: "program/regions/0/blocks" }, blocks);
    }
  });

  it("makes an operator without results no parameter, whatever its flags and its name say", () => {
    const flags = '"OA":[{"AT":{"#":"0.a_array","D":[{"#":"0.a_bool","D":true}]},"N":"persistable"}]';
    for (const [type, name] of [["0.parameter", "parameter_name"], ["1.data", "name"], ["1.fetch", "name"]]) {
      const named = `"A":[{"AT":{"#":"0.a_str","D":"w"},"N":"${name}"}]`;
      const program = PirProgram.parse(moduleOf(`{"#":"${type}",${named},"I":[],"O":[],${flags}},${OP}`));
      assert.deepEqual(program.parameters(), [], type);
      const pruned = staticGraph.normalizeProgram(program, [], ["%2"]);
      assert.deepEqual(pruned.fetches().map(({ name }) => name), ["fetch_name_0"], type);
    }
  });

  it("leaves an input without a name that can be listed, and an output in column 0", () => {
    const attribute = (name: string, data: string) => `{"AT":${data},"N":"${name}"}`;
    const input = '{"#":"1.data","A":[],"I":[],"O":[{"%":1,"TT":{"#":"0.t_f32"}}],"OA":[]}';
    const columns = ['{"#":"0.a_i32","D":1}', '{"#":"0.a_array","D":[{"#":"9.odd","D":{}}]}'];
    const outputs = columns.map((column, i) =>
      `{"#":"1.fetch","A":[${attribute("name", `{"#":"0.a_str","D":"out${i}"}`)},${attribute("col", column)}],` +
      `"I":[{"%":2}],"O":[{"%":${3 + i},"TT":{"#":"0.t_f32"}}],"OA":[]}`
    );
    const program = PirProgram.parse(moduleOf([input, OP, ...outputs].join()));
    assert.deepEqual(program.fetches().map(({ name }) => name), ["out1", "out0"]);
    assert.throws(() => staticGraph.normalizeProgram(program, [], "out0"), { code: "INVALID_VALUE", names: [""] });
    const made = staticGraph.normalizeProgram(program, program.feeds(), "out0");
    assert.deepEqual(made.feeds().map(({ name }) => name), [""]);
  });

  it("is reported as missing when it is absent, and as no list when it is something else", () => {
    assert.throws(() => PirProgram.parse(moduleOf(OP.replace('"#":"1.relu",', ""))), {
      message: /ops\/0\/# is missing/,
    });
    assert.throws(() => PirProgram.parse(moduleOf(OP.replace('[{"%":1}]', "7"))), {
      message: /ops\/0\/I is not a list/,
    });
  });
});

describe("JSON output", () => {
  it("stops with a LIMIT error when no string could hold it", () => {
    const long = "x".repeat(2 ** 20);
    assert.throws(() => atOnce(writeJsonInSteps(Array(600).fill(long))), { code: "LIMIT", limit: "memory" });
  });
});
