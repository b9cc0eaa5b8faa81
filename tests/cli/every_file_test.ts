import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { audit, ERROR_CODES } from "../../mod.ts";
import { oarlock } from "./run_command.ts";
import { filesBelow } from "../helpers/files_below.ts";

/** Files to skip: scripts, notes and JSON. */
const NO_FILES = /\.(py|md|json)$/;

const REAL = ["1.6.1", "2.4.2", "3.3.1"].flatMap((version) =>
  filesBelow(`tests/fixtures/real/paddle-${version}`).filter((path) => !NO_FILES.test(path))
);
const HOSTILE = ["keys", "text", "unsafe", "bypass", "lying", "npy", "npz"]
  .flatMap((folder) => filesBelow(`tests/fixtures/hostile/${folder}`).filter((path) => !NO_FILES.test(path)));
assert.ok(REAL.length > 100 && HOSTILE.length > 100, `${REAL.length} real files, ${HOSTILE.length} hostile ones`);
const CODES = new Set<string>(Object.values(ERROR_CODES).flat());
// deno-lint-ignore no-control-regex
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

/** Check that the output has no terminal control sequences, and that an error is one line with a code. */
function check(args: string[], { code, out, err }: Awaited<ReturnType<typeof oarlock>>): void {
  const what = `oarlock ${args.join(" ")}: ${code}\n${out.slice(0, 300)}\n${err.slice(0, 300)}`;
  assert.doesNotMatch(out + err, OBEYED, what);
  assert.ok((out + err).isWellFormed(), what);
  if (code !== 2) return;
  assert.equal(out, "", what);
  const line = err.split("\n").find((line) => line.startsWith("error: "));
  const named = /\(([A-Z0-9_]+)\)$/.exec(line ?? "");
  assert.ok(named && CODES.has(named[1]), what);
}

describe("every fixture, real or hostile,", () => {
  it("is listed, or refused in one line with a code", async () => {
    for (const path of [...REAL, ...HOSTILE]) {
      for (const args of [["ls", path, "--long"], ["ls", path, "--json"]]) {
        const ran = await oarlock(args);
        check(args, ran);
        if (ran.code === 0 && args[2] === "--json") {
          const { arrays, bytes } = JSON.parse(ran.out);
          assert.equal(arrays.reduce((n: number, array: { bytes: number }) => n + array.bytes, 0), bytes, path);
        }
      }
    }
  });

  it("is shown whole, as text and as JSON, or refused in one line with a code", async () => {
    for (const path of [...REAL, ...HOSTILE]) {
      for (const args of [["show", path], ["show", path, "--json"]]) {
        const ran = await oarlock(args);
        check(args, ran);
        if (ran.code === 0 && args[2] === "--json") JSON.parse(ran.out);
      }
    }
  });

  it("is audited with the exit code of its verdict", async () => {
    for (const path of [...REAL, ...HOSTILE]) {
      const args = ["audit", path, "--json"];
      const { code, out } = await oarlock(args);
      const report = await audit(path);
      assert.equal(code, report.exitCode, path);
      assert.deepEqual(JSON.parse(out), JSON.parse(JSON.stringify({ file: path, ...report })), path);
      const text = await oarlock(["audit", path]);
      assert.equal(text.code, code, path);
      assert.doesNotMatch(text.out, OBEYED, path);
    }
  });

  it("does not differ from itself", async () => {
    for (const path of REAL) {
      const args = ["diff", path, path];
      const ran = await oarlock(args);
      check(args, ran);
      assert.notEqual(ran.code, 1, `${path}\n${ran.out}`);
    }
  });
});
