import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { DEFAULT_LIMITS, isPaddleError, Tuple } from "../../mod.ts";
import { driveBytes } from "../../src/codec/drive_bytes.ts";
import * as opcodes from "../../src/codec/pickle/opcodes.ts";
import { Memo } from "../../src/codec/pickle/memo.ts";
import { readPickle } from "../../src/codec/pickle/read_pickle.ts";
import { writePickle } from "../../src/codec/pickle/write/write_pickle.ts";
import { wasFloat } from "../../src/words/floats.ts";
import { decodePickle } from "../../src/model/decode_pickle.ts";

/** The bytes of a string whose characters are bytes. */
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** The value, or the code of the error. */
function read(text: string): unknown {
  try {
    return decodePickle(bytesOf(text));
  } catch (error) {
    assert.ok(isPaddleError(error), `${JSON.stringify(text)}: ${error}`);
    return error.code;
  }
}

/** A value's protocol 2 pickle, as a string. */
const written = (value: unknown): string =>
  String.fromCharCode(...[...writePickle(value, { protocol: 2 })].flatMap((chunk) => [...chunk]));

describe("opcodes", () => {
  it("are the numbers that Python gives their names", () => {
    const { opcodeName, ...codes } = opcodes;
    assert.ok(Object.keys(codes).length > 40);
    for (const [name, code] of Object.entries(codes)) assert.equal(opcodeName(code), name);
  });
});

describe("a frame", () => {
  const u = (bytes: number, value: number) =>
    String.fromCharCode(...Array.from({ length: bytes }, (_, i) => value / 256 ** i & 255));
  const long = "a".repeat(10_000);
  const VALUES: [string, string][] = [
    ["bytes", `B${u(4, long.length)}${long}`],
    ["text", `X${u(4, long.length)}${long}`],
    ["bytes that are encoded as text", `c_codecs\nencode\nX${u(4, long.length)}${long}X${u(4, 6)}latin1\x86R`],
  ];
  for (const [what, value] of VALUES) {
    it(`that ends within a value is refused, one that ends with it is not: ${what}`, () => {
      const framed = (length: number) => read(`\x80\x04\x95${u(8, length)}${value}\x95${u(8, 0)}\x95${u(8, 1)}.`);
      const whole = framed(value.length);
      assert.equal(typeof whole === "string" ? whole : String.fromCharCode(...whole as Uint8Array), long);
      assert.equal(framed(value.indexOf(long) + 5000), "BAD_FRAME");
      assert.equal(read(`\x80\x04${value.slice(0, value.indexOf(long) + 5000)}`), "TRUNCATED");
    });
  }
});

