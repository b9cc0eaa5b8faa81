/**
 * Writes tests/surface.txt: every name that the package exports, with its entry point and kind. `deno task surface`
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ENTRIES, namesAtRunTime } from "./surface_names.ts";

/** The modules of an entry point: itself, and those exported by `export * as name`, with the prefix of their names. */
function modulesOf(file: string, prefix: string): [string, string][] {
  const found: [string, string][] = [[prefix, file]];
  for (const [, name, target] of readFileSync(file, "utf8").matchAll(/^export \* as (\w+) from "(\.[^"]+)"/gm)) {
    found.push(...modulesOf(join(dirname(file), target), `${prefix}${name}.`));
  }
  return found;
}

const atRunTime = namesAtRunTime((_, value) => Object.prototype.toString.call(value) === "[object Module]");
const seen = new Set(atRunTime.map((line) => line.slice(0, line.lastIndexOf(":"))));
const types = new Set<string>();
const { exports } = JSON.parse(readFileSync("deno.json", "utf8"));
for (const entry of Object.keys(ENTRIES)) {
  const modules = modulesOf(exports[entry].replace("./", ""), entry + " ");
  const args = ["doc", "--json", ...modules.map(([, file]) => file)];
  const { nodes } = JSON.parse(execFileSync("deno", args, { encoding: "utf8", maxBuffer: 2 ** 28 }));
  for (const [prefix, file] of modules) {
    for (const { name } of nodes[pathToFileURL(file).href].symbols) {
      if (!seen.has(prefix + name)) types.add(`${prefix}${name}: type`);
    }
  }
}
const lines = [...atRunTime, ...types].sort();
writeFileSync("tests/surface.txt", lines.join("\n") + "\n");
console.log(`${lines.length} names in tests/surface.txt`);
