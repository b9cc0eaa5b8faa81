import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { type FileLock, takeLock } from "../../src/io/disk/file_lock.ts";
import { SaveError } from "../../src/errors.ts";
import type { Fs } from "../../src/io/platform.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

/** The file system, with `between(n)` run before its nth call. */
function interrupted(between: (n: number) => Promise<void>): Fs {
  let n = 0;
  const promises = new Proxy(fs.promises, {
    get: (target, key) => async (...values: unknown[]) => {
      await between(n++);
      return await (Reflect.get(target, key) as (...values: unknown[]) => Promise<unknown>).apply(target, values);
    },
  });
  return { ...fs, promises } as Fs;
}

const take = (target: string, by: Fs = fs as Fs): Promise<FileLock | null> =>
  takeLock(by, target, target).catch((error) => {
    assert.equal(error.code, "CONFLICT");
    return null;
  });

/** More calls than taking a lock over needs. */
const CALLS = 12;

/** Leave a lock of a process that died. */
function leaveStale(name: string, content: string): void {
  fs.writeFileSync(name, content);
  const old = new Date(Date.now() - 601_000);
  fs.utimesSync(name, old, old);
}

describe("a lock whose owner died", () => {
  it("is taken over by one of several processes, whatever the order of their calls", () =>
    inTempFolder(async (folder) => {
      let runs = 0, most = 0;
      // One process is held up before any two of its calls, while another, and then a third, run to the end.
      for (let first = 0; first < CALLS; first++) {
        for (let second = first; second < CALLS; second++) {
          const target = join(folder, `${runs++}`), taken: (FileLock | null)[] = [];
          leaveStale(target + ".lock", "1 somebody\n");
          const slow = interrupted(async (n) => {
            most = Math.max(most, n);
            if (n === first) taken.push(await take(target));
            if (n === second) taken.push(await take(target));
          });
          taken.push(await take(target, slow));
          const holders = taken.filter((lock) => lock !== null);
          assert.equal(holders.length, 1, `held up before calls ${first} and ${second}`);
          await holders[0].release();
          assert.deepEqual(fs.readdirSync(folder), [], `left behind: ${first}, ${second}`);
        }
      }
      assert.ok(most < CALLS, `there are ${most + 1} calls`);
    }));

  it("is taken over even if a process died while it was taking it over", () =>
    inTempFolder(async (folder) => {
      const target = join(folder, "a");
      let n = 0;
      // Cut off after each call in turn, by never answering the next one.
      for (let calls = 1; calls < 8; calls++) {
        leaveStale(target + ".lock", "1 somebody\n");
        n = 0;
        const reached = new Promise<void>((resolve) => {
          const dies = interrupted(() => n++ < calls ? Promise.resolve() : new Promise(() => resolve()));
          take(target, dies).then(() => resolve());
        });
        await reached;
        // Much later, whatever was left is old.
        for (const name of fs.readdirSync(folder)) leaveStale(join(folder, name), "1 somebody\n");
        const lock = await take(target) ?? await take(target);
        assert.ok(lock, `died after ${calls} calls`);
        await lock.release();
        for (const name of fs.readdirSync(folder)) fs.rmSync(join(folder, name));
      }
    }));
});

describe("a lock that is held", () => {
  it("gives a SaveError if it cannot be taken over, as where another user's files cannot be removed", () =>
    inTempFolder(async (folder) => {
      for (let at = 0, isReached = true; isReached; at++) {
        const target = join(folder, `${at}`);
        leaveStale(target + ".lock", "1 somebody\n");
        isReached = false;
        const failing = interrupted((n) => {
          if (n !== at) return Promise.resolve();
          isReached = true;
          return Promise.reject(Object.assign(new Error("not permitted"), { code: "EPERM" }));
        });
        await takeLock(failing, target, target).catch((error) => assert.ok(error instanceof SaveError, String(error)));
      }
    }));

  it("is touched once a minute, so that a long save is not taken for dead", () =>
    inTempFolder(async (folder) => {
      const target = join(folder, "a"), now = Date.now, times: string[] = [];
      const counting = {
        ...fs,
        promises: { ...fs.promises, utimes: (name: string) => Promise.resolve(void times.push(name)) },
      };
      const lock = await take(target, counting as unknown as Fs);
      try {
        for (const seconds of [0, 59, 61, 62, 120, 122]) {
          Date.now = () => now() + 1000 * seconds;
          lock!.touch();
        }
      } finally {
        Date.now = now;
      }
      assert.deepEqual(times, [target + ".lock", target + ".lock"]);
      await lock!.release();
    }));
});