describe("numbers in the ASCII lines of protocol 0", () => {
  // As read by CPython 3.11; "BAD_NUMBER" if its C or its Python unpickler refuses.
  const INTS: [string, unknown][] = [
    ..."5 +5 -5 0x10 -0b1 0o17 0X1f 1_000 0x_7 000 0_0".split(" ").map((text) => [text, toNumber(text)]) as [
      string,
      unknown,
    ][],
    [" 5", 5],
    ["5\r", 5],
    ["\t5\v", 5],
    ["9007199254740993", 9007199254740993n],
    ["0x20000000000001", 9007199254740993n],
    ...["", "-", "010", "-010", "1__0", "_1", "1_", "0x", "0x__7", "0b2", "0xg", "5 5", "5\0x", "1.0", "٣"].map((
      text,
    ) => [text, "BAD_NUMBER"]) as [string, unknown][],
  ];
  function toNumber(text: string): number {
    const size = Number(text.replace(/^[-+]/, "").replaceAll("_", ""));
    return text[0] === "-" ? 0 - size : size;
  }
  it("are integers in the forms that Python's int() accepts", () => {
    for (const [text, value] of INTS) {
      for (const line of [`I${text}\n.`, `L${text}\n.`, `L${text}L\n.`]) {
        assert.deepEqual(read(line), value, JSON.stringify(line));
      }
    }
    assert.deepEqual(["I00\n.", "I01\n.", "L01\n."].map(read), [false, true, "BAD_NUMBER"]);
    // CPython takes any two characters that are 0 or 1 for a bool: one changed bit makes a space of the zero.
    assert.deepEqual(["I 1\n.", "I+0\n.", "I-0\n."].map(read), [true, false, false]);
    assert.deepEqual(["I-1\n.", "I1 \n.", "I11\n.", "L-0\n."].map(read), [-1, 1, 11, 0]);
  });

  it("are floats as C parses them: no spaces, and none that overflows", () => {
    const FLOATS: [string, unknown][] = [
      ["1.5", 1.5],
      [".5", 0.5],
      ["5.", 5],
      ["-1E+5", -1e5],
      ["1e-999", 0],
      ["inf", Infinity],
      ["-Infinity", -Infinity],
      ["NaN", NaN],
      ...[" 1.5", "1_0.5", "1e999", "-1e999", "infinit", "0x1p3", "", "."].map((text) => [text, "BAD_NUMBER"]) as [
        string,
        unknown,
      ][],
    ];
    for (const [text, value] of FLOATS) assert.deepEqual(read(`F${text}\n.`), value, JSON.stringify(text));
  });

  it("index the memo in base 10", () => {
    for (const index of ["0", "00", " 0", "0\r", "+0"]) assert.equal(read(`I7\np0\n0g${index}\n.`), 7, index);
    for (const index of ["0x0", "0_", "1.", ""]) assert.equal(read(`I7\np0\n0g${index}\n.`), "BAD_NUMBER", index);
    assert.equal(read("I7\np-1\n."), "BAD_MEMO");
  });
});

