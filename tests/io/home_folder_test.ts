import { describe, it } from "@std/testing/bdd";
import assert from "node:assert/strict";
import * as paddle from "../../mod.ts";
import { withGlobals } from "../helpers/with_globals.ts";

describe("an empty path in a browser", () => {
  it("is reported as empty, as elsewhere, and does not mean the folder where the browser keeps files", async () => {
    const absent = () => Promise.reject(new DOMException("absent", "NotFoundError"));
    const directory = {
      kind: "directory",
      name: "",
      getFileHandle: absent,
      getDirectoryHandle: absent,
      entries: () => [],
    };
    const navigator = { storage: { getDirectory: () => Promise.resolve(directory) } };
    const FileSystemFileHandle = { prototype: { createWritable() {} } };
    const errors: unknown[] = [];
    await withGlobals({ Deno: undefined, process: undefined, navigator, FileSystemFileHandle }, async () => {
      for (const verb of [paddle.load, paddle.open, paddle.detect, paddle.audit]) {
        errors.push(await verb("").then(() => null, (error) => error));
      }
      errors.push(await paddle.load("absent").then(() => null, (error) => error));
    });
    const absence = errors.pop();
    assert.ok(paddle.isPaddleError(absence) && absence.code === "NOT_FOUND", String(absence));
    for (const error of errors) {
      assert.ok(paddle.isPaddleError(error) && error.code === "NOT_FOUND", String(error));
      assert.match(error.message, /empty/);
    }
  });
});
