import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { describe, it } from "@std/testing/bdd";
import {
  decode,
  DEFAULT_LIMITS,
  DenseTensor,
  encode,
  fromArray,
  isPaddleError,
  type Limits,
  load,
  NDArray,
  open,
  Tensor,
} from "../mod.ts";

const PROTO = [0x80, 2], STOP = 0x2e, NONE = 0x4e;
const bytes = (...parts: (number | number[] | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((p) => typeof p === "number" ? [p] : [...p]));
const u32 = (n: number): number[] => [n & 255, (n >> 8) & 255, (n >> 16) & 255, n >>> 24];
const ascii = (text: string): number[] => [...text].map((c) => c.charCodeAt(0));
const many = (n: number, part: number[]): number[] => Array.from({ length: n }, () => part).flat();

/** Exactly what a file needs: it loads with the limit at that number, but not with one less. */
const TABLE: { limit: keyof Limits; what: string; file: Uint8Array; need: number }[] = [
  // PROTO counts, as every opcode does.
  {
    limit: "maxOpcodes",
    what: "a list of 100 Nones",
    file: bytes(PROTO, 0x5d, 0x28, many(100, [NONE]), 0x65, STOP),
    need: 105,
  },
  // The list, without its mark, and a hundred items.
  {
    limit: "maxStackItems",
    what: "a list of 100 Nones",
    file: bytes(PROTO, 0x5d, 0x28, many(100, [NONE]), 0x65, STOP),
    need: 101,
  },
  {
    limit: "maxDepth",
    what: "lists nested 40 deep",
    file: bytes(PROTO, many(40, [0x5d]), many(39, [0x61]), STOP),
    need: 40,
  },
  {
    limit: "maxMemo",
    what: "a memo of 50 entries",
    file: bytes(PROTO, NONE, ...Array.from({ length: 50 }, (_, i) => [0x72, ...u32(i)]), STOP),
    need: 50,
  },
  {
    limit: "maxStringBytes",
    what: "a string of 1000 bytes",
    file: bytes(PROTO, 0x58, u32(1000), many(1000, [0x61]), STOP),
    need: 1000,
  },
  {
    limit: "maxNameBytes",
    what: "a key of 300 bytes",
    file: bytes(PROTO, 0x7d, 0x58, u32(300), many(300, [0x61]), NONE, 0x73, STOP),
    need: 300,
  },
  { limit: "maxIntBytes", what: "an int of 20 bytes", file: bytes(PROTO, 0x8a, 20, many(20, [1]), STOP), need: 20 },
  {
    limit: "maxIntDigits",
    what: "an int of 30 digits",
    file: bytes(PROTO, ascii("L" + "7".repeat(30) + "L\n"), STOP),
    need: 30,
  },
  {
    limit: "maxTensors",
    what: "7 tensors",
    file: encode(new Map(Array.from({ length: 7 }, (_, i) => [`w${i}`, new Tensor("float32", [2])]))),
    need: 7,
  },
  { limit: "maxRank", what: "an array of 12 axes", file: encode(new NDArray("int8", new Array(12).fill(1))), need: 12 },
  { limit: "maxElements", what: "an array of 24 elements", file: encode(new NDArray("int8", [2, 3, 4])), need: 24 },
  { limit: "maxTensors", what: "a record", file: encode(new NDArray("int8", [2]), { useBinaryFormat: true }), need: 1 },
  {
    limit: "maxRank",
    what: "a record of 5 axes",
    file: encode(new NDArray("int8", [1, 1, 1, 1, 2]), { useBinaryFormat: true }),
    need: 5,
  },
  {
    limit: "maxElements",
    what: "a record of 9 elements",
    file: encode(new NDArray("int8", [9]), { useBinaryFormat: true }),
    need: 9,
  },
  {
    limit: "maxLodLevels",
    what: "a record with two levels of detail",
    file: encode(new DenseTensor("float32", [3, 1], new Float32Array(3), { lod: [[0, 1, 2], [0, 1, 3]] }), {
      useBinaryFormat: true,
    }),
    need: 2,
  },
];

/** Ways to read a file: the same limits apply to all. */
const WAYS: Record<string, (file: Uint8Array, limits: Partial<Limits>) => Promise<unknown>> = {
  decode: (file, limits) => Promise.resolve().then(() => decode(file, { limits })),
  "load of a source": (file, limits) => load({ size: file.length, read: reader(file) }, { limits }),
  "load of a stream": (file, limits) => load(new Blob([file as BlobPart]).stream(), { limits }),
  "open and value": async (file, limits) => {
    await using checkpoint = await open(file, { limits });
    return await checkpoint.value();
  },
};

function reader(file: Uint8Array): (offset: number, into: Uint8Array) => Promise<number> {
  return (offset, into) => {
    const part = file.subarray(offset, offset + into.length);
    into.set(part);
    return Promise.resolve(part.length);
  };
}

async function errorOf(promise: Promise<unknown>): Promise<Record<string, unknown> | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    assert.ok(isPaddleError(error), String(error));
    return error as unknown as Record<string, unknown>;
  }
}

