import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import {
  audit,
  detect,
  distributed,
  encode,
  MemoryFolder,
  type PaddleError,
  type StateDict,
  Tensor,
} from "../../mod.ts";

const FILE = encode(new Map([["w", 1]]));
const failure = (promise: Promise<unknown>) => promise.then(() => null, (error) => error as PaddleError);

describe("detect and audit of something that is not a file", () => {
  it("say which function reads a prefix or folder, and which of its files can be inspected", async () => {
    const folder = new MemoryFolder([["old/__model__", FILE], ["old/w", FILE], ["m.pdmodel", FILE], ["x/y.txt", FILE]]);
    const state: StateDict = new Map([["w", new Tensor("float32", [2])]]);
    await distributed.saveStateDict(state, { folder, name: "parts" });
    for (
      const [name, code, message] of [
        ["m", "NOT_FOUND", /"m" is the prefix of a model: load and open read it; .*such as "m\.pdmodel"/],
        ["old", "NOT_A_FILE", /"old" is the folder of a model: load and open read it; .*such as "__model__"/],
        ["old/", "NOT_A_FILE", /is the folder of a model/],
        ["parts", "NOT_A_FILE", /is a distributed checkpoint: distributed\.loadStateDict reads it/],
        ["x", "NOT_A_FILE", /is a folder: detect takes one of its files/],
        ["none", "NOT_FOUND", /There is no file/],
      ] as const
    ) {
      const error = (await failure(detect(name, { folder })))!;
      assert.equal(error.code, code, name);
      assert.match(error.message, message);
      if (name !== "none") assert.ok(error.hint && error.message.endsWith(error.hint));
    }
    const onDisk = (await failure(detect("tests/fixtures/real/paddle-1.8.5/fluid-infer-separate/d")))!;
    assert.deepEqual([onDisk.code, onDisk.path?.endsWith("/d")], ["NOT_A_FILE", true]);
    assert.match(onDisk.message, /is the folder of a model/);
    assert.equal(await detect("m.pdmodel", { folder }), "pickle");
    assert.match(
      (await failure(audit("m", { folder })))!.message,
      /prefix of a model: load and open read it; audit takes/,
    );
  });
});
