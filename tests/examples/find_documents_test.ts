/** The documents that the inspector finds among files. */
import { deepEqual } from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { findDocuments } from "../../examples/inspector/find_documents.ts";
import { MemoryFolder } from "../../mod.ts";

const found = (...names: string[]) =>
  findDocuments(new MemoryFolder(), names).map((
    { label, program, paramsFilename },
  ) => [label, program, paramsFilename]);

describe("documents among the files given to the inspector", () => {
  it("are the models of 1.x under the usual names of their files", () => {
    deepEqual(found("a/__model__", "a/w", "b/__model__", "b/__params__", "c/model", "c/params"), [
      ["a/", "a/__model__", undefined],
      ["b/", "b/__model__", "__params__"],
      ["c/", "c/model", "params"],
    ]);
    deepEqual(found("d/model"), [["d/model", null, undefined]]);
  });

  it("begin with weights, then the state of optimizers, so that no readme is tried first", () => {
    deepEqual(found("0_0.distcp", "0.metadata", "README.md", "config.json", "net.pdopt", "net.pdparams"), [
      ["net.pdparams", null, undefined],
      ["net.pdopt", null, undefined],
      ["0_0.distcp", null, undefined],
      ["README.md", null, undefined],
      ["config.json", null, undefined],
      ["0.metadata", null, undefined],
    ]);
  });
});
