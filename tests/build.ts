/** Bundles the tests, so that Node 20 and Bun run the same files. */
import { rm } from "node:fs/promises";
import { globSync } from "node:fs";
import esbuild from "esbuild";

const entryPoints = globSync("tests/**/*_test.ts");
await rm("out/tests", { recursive: true, force: true });
await esbuild.build({
  entryPoints,
  outbase: "tests",
  outdir: "out/tests",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  alias: {
    "@std/testing/bdd": "./tests/std/testing/bdd.ts",
    // Examples import the package by its public name.
    "@oarlock/paddle": "./mod.ts",
    "@oarlock/paddle/npy": "./src/npy.ts",
    "@oarlock/paddle/safetensors": "./src/safetensors.ts",
  },
  entryNames: "[dir]/[name].test",
  outExtension: { ".js": ".mjs" },
  // Programs that the tests import are never the main program, but Bun would treat a bundle as such.
  define: { "import.meta.main": "false" },
  // Explicit resource management is newer than Node 20.
  supported: { "using": false },
});
await esbuild.stop();
console.log(`${entryPoints.length} test files bundled`);