describe("floats and dtypes in a pickle", () => {
  it("stay floats in a set that Python 2 built from a list, and in an OrderedDict built from pairs", () => {
    const lists = [
      "c__builtin__\nset\n(](G?\xf0\0\0\0\0\0\0etR.",
      "c__builtin__\nlist\n(](G?\xf0\0\0\0\0\0\0etR.",
      "ccollections\nOrderedDict\n(](](G?\xf0\0\0\0\0\0\0G@\0\0\0\0\0\0\0eetR.",
    ];
    for (const text of lists) assert.match(written(read(text)), /G\?\xf0\0\0\0\0\0\0/, text);
    assert.match(written(read(lists[2])), /G@\0\0\0\0\0\0\0/);
  });

  it("stay floats as keys, -0.0 included", () => {
    for (const key of ["G?\xf0\0\0\0\0\0\0", "G\x80\0\0\0\0\0\0\0"]) {
      assert.match(written(read(`}${key}Ns.`)), /G[?\0]/, key);
      assert.match(written(read(`\x8f(${key}\x90.`)), /G[?\0]/, key);
    }
  });

  const DTYPE = (state: string) => `cnumpy\ndtype\n(X\x02\0\0\0f4I00\nI01\ntR(${state}tb`;
  const ARRAY = (zero: string, version: string, shape: string, dtype: string, fortran: string) =>
    `cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(${zero}tc_codecs\nencode\n(X\x01\0\0\0bX\x06\0\0\0latin1tRtR(` +
    `${version}(${shape}t${dtype}${fortran}C\x04\0\0\0\0tb.`;
  const STATE = "K\x03X\x01\0\0\0<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0";
  it("are refused where an array or a range needs integers", () => {
    const ONE = "G?\xf0\0\0\0\0\0\0", ZERO = "G\0\0\0\0\0\0\0\0", MINUS = "G\x80\0\0\0\0\0\0\0";
    assert.ok(typeof read(ARRAY("K\0", "K\x01", "K\x01", DTYPE(STATE), "\x89")) === "object");
    const rows = [
      ARRAY(ZERO, "K\x01", "K\x01", DTYPE(STATE), "\x89"),
      ARRAY("K\0", ONE, "K\x01", DTYPE(STATE), "\x89"),
      ARRAY("K\0", "K\x01", ONE, DTYPE(STATE), "\x89"),
      ARRAY("K\0", "K\x01", `K\x01${MINUS}`, DTYPE(STATE), "\x89"),
      ARRAY("K\0", "K\x01", "K\x01", DTYPE(STATE), ZERO),
      ARRAY("K\0", "K\x01", "K\x01", DTYPE(STATE.replace("K\x03", "G@\x08\0\0\0\0\0\0")), "\x89"),
      ARRAY("K\0", "K\x01", "K\x01", DTYPE(STATE.replace("K\0", ZERO)), "\x89"),
      `cbuiltins\nrange\n(${ONE}tR.`,
      `cbuiltins\nslice\n(N${ONE}tR.`,
      `cnumpy\ndtype\n(X\x02\0\0\0f4${ZERO}I01\ntR.`,
    ];
    for (const text of rows) assert.equal(read(text), "FORBIDDEN_CALL", JSON.stringify(text));
  });

  it("are refused where a dtype is not in the one form that numpy writes", () => {
    const states = [
      STATE.replace("K\0", "K\x01"),
      STATE.replace("J\xff\xff\xff\xffJ", "K\x04J"),
      STATE.replace("NNN", "NN]"),
      STATE + "N",
    ];
    for (const state of states) assert.equal(read(`${DTYPE(state)}.`), "FORBIDDEN_CALL", JSON.stringify(state));
    const opaque = (subarray: string, code = "V8") =>
      `cnumpy\ndtype\nU\x02${code}\x89\x88\x87R(K\x03U\x01|${subarray}NNK\x08K\x01K\0tb`;
    const F4 = "cnumpy\ndtype\nU\x02f4\x89\x88\x87R", pair = opaque(`${F4}K\x02\x85\x86`);
    assert.notEqual(read(`${pair}.`), "FORBIDDEN_CALL", "a field's dtype");
    for (
      const subarray of [
        "]",
        `](${F4}K\x02\x85e`,
        `${F4}`,
        `${F4}\x85`,
        `${F4}K\x02\x86`,
        `${F4}]\x86`,
        "NK\x02\x85\x86",
      ]
    ) {
      assert.equal(read(`${opaque(subarray)}.`), "FORBIDDEN_CALL", JSON.stringify(subarray));
    }
    const bytes = "C\x08\0\0\0\0\0\0\0\0";
    assert.equal(read(`cnumpy.core.multiarray\nscalar\n${pair}${bytes}\x86R.`), "FORBIDDEN_CALL", "of a scalar");
    const shell = ARRAY("K\0", "K\x01", "K\x01", pair, "\x89").replace("C\x04\0\0\0\0", bytes);
    assert.equal(read(shell), "FORBIDDEN_CALL", "of an array");
    for (const flags of ["I01\nI01\n", "I00\nI00\n", "K\x02K\x01", "I00\nI01\nI01\n"]) {
      assert.equal(read(`cnumpy\ndtype\n(X\x02\0\0\0f4${flags}tR.`), "FORBIDDEN_CALL", flags);
    }
  });
});

