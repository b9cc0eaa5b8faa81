import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { describe as suite, it } from "@std/testing/bdd";
import { type DType, encode, full, isPaddleError, NDArray, Tensor, Tuple, type Value } from "../../mod.ts";
import { driveBytes } from "../../src/codec/drive_bytes.ts";
import { PickledArray } from "../../src/codec/pickle/pickled.ts";
import { readPickle } from "../../src/codec/pickle/read_pickle.ts";
import { PickleAudit } from "../../src/codec/pickle/pickle_audit.ts";
import { type Limits, resolveLimits } from "../../src/limits.ts";
import { fromPickleInSteps } from "../../src/model/from_pickle.ts";
import { atOnce } from "../../src/words/steps.ts";
import { describe } from "../real/describe.ts";

/** With a window of this size no run of opcodes is seen as a whole, so every opcode is executed on its own. */
const ONE_BY_ONE = 16;

function numbers(dtype: DType, shape: readonly number[], name?: string): NDArray {
  const array = name === undefined ? new NDArray(dtype, shape) : new Tensor(dtype, shape, undefined, { name });
  for (let i = 0; i < array.bytes.length; i++) array.bytes[i] = dtype === "bool" ? i & 1 : i * 7;
  return array;
}

/** A state dict: entries that resemble the previous one, and a name table. */
function stateDict(): Map<string, Value> {
  const state = new Map<string, Value>();
  for (let k = 0; k < 4; k++) {
    state.set(`linear_${k}.weight`, numbers("float32", [2, 3], `linear_${k}.w_0`));
    state.set(`linear_${k}.bias`, numbers("float32", [3], `linear_${k}.b_0`));
  }
  for (let k = 0; k < 5; k++) state.set(`norm.${k}`, numbers("float32", [2, 1], `norm_${k}.w_0`));
  return state;
}

/** What can surround runs, and what only looks like them. */
function mixture(): Map<string, Value> {
  const shared = numbers("float32", [2], "shared");
  return new Map<string, Value>([
    ["first", numbers("float32", [2, 3], "linear_0.w_0")],
    ["integer", numbers("int64", [2], "n")],
    ["integer again", numbers("int64", [2], "m")],
    ["scalar", numbers("float32", [], "scalar")],
    ["empty", numbers("float32", [0, 4])],
    ["four axes", numbers("float32", [1, 2, 1, 2])],
    ["wide", numbers("bool", [300], "wide")],
    ["täxt", "ünicode"],
    ["shared", shared],
    ["the same", shared],
    ["pair", Tuple.of<unknown>("a name", 1.5)],
    ["last", numbers("float32", [2, 3])],
    ["later", numbers("float32", [2, 3])],
  ]);
}

interface Way {
  window?: number;
  copy?: boolean;
  limits?: Partial<Limits>;
  audit?: boolean;
}

/** The locations of a dict's arrays. */
function placesOf(root: unknown): unknown[] {
  const arrays = [...(root instanceof Map ? root.values() : [])].filter((value) => value instanceof PickledArray);
  return arrays.map(({ offset, dataOffset, fortran, sharesBytes }) => [offset, dataOffset, fortran, sharesBytes]);
}

/** The result of reading, as a string: the value, or the error and its location. */
function outcome(bytes: Uint8Array, { window, copy, limits, audit }: Way): string {
  const audited = audit ? new PickleAudit() : undefined;
  try {
    const pickle = driveBytes(
      (cursor) => readPickle(cursor, { limits: resolveLimits(limits), locate: true, audit: audited }),
      bytes,
      { window, copy },
    );
    const places = placesOf(pickle.root);
    const value = audit ? "audited" : describe(atOnce(fromPickleInSteps(pickle, { borrowed: !copy })));
    return JSON.stringify([value, places, audited?.findings, pickle.opcodes, pickle.end, pickle.warnings]);
  } catch (error) {
    assert.ok(isPaddleError(error), String(error));
    const { name, code, offset, at, message } = error;
    return JSON.stringify([name, code, offset, at, message]);
  }
}

/** Check that whole runs and single opcodes give the same result, from the caller's bytes and from a reused window. */
function agrees(bytes: Uint8Array, what: string, way: Way = {}): string {
  const expected = outcome(bytes, { ...way, window: ONE_BY_ONE });
  assert.equal(outcome(bytes, way), expected, what);
  assert.equal(outcome(bytes, { ...way, copy: true }), expected, `${what}, copied`);
  return expected;
}

