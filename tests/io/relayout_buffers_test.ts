import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { type Folder, type Source, static as staticGraph } from "../../mod.ts";
import { slowly } from "../helpers/slowly.ts";
import { modelOf } from "../helpers/sparse_file.ts";

const FILES = 60;

describe("laying out a model as a folder with a file for each parameter", () => {
  it("reuses the same few buffers, however many files there are", async () => {
    const { program, params } = modelOf(FILES, 1024);
    const buffers = new Set<ArrayBufferLike>();
    const parameters: Source = {
      size: params.size,
      read(offset, into) {
        if (into.length > 65_536) buffers.add(into.buffer);
        const part = params.slice(offset, offset + into.length);
        into.set(part);
        return Promise.resolve(part.length);
      },
    };
    let written = 0;
    const folder: Folder = {
      get: (name) =>
        Promise.resolve(name === "m.pdiparams" ? parameters : name === "m.pdmodel" ? slowly(program) : null),
      list: (prefix = "") => Promise.resolve(["m.pdmodel", "m.pdiparams"].filter((name) => name.startsWith(prefix))),
      hasFolder: () => Promise.resolve(false),
      put: () =>
        Promise.resolve({
          write: (chunk) => void (written += chunk.length),
          close() {},
          abort() {},
          keepsChunks: false,
        }),
      delete: () => Promise.resolve(),
    };
    await staticGraph.relayout({ folder, name: "m" }, { folder, name: "out" }, { layout: "folder" });
    assert.equal(written, params.size + program.length);
    assert.ok(buffers.size <= 8, `${buffers.size} buffers for ${FILES} files`);
  });
});