describe("a symbol in a pickle", () => {
  const LIST = "cbuiltins\nlist\n", DICT = "ccollections\nOrderedDict\n)R";
  const SHELL = "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\x01b\x87R";
  const INDEX = "cpaddle.distributed.checkpoint.metadata\nLocalTensorIndex\n";
  const F4 = "cnumpy\ndtype\nU\x02f4\x89\x88\x87R";

  it("is refused as a value anywhere, with the byte that named it", () => {
    const texts = [
      `]${LIST}a.`,
      `}N${LIST}s.`,
      `](N${LIST}e.`,
      `${LIST}}b.`,
      `${LIST}\x85}b.`,
      `${DICT}${LIST}b.`,
      `${DICT}${LIST}\x85b.`,
      `${SHELL}${LIST}b.`,
      `${SHELL}(K\x01${LIST}${F4}\x89C\0tb.`,
      `${SHELL}(K\x01K\0\x85${LIST}\x89C\0tb.`,
      `${SHELL}(K\x01K\0\x85${F4}\x89${LIST}tb.`,
      `${INDEX}${LIST}\x81.`,
      `${INDEX}${LIST}\x85\x81.`,
      `${INDEX})${LIST}\x92.`,
      `cbuiltins\nset\n${LIST}R.`,
      `cbuiltins\nset\n${LIST}\x85R.`,
      `${LIST}.`,
      `N${LIST}\x86.`,
    ];
    for (const text of texts) {
      assert.throws(
        () => decodePickle(bytesOf("\x80\x04" + text)),
        { name: "UnsafeError", code: "FORBIDDEN_CALL", symbol: "builtins.list", offset: text.indexOf(LIST) + 2 },
        JSON.stringify(text),
      );
    }
  });

  it("is refused when it is called, built or given state in a way that is not its own", () => {
    const ONE = "G?\xf0\0\0\0\0\0\0", KEY = "U\x0atensor_keyU\x01as";
    const texts = [
      `cnumpy\nfloat32\n${ONE}\x85R.`,
      `cnumpy\nfloat32\n)R.`,
      `cbuiltins\ncomplex\nK\x01K\x02\x86R.`,
      `cbuiltins\ncomplex\n${ONE}\x88\x86R.`,
      `cbuiltins\nrange\nK\x01K\x02K\0\x87R.`,
      `${DICT}}b}b.`,
      `${INDEX})\x81}${KEY}b}${KEY}b.`,
      `${INDEX})\x81}U\x0atensor_keyNsb.`,
      `${INDEX})\x81}U\x0dglobal_offset${ONE}\x85sb.`,
      `${INDEX})\x81}U\x0cflat_mapping}sb.`,
      `ccopyreg\n_reconstructor\n${INDEX}cbuiltins\nobject\nN\x87R.`,
    ];
    for (const text of texts) assert.equal(read("\x80\x04" + text), "FORBIDDEN_CALL", JSON.stringify(text));
    assert.equal(typeof read(texts.at(-1)!), "object", "protocols 0 and 1 have no NEWOBJ");
  });

  it("makes a Tensor only of a finished array with its own dtype, a place and a bool", () => {
    const array = (code: string, bytes = 4) =>
      `${SHELL}(K\x01K\x01\x85cnumpy\ndtype\nU\x02${code}\x89\x88\x87R\x89C${String.fromCharCode(bytes)}${
        "\0".repeat(bytes)
      }tb`;
    const tensor = (args: string) => `\x80\x04cpaddle.base.dygraph.math_op_patch\n_rebuild_tensor\n(${args}tR.`;
    const X = array("f4"), FLOAT = "U\x07float32", CPU = "U\x03cpu";
    assert.notEqual(read(tensor(`${X}${FLOAT}${CPU}\x88`)), "FORBIDDEN_CALL");
    assert.notEqual(read(tensor(`${array("u2", 2)}U\x08bfloat16${CPU}\x89`)), "FORBIDDEN_CALL");
    const rows = [
      "",
      `${X}${FLOAT}${CPU}`,
      `${X}${FLOAT}${CPU}\x88N`,
      `${SHELL}${FLOAT}${CPU}\x88`,
      `]${FLOAT}${CPU}\x88`,
      `N${FLOAT}${CPU}\x88`,
      `${X}U\x07float64${CPU}\x88`,
      `${X}U\x02f4${CPU}\x88`,
      `${X}N${CPU}\x88`,
      `${array("u2", 2)}U\x06uint16${CPU}\x88`,
      `${array("U1")}N${CPU}\x88`,
      `${X}${FLOAT}N\x88`,
      `${X}${FLOAT}K\0\x88`,
      `${X}${FLOAT}${CPU}K\x02`,
      `${X}${FLOAT}${CPU}N`,
    ];
    for (const args of rows) assert.equal(read(tensor(args)), "FORBIDDEN_CALL", JSON.stringify(args));
  });

  it("makes an int of a Tensor's size only with the ints that Paddle 3.3 writes, and a list of a shape", () => {
    const SIZE = "cpaddle.base.dygraph.math_op_patch\nTensorSize\n", SHAPE = "cpaddle.base.libpaddle\nSize\n";
    const dims = `${SHAPE}K\x02K\x03\x86\x85R`, six = `${SIZE}K\x06\x85\x81`;
    const state = (value: string, key = "as_shape") => `}U${String.fromCharCode(key.length)}${key}${value}s`;
    const file = (text: string) => read(`\x80\x04${text}.`);
    assert.equal(file(`${six}${state(dims)}b`), 6);
    assert.equal(file(`${SIZE}\x8a\x08\0\0\0\0\0\0\0\x40\x85\x81${state(dims)}b`), 2n ** 62n);
    assert.deepEqual(file(`${six}q\0${state(dims)}bh\0\x86`), Tuple.of(6, 6), "the same object twice");
    assert.deepEqual(file(dims), [2, 3]);
    assert.deepEqual(file(`${SHAPE})\x85R`), []);
    const ONE = "G?\xf0\0\0\0\0\0\0";
    const rows = [
      `${SIZE})\x81`,
      `${SIZE}K\x06K\x06\x86\x81`,
      `${SIZE}K\x02K\x03\x86\x85\x81`,
      `${SIZE}${ONE}\x85\x81`,
      `${SIZE}\x88\x85\x81`,
      `${SIZE}N\x85\x81`,
      `${SIZE}U\x016\x85\x81`,
      `${SIZE}${SHAPE}\x85\x81`,
      `${SIZE}K\x06\x85}U\x01aNs\x92`,
      `${SIZE}K\x06\x85R`,
      SIZE,
      `${six}}b`,
      `${six}Nb`,
      `${six}${dims}b`,
      `${six}${state("]")}b`,
      `${six}${state("K\x02K\x03\x86")}b`,
      `${six}${state(dims, "__dict__")}b`,
      `${six}${state(dims)}U\x01aNsb`,
      `${ONE}${state(dims)}b`,
      `N${state(dims)}b`,
      `]${state(dims)}b`,
      `${SIZE}${state(dims)}b`,
      `${SHAPE})R`,
      `${SHAPE}]\x85R`,
      `${SHAPE}K\x02\x85R`,
      `${SHAPE}K\x02K\x03\x86R`,
      `${SHAPE}K\x02K\x03\x86R`,
      `${SHAPE}K\x02\x85K\x03\x85\x86R`,
      `${SHAPE}K\x02\x88\x86\x85R`,
      `${SHAPE}K\x02${ONE}\x86\x85R`,
      `${SHAPE}K\x02\x85\x85\x85R`,
      `${SHAPE})\x81`,
      `${SHAPE}K\x02K\x03\x86\x85\x81`,
      SHAPE,
    ];
    for (const text of [...rows, `${six}${state(SHAPE)}b`]) {
      assert.equal(file(text), "FORBIDDEN_CALL", JSON.stringify(text));
    }
  });

  it("for a numpy scalar of text or a date needs as many bytes as its dtype says", () => {
    for (const [code, bytes] of [["U2", 4], ["U2", 12], ["S3", 2], ["M8", 4], ["m8", 9]] as const) {
      const data = `C${String.fromCharCode(bytes)}${"\0".repeat(bytes)}`;
      const text = `cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02${code}\x89\x88\x87R${data}\x86R.`;
      assert.equal(read(text), "SIZE_MISMATCH", `${code} of ${bytes} bytes`);
    }
  });
});

