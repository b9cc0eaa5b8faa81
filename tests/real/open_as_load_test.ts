import assert from "node:assert/strict";
import { describe as suite, it } from "@std/testing/bdd";
import { isPaddleError, load, type NDArray, open, Tensor } from "../../mod.ts";
import { namedArrays } from "../../src/model/named_arrays.ts";
import { filesBelow } from "../helpers/files_below.ts";
import { describe } from "./describe.ts";

const FILES = filesBelow("tests/fixtures/real").filter((path) => !path.endsWith("/expect.json"));
const PREFIXES = FILES.filter((path) => /\.(pdmodel|json)$/.test(path)).map((path) => path.replace(/\.\w+$/, ""));

/** What `load` returns, by name, or the code of its error. */
async function loaded(path: string, options: { returnNumpy: boolean }): Promise<[string, unknown][] | string> {
  try {
    return described(namedArrays(await load(path, options)));
  } catch (error) {
    if (!isPaddleError(error)) throw error;
    return error.code;
  }
}

/** The same, from what `open` reads array by array. */
async function opened(path: string, options: { returnNumpy: boolean }): Promise<[string, unknown][] | string> {
  try {
    const file = await open(path, options);
    try {
      const arrays = new Map<string, NDArray>();
      for await (const [name, array] of file) {
        const { dtype, shape, kind } = file.info(name);
        assert.deepEqual({ dtype, shape }, { dtype: array.dtype, shape: array.shape }, `${path}: ${name}`);
        assert.equal(kind === "Tensor", array instanceof Tensor, `${path}: ${name}`);
        arrays.set(name, array);
      }
      return described(arrays);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!isPaddleError(error)) throw error;
    return error.code;
  }
}

function described(arrays: ReadonlyMap<string, NDArray>): [string, unknown][] {
  return [...arrays].map(([name, array]) => [name, describe(array)]);
}

suite("open", () => {
  it("reads every model that Paddle wrote as load does", async () => {
    const prefixes = new Set(PREFIXES);
    assert.ok(prefixes.size > 20, `${prefixes.size} models`);
    // Of a model, load returns numpy's arrays whatever the options, as Paddle does.
    for (const prefix of prefixes) {
      assert.deepEqual(
        await opened(prefix, { returnNumpy: true }),
        await loaded(prefix, { returnNumpy: true }),
        prefix,
      );
    }
  });

  it("reads every file that Paddle wrote as load does", async () => {
    for (const path of FILES) {
      for (const returnNumpy of [false, true]) {
        assert.deepEqual(await opened(path, { returnNumpy }), await loaded(path, { returnNumpy }), path);
      }
    }
  });
});
