import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import {
  audit,
  detect,
  encode,
  load,
  MemoryFolder,
  open,
  recoverStateDict,
  save,
  sideIndex,
  type StateDict,
  Tensor,
} from "../../mod.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";
import { countedSignal } from "../helpers/counted_signal.ts";

const VALUE: StateDict = new Map([["w", new Tensor("float32", [40_000])], ["b", new Tensor("float32", [3])]]);
const FILE = encode(VALUE), SMALL = encode(new Map([["epoch", 3]]));

function inFolder(test: (path: string) => Promise<void>): Promise<void> {
  return inTempFolder((folder) => {
    const path = join(folder, "a.pdparams");
    writeFileSync(path, FILE);
    return test(path);
  });
}

const DESCRIPTORS = "/proc/self/fd";

/** The number of files that this process has open. */
function openFiles(): number {
  return readdirSync(DESCRIPTORS).length;
}

/** The number of timers that `work` set and that neither fired nor were cleared. */
async function timersLeft(work: () => Promise<unknown>): Promise<number> {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const left = new Set<unknown>();
  globalThis.setTimeout = ((call: () => void, ms?: number, ...values: unknown[]) => {
    const timer = set(
      () => {
        left.delete(timer);
        call();
      },
      ms,
      ...values,
    );
    left.add(timer);
    return timer;
  }) as typeof set;
  globalThis.clearTimeout = ((timer: never) => {
    left.delete(timer);
    clear(timer);
  }) as typeof clear;
  try {
    await work();
    return left.size;
  } finally {
    globalThis.setTimeout = set;
    globalThis.clearTimeout = clear;
  }
}

describe("finished calls", () => {
  it("leave no listener on a signal that ten thousand of them share, and no timer", async () => {
    const { signal, listeners, added } = countedSignal();
    const folder = new MemoryFolder();
    const stream = () => new Blob([FILE.slice()]).stream();
    const left = await timersLeft(async () => {
      for (let i = 0; i < 10_000; i++) await load(SMALL, { signal });
      for (let i = 0; i < 30; i++) {
        await save(VALUE, "a", { folder, signal });
        await load("a", { folder, signal });
        await load(stream(), { signal });
        await detect(FILE, { signal });
        await audit(FILE, { signal });
        await sideIndex("a", { folder, signal });
        await save(VALUE, new WritableStream(), { signal });
        await using checkpoint = await open("a", { folder, signal });
        await checkpoint.get("w", { signal });
        for await (const _ of checkpoint);
      }
    });
    assert.ok(added() > 0, "no call ever listened");
    assert.equal(listeners.size, 0);
    assert.equal(left, 0);
  });

  const unseen = existsSync(DESCRIPTORS) ? false : "this system does not show the files that a process has open";
  it(
    "leave no file open after results, errors, aborts and unfinished iterations",
    { skip: unseen },
    () =>
      inFolder(async (path) => {
        const before = openFiles();
        const bad = path + ".bad";
        writeFileSync(bad, FILE.subarray(0, 100_000));
        const aborted = () => {
          const controller = new AbortController();
          return { signal: controller.signal, onProgress: () => controller.abort("enough") };
        };
        const odd = path + ".odd", nameless = join(path, "..", "nameless");
        writeFileSync(odd, new Uint8Array([...FILE, 0]));
        cpSync("tests/fixtures/real/paddle-2.6.2/jit-save", nameless, { recursive: true });
        await save(new Map(), join(nameless, "m.pdiparams.info"), { protocol: 2 });
        writeFileSync(join(nameless, "m.index.json"), '{"weight_map":{"w":"a.safetensors"}}');
        const onWarning = () => {
          throw new Error("a warning is enough");
        };
        for (let i = 0; i < 20; i++) {
          await assert.rejects(open(odd, { onWarning }), /enough/);
          await assert.rejects(open(join(nameless, "m")), { code: "BAD_KEY" });
          await load(path);
          await assert.rejects(recoverStateDict({ program: bad, params: join(nameless, "m.pdiparams") }));
          await save(VALUE, path + ".new");
          for (const verb of [load, open, detect, audit]) await verb(bad).catch(() => {});
          await assert.rejects(load(path + ".none"));
          await load(path, aborted()).catch(() => {});
          await save(VALUE, path + ".new", aborted()).catch(() => {});
          await save(new Map([["f", () => 0]]), path + ".new").catch(() => {});
          const checkpoint = await open(path);
          for await (const _ of checkpoint) break;
          await checkpoint.get("x").catch(() => {});
          await checkpoint.close();
          await checkpoint.close();
          await assert.rejects(checkpoint.get("w"), TypeError);
        }
        assert.ok(openFiles() <= before + 2, `${before} files were open, now ${openFiles()}`);
        const checkpoints = await Promise.all(Array.from({ length: 20 }, () => open(path)));
        assert.ok(openFiles() >= before + 20, "open files are counted");
        await Promise.all(checkpoints.map((checkpoint) => checkpoint.close()));
        assert.ok(openFiles() <= before + 2);
      }),
  );
});
