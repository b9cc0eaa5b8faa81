import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";

/** The documents that comments cite, with the sections or rules that each has. */
const DOCUMENTS: Readonly<Record<string, ReadonlySet<string>>> = {
  FORMATS: sections("src/codec/FORMATS.md", /^#+ (\d+(?:\.\d+)?)/gm),
  TRAINING: sections("src/optimizer/TRAINING.md", /^#+ (\d+(?:\.\d+)?)/gm),
  RULES: sections("src/RULES.md", /^- \*\*([A-Z]+-\d+)\*\*/gm),
};

function sections(path: string, heading: RegExp): ReadonlySet<string> {
  return new Set([...readFileSync(path, "utf8").matchAll(heading)].map(([, name]) => name));
}

function citations(): [file: string, document: string, section: string][] {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return files.flatMap((file) => {
    const text = readFileSync(`src/${file}`, "utf8").replaceAll(/\n\s*\* /g, " ");
    return [...text.matchAll(/\b(FORMATS|TRAINING|RULES)\.md ([A-Z]+-\d+|\d+(?:\.\d+)?)/g)]
      .map(([, document, section]): [string, string, string] => [file, document, section]);
  });
}

describe("a section or rule that a comment cites", () => {
  it("exists", () => {
    const cited = citations();
    assert.ok(cited.length > 80, `only ${cited.length} citations were found`);
    assert.deepEqual(cited.filter(([, document, section]) => !DOCUMENTS[document].has(section)), []);
  });
});
