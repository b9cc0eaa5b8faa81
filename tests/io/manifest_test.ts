import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs, {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "@std/testing/bdd";
import {
  DirectoryFolder,
  distributed,
  fluid,
  type Folder,
  fromArray,
  full,
  isPaddleError,
  load,
  MemoryFolder,
  Model,
  NDArray,
  nn,
  open,
  optimizer,
  static as staticModule,
  zeros,
} from "../../mod.ts";
import { cleanupTemps } from "../../src/io/disk/temp_file.ts";
import { changeAlone } from "../../src/io/save/change_alone.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";
import { modelOf } from "../helpers/sparse_file.ts";

const { loadInferenceModel, loadProgramState, relayout, save } = staticModule;
const FIXTURE = "tests/fixtures/real/paddle-3.1.1/infer-model.oldir/m";

function inFolder(test: (prefix: string, folder: string) => Promise<void>): Promise<void> {
  return inTempFolder((folder) => test(join(folder, "m"), folder));
}

/** The model with its first parameter filled with `value`. */
async function filled(value: number) {
  const model = await loadInferenceModel(FIXTURE);
  for (const array of model.parameters.values()) (array as NDArray).fill(value);
  return model;
}

async function outcome(prefix: string): Promise<unknown> {
  try {
    const [first] = (await load(prefix) as Map<string, NDArray>).values();
    return first.toFloat32Array()[0];
  } catch (error) {
    assert.ok(isPaddleError(error), String(error));
    return error.code;
  }
}

describe("a model saved with a manifest", () => {
  it("is loaded and opened as usual; a save without a manifest removes the old one", () =>
    inFolder(async (prefix, folder) => {
      assert.deepEqual(await relayout(await filled(1), prefix, { manifest: true }), [
        "m.pdiparams",
        "m.pdmodel",
        "m.pdsum",
      ]);
      assert.equal(await outcome(prefix), 1);
      await using checkpoint = await open(prefix);
      assert.equal((await checkpoint.get(checkpoint.names()[0])).toFloat32Array()[0], 1);
      await relayout(await filled(2), prefix);
      assert.deepEqual(readdirSync(folder).sort(), ["m.pdiparams", "m.pdmodel"]);
      assert.equal(await outcome(prefix), 2);
    }));

  it("is loaded, and finished, if the save was interrupted when only its manifest was not in place yet", () =>
    inFolder(async (prefix, folder) => {
      const pending = ".m.pdsum.0123456789abcdef.pdtmp", names = ["m.pdiparams", "m.pdmodel", "m.pdsum"];
      await inTempFolder(async (other) => {
        await relayout(await filled(1), prefix, { manifest: true });
        await relayout(await filled(2), join(other, "m"), { manifest: true });
        copyFileSync(join(other, "m.pdsum"), join(folder, pending));
        assert.equal(await outcome(prefix), 1);
        assert.deepEqual(readdirSync(folder).sort(), [pending, ...names]);
        for (const name of names.slice(0, 2)) copyFileSync(join(other, name), join(folder, name));
      });
      // It may be under way.
      assert.equal(await outcome(prefix), 2);
      assert.deepEqual(readdirSync(folder).sort(), [pending, ...names]);
      const then = Date.now() / 1000 - 120;
      fs.utimesSync(join(folder, pending), then, then);
      if ("Deno" in globalThis) {
        const asking = ({ name }: Deno.PermissionDescriptor) => ({ state: name === "write" ? "prompt" : "granted" });
        Object.defineProperty(Deno.permissions, "querySync", { value: asking, configurable: true });
        try {
          assert.equal(await outcome(prefix), 2);
        } finally {
          Reflect.deleteProperty(Deno.permissions, "querySync");
        }
        assert.ok(existsSync(join(folder, pending)), "nobody is asked for permission to write by a load");
      }
      assert.equal(await outcome(prefix), 2);
      assert.deepEqual(readdirSync(folder).sort(), names);
      assert.equal(await outcome(prefix), 2);
      // What is set aside of another save does not make a mixture whole.
      copyFileSync(join(folder, "m.pdsum"), join(folder, pending));
      writeFileSync(prefix + ".pdiparams", readFileSync(prefix + ".pdiparams").fill(3, 400));
      assert.equal(await outcome(prefix), "MIXED_SAVE");
      assert.deepEqual(readdirSync(folder).sort(), [pending, ...names]);
    }));

  it("is loaded if another load finishes its save at that moment, and not if that is the save of another model with a long name", () =>
    inFolder(async (_, folder) => {
      const long = "a".repeat(70), other = join(folder, "other"), { stat } = fs.promises;
      const interrupted = async (name: string) => {
        await relayout(await filled(1), join(folder, name), { manifest: true });
        await relayout(await filled(2), join(other, name), { manifest: true });
        const pending = join(folder, `.${(name + ".pdsum").slice(0, name === "m" ? 64 : 60)}.0123456789abcdef.pdtmp`);
        fs.renameSync(join(other, name + ".pdsum"), pending);
        for (const left of readdirSync(other)) fs.renameSync(join(other, left), join(folder, left));
        return pending;
      };
      const pending = await interrupted("m");
      Object.assign(fs.promises, {
        stat: (path: string, how: never) => {
          if (path === pending) fs.renameSync(pending, join(folder, "m.pdsum"));
          return stat(path, how);
        },
      });
      try {
        assert.equal(await outcome(join(folder, "m")), 2);
      } finally {
        Object.assign(fs.promises, { stat });
      }
      await interrupted(long + "1");
      await relayout(await filled(3), join(folder, long + "2"), { manifest: true });
      writeFileSync(join(folder, long + "2.pdiparams"), readFileSync(join(folder, long + "1.pdiparams")));
      assert.equal(await outcome(join(folder, long + "2")), "MIXED_SAVE");
      assert.equal(await outcome(join(folder, long + "1")), 2);
    }));

  it("is SOURCE_CHANGED when it is saved again after its files were compared with the manifest, and before all are read", () =>
    inFolder(async (prefix, folder) => {
      for (const verb of [load, loadInferenceModel]) {
        await relayout(await filled(1), prefix, { manifest: true });
        await inTempFolder(async (other) => {
          await relayout(await filled(2), join(other, "m"), { manifest: true });
          const onProgress = () => {
            for (const name of readdirSync(other)) fs.renameSync(join(other, name), join(folder, name));
          };
          await assert.rejects(verb(prefix, { onProgress }), { code: "SOURCE_CHANGED" });
        });
        assert.equal(await outcome(prefix), 2);
        // One that does not fit to what was read of the first.
        const inner = new DirectoryFolder(folder);
        let gets = 0;
        const changing: Folder = {
          get(...args) {
            if (args[0] === "m.pdiparams" && ++gets === 2) {
              writeFileSync(prefix + ".new", "of another model");
              fs.renameSync(prefix + ".new", prefix + ".pdiparams");
            }
            return inner.get(...args);
          },
          put: (...args) => inner.put(...args),
          list: (...args) => inner.list(...args),
          delete: (...args) => inner.delete(...args),
        };
        await assert.rejects(verb("m", { folder: changing }), { code: "SOURCE_CHANGED", path: "m.pdiparams" });
      }
    }));

  it("is loaded after an array was written in place, which removes its manifest and no other", () =>
    inFolder(async (prefix, folder) => {
      for (const name of ["m", "n"]) await relayout(await filled(1), join(folder, name), { manifest: true });
      await using checkpoint = await open(prefix);
      const [name] = checkpoint.names();
      await checkpoint.write(name, (await checkpoint.get(name)).fill(2));
      assert.equal(await outcome(prefix), 2);
      assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith(".pdsum")), ["n.pdsum"]);
    }));

  it("is loaded after an array was written in a file that was opened by its name in a folder", () =>
    inFolder(async (prefix, path) => {
      const { program, parameters } = await filled(3), folder = new DirectoryFolder(path);
      await save(program, prefix, { parameters, manifest: true });
      await using checkpoint = await open("m.pdparams", { folder });
      const [name] = checkpoint.names();
      await checkpoint.write(name, (await checkpoint.get(name)).fill(2));
      assert.equal((await loadProgramState(prefix)).get(name)?.toFloat32Array()[0], 2);
    }));

  it("is not waited for by a save of it that is aborted while another has its files", () =>
    inFolder(async (prefix, path) => {
      const other = await new DirectoryFolder(path).put("m.pdmodel"), stop = new AbortController();
      const saving = relayout(await filled(1), prefix, { manifest: true, signal: stop.signal });
      setTimeout(() => stop.abort(new Error("enough")), 20);
      await assert.rejects(saving, { message: "enough" });
      await other.abort(new Error("over"));
      assert.deepEqual(readdirSync(path), []);
    }));

  it("is written in place, and loses its manifest, wherever the working directory is by then", () =>
    inFolder(async (prefix, folder) => {
      await new Model(new nn.Linear(40, 50)).save(prefix, { manifest: true });
      const before = process.cwd();
      try {
        process.chdir(folder);
        await using checkpoint = await open("m.pdparams");
        process.chdir(before);
        await checkpoint.write("weight", (await checkpoint.get("weight")).fill(2));
      } finally {
        process.chdir(before);
      }
      assert.deepEqual(readdirSync(folder), ["m.pdparams"]);
      assert.equal((await load(prefix + ".pdparams") as Map<string, NDArray>).get("weight")!.at(0, 0), 2);
    }));

  it("is loaded after an array was written in place through a link to one of its files", () =>
    inFolder(async (prefix, folder) => {
      await relayout(await filled(1), prefix, { manifest: true });
      mkdirSync(join(folder, "links"));
      symlinkSync("../m.pdmodel", join(folder, "links", "n.pdmodel"));
      symlinkSync("../m.pdiparams", join(folder, "links", "n.pdiparams"));
      await using checkpoint = await open(join(folder, "links", "n"));
      const [name] = checkpoint.names();
      await checkpoint.write(name, (await checkpoint.get(name)).fill(2));
      assert.equal(await outcome(prefix), 2);
      assert.deepEqual(readdirSync(folder).sort(), ["links", "m.pdiparams", "m.pdmodel"]);
    }));

  it("is loaded after an array was written in place in a folder within the one that has the manifest", () =>
    inFolder(async (_, folder) => {
      const variables = { vars: [{ name: "a/b", dtype: "float32", shape: [1] }], parameters: new Map() } as const;
      variables.parameters.set("a/b", fromArray([1], "float32"));
      for (const dir of ["d", "e"]) {
        await fluid.io.saveVars(join(folder, dir), { ...variables, manifest: true } as never);
      }
      await using checkpoint = await open(join(folder, "d"));
      await checkpoint.write("a/b", fromArray([2], "float32"));
      assert.equal((await load(join(folder, "d")) as Map<string, NDArray>).get("a/b")!.at(0), 2);
      assert.deepEqual(readdirSync(join(folder, "d")), ["a"]);
      assert.ok(existsSync(join(folder, "e", ".pdsum")));
    }));

  it("keeps its new manifest when a write in place fails because of the save, and the old one otherwise", () =>
    inFolder(async (_, folder) => {
      const path = join(folder, "m.pdparams"), manifest = join(folder, "m.pdsum");
      const listing = (id: string) =>
        JSON.stringify({ pdsum: 1, id, files: [{ name: "m.pdparams", size: 1, sha256: "0".repeat(64) }] });
      writeFileSync(path, "1");
      for (const [meanwhile, kept] of [["new", "new"], [null, "old"]] as const) {
        writeFileSync(manifest, listing("old"));
        const failed = changeAlone(path, () => {
          if (meanwhile) writeFileSync(manifest, listing(meanwhile));
          return Promise.reject(new Error("it was replaced"));
        });
        await assert.rejects(failed, { message: "it was replaced" });
        assert.equal(readFileSync(manifest, "utf8"), listing(kept));
        assert.deepEqual(readdirSync(folder).sort(), ["m.pdparams", "m.pdsum"]);
      }
    }));

  it("is saved anew, or written in place, whatever a manifest beside it lists", () =>
    inFolder(async (prefix, folder) => {
      const names = [{ name: "../m.pdiparams", size: 1, sha256: "0".repeat(64) }];
      const evil = JSON.stringify({ pdsum: 1, id: "0".repeat(16), files: names });
      await relayout(await filled(1), prefix);
      await using checkpoint = await open(prefix);
      for (const name of ["m.pdsum", ".pdsum"]) writeFileSync(join(folder, name), evil);
      const [name] = checkpoint.names();
      await checkpoint.write(name, (await checkpoint.get(name)).fill(2));
      await assert.rejects(load(prefix), { code: "UNSAFE_PATH" });
      await relayout(await filled(3), prefix);
      assert.equal(await outcome(prefix), 3);
    }));

  it("is refused at once when the manifest lists a file many times, which would be hashed as often", () =>
    inFolder(async (prefix) => {
      await relayout(await filled(1), prefix, { manifest: true });
      const manifest = JSON.parse(readFileSync(prefix + ".pdsum", "utf8"));
      manifest.files.push(...Array(2000).fill(manifest.files[0]));
      writeFileSync(prefix + ".pdsum", JSON.stringify(manifest));
      assert.equal(await outcome(prefix), "BAD_FIELD");
    }));

  it("is opened without reading its large files, of which only the size is compared with the manifest", () =>
    inFolder(async (prefix) => {
      const { program, params } = modelOf(1, 2 ** 16);
      writeFileSync(prefix + ".pdmodel", program);
      params.write(prefix + ".pdiparams");
      const list = (changes: { size?: number; sha256?: string } = {}) => {
        const sha256 = createHash("sha256").update(program).digest("hex");
        const files = [
          { name: "m.pdmodel", size: program.length, sha256 },
          { name: "m.pdiparams", size: params.size, sha256: "0".repeat(64) },
        ];
        Object.assign(files["sha256" in changes ? 0 : 1], changes);
        writeFileSync(prefix + ".pdsum", JSON.stringify({ pdsum: 1, id: "1", files }));
      };
      list();
      await (await open(prefix)).close();
      await assert.rejects(load(prefix), { code: "MIXED_SAVE", path: "m.pdiparams" });
      for (const changes of [{ size: params.size + 1 }, { sha256: "0".repeat(64) }]) {
        list(changes);
        await assert.rejects(open(prefix), { code: "MIXED_SAVE" });
      }
    }));

  it("is MIXED_SAVE when one file comes from another save, even with the same shapes", () =>
    inFolder(async (prefix, folder) => {
      await relayout(await filled(1), prefix, { manifest: true });
      copyFileSync(prefix + ".pdiparams", prefix + ".old");
      await relayout(await filled(2), prefix, { manifest: true });
      const sum = readFileSync(prefix + ".pdsum");
      copyFileSync(prefix + ".old", prefix + ".pdiparams");
      for (const verb of [load, open, loadInferenceModel]) {
        await assert.rejects(verb(prefix), { code: "MIXED_SAVE", path: "m.pdiparams" });
      }
      rmSync(prefix + ".pdsum");
      assert.equal(await outcome(prefix), 1, "without it nobody knows");
      for (
        const [text, code] of [
          ["{", "BAD_JSON"],
          ["null", "BAD_FIELD"],
          [sum.toString().replace("m.pdiparams", "../m"), "UNSAFE_PATH"],
          [sum.toString().replace("m.pdiparams", ".."), "UNSAFE_PATH"],
          [sum.toString().replace("m.pdiparams", "m.none"), "MIXED_SAVE"],
          [" ".repeat(2 ** 24 + 1), "BAD_LENGTH"],
        ]
      ) {
        writeFileSync(prefix + ".pdsum", text);
        assert.equal(await outcome(prefix), code);
      }
      assert.ok(existsSync(join(folder, "m.old")));
    }));

  it("gives its old files, its new files or MIXED_SAVE after a crash between any two renames", () =>
    inFolder(async (prefix, folder) => {
      const { rename, rm } = fs.promises;
      const outcomes = async (isKilled: boolean) => {
        const seen: unknown[] = [];
        for (let renames = 0; renames <= 3; renames++) {
          await relayout(await filled(1), prefix, { manifest: true });
          const next = await filled(2);
          // The program is another one, too.
          Object.assign(next.program, { version: 2_004_002 });
          let left = renames;
          const failing =
            <Names extends unknown[]>(call: (...names: Names) => Promise<void>) => async (...names: Names) => {
              if (isKilled && left < 0) throw new Error("killed");
              if (call === rename as unknown && left-- === 0) throw Object.assign(new Error("failed"), { code: "EIO" });
              await call(...names);
            };
          Object.assign(fs.promises, { rename: failing(rename), rm: failing(rm) });
          try {
            await relayout(next, prefix, { manifest: true });
          } catch (error) {
            assert.ok(isPaddleError(error) && error.committed === (isKilled && renames > 0 ? "unknown" : "no"));
          } finally {
            Object.assign(fs.promises, { rename, rm });
          }
          seen.push(await outcome(prefix));
          if (isKilled) await cleanupTemps(folder, { olderThan: 0 });
          assert.deepEqual(readdirSync(folder).sort(), ["m.pdiparams", "m.pdmodel", "m.pdsum"]);
        }
        return seen;
      };
      assert.deepEqual(await outcomes(true), [1, "MIXED_SAVE", 2, 2]);
      assert.deepEqual(await outcomes(false), [1, 1, 1, 2], "a failure takes back what was in its place");
    }));

  it("may have a name that only this system allows, if portable is false, and be saved again without a manifest", () =>
    inFolder(async (_, path) => {
      const model = await filled(1), at = { folder: new DirectoryFolder(path), name: "a|b" };
      for (const manifest of [true, false]) {
        await relayout(model, at, { portable: false, manifest });
        const names = ["a|b.pdiparams", "a|b.pdmodel", ...manifest ? ["a|b.pdsum"] : []];
        assert.deepEqual(readdirSync(path).sort(), names);
      }
    }));

  it("is loaded after a crash when only the outdated manifest of another save was left to be removed", () =>
    inFolder(async (prefix, folder) => {
      await relayout(await filled(1), prefix, { manifest: true });
      const copies: string[] = [], inner = new DirectoryFolder(folder);
      const copy = (): void =>
        void cpSync(folder, copies[copies.push(folder + copies.length) - 1], { recursive: true });
      const copied: Folder = {
        get: (...args) => inner.get(...args),
        put: (...args) => inner.put(...args),
        list: (...args) => inner.list(...args),
        delete: async (...args) => {
          copy();
          await inner.delete(...args);
          copy();
        },
      };
      try {
        const next = await filled(2);
        // The program is another one, too.
        Object.assign(next.program, { version: 2_004_002 });
        await relayout(next, "m", { folder: copied });
        assert.deepEqual(readdirSync(folder).sort(), ["m.pdiparams", "m.pdmodel"]);
        const [before, after] = copies;
        assert.ok(existsSync(join(before, "m.pdsum")));
        assert.equal(await outcome(join(before, "m")), 2);
        assert.equal(await outcome(join(after, "m")), 2);
        rmSync(join(before, "m.pdiparams"));
        await relayout(await filled(1), join(after, "m"));
        copyFileSync(join(after, "m.pdiparams"), join(before, "m.pdiparams"));
        assert.equal(await outcome(join(before, "m")), "MIXED_SAVE");
      } finally {
        for (const place of copies) rmSync(place, { recursive: true });
      }
    }));

  it("may be a folder with a file per variable, a distributed checkpoint, or a network with its optimizer", () =>
    inFolder(async (prefix, folder) => {
      const model = await filled(1), { program, parameters } = model, names = [...parameters.keys()];
      const variables = { mainProgram: program, parameters, manifest: true };
      const dir = join(folder, "d"), network = new nn.Linear(2, 2);
      const state = () => new Map([["w", network.weight]]);
      const ways: [how: string, save: () => Promise<unknown>, load: () => Promise<unknown>, damaged: string][] = [
        ["relayout", () => relayout(model, dir, { layout: "folder", manifest: true }), () => load(dir), names[0]],
        [
          "saveVars",
          () => fluid.io.saveVars(dir, variables),
          () => fluid.io.loadVars(dir, { mainProgram: program }),
          names[0],
        ],
        ["saveVars", () => fluid.io.saveVars(dir, variables), () => open(dir), names[1]],
        ["saveVars", () => fluid.io.saveVars(dir, variables), () => loadProgramState(dir), names[1]],
        [
          "savePersistables",
          () => fluid.io.savePersistables(dir, { ...variables, filename: "all" }),
          () => fluid.io.loadPersistables(dir, { mainProgram: program, filename: "all" }),
          "all",
        ],
        [
          "distributed",
          () => distributed.saveStateDict(state(), dir, { manifest: true }),
          () => distributed.loadStateDict(state(), dir),
          "0_0.distcp",
        ],
        ["Model", () => new Model(network).save(dir + "/n", { manifest: true }), () => {
          return new Model(network).load(dir + "/n");
        }, "n.pdparams"],
      ];
      for (const [how, save, load, damaged] of ways) {
        await save();
        await load();
        const path = join(dir, damaged), bytes = readFileSync(path);
        bytes[bytes.length - 1] ^= 1;
        writeFileSync(path, bytes);
        await assert.rejects(load(), { code: "MIXED_SAVE", path: damaged }, how);
        rmSync(dir, { recursive: true });
      }
      await relayout(model, prefix, { manifest: true });
      await new Model(network).save(prefix);
      assert.ok(existsSync(prefix + ".pdsum"), "a manifest of other files stays");
    }));

  it("is read from one save by every function, whenever it is saved again meanwhile", () =>
    inFolder(async (_, folder) => {
      const { program, parameters } = await filled(1), network = new nn.Linear(2, 2);
      const adam = new optimizer.Adam({ parameters: network.parameters() }), model = new Model(network);
      model.prepare(adam);
      const fill = (value: number) => {
        for (const array of parameters.values()) (array as NDArray).fill(value);
        for (const parameter of network.parameters()) parameter.fill(value);
        adam.setStateDict(
          new Map([...adam.stateDict()].map(([name, array]) => [
            name,
            array instanceof NDArray ? full(array.shape, value, array.dtype) : array,
          ])),
        );
      };
      network.weight.grad = zeros([2, 2]);
      network.bias!.grad = zeros([2]);
      adam.step();
      const manifest = true, variables = { mainProgram: program, parameters, manifest };
      type Values = ReadonlyMap<string, unknown>;
      const arraysOf = (values: Values) => [...values.values()].filter((value) => value instanceof NDArray);
      const saveVars = (folder: Folder) => fluid.io.saveVars({ folder, name: "d" }, variables);
      const ways: [
        how: string,
        save: (folder: Folder) => Promise<unknown>,
        read: (folder: Folder) => Promise<NDArray[]>,
      ][] = [
        ["loadVars", saveVars, async (folder) => {
          return arraysOf(await fluid.io.loadVars({ folder, name: "d" }, { mainProgram: program }));
        }],
        ["load of a folder", saveVars, async (folder) => arraysOf(await load({ folder, name: "d" }) as Values)],
        ["loadProgramState of a folder", saveVars, async (folder) => {
          return arraysOf(await loadProgramState({ folder, name: "d" }));
        }],
        ["loadProgramState", (folder) => save(program, "m", { folder, parameters, manifest }), async (folder) => {
          return arraysOf(await loadProgramState("m", { folder }));
        }],
        [
          "distributed",
          (folder) => distributed.saveStateDict(network.stateDict(), { folder, name: "d" }, { manifest }),
          async (folder) => {
            return arraysOf(await distributed.loadMergedStateDict({ folder, name: "d" }));
          },
        ],
        ["Model", (folder) => model.save("m", { folder, manifest }), async (folder) => {
          await model.load("m", { folder });
          return [...arraysOf(network.stateDict()), ...arraysOf(adam.stateDict())];
        }],
      ];
      for (const [how, save, read] of ways) {
        const [now, earlier, later] = ["now", "earlier", "later"].map((name) => join(folder, name));
        for (const [value, path] of [[1, earlier], [2, later]] as const) {
          fill(value);
          await save(new DirectoryFolder(path));
        }
        const codes = new Set<string>();
        for (let at = 1, isReached = true; isReached; at++) {
          let gets = 0;
          cpSync(earlier, now, { recursive: true });
          const inner = new DirectoryFolder(now);
          const changing: Folder = {
            get(...args) {
              if (++gets === at) cpSync(later, now, { recursive: true });
              return inner.get(...args);
            },
            put: (...args) => inner.put(...args),
            list: (...args) => inner.list(...args),
            delete: (...args) => inner.delete(...args),
          };
          try {
            const values = (await read(changing)).flatMap((array) => [...array.toFloat32Array()]);
            assert.equal(new Set(values).size, 1, `${how}, saved again before read ${at}`);
          } catch (error) {
            assert.ok(isPaddleError(error), String(error));
            codes.add(error.code);
          }
          isReached = gets >= at;
          rmSync(now, { recursive: true });
        }
        for (const path of [earlier, later]) rmSync(path, { recursive: true });
        assert.ok(codes.has("SOURCE_CHANGED"), how);
      }
    }));

  it("may come from static.save, but not where there are no paths", () =>
    inFolder(async (prefix, folder) => {
      const { program, parameters } = await filled(3);
      await save(program, prefix, { parameters, manifest: true });
      assert.deepEqual(readdirSync(folder).sort(), ["m.pdmodel", "m.pdopt", "m.pdparams", "m.pdsum"]);
      const [name, array] = [...await loadProgramState(prefix)][0];
      assert.equal(array.toFloat32Array()[0], 3, name);
      writeFileSync(prefix + ".pdparams", readFileSync(prefix + ".pdparams").fill(0, 100, 101));
      await assert.rejects(loadProgramState(prefix), { code: "MIXED_SAVE" });
      const memory = new MemoryFolder();
      await assert.rejects(relayout(await filled(1), "m", { folder: memory, manifest: true }), TypeError);
      assert.deepEqual(await memory.list(), []);
    }));
});