describe("a duplicate key", () => {
  it("holds an int if that is its last value, though the first was the same number as a float", () => {
    const one = "G?\xf0\0\0\0\0\0\0", pair = (value: string) => `U\x01a${value}`;
    for (const key of [pair(""), "K\x05"]) {
      const dicts = [`}(${key}${one}${key}K\x01u.`, `}(${key}${one}u${key}K\x01s.`, `}(${key}K\x01${key}${one}u.`];
      const found = dicts.map((text) => written(read("\x80\x02" + text)).includes("G?"));
      assert.deepEqual(found, [false, false, true]);
    }
  });

  // Offsets of the opcodes: PROTO 0, EMPTY_DICT 2, ...
  const CASES: [string, string, [first: number, again: number]][] = [
    ["by two SETITEMs", "\x80\x02}U\x01aK\x01sU\x01aK\x02s.", [8, 14]],
    ["by one SETITEMS", "\x80\x02}(U\x01aK\x01U\x01aK\x02u.", [14, 14]],
    ["after others", "\x80\x02}(U\x01bK\x01U\x01aK\x02u(U\x01cK\x01U\x01aK\x02u.", [14, 26]],
    ["after another SETITEM", "\x80\x02}U\x01bK\x01sU\x01aK\x01sU\x01aK\x02s.", [14, 20]],
    ["spelled otherwise", "\x80\x02}K\x01K\x01s\x88K\x02s.", [7, 11]],
    ["beside a dict of its own", "\x80\x02}U\x01aK\x01sU\x01b}U\x01aK\x01ssU\x01aK\x02s.", [8, 25]],
  ];
  for (const [how, text, [first, again]] of CASES) {
    it(`${how} is reported with both of its offsets`, () => {
      const { warnings: [warning, ...more] } = driveBytes((cursor) => readPickle(cursor), bytesOf(text));
      assert.deepEqual(more, []);
      assert.equal(warning.code, "DUPLICATE_KEY");
      assert.equal(warning.offset, again);
      assert.ok(warning.message.includes(`set at byte ${first} and again`), warning.message);
    });
  }
});

