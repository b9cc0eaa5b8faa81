import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import {
  HttpFolder,
  jit,
  load,
  MemoryFolder,
  Model,
  nn,
  open,
  type PaddleError,
  recoverStateDict,
  save,
  type Source,
  static as paddleStatic,
  Tensor,
} from "../../mod.ts";

const { loadInferenceModel, relayout } = paddleStatic;
const real = "tests/fixtures/real/paddle-2.6.2/jit-save/m";
const POINTER = new TextEncoder().encode(
  `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 12345\n`,
);

async function put(folder: MemoryFolder, name: string, bytes: Uint8Array): Promise<void> {
  const sink = await folder.put(name);
  await sink.write(bytes);
  await sink.close();
}

/** A folder with the model `m`, and `source` as another file of it. */
function modelWith(another: string, source: Source): MemoryFolder {
  const names = ["m.pdmodel", "m.pdiparams"];
  const folder = new MemoryFolder(names.map((name) => [name, readFileSync(real.slice(0, -1) + name)]));
  const { get } = folder;
  folder.get = (name) => name === another ? Promise.resolve(source) : get.call(folder, name);
  return folder;
}

describe("a .pdiparams.info", () => {
  it("is judged by its first bytes, however long it claims to be", async () => {
    let most = 0;
    const zeros = {
      size: 2 ** 50,
      read(offset: number, into: Uint8Array) {
        most = Math.max(most, offset + into.length);
        return Promise.resolve(into.length);
      },
    };
    const folder = modelWith("m.pdiparams.info", zeros);
    for (const verb of [load, open]) await assert.rejects(verb("m", { folder }), { code: "WRONG_FORMAT" });
    assert.ok(most < 2 ** 20, `${most} bytes`);
  });
});

describe("a .meta beside an exported Layer", () => {
  it("is refused if it is larger than the limit for structure, and closed", async () => {
    let closed = 0;
    const huge = { size: 2 ** 50, read: () => assert.fail("read"), close: () => Promise.resolve(void closed++) };
    const folder = modelWith("m.meta", huge);
    await assert.rejects(jit.load("m", { folder }), { code: "LIMIT", limit: "maxStructureBytes" });
    assert.equal(closed, 1);
  });
});

/** A folder with a model as downloaded: `det/inference.pdmodel`, `.pdiparams`, `.pdiparams.info`. */
async function downloaded(): Promise<MemoryFolder> {
  const folder = new MemoryFolder();
  for (const end of [".pdmodel", ".pdiparams", ".pdiparams.info"]) {
    await put(folder, `det/inference${end}`, readFileSync(real + end));
  }
  return folder;
}

const LOADERS = { load, open, loadInferenceModel, recoverStateDict, "jit.load": jit.load };

describe("a model requested by something other than its prefix", () => {
  for (const [loader, ask] of Object.entries(LOADERS)) {
    it(`has its prefix in the error when its folder was given (${loader})`, async () => {
      const folder = await downloaded();
      await assert.rejects(ask("det", { folder }), (error: PaddleError) => {
        assert.ok(["NOT_FOUND", "EXTRA_FILE"].includes(error.code), error.code);
        assert.match(error.message, /give the prefix of its files, "det\/inference"$/);
        return true;
      });
      assert.ok(await ask("det/inference", { folder }));
    });
  }

  it("is refused with what is missing when only a part of its files has the prefix", async () => {
    const folder = new MemoryFolder();
    await put(folder, "m.pdiparams", readFileSync(real + ".pdiparams"));
    await put(folder, "n.pdiparams", readFileSync(real + ".pdiparams"));
    await save(new Map([["w", 1]]), "n.pdparams", { folder });
    for (const ask of Object.values(LOADERS)) {
      await assert.rejects(ask("m", { folder }), {
        code: "NOT_FOUND",
        hint: "the program of m.pdiparams is missing: m.pdmodel or m.json",
      });
      await assert.rejects(ask("n", { folder }), {
        code: "NOT_FOUND",
        hint: "give the full file name, such as n.pdparams",
      });
    }
  });

  it("is refused with the name that its folder does not have", async () => {
    const folder = await downloaded(), absent = { code: "MISSING_PART", names: ["other"] };
    for (const ask of [load, loadInferenceModel]) {
      await assert.rejects(ask("det", { folder, modelFilename: "other" }), absent);
      await assert.rejects(ask("det", { folder, paramsFilename: "other" }), absent);
    }
  });

  it("is refused with a clear message when a file of another kind was given", async () => {
    const folder = await downloaded();
    await save(new Map([["w", 1]]), "net.pdparams", { folder });
    for (const ask of [loadInferenceModel, recoverStateDict, jit.load]) {
      await assert.rejects(ask("net.pdparams", { folder }), {
        code: "NOT_FOUND",
        message: '"net.pdparams" is a file: the prefix or the folder of a model is expected',
      });
    }
  });

  it("has the prefix of forward in the error, not that of another method", async () => {
    const folder = await downloaded();
    for (const end of [".pdmodel", ".pdiparams"]) {
      await put(folder, `det/inference.head${end}`, readFileSync(real + end));
    }
    await assert.rejects(load("det", { folder }), { code: "EXTRA_FILE", hint: /"det\/inference"$/ });
  });

  for (const [loader, ask] of Object.entries({ loadInferenceModel, recoverStateDict, "jit.load": jit.load })) {
    it(`has its prefix in the error when one of its files was given (${loader})`, async () => {
      const folder = await downloaded();
      for (const end of [".pdmodel", ".pdiparams", ".pdiparams.info"]) {
        await assert.rejects(ask(`det/inference${end}`, { folder }), {
          code: "NOT_FOUND",
          message:
            `"det/inference${end}" is one file of a model: give the prefix of the model's files, "det/inference"`,
        });
      }
    });
  }

  it("has no suggested prefix when the folder contains no model", async () => {
    const folder = new MemoryFolder();
    await save(new Map([["x", new Tensor("float32", [1], new Uint8Array(4))]]), "some/x.pdparams", { folder });
    await assert.rejects(loadInferenceModel("some", { folder }), {
      code: "NOT_FOUND",
      message: '"some" has no __model__: give the names of its files',
    });
  });
});

