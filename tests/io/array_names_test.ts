/** The names by which `open` and the command line give the arrays of a file. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { Complex, encode, FrozenSet, NumpyScalar, open, Tensor, Tuple, type Value } from "../../mod.ts";
import { printed } from "../cli/run_command.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

const tensor = (value: number, name?: string) => new Tensor("float32", [1], Float32Array.of(value), { name });

async function namesIn(value: Value): Promise<[string, unknown][]> {
  const file = await open(encode(value));
  const found: [string, unknown][] = [];
  for (const name of file.names()) found.push([name, (await file.get(name)).at(0)]);
  return found;
}

describe("an array in a file", () => {
  it("has its key as its name, the empty key, too", async () => {
    const state = new Map([["", tensor(1, "a")], ["a", tensor(2, "b")]]);
    assert.deepEqual(await namesIn(state), [["", 1], ["a", 2]]);
  });

  it("has all keys joined by dots, empty ones, too", async () => {
    const nested = new Map<string, Value>([["", new Map([["a", tensor(1)], ["", tensor(2)]])], ["a", tensor(3)]]);
    assert.deepEqual(await namesIn(nested), [[".a", 1], [".", 2], ["a", 3]]);
  });

  it("has its path if the name is taken", async () => {
    const twice = new Map<string, Value>([["m.w", tensor(1)], ["m", new Map([["w", tensor(2)]])]]);
    assert.deepEqual(await namesIn(twice), [["m.w", 1], ['["m"]["w"]', 2]]);
  });

  it("has the value of a numpy scalar that is its key as its name", async () => {
    const byLabel = new Map([0, 7, -1].map((n) => [new NumpyScalar("int64", n), tensor(n)]));
    assert.deepEqual(await namesIn(byLabel), [["0", 0], ["7", 7], ["-1", -1]]);
    const odd = new Map([new NumpyScalar("str32", "a"), new Complex(1, -2)].map((key, i) => [key, tensor(i)]));
    assert.deepEqual(await namesIn(odd), [["a", 0], ["1-2j", 1]]);
  });

  it("has the parts of a set or tuple that is its key in its name", async () => {
    const keys = [new FrozenSet([1, "x"]), Tuple.of<unknown>(null, new FrozenSet([2]))];
    const odd = new Map<unknown, Value>(keys.map((key, i) => [key, tensor(i)]));
    assert.deepEqual(await namesIn(odd), [["{1,x}", 0], ["null,{2}", 1]]);
  });

  it("has a numbered path if that is taken, too", async () => {
    const keys = [1, "1", Tuple.of(1), Tuple.of<unknown>("1"), '["1"]', '["1"]#2'];
    const alike = new Map<unknown, Value>(keys.map((key, i) => [key, tensor(i)]));
    assert.deepEqual(await namesIn(alike), [
      ["1", 0],
      ['["1"]', 1],
      ['["1"]#2', 2],
      ['["1"]#3', 3],
      ['["[\\"1\\"]"]', 4],
      ['["[\\"1\\"]#2"]', 5],
    ]);
  });

  it("has its own name if it is all there is", async () => {
    assert.deepEqual(await namesIn(tensor(1, "linear_0.w_0")), [["linear_0.w_0", 1]]);
    assert.deepEqual(await namesIn(tensor(1)), [["", 1]]);
  });

  it("has the same name on the command line, where it can be shown and set", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "net.pdparams");
      writeFileSync(path, encode(new Map([["", tensor(1, "a")], ["a", tensor(2, "b")]])));
      assert.deepEqual(
        JSON.parse(await printed("ls", path, "--json")).arrays.map(({ name }: { name: string }) => name),
        ["", "a"],
      );
      await printed("set", path, "", "--value", "7");
      assert.match(await printed("show", path, ""), /^\[7\.\]$/m);
      assert.match(await printed("show", path, "a"), /^\[2\.\]$/m);

      const keys = [1, "1", Tuple.of(1), Tuple.of<unknown>("1"), new NumpyScalar("int64", 5)];
      writeFileSync(path, encode(new Map<unknown, Value>(keys.map((key, i) => [key, tensor(i)]))));
      assert.deepEqual(
        JSON.parse(await printed("ls", path, "--json")).arrays.map(({ name }: { name: string }) => name),
        ["1", '["1"]', '["1"]#2', '["1"]#3', "5"],
      );
      await printed("set", path, "5", "--value", "7");
      assert.match(await printed("show", path, "5"), /^\[7\.\]$/m);
      assert.match(await printed("show", path, '["1"]#3'), /^\[3\.\]$/m);
    }));
});
