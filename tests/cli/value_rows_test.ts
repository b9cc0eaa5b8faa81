import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { rowsOf } from "../../src/cli/value_rows.ts";
import { namedArrays } from "../../src/model/named_arrays.ts";
import { zeros } from "../../mod.ts";

/** The list, and how often it was searched. */
function counted(list: unknown[]): { list: unknown[]; searches: () => number } {
  let searches = 0;
  Object.defineProperty(list, Symbol.iterator, { value: () => (searches++, Array.prototype.values.call(list)) });
  return { list, searches: () => searches };
}

describe("the rows of a value", () => {
  it("are found in one search, however often a list is in it", () => {
    const { list, searches } = counted([1, 2, 3]);
    const value = Array.from({ length: 100 }, () => list);
    const rows = [...rowsOf([zeros([1]), ...value], namedArrays([zeros([1]), ...value]))];
    assert.deepEqual([rows.length, rows.at(-1)?.value === list], [101, true]);
    assert.ok(searches() < 9, `${searches()} searches`);
  });

  it("are found in one search, however deep the arrays are", () => {
    const { list, searches } = counted([zeros([1])]);
    let value: unknown[] = list;
    for (let depth = 0; depth < 100; depth++) value = [depth, value];
    const rows = [...rowsOf(value, namedArrays(value))];
    assert.equal(rows.length, 101);
    assert.ok(searches() < 9, `${searches()} searches`);
  });

  it("end where a list contains itself", () => {
    const list: unknown[] = [1];
    list.push(list, [list, zeros([1])]);
    assert.deepEqual([...rowsOf(list, namedArrays(list))].map((row) => row.name), ["0", "1", "2.0", "2.1"]);
  });
});