describe("a limit", () => {
  for (const { limit, what, file, need } of TABLE) {
    it(`lets ${what} pass at exactly what it needs, and not with one less: ${limit}`, async () => {
      for (const [name, way] of Object.entries(WAYS)) {
        assert.equal(await errorOf(way(file, { [limit]: need })), null, name);
        const error = await errorOf(way(file, { [limit]: need - 1 }));
        assert.ok(error, `${name}: no error`);
        assert.deepEqual(
          [error.name, error.code, error.limit, error.max],
          ["LimitError", "LIMIT", limit, need - 1],
          name,
        );
        assert.ok((error.actual as number) >= need, `${name}: ${error.actual}`);
      }
    });
  }

  for (const { limit, what, file } of TABLE) {
    it(`is lifted for ${what} by doing what its error says, though the file had not yet shown all that it needs: ${limit}`, async () => {
      for (const [name, way] of Object.entries(WAYS)) {
        let limits: Partial<Limits> = { [limit]: 0 };
        for (let error = await errorOf(way(file, limits)), tries = 0; error; error = await errorOf(way(file, limits))) {
          assert.ok(tries++ < 10, `${name}: ${error.message}`);
          const [, found, value] = /\{ limits: \{ (\w+): (\w+) \} \}/.exec(error.message as string)!;
          limits = { [found]: Number(value) };
        }
      }
    });
  }

  it("on structure is the same to the byte, however a file is read, and counts two bytes a character: maxStructureBytes", async () => {
    const fileOf = (text: string) =>
      encode(new Map<string, unknown>([["a", [1, 2, 3]], ["b", new Tensor("float32", [2])], ["c", text]]));
    /** The lowest limit with which the file is read. */
    const needOf = async (file: Uint8Array, way: typeof WAYS[string]): Promise<number> => {
      let fails = 0, passes = 100_000;
      assert.equal(await errorOf(way(file, { maxStructureBytes: passes })), null);
      while (passes - fails > 1) {
        const middle = (fails + passes) >> 1;
        const error = await errorOf(way(file, { maxStructureBytes: middle }));
        if (error) {
          assert.equal(error.limit, "maxStructureBytes");
          fails = middle;
        } else passes = middle;
      }
      return passes;
    };
    const need = await needOf(fileOf("text"), WAYS.decode);
    for (const [name, way] of Object.entries(WAYS)) {
      assert.equal(await needOf(fileOf("text"), way), need, name);
      assert.equal(await needOf(fileOf("texts"), way), need + 2, name);
    }
  });

  it("on a stream of unknown size is exact to the byte: maxStreamBytes", async () => {
    const file = encode(fromArray(new Array(50_000).fill(1), "float32"));
    const stream = () => new Blob([file as BlobPart]).stream();
    assert.equal(await errorOf(load(stream(), { limits: { maxStreamBytes: file.length } })), null);
    const error = await errorOf(load(stream(), { limits: { maxStreamBytes: file.length - 1 } }));
    assert.deepEqual([error?.code, error?.limit], ["LIMIT", "maxStreamBytes"]);
    assert.match(error?.message as string, /If you trust this file: \{ limits: \{ maxStreamBytes: \d+ \} \}/);
  });
});

