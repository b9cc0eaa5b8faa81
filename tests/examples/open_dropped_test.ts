/** What the inspector finds in a drop. */
import { rejects } from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { droppedFiles } from "../../examples/inspector/open_dropped.ts";

describe("files dropped on the inspector", () => {
  it("are refused if they are too many, when the page is able to show that", async () => {
    const item = { getAsFile: () => new File([], "net.pdparams") };
    const filesOf = droppedFiles({ items: new Array(50_001).fill(item) } as never);
    await rejects(filesOf(), /More than 50000 files were dropped/);
  });

  it("are refused if a folder has very many, all of which the browser returns at once", async () => {
    const batches = [new Array(300_000).fill({ isFile: true, fullPath: "/d/net.pdparams" }), []];
    const createReader = () => ({ readEntries: (resolve: (batch: unknown[]) => void) => resolve(batches.shift()!) });
    const folder = { getAsFile: () => null, webkitGetAsEntry: () => ({ isDirectory: true, createReader }) };
    await rejects(droppedFiles({ items: [folder] } as never)(), /More than 50000 files were dropped/);
  });
});
