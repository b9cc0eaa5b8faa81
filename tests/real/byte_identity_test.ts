import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { decode, NDArray } from "../../mod.ts";
import { writePickle } from "../../src/codec/pickle/write/write_pickle.ts";
import { BIG_PARAMS, NAME_TABLE } from "../../src/model/keys.ts";
import { shapeForSave } from "../../src/model/to_pickle.ts";
import { filesBelow } from "../helpers/files_below.ts";

/** Files that are not reproduced byte for byte. `code`: they are refused with this error. */
const EXCEPTIONS: { file: RegExp; code?: string; why: string }[] = [
  { file: /\/errors\/.*\.raw$/, why: "written by hand, to be refused or repaired" },
  { file: /\/model-load\/(less|more|shape)|\/static-load-errors\//, why: "a state dict that was changed by hand" },
  {
    file: /objects\/(function|dataclass)|arrays\/(matrix|masked)/,
    code: "FORBIDDEN_SYMBOL",
    why: "names a function or class that is never imported",
  },
  {
    file: /objects\/set_of_tensors/,
    code: "BAD_KEY",
    why: "Paddle cannot load it either: an array is no member of a set",
  },
  {
    file: /paddle-1\.8\.5-py2\//,
    why: "Python 2 has other opcodes for text, and dicts in the order of a hash",
  },
  {
    file: /paddle-2\.0\.\d\/checkpoint\/extra/,
    why: "2.0 gives every dict a name table; since 2.1 one with a number in it is a plain object",
  },
  {
    file: /fluid_dygraph\/ndarray|paddle-1\.8\.5\/dygraph_v1\/ndarray/,
    why: "fluid.save_dygraph gives a dict of arrays an empty name table; save does not, fluid.saveDygraph does",
  },
  {
    file: /(static|static-tensors)\/list\.|static-tensors\/one\.|records-shapes\/.*\.pickle$|ambiguous\/static_/,
    why: "Paddle gives a DenseTensor by way of eval; here it is a plain array, which loads as the same",
  },
  {
    file: /transposed|fortran|arrays\/big_/,
    why: "in the file the bytes are big-endian or in Fortran order; here they are little-endian and in C order",
  },
  {
    file: /ambiguous\/(arrays_and_pair|dict_pair_value|pair|tensor_and_pair)/,
    why: "a tuple (text, array) of the user loads as a Tensor, as in Paddle, and is saved as one",
  },
  {
    file:
      /paddle-3\.\d\.\d\/(objects\/(dict_of_dict_of_tensor|nested\.|table_by_hand|tensor_and_)|arrays\/\w+_and_tensor|bigparam\/(arrays|types)|safetensors\/object|ambiguous\/pair_nested|errors\/made)/,
    why: "a key of one character that is a name, too: CPython 3.11 has two objects for some of these, others have one",
  },
  {
    file: /\/pickled\//,
    why: "pickle wrote its Tensors without paddle.save; here they are arrays, which load as Tensors",
  },
  { file: /\/sizes\//, why: "a TensorSize is an int that also knows its Tensor's shape; here it is an int" },
  { file: /distributed\/.*\.metadata$/, why: "two equal texts were two objects in Python; text has no identity here" },
];

/** Those that were found. */
const occurred = new Set<typeof EXCEPTIONS[number]>();

/** The limit with which Paddle created these cases. */
const SMALL_SLICES = 24;

/** Load a file as its owner would, and save it with the same protocol and module names. */
function again(bytes: Uint8Array, file: string): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1");
  const protocol = bytes[1];
  const numpy = text.includes("numpy._core") ? 2 : 1;
  // Only the contents show whether the file is from the dynamic graph, where Tensors have a name.
  const mode = text.includes(NAME_TABLE) || text.includes("tuple") ? "dygraph" : "static";
  let value: unknown = decode(bytes, { mode, returnNumpy: true });
  const isDict = value instanceof Map && [...value.values()].every((x) => x instanceof NDArray);
  if (mode === "dygraph" || isDict) value = decode(bytes, { mode });
  if (text.includes(BIG_PARAMS)) value = asGiven(value as Map<string, unknown>, bytes);
  const maxArrayBytes = file.includes("bigparam") ? SMALL_SLICES : undefined;
  const shaped = shapeForSave(value, { protocol, mode, maxArrayBytes });
  return Buffer.concat([...writePickle(shaped.value, { protocol, numpy })]);
}

/** Restores the original order from the name table: Paddle's load moves split parameters to the end of the dict. */
function asGiven(dict: Map<string, unknown>, bytes: Uint8Array): Map<string, unknown> {
  const table = (decode(bytes, { keepNameTable: true }) as Map<string, Map<string, string>>).get(NAME_TABLE)!;
  const keys = new Set([...table.keys(), ...dict.keys()]);
  return new Map([...keys].map((key) => [key, dict.get(key)]));
}

const CORPUS = "../shared/real";

for (const root of ["tests/fixtures/real", CORPUS].filter((folder) => existsSync(folder))) {
  describe(`pickles written by Paddle, in ${root.replace("../", "")}`, () => {
    let identical = 0;
    for (const version of readdirSync(root).filter((name) => /^paddle-\d/.test(name)).sort()) {
      it(`of ${version} are the same bytes when they are loaded and saved again`, () => {
        const different: string[] = [];
        let same = 0, others = 0;
        for (const path of filesBelow(join(root, version)).filter((path) => !path.endsWith("/expect.json"))) {
          const bytes = readFileSync(path);
          if (bytes[0] !== 0x80 || bytes[1] < 2 || bytes[1] > 4 || bytes.at(-1) !== 0x2e) continue;
          const file = path.replaceAll("\\", "/");
          const exceptions = EXCEPTIONS.filter((e) => e.file.test(file));
          let found: string | null = null;
          try {
            if (Buffer.compare(again(bytes, file), bytes) !== 0) found = "other bytes";
          } catch (error) {
            found = String((error as { code?: string }).code ?? error);
          }
          if (found === null) {
            same++;
            continue;
          }
          others++;
          const listed = exceptions.filter((e) =>
            e.code ? e.code === found : found === "other bytes" || file.includes("/errors/")
          );
          for (const exception of listed) occurred.add(exception);
          if (listed.length === 0) different.push(`${file}: ${found}`);
        }
        assert.deepEqual(different, []);
        identical += same;
        console.log(`    ${version}: ${same} files are the same bytes again, ${others} are known exceptions`);
      });
    }

    it("include more than a hundred that are the same", () => assert.ok(identical > 100, `${identical} files`));

    // Only the whole corpus has them all.
    if (root !== CORPUS) return;
    it("include every listed exception", () => {
      assert.deepEqual(EXCEPTIONS.filter((one) => !occurred.has(one)).map(({ why }) => why), []);
    });
  });
}