describe("a limit on programs", () => {
  const JSON_PROGRAM = "loops-3.3.1.json", PROTOBUF = "transformer-1.8.5.pdmodel";
  const NEEDS: [file: string, limit: keyof Limits, least: number][] = [
    [JSON_PROGRAM, "maxJsonBytes", 8857],
    [JSON_PROGRAM, "maxJsonDepth", 25],
    [JSON_PROGRAM, "maxBlocks", 4],
    [JSON_PROGRAM, "maxOps", 33],
    [JSON_PROGRAM, "maxVars", 4],
    [PROTOBUF, "maxProgramBytes", 13_969],
    [PROTOBUF, "maxProtoDepth", 6],
    [PROTOBUF, "maxBlocks", 1],
    [PROTOBUF, "maxOps", 39],
    [PROTOBUF, "maxVars", 71],
  ];
  for (const [file, limit, least] of NEEDS) {
    it(`lets ${file} pass at exactly what it needs, and not with one less, however it is read: ${limit}`, async () => {
      const path = `tests/fixtures/programs/${file}`, bytes = readFileSync(path);
      for (const from of [() => path, () => bytes, () => new Blob([bytes]).stream()]) {
        assert.ok(await load(from(), { limits: { [limit]: least } }));
        await assert.rejects(load(from(), { limits: { [limit]: least - 1 } }), {
          code: "LIMIT",
          limit,
          max: least - 1,
        });
      }
    });
  }
});

describe("the documented default of each limit", () => {
  it("is the one that holds", () => {
    const units: Record<string, number> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
    const documented = [
      ...readFileSync("src/limits.ts", "utf8").matchAll(/@default \{([^}]+)\}[^/]*?\*\/\n {2}(max\w+): number;/g),
    ]
      .map(([, text, name]) => {
        const [number, unit] = text.replaceAll("_", "").split(" ");
        return [name, text === "2^53 - 1" ? Number.MAX_SAFE_INTEGER : Number(number) * (units[unit] ?? 1)];
      });
    assert.deepEqual(Object.fromEntries(documented), { ...DEFAULT_LIMITS });
  });
});

describe("the limits option", () => {
  it("reads own properties only, and refuses misspelt names and invalid values", () => {
    const file = encode(1);
    const spoiled = Object.create({ maxOpcodes: 0 });
    assert.equal(decode(file, { limits: spoiled }), 1);
    assert.throws(() => decode(file, { limits: { maxOpcode: 1 } as Partial<Limits> }), /maxOpcodes/);
    for (const value of [-1, 0.5, NaN, "1", null]) {
      assert.throws(() => decode(file, { limits: { maxOpcodes: value as number } }), TypeError, String(value));
    }
    assert.equal(decode(file, { limits: { maxOpcodes: Infinity } }), 1);
    assert.ok(Object.isFrozen(DEFAULT_LIMITS));
  });
});

describe("a heap of 64 MiB", () => {
  it(
    "is not exhausted by a small file of millions of values: that is a LIMIT, and the process goes on",
    { skip: "Deno" in globalThis ? false : "the process with that heap imports TypeScript" },
    () => {
      const code = `
      import { encode, load, full } from ${JSON.stringify(new URL("../mod.ts", import.meta.url).href)};
      const many = (opcode) => {
        const batch = [0x28, ...Array(1000).fill(opcode).flat(), 0x65];
        return Uint8Array.from([0x80, 2, 0x5d, ...Array(1500).fill(batch).flat(), 0x2e]);
      };
      const outcome = (file) => load(file).then(() => "a value", (error) => error.code + " " + error.limit);
      const text = '{"base_code":{"magic":"pir","version":1},"program":[' + "1.25,".repeat(1_000_000) + "1]}";
      console.log(await outcome(many(0x5d)), await outcome(many(0x7d)), await outcome(new TextEncoder().encode(text)));
      console.log(await outcome(encode(new Map([["w", full([1000], 1, "float32")]]))));
    `;
      const heap = "--v8-flags=--max-old-space-size=64";
      const { stdout, stderr } = spawnSync(process.execPath, ["eval", "--no-check", heap, code], { encoding: "utf8" });
      const limit = "LIMIT maxStructureBytes";
      assert.equal(stdout, `${limit} ${limit} ${limit}\na value\n`, stderr);
    },
  );
});

describe("the names of the arrays in an opened file", () => {
  it("count as its structure: each has the keys above it in it, so that a small file can ask for more than any memory holds", async () => {
    const w = fromArray([1]);
    const file = encode(new Map([["k".repeat(60_000), new Map(Array.from({ length: 100 }, (_, i) => [`${i}`, [w]]))]]));
    const limits = { maxStructureBytes: 2 ** 20 };
    assert.ok(await load(file, { limits }));
    await assert.rejects(open(file, { limits }), { code: "LIMIT", limit: "maxStructureBytes" });
    await using checkpoint = await open(file);
    assert.equal(checkpoint.names().length, 100);
  });
});
