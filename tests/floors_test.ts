import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { filesBelow } from "./helpers/files_below.ts";

/** From the lowest floor to the highest: imports point down, or stay on the same floor. */
const FLOORS = ["words", "codec", "model", "io", "verbs", "namespaces", "cli"];
/** The files of the floor "words" that the package names; their helpers are in `src/words/`. */
const WORDS = new Set(
  ["dtype", "errors", "kernel", "limits", "ndarray", "program", "tensor", "values"].map((name) => `src/${name}.ts`),
);

/** The folders of the floor "io", from the lowest to the highest; those of one row do not import each other. */
const IO_ROWS = [
  ["waiting"],
  ["io"],
  ["disk", "names", "streams"],
  ["sources", "sinks"],
  ["archives", "drive", "http"],
  ["folders", "lazy"],
  ["open", "save"],
  ["models"],
];

function floorOf(file: string): number {
  if (WORDS.has(file) || /^(src\/words|src\/kernel|wasm|proto)\//.test(file)) return FLOORS.indexOf("words");
  for (const floor of ["codec", "model", "io", "cli"]) {
    if (file.startsWith(`src/${floor}/`)) return FLOORS.indexOf(floor);
  }
  return FLOORS.indexOf(/^src\/[^/]+\.ts$/.test(file) ? "verbs" : "namespaces");
}

/** The TypeScript files in a folder and its subfolders. */
function sourcesBelow(folder: string): string[] {
  return filesBelow(folder).filter((file) => file.endsWith(".ts"));
}

/** The imports of a file, except type imports, which are erased and pull in no code. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "");
  return [...text.matchAll(/^(import|export)\s+(type\s)?[^;"]*from "([^"]+)"/gm)].filter((m) => !m[2]).map((m) => m[3]);
}

describe("the floors of the source code", () => {
  it("import downwards only", () => {
    const upwards: string[] = [];
    let imports = 0;
    for (const file of sourcesBelow("src")) {
      for (const target of importsOf(file)) {
        // The library needs no packages at run time: only types of protobuf's are imported.
        assert.ok(target.startsWith("."), `${file} imports ${target}`);
        const other = normalize(join(dirname(file), target)).replaceAll("\\", "/");
        imports++;
        if (floorOf(other) > floorOf(file)) upwards.push(`${file} -> ${other}`);
      }
    }
    assert.deepEqual(upwards, []);
    assert.ok(imports > 1000, `${imports} imports`);
  });

  it("import downwards only within io, folder by folder", () => {
    // Folders of lower floors are in no row.
    const row = (folder: string) => IO_ROWS.findIndex((folders) => folders.includes(folder));
    const upwards: string[] = [];
    for (const file of sourcesBelow("src/io")) {
      const own = basename(dirname(file));
      assert.ok(row(own) >= 0, `${file} is in a folder that is in no row`);
      for (const target of importsOf(file)) {
        const other = basename(dirname(join(dirname(file), target)));
        if (other !== own && row(other) >= row(own)) upwards.push(`${file} -> ${target}`);
      }
    }
    assert.deepEqual(upwards, []);
  });

  it("use no platform API below io", () => {
    for (const file of [...sourcesBelow("src/codec"), ...sourcesBelow("src/model")]) {
      const code = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/\/\/.*$/gm, "");
      assert.doesNotMatch(
        code,
        /\b(Deno|Bun|process|navigator|document)\.|\bfetch\(|"node:|\basync function|\bawait\b/,
        file,
      );
    }
  });

  it("ask the platform nothing in the words, which codecs and models are made of", () => {
    for (const file of filesBelow("src").filter((file) => floorOf(file) === FLOORS.indexOf("words"))) {
      const code = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/\/\/.*$/gm, "");
      assert.doesNotMatch(
        code,
        /\b(Deno|Bun|process|navigator|document)\.|\bfetch\(|"node:|\bglobalThis as\b|\bglobalThis\.(Deno|Bun|[a-z])/,
        file,
      );
    }
  });

  it("use no platform API in commands except through io", () => {
    for (const file of sourcesBelow("src/cli")) {
      const code = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/\/\/.*$/gm, "");
      assert.doesNotMatch(code, /\b(Deno|Bun|process|navigator|document)\.|\bfetch\(|"node:|\bglobalThis\b/, file);
    }
  });

  it("use no syntax that Node 20 lacks", () => {
    for (const file of sourcesBelow("src")) {
      const code = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "");
      assert.doesNotMatch(code, /^\s*(await )?using \w+ =|\bfor (await )?\((await )?using /m, file);
    }
  });

  it("never execute what a file contains", () => {
    for (const file of sourcesBelow("src")) {
      const code = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/\/\/.*$/gm, "");
      // `eval(): this` declares the method of a Layer.
      assert.doesNotMatch(code, /\beval\((?!\): this)|\bnew Function\b|(?<!typeof )\bimport\(/, file);
    }
  });
});
