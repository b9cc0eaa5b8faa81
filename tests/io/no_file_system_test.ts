import { describe, it } from "@std/testing/bdd";
import assert from "node:assert/strict";
import * as paddle from "../../mod.ts";
import { withGlobals } from "../helpers/with_globals.ts";

/** Do `work` as in an edge worker: no Deno, no `process`, and a `navigator` whose runtime keeps no files. */
function inWorker(work: () => Promise<void>): Promise<void> {
  return withGlobals({ Deno: undefined, process: undefined, navigator: { userAgent: "Cloudflare-Workers" } }, work);
}

describe("a path in a runtime without files", () => {
  const value = paddle.fromArray([1], "float32");
  const calls: Record<string, (path: string) => Promise<unknown>> = {
    load: (path) => paddle.load(path),
    open: (path) => paddle.open(path),
    detect: (path) => paddle.detect(path),
    audit: (path) => paddle.audit(path),
    openArchive: (path) => paddle.openArchive(path),
    recoverStateDict: (path) => paddle.recoverStateDict(path),
    loadInferenceModel: (path) => paddle.static.loadInferenceModel(path),
    "jit.load": (path) => paddle.jit.load(path),
    "fluid.loadDygraph": (path) => paddle.fluid.loadDygraph(path),
    "distributed.loadMergedStateDict": (path) => paddle.distributed.loadMergedStateDict(path),
    save: (path) => paddle.save(value, path),
    "distributed.saveStateDict": (path) => paddle.distributed.saveStateDict(new Map([["w", value]]), path),
    "DirectoryFolder.get": (path) => new paddle.DirectoryFolder("d").get(path),
    "DirectoryFolder.put": (path) => new paddle.DirectoryFolder("d").put(path),
    "DirectoryFolder.list": () => new paddle.DirectoryFolder("d").list(),
  };
  for (const [name, call] of Object.entries(calls)) {
    it(`is UNSUPPORTED_RUNTIME for ${name}, with what to pass instead`, async () => {
      const errors: unknown[] = [];
      await inWorker(async () => {
        for (const path of ["m", "m.pdparams"]) errors.push(await call(path).then(() => "nothing", (error) => error));
      });
      for (const error of errors) {
        assert.equal(paddle.isPaddleError(error) && error.code, "UNSUPPORTED_RUNTIME", String(error));
        assert.match(String(error), /There is no file system here/);
      }
    });
  }

  it("tells to update a runtime that is too old to reach its own", async () => {
    const errors: unknown[] = [];
    await withGlobals({ Deno: undefined, process: { versions: { node: "20.15.1" } } }, async () => {
      for (const from of ["m.pdparams", new URL("file:///m.pdparams")]) {
        errors.push(await paddle.load(from).then(() => "nothing", (error) => error));
      }
    });
    for (const error of errors) {
      assert.match(String(error), /There is no file system here .*: update Node, Deno or Bun, or pass a Blob/);
    }
  });
});
