import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll as after, beforeAll as before, describe, it } from "@std/testing/bdd";
import * as paddle from "../../mod.ts";
import { main } from "../../src/cli/mod.ts";
import { npyHead } from "../../src/codec/npy/write_npy.ts";
import { until } from "../helpers/until.ts";

const IS_DENO = "Deno" in globalThis;
const NET = "tests/fixtures/real/paddle-3.3.1/net/net.pdparams";

describe("the command line as a process of this runtime", () => {
  let folder = "";
  /** The program to run and its arguments: the source in Deno, a bundle in Node and Bun. */
  let program: string[] = [];

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "oarlock-cli-"));
    if (IS_DENO) {
      program = ["run", "-A", "--no-check", "src/cli/mod.ts"];
      return;
    }
    const file = join(folder, "oarlock.mjs");
    const { status, stderr } = spawnSync(process.execPath, [
      "node_modules/esbuild/bin/esbuild",
      "src/cli/mod.ts",
      "--bundle",
      "--platform=node",
      "--format=esm",
      "--target=node20",
      "--supported:using=false",
      "--log-level=error",
      `--outfile=${file}`,
    ], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    program = [file];
  });

  after(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]) => spawnSync(process.execPath, [...program, ...args], { encoding: "utf8" });

  it("says that it is the answer that cannot be written, not the file", { skip: !existsSync("/dev/full") }, () => {
    const full = openSync("/dev/full", "w"), path = join(folder, "a.npy");
    try {
      const args = ["convert", NET, path, "--name", "scale"];
      const { status, stderr } = spawnSync(process.execPath, [...program, ...args], {
        stdio: ["ignore", full, "pipe"],
        encoding: "utf8",
      });
      assert.equal(status, 2);
      assert.match(stderr, /^error: The answer cannot be written: .*space left on device/i);
      assert.ok(existsSync(path));
    } finally {
      closeSync(full);
    }
  });

  it("answers on the standard output, and exits with the command's code", () => {
    const { status, stdout, stderr } = run("ls", NET);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /^scale +float32 +\[2\] +8 B\n[^]*\n38 arrays, 710 B\n$/);
    const wrong = run("show", NET, "nothing");
    assert.deepEqual([wrong.status, wrong.stdout], [2, ""]);
    assert.match(wrong.stderr, /^error: There is no "nothing" in it.*\(NOT_FOUND\)\n$/);
    const path = join(folder, "evil.pkl");
    writeFileSync(path, "cos\nsystem\n(Vecho hello\ntR.");
    const evil = run("audit", path, "--json");
    assert.deepEqual([evil.status, JSON.parse(evil.stdout).symbols[0].symbol], [1, "os.system"]);
  });

  it("is also a function of its arguments, which leaves no listeners on the process", async () => {
    const said: string[] = [], signals = () => process.listenerCount("SIGINT") + process.listenerCount("SIGTERM");
    const { write } = process.stdout, before = signals();
    process.stdout.write = ((text: string, done: () => void) => (said.push(text), done(), true)) as typeof write;
    let code: number;
    try {
      code = await main(["detect", NET]);
    } finally {
      process.stdout.write = write;
    }
    assert.deepEqual([code, said.join("")], [0, "pickle\n"]);
    assert.equal(signals(), before);
  });

  it("needs only read permission in Deno", { skip: IS_DENO ? false : "Deno alone has permissions" }, () => {
    const args = ["run", "--allow-read", "--no-prompt", "--no-check", "src/cli/mod.ts", "ls", NET];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /38 arrays/);
  });

  it("does not complain when its output is closed early", async () => {
    const path = join(folder, "many.safetensors");
    const arrays = new Map(Array.from({ length: 20_000 }, (_, i) => [`layer.${i}.weight`, paddle.zeros([1])]));
    await paddle.save(arrays, path, { safetensors: true });
    const child = spawn(process.execPath, [...program, "ls", path], { stdio: ["ignore", "pipe", "pipe"] });
    let err = "";
    child.stderr.on("data", (text) => err += text);
    child.stdout.once("data", () => child.stdout.destroy());
    const code = await new Promise((done) => child.on("close", done));
    assert.deepEqual([code, err], [0, ""]);
  });

  it("stops when it is interrupted, and leaves the old file", async () => {
    const from = join(folder, "huge.npy"), to = join(folder, "huge.safetensors");
    const unread = { read: () => Promise.reject(new Error("it is not read")) };
    const head = npyHead(new paddle.NDArray("float32", [2 ** 18, 1024], unread)), file = openSync(from, "w");
    writeFileSync(file, head);
    ftruncateSync(file, head.length + 2 ** 30);
    closeSync(file);
    writeFileSync(to, "old");
    const args = ["convert", from, to, "--force", "--dtype", "float16"];
    const child = spawn(process.execPath, [...program, ...args], { stdio: ["ignore", "ignore", "pipe"] });
    let err = "";
    child.stderr.on("data", (text) => err += text);
    const closed = new Promise((done) => child.on("close", done));
    // Its temporary file shows that it is writing.
    await until(() => readdirSync(folder).some((name) => name.endsWith(".pdtmp")), () => `nothing is written: ${err}`);
    // Not child.kill(): Deno then reports that the signal ended the process, whatever its exit code.
    process.kill(child.pid!, "SIGINT");
    const code = await closed;
    assert.deepEqual([code, err], [130, "error: stopped; no file was left half-written\n"]);
    assert.equal(readFileSync(to, "utf8"), "old");
    assert.ok(!readdirSync(folder).some((name) => name.startsWith("huge.safetensors") && name !== "huge.safetensors"));
  });
});