describe("strings of protocol 0", () => {
  // As read by CPython 3.11 with encoding="latin1"; "BAD_TEXT" if it refuses.
  const QUOTED: [string, string][] = [
    ["'a'", "a"],
    [`"a'b"`, "a'b"],
    [String.raw`'\\ \' \" \a\b\f\n\r\t\v'`, "\\ ' \" \x07\b\f\n\r\t\v"],
    [String.raw`'\x41\xfF'`, "A\xff"],
    [String.raw`'\101\0\7\12345'`, "A\0\x07S45"],
    [String.raw`'\1x\18'`, "\x01x\x018"],
    [String.raw`'\777'`, "\xff"],
    [String.raw`'\q\8'`, "\\q\\8"],
    ...[String.raw`'\x4'`, String.raw`'\xg1'`, String.raw`'\x'`, String.raw`'\'`, "'a", "a'", `'a"`, "'", ""].map((
      text,
    ) => [text, "BAD_TEXT"]) as [string, string][],
  ];
  for (const [line, text] of QUOTED) {
    it(`${line} is ${JSON.stringify(text)}`, () => assert.equal(read(`S${line}\n.`), text));
  }
});

describe("a line longer than maxStringBytes", () => {
  const LINES: [string, string][] = [
    ["that does not end", `V${"a".repeat(300)}`],
    ["that ends behind its frame", `\x95\x04\0\0\0\0\0\0\0V${"a".repeat(300)}\n.`],
    ["in a file that goes on", `V${"a".repeat(300)}\n.`],
  ];
  for (const [what, text] of LINES) {
    it(`${what} is refused for its length, however much of the file is seen at a time`, () => {
      const limits = { ...DEFAULT_LIMITS, maxStringBytes: 200 };
      for (const window of [1, 7, 64, 250, Infinity]) {
        const reading = () => driveBytes((cursor) => readPickle(cursor, { limits }), bytesOf(text), { window });
        assert.throws(
          reading,
          { code: "LIMIT", limit: "maxStringBytes", offset: text.indexOf("V") },
          `window ${window}`,
        );
      }
    });
  }
});

describe("keys and shared values", () => {
  it("refuse a bytearray as a key, even inside a tuple", () => {
    const ARRAY = "\x96\x01\0\0\0\0\0\0\0x";
    for (const text of [`}${ARRAY}Ns.`, `\x8f(${ARRAY}\x90.`, `}${ARRAY}\x85Ns.`]) assert.equal(read(text), "BAD_KEY");
  });

  it("give a string that encoded bytes as a string wherever it is used as one", () => {
    const ENCODE = "c_codecs\nencode\n(X\x02\0\0\0\xc3\xa9X\x06\0\0\0latin1t";
    assert.deepEqual(read(`${ENCODE}q\0R0(h\0h\0l.`), [Tuple.of("é", "latin1"), Tuple.of("é", "latin1")]);
    assert.deepEqual(read(`${ENCODE}2q\x000R.`), bytesOf("\xe9"));
  });

  it("give the same tuple when tuple() is called with a tuple", () => {
    const [made, first] = read("(cbuiltins\ntuple\n(K\x01tq\0\x85Rh\0l.") as unknown[];
    assert.equal(made, first);
    assert.ok(made instanceof Tuple);
  });
});

