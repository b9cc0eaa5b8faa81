import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { nameAt } from "../../examples/inspector/name_at.ts";

describe("the inspector's name of the file at a URL", () => {
  it("is decoded, with stray percent signs as they are", () => {
    const names: [path: string, name: string][] = [
      ["a/m.pdparams", "m.pdparams"],
      ["a%20b/my%20model.pdparams", "my model.pdparams"],
      ["100%.pdparams", "100%.pdparams"],
      ["my%20model%.pdparams", "my model%.pdparams"],
      ["m%ff.pdparams", "m%ff.pdparams"],
    ];
    for (const [path, name] of names) assert.equal(nameAt(new URL(path, "https://example.org/x/")), name);
    assert.throws(() => nameAt(new URL("https://example.org/x/")), /ends in a slash/);
  });
});
