import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { ENTRIES, namesAtRunTime } from "./surface_names.ts";

describe("the public surface", () => {
  const listed = readFileSync("tests/surface.txt", "utf8").trim().split("\n");

  it("is what tests/surface.txt says (deno task surface rewrites it)", () => {
    const namespaces = new Set(listed.filter((line) => line.endsWith(": namespace")));
    const there = namesAtRunTime((name) => namespaces.has(`${name}: namespace`));
    assert.deepEqual(there, listed.filter((line) => !line.endsWith(": type")));
  });

  it("covers every entry of the package", () => {
    const { exports } = JSON.parse(readFileSync("deno.json", "utf8"));
    const modules = Object.entries<string>(exports).filter(([, file]) => file.endsWith(".ts")).map(([entry]) => entry);
    assert.deepEqual(modules.sort(), Object.keys(ENTRIES).sort());
  });

  it("includes what a Paddle user looks for first", () => {
    for (const name of ["load: function", "save: function", "Tensor: class", "fluid: namespace", "nn: namespace"]) {
      assert.ok(listed.includes(`. ${name}`), name);
    }
  });
});
