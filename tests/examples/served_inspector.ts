/** The inspector set up for its tests: built, served, and with the files from real Paddle that they open. */
import { mkdirSync, mkdtempSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { build, serve } from "../../examples/inspector/build.ts";

export const REAL = "tests/fixtures/real";
export const NET = `${REAL}/paddle-3.3.1/net/net.pdparams`;
export const MODEL = `${REAL}/paddle-2.6.2/jit-save/m`;
/** The folder for screenshots. */
export const shots = process.argv[2] ?? mkdtempSync(join(tmpdir(), "oarlock-screenshots-"));
mkdirSync(shots, { recursive: true });
/** The folder for the test's own files. */
export const folder = mkdtempSync(join(tmpdir(), "oarlock-inspector-"));
await build(join(folder, "page"));
export const server = await serve(join(folder, "page"), 0);
export const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
