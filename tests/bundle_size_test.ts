import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { describe, it } from "@std/testing/bdd";
import { gzipSync } from "node:zlib";

const KB = 1000;

/** Bytes of `code` and all that it imports: bundled for browsers, minified, compressed by gzip. */
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

function atMost(bytes: number, limit: number): void {
  assert.ok(bytes <= limit * KB, `${bytes} bytes: at most ${limit} kB`);
}

describe("bundles, minified and compressed", () => {
  it("the reader of pickles: 29 kB, and 31.7 kB with its core of WebAssembly, which has at most 12 kB", () => {
    const code = `export { decode } from "PICKLE";`;
    atMost(bundled(code, ["*.wasm.ts"]), 29);
    atMost(bundled(code), 31.7);
    atMost(statSync("wasm/core.wasm").size, 12);
  });

  it("reader and writer of pickles: 40.4 kB", () => atMost(bundled(`export * from "PICKLE";`), 40.4));

  it("a program that loads and saves any file: 107.5 kB", () => {
    atMost(bundled(`export { load, save } from "MAIN";`), 107.5);
  });

  it("everything, with layers and optimizers: 196 kB", () => atMost(bundled(`export * from "MAIN";`), 196));
});