describe("a model with a git-LFS pointer in place of a file", () => {
  const pointed = { code: "WRONG_FORMAT", message: /git-LFS pointer.*Run: git lfs pull/ };

  for (const end of [".pdmodel", ".pdiparams", ".pdiparams.info"]) {
    it(`is refused with an error that says so (${end})`, async () => {
      const folder = await downloaded();
      await put(folder, `det/inference${end}`, POINTER);
      for (const ask of Object.values(LOADERS)) await assert.rejects(ask("det/inference", { folder }), pointed);
    });
  }

  it("is refused with an error that says so for a parameter in its own file", async () => {
    const folder = await downloaded();
    await relayout("det/inference", "old", { folder, layout: "folder" });
    await put(folder, "old/linear_0.w_0", POINTER);
    for (const ask of Object.values(LOADERS)) await assert.rejects(ask("old", { folder }), pointed);
    await folder.delete("old/__model__");
    await assert.rejects(load("old", { folder }), { code: "EXTRA_FILE", message: /linear_0\.w_0.*git lfs pull/ });
  });
});

describe("a folder of Paddle 1.x on a server, which does not list its files", () => {
  const base = "https://models.example/v1/";
  const files = "tests/fixtures/real/paddle-1.8.5/fluid-infer-separate/d/";
  const fetch = (url: string | URL | Request) => {
    const [, name] = String(url).split(base + "lac/");
    const isThere = name && existsSync(files + name);
    return Promise.resolve(new Response(isThere ? readFileSync(files + name) : "", { status: isThere ? 200 : 404 }));
  };

  for (const [loader, ask] of Object.entries(LOADERS)) {
    it(`is opened by its name below the base URL (${loader})`, async () => {
      const folder = new HttpFolder(base, { fetch });
      assert.ok(await ask("lac", { folder }));
      await assert.rejects(ask("lac", { folder, modelFilename: "other" }), { code: "NOT_FOUND" });
      await assert.rejects(ask("lad", { folder }), { code: "NOT_FOUND" });
    });
  }

  it("is opened as the base URL itself", async () => {
    const folder = new HttpFolder(base + "lac/", { fetch });
    for (const modelFilename of [undefined, "__model__"]) {
      assert.ok(await loadInferenceModel({ folder, name: "" }, { modelFilename }));
    }
    const empty = new HttpFolder(base + "lad/", { fetch });
    await assert.rejects(loadInferenceModel({ folder: empty, name: "" }), { code: "NOT_FOUND", message: /__model__/ });
  });

  it("is opened by its URL, with a slash at the end or without", async () => {
    const expected = await load(files);
    for (const url of [base + "lac", base + "lac/"]) {
      assert.deepEqual(await load(url, { fetch }), expected);
      const file = await open(url, { fetch });
      assert.deepEqual(file.names(), [...(expected as Map<string, unknown>).keys()]);
    }
    await assert.rejects(load(base + "lad/", { fetch }), { code: "HTTP_STATUS", status: 404 });
  });
});

describe("a prefix that ends in a slash", () => {
  it("is a folder, as in Paddle: nothing is written beside it", async () => {
    const model = await loadInferenceModel(real), { program, parameters, feedTargetNames, fetchTargets } = model;
    const layer = await jit.load(real), folder = new MemoryFolder(), options = { program, parameters, folder };
    const savers = {
      "jit.save": () => jit.save(layer, "old/", { folder }),
      "static.save": () => paddleStatic.save(program, "old/", { parameters, folder }),
      "static.saveInferenceModel": () =>
        paddleStatic.saveInferenceModel("old/", feedTargetNames, fetchTargets, options),
    };
    for (const [name, saved] of Object.entries(savers)) {
      await assert.rejects(saved(), { name: "TypeError", message: /ends in a name/ }, name);
    }
    await assert.rejects(new Model(new nn.Linear(1, 1)).save("old/", { folder }), { name: "TypeError" });
    assert.deepEqual(await folder.list(), []);
  });
});