describe("keys that are equal in Python", () => {
  const float = (x: number) => {
    const bytes = new Uint8Array(9);
    bytes[0] = 0x47;
    new DataView(bytes.buffer).setFloat64(1, x);
    return [...bytes];
  };
  const scalar = (code: string, data: number[]) => [
    ...bytesOf(`cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n\x8c\x02${code}\x89\x88\x87RC`),
    data.length,
    ...data,
    0x86,
    0x52,
  ];
  const complex = (re: number, im: number) => [
    ...bytesOf("c__builtin__\ncomplex\n"),
    ...float(re),
    ...float(im),
    0x86,
    0x52,
  ];
  /** A set's members in an order, as a frozenset. */
  const frozen = (...members: number[][]) => [0x28, ...members.flat(), 0x91];
  const KEYS: Record<string, number[]> = {
    true: [0x88],
    one: [0x4b, 1],
    "1.0": float(1),
    two: [0x4b, 2],
    "2.0": float(2),
    big: [0x8a, 7, 0, 0, 0, 0, 0, 0, 0x20],
    "big.0": float(2 ** 53),
    next: [0x8a, 7, 1, 0, 0, 0, 0, 0, 0x20],
    false: [0x89],
    zero: [0x4b, 0],
    "-0.0": float(-0),
    "int64(2)": scalar("i8", [2, 0, 0, 0, 0, 0, 0, 0]),
    "int8(1)": scalar("i1", [1]),
    "bool_(False)": scalar("b1", [0]),
    "2+0j": complex(2, 0),
    "2+1j": complex(2, 1),
    "1+2j": complex(1, 2),
    "'n1'": [...bytesOf("\x8c\x02n1")],
    "str_('n1')": scalar("U2", [0x6e, 0, 0, 0, 0x31, 0, 0, 0]),
    "b'n1'": [...bytesOf("C\x02n1")],
    "bytes_(b'n1')": scalar("S2", [0x6e, 0x31]),
    "frozenset([1, 2])": frozen([0x4b, 1], [0x4b, 2]),
    "frozenset([2, True])": frozen(float(2), [0x88]),
    "frozenset([2])": frozen([0x4b, 2]),
    "(1, 2)": [0x4b, 1, 0x4b, 2, 0x86],
    "(int8(1), 2+0j)": [...scalar("i1", [1]), ...complex(2, 0), 0x86],
    "(1, 2+1j)": [0x4b, 1, ...complex(2, 1), 0x86],
  };
  const EQUAL = [
    ["true", "one", "1.0", "int8(1)"],
    ["two", "2.0", "int64(2)", "2+0j"],
    ["big", "big.0"],
    ["next"],
    ["false", "zero", "-0.0", "bool_(False)"],
    ["2+1j"],
    ["1+2j"],
    ["'n1'", "str_('n1')"],
    ["b'n1'", "bytes_(b'n1')"],
    ["frozenset([1, 2])", "frozenset([2, True])"],
    ["frozenset([2])"],
    ["(1, 2)", "(int8(1), 2+0j)"],
    ["(1, 2+1j)"],
  ];
  it("are one key in whatever order they come, and different keys stay apart", () => {
    const classOf = (name: string) => EQUAL.findIndex((names) => names.includes(name));
    for (const [first, a] of Object.entries(KEYS)) {
      for (const [second, b] of Object.entries(KEYS)) {
        const size = classOf(first) === classOf(second) ? 1 : 2;
        const dict = Uint8Array.from([0x80, 4, 0x7d, 0x28, ...a, 0x4e, ...b, 0x4e, 0x75, 0x2e]);
        const set = Uint8Array.from([0x80, 4, 0x8f, 0x28, ...a, ...b, 0x90, 0x2e]);
        assert.equal((decodePickle(dict) as Map<unknown, unknown>).size, size, `${first}, ${second}`);
        assert.equal((decodePickle(set) as Set<unknown>).size, size, `${first}, ${second}`);
      }
    }
  });

  it("are refused with the reason if a Map cannot have them", () => {
    const nested = (depth: number) => [0x4b, 1, ...Array(depth).fill(0x85)];
    const wide = (n: number) => [0x28, ...Array(n).fill(0x4e), 0x74];
    const REASONS: [number[], RegExp | null][] = [
      [float(NaN), /a key that is NaN$/],
      [complex(0, NaN), /a key that is NaN$/],
      [[...float(NaN), 0x85], /a key that has a part that is NaN$/],
      [scalar("f2", [0, 0x7e]), /a key that is NaN$/],
      [[0x5d], /a key that is no text, number, bytes, or tuple or frozenset of these$/],
      [[0x5d, 0x85], /a key that has a part that is no text, /],
      [nested(8), null],
      [nested(9), /a key that nests more than 256 values or 8 levels$/],
      [wide(256), null],
      [wide(257), /a key that nests more than 256 values or 8 levels$/],
      [[...wide(255), ...wide(2), 0x86], /a key that nests more than/],
      [frozen([...wide(256), ...nested(2), 0x86]), /a key that nests more than/],
    ];
    for (const [key, reason] of REASONS) {
      const read = () => decodePickle(Uint8Array.from([0x80, 4, 0x7d, 0x28, ...key, 0x4e, 0x75, 0x2e]));
      if (reason) assert.throws(read, { code: "BAD_KEY", message: reason });
      else read();
    }
  });
});

