import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { describe, it } from "@std/testing/bdd";
import { gzipSync } from "node:zlib";

const KB = 1000;

/** Size in bytes of `code` and all its imports: bundled for browsers, minified and gzipped. */
function bundled(code: string, external: string[] = []): number {
  const folder = mkdtempSync(join(tmpdir(), "oarlock-size-"));
  try {
    const entry = join(folder, "entry.ts"), outfile = join(folder, "out.js");
    writeFileSync(entry, code.replace("MAIN", resolve("mod.ts")).replace("PICKLE", resolve("src/pickle.ts")));
    const { status, stderr } = spawnSync(
      process.execPath,
      [
        ...("Deno" in globalThis ? ["run", "-A"] : []),
        "node_modules/esbuild/bin/esbuild",
        entry,
        "--bundle",
        "--minify",
        "--format=esm",
        "--log-level=error",
        `--outfile=${outfile}`,
        ...["node:*", ...external].map((name) => `--external:${name}`),
      ],
      { encoding: "utf8" },
    );
    assert.equal(status, 0, stderr);
    return gzipSync(readFileSync(outfile), { level: 9 }).length;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The limits leave room for other gzips: what zlib makes of the same bytes depends on its version and on the processor. */
function atMost(bytes: number, limit: number): void {
  assert.ok(bytes <= limit * KB, `${bytes} bytes: at most ${limit} kB`);
}

describe("a minified and gzipped bundle", () => {
  it("of the pickle reader has at most 33.1 kB, and 35.7 kB with its WebAssembly core of at most 5 kB", () => {
    const code = `export { decode } from "PICKLE";`;
    atMost(bundled(code, ["*.wasm.ts"]), 33.1);
    atMost(bundled(code), 35.7);
    atMost(statSync("wasm/core.wasm").size, 5);
  });

  it("of the pickle reader and writer has at most 45.4 kB", () => atMost(bundled(`export * from "PICKLE";`), 45.4));

  it("of a program that loads and saves any file has at most 123.9 kB", () => {
    atMost(bundled(`export { load, save } from "MAIN";`), 123.9);
  });

  it("of everything, with layers and optimizers, has at most 224.2 kB", () =>
    atMost(bundled(`export * from "MAIN";`), 224.2));
});
