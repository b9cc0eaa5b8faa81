import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { folderAt } from "../../examples/inspector/folder_at.ts";
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

describe("the inspector's folder of the file at a URL", () => {
  it("asks the server for the URL as it is, also if its name is not UTF-8, and for files whose names begin like it", async () => {
    const urls: [path: string, asked: string][] = [
      ["a/m%ff.pdmodel", "a/m%ff.pdmodel"],
      ["a%25b/m%25%ff%zz.pdmodel", "a%25b/m%25%ff%zz.pdmodel"],
      ["a%25b/my%20m%25.pdmodel", "a%25b/my%20m%25.pdmodel"],
      ["m%c3%bc.pdmodel?key=%25", "m%C3%BC.pdmodel?key=%25"],
    ];
    for (const [path, expected] of urls) {
      const asked: string[] = [];
      const url = new URL(path, "https://example.org/x/");
      const folder = folderAt(url, (input) => {
        asked.push(input);
        return Promise.resolve(new Response(null, { status: 404 }));
      });
      const name = nameAt(url);
      assert.equal(await folder.get(name), null);
      assert.equal(await folder.get(name.replace(".pdmodel", ".pdiparams")), null);
      const other = expected.replace(".pdmodel", ".pdiparams");
      assert.deepEqual(asked, [expected, other].map((path) => `https://example.org/x/${path}`));
    }
  });
});