describe("floats in a list", () => {
  it("stay floats among other numbers, which stay what they are", () => {
    const numbers = [0x47, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0], int = [0x4b, 1];
    for (const pattern of ["f", "i", "fi", "if", "ffi", "iff", "fif", "ifi", "fffiiif"]) {
      const items = [...pattern].flatMap((kind) => kind === "f" ? numbers : int);
      const bytes = Uint8Array.from([0x80, 2, 0x5d, 0x71, 0, 0x28, ...items, 0x65, 0x2e]);
      const list = decodePickle(bytes) as number[];
      const floats = list.map((x, i) => wasFloat(list, i, x) ? "f" : "i").join("");
      assert.equal(floats, pattern);
      assert.ok(!wasFloat(list, list.length, 1) && !wasFloat(list, -1, 1) && !wasFloat(list, 0.5, 1));
    }
  });
});

describe("memo indices that do not count up", () => {
  it("may be any 32-bit number, each with its own value", () => {
    const places = [2 ** 31, 2 ** 31 - 1, 2 ** 32 - 1, 2 ** 32 - 2, 2 ** 31 + 1, 1000];
    const u32 = (n: number) => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24];
    const puts = places.flatMap((place, i) => [0x4b, i, 0x72, ...u32(place), 0x30]);
    const gets = places.flatMap((place) => [0x6a, ...u32(place)]);
    const bytes = Uint8Array.from([0x80, 4, ...puts, 0x5d, 0x28, ...gets, 0x65, 0x2e]);
    assert.deepEqual(decodePickle(bytes), [0, 1, 2, 3, 4, 5]);
    const absent = Uint8Array.from([0x80, 4, 0x4e, 0x72, ...u32(2 ** 32 - 1), 0x6a, ...u32(2 ** 31 - 1), 0x2e]);
    assert.throws(() => decodePickle(absent), { code: "BAD_MEMO" });
  });

  it("take no memory for the indices in between", () => {
    const memo = new Memo();
    for (let i = 0; i < 20_000; i++) memo.set(i * 60, i);
    assert.deepEqual([memo.size, memo.get(60 * 19_999), memo.get(61)], [20_000, 19_999, undefined]);
    assert.ok(memo.length < 3 * memo.size, `${memo.length}`);
  });
});
