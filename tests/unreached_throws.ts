/**
 * Lists each `throw` in src that no test reached.
 *
 *     deno test -A --coverage=cov --coverage-raw-data-only tests
 *     deno run -A tests/unreached_throws.ts cov
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import process from "node:process";
import { filesBelow } from "./helpers/files_below.ts";

/** Lines that did not run as a whole, by file: for `if (odd) throw error;` that means that it never threw. */
function unreachedLines(coverage: string): Map<string, Set<number>> {
  const args = ["coverage", "--lcov", "--include=/src/", coverage];
  const report = execFileSync("deno", args, { encoding: "utf8", maxBuffer: 2 ** 28 });
  const found = new Map<string, Set<number>>();
  for (const part of report.split("end_of_record")) {
    const file = /^SF:(.+)$/m.exec(part);
    if (!file) continue;
    const lines = [...part.matchAll(/^DA:(\d+),0$/gm)].map(([, line]) => Number(line));
    found.set(relative(".", file[1]).replaceAll("\\", "/"), new Set(lines));
  }
  return found;
}

const unreached = unreachedLines(process.argv[2]);
let all = 0;
const listed: string[] = [];
for (const file of filesBelow("src").filter((name) => name.endsWith(".ts"))) {
  const lines = readFileSync(file, "utf8").split("\n");
  for (const [i, line] of lines.entries()) {
    if (!/\bthrow\s/.test(line) || /^\s*(\/?\*|\/\/)/.test(line)) continue;
    all++;
    // A file that no test imports has no lines at all.
    if (unreached.get(file)?.has(i + 1) ?? true) listed.push(`${file}:${i + 1}: ${line.trim()}`);
  }
}
for (const line of listed) console.log(line);
console.log(`${listed.length} of ${all} throws are not reached`);
