import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, it } from "@std/testing/bdd";
import { cleanupTemps, encode, save, Tensor } from "../../mod.ts";

/** How many times a process is killed. */
const KILLS = 30;
/** Longest wait before it is killed: the duration of so many saves. */
const LONGEST = 2;

/** One of two values of different lengths. */
function value(which: number): Map<string, Tensor> {
  const count = 1_000_000 + 1000 * which;
  return new Map([["w", new Tensor("float32", [count], new Float32Array(count).fill(which), { name: "w_0" })]]);
}

/** What the process to be killed does: it runs this very file. It prints the milliseconds of its second save: the first one loads code. */
async function saveForEver(path: string): Promise<never> {
  for (let i = 1;; i++) {
    const begin = performance.now();
    await save(value(2 - i % 2), path);
    if (i === 2) process.stdout.write(String(performance.now() - begin));
  }
}

const target = process.env.OARLOCK_SAVE_FOR_EVER;
if (target) await saveForEver(target);

function start(path: string): ReturnType<typeof spawn> {
  const file = fileURLToPath(import.meta.url);
  const args = "Deno" in globalThis ? ["run", "-A", "--no-check", file] : [file];
  const env = { ...process.env, OARLOCK_SAVE_FOR_EVER: path, NODE_TEST_CONTEXT: "" };
  return spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
}

describe("a process that is killed while it saves over a file", () => {
  it("leaves either the whole old file or the whole new one, whenever it is killed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "oarlock-killed-"));
    try {
      const path = join(folder, "a.pdparams");
      const wholes = [0, 1, 2].map((which) => Buffer.from(encode(value(which))));
      let during = 0;
      for (let i = 0; i < KILLS; i++) {
        writeFileSync(path, wholes[0]);
        const child = start(path);
        const closed = once(child, "close");
        const [printed] = await once(child.stdout!, "data");
        await new Promise((resolve) => setTimeout(resolve, LONGEST * Number(String(printed)) * i / KILLS));
        child.kill("SIGKILL");
        await closed;
        const bytes = readFileSync(path);
        const which = wholes.findIndex((whole) => bytes.equals(whole));
        assert.ok(which > 0, `kill ${i}: ${bytes.length} bytes that ${which < 0 ? "nobody" : "only the parent"} saved`);
        const others = readdirSync(folder).filter((name) => name !== "a.pdparams");
        assert.ok(others.every((name) => /^\.a\.pdparams\.[0-9a-f]{16}\.pdtmp$/.test(name)), others.join());
        if (others.length > 0) during++;
        assert.equal((await cleanupTemps(folder, { olderThan: 0 })).length, others.length);
        assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
      }
      assert.ok(during > KILLS / 8, `only ${during} of ${KILLS} were killed while they wrote`);
      console.log(`    ${KILLS} processes killed, ${during} while they wrote`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