suite("arrays that are read in whole runs of opcodes", () => {
  const files = ([2, 3, 4] as const).flatMap((protocol) => [
    { protocol, what: `a state dict at protocol ${protocol}`, bytes: encode(stateDict(), { protocol }) },
    { protocol, what: `a mixture at protocol ${protocol}`, bytes: encode(mixture(), { protocol }) },
  ]);
  for (const { what, bytes, protocol } of files) {
    it(`give the same values and errors as reading opcode by opcode: ${what}`, () => {
      assert.match(agrees(bytes, "as it is"), /Tensor/);
      agrees(bytes, "in an audit", { audit: true });
    });

    it(`give the same result as opcode by opcode when any byte is changed: ${what}`, () => {
      const kinds = new Set<string>();
      for (let at = 0; at < bytes.length; at++) {
        for (const change of [1, 0x10, (at * 37) & 0xff]) {
          const changed = bytes.slice();
          changed[at] ^= change;
          const [kind, code] = JSON.parse(agrees(changed, `byte ${at} ^ ${change}`));
          kinds.add(typeof kind === "string" ? code : "a value");
        }
      }
      for (const kind of ["a value", "BAD_STACK", "BAD_MEMO", "BAD_OPCODE"]) {
        assert.ok(kinds.has(kind), `none ended in ${kind}`);
      }
    });

    it(`give the same result as opcode by opcode when memo entries of a run are read or replaced: ${what}`, () => {
      // Before entries that resemble the previous ones, of which each file has one; entry 0 is the dict itself.
      const names = ["norm.3", "later"].filter((name) => Buffer.from(bytes).includes(name));
      assert.equal(names.length, 1);
      for (const name of names) {
        const key = Buffer.from(bytes).indexOf(name) - (protocol < 4 ? 5 : 2);
        for (let index = 1; index < 100; index++) {
          const text = [0x58, 3, 0, 0, 0, 0x6e, 0x65, 0x77];
          for (const use of [[0x68, index], [0x68, (index * 3) % 100 + 1, 0x71, index, 0x30, 0x68, index]]) {
            const changed = Uint8Array.of(...bytes.subarray(0, key), ...text, ...use, ...bytes.subarray(key));
            agrees(changed, `entry ${index} at byte ${key}, ${use.length > 2 ? "replaced" : "taken"}`);
          }
        }
      }
    });

    it(`stop at the same byte of the file for every limit: ${what}`, () => {
      const { opcodes } = driveBytes((cursor) => readPickle(cursor), bytes);
      for (let n = 0; n <= opcodes; n++) agrees(bytes, `${n} opcodes`, { limits: { maxOpcodes: n } });
      for (let n = 0; n < 16_000; n += 61) {
        agrees(bytes, `${n} bytes of structure`, { limits: { maxStructureBytes: n } });
      }
      for (let n = 0; n < 150; n++) agrees(bytes, `${n} memo entries`, { limits: { maxMemo: n } });
      for (let n = 0; n < 40; n++) {
        for (const name of ["maxTensors", "maxStackItems", "maxRank", "maxElements", "maxStringBytes"] as const) {
          agrees(bytes, `${name} ${n}`, { limits: { [name]: n } });
        }
      }
    });
  }

  it("give the same result as opcode by opcode when one entry memoizes at an explicit index instead of the next one", () => {
    const bytes = encode(stateDict(), { protocol: 4 });
    const file = Buffer.from(bytes);
    const [one, two] = ["norm.1", "norm.2"].map((key) => file.indexOf("4b008594", file.indexOf(key), "hex") + 3);
    for (let index = 0; index < 256; index++) {
      const put = [0x71, index];
      const changed = [
        ...bytes.subarray(0, one),
        ...put,
        ...bytes.subarray(one + 1, two),
        ...put,
        ...bytes.subarray(two + 1),
      ];
      changed[3] += 2; // the frame's length
      agrees(Uint8Array.from(changed), `entry ${index}`);
    }
  });

  it("memoize nothing below a mark that separates a run from its data, as Python refuses to", () => {
    const bytes = encode(new Map([["big", numbers("uint8", [5000])]]), { protocol: 3 });
    const data = Buffer.from(bytes).indexOf(Uint8Array.of(0x42, 5000 & 255, 5000 >> 8, 0, 0));
    const [MARK, MEMOIZE, POP_MARK] = [0x28, 0x94, 0x31];
    const changed = Uint8Array.of(...bytes.subarray(0, data), MARK, MEMOIZE, POP_MARK, ...bytes.subarray(data));
    assert.match(agrees(changed, "a mark, a put"), /"BAD_STACK",\d+,.*MEMOIZE/);
  });

  it("take no memory for more bytes than a string has, whatever the shape claims", () => {
    const entries = ["a", "b", "c"].map((key) => [key, numbers("float32", [2, 3, 4])] as const);
    const file = Buffer.from(encode(new Map(entries), { protocol: 2 })), shape = "K\x02K\x03K\x04";
    const second = file.indexOf(shape, file.indexOf(shape) + 1);
    const claimed = [0x4d, 255, 255, 0x4d, 255, 255, 0x4b, 255];
    const changed = Uint8Array.of(...file.subarray(0, second), ...claimed, ...file.subarray(second + shape.length));
    assert.match(agrees(changed, "a shape of 2 ** 40 numbers"), /SIZE_MISMATCH/);
  });

  it("give the same result as opcode by opcode wherever a frame ends", () => {
    const bytes = encode(stateDict(), { protocol: 4 });
    for (let length = 0; length <= bytes.length; length++) {
      const changed = bytes.slice();
      new DataView(changed.buffer).setBigUint64(3, BigInt(length), true);
      agrees(changed, `a frame of ${length}`);
    }
  });

  for (const protocol of [2, 4]) {
    it(`have their own bytes: writing to one changes neither another nor the file's bytes (protocol ${protocol})`, () => {
      const many = new Map(Array.from({ length: 500 }, (_, k) => [`key ${k}`, full([8], k)]));
      const bytes = encode(many, { protocol });
      const kept = bytes.slice();
      const pickle = driveBytes((cursor) => readPickle(cursor), bytes, { copy: true });
      const back = atOnce(fromPickleInSteps(pickle, { borrowed: false })) as Map<string, NDArray>;
      for (const array of back.values()) {
        assert.ok(array.isLoaded && array.unread === null);
        array.fill(-1);
        assert.equal(array.data.buffer.byteLength, array.nbytes);
      }
      assert.deepEqual(bytes, kept);
      const again = atOnce(
        fromPickleInSteps(driveBytes((cursor) => readPickle(cursor), bytes, { copy: true }), { borrowed: false }),
      );
      back.get("key 7")!.fill(3);
      for (const [key, array] of again as Map<string, NDArray>) assert.equal(array.at(5), Number(key.slice(4)));
      for (const [key, array] of back) assert.equal(array.at(0), key === "key 7" ? 3 : -1);
    });
  }
});
