import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { CALL_ROWS, isMeant, MEMORY_ROWS, TIME_ROWS } from "./rows.ts";

describe("--only of the benchmark", () => {
  const chosen = (only: string) =>
    [...TIME_ROWS, ...CALL_ROWS, ...MEMORY_ROWS].filter((row) => isMeant(row, only)).map(({ title }) => title);

  it("chooses rows by what the table calls them, and by their jobs", () => {
    assert.deepEqual(chosen("astype"), ["`astype`, 512 MiB of float16 to float32"]);
    assert.deepEqual(chosen("load, 20,000 small"), ["`load`, 20,000 small tensors"]);
    assert.deepEqual(chosen("small.pdparams"), ["`load`, 20,000 small tensors"]);
    assert.equal(chosen("").length, TIME_ROWS.length + CALL_ROWS.length + MEMORY_ROWS.length);
    assert.deepEqual(chosen("no such row"), []);
  });
});
