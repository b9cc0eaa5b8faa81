import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import {
  decode,
  DenseTensor,
  encode,
  Float,
  fluid,
  fromArray,
  load,
  MemoryFolder,
  NDArray,
  open,
  save,
  SelectedRows,
  type StateDict,
  static as paddleStatic,
  Tensor,
  Tuple,
} from "../mod.ts";
import { FileSink } from "../src/io/sinks/file_sink.ts";
import type { Fs } from "../src/io/platform.ts";
import { rename } from "../src/io/disk/rename.ts";
import { inTempFolder } from "./helpers/in_temp_folder.ts";
import { codeOf } from "./helpers/code_of.ts";

function state(value: number, count = 3): Map<string, unknown> {
  return new Map([[
    "w",
    new Tensor("float32", [count], new Float32Array(count).fill(value), { name: "linear_0.w_0" }),
  ]]);
}

describe("save to a path", () => {
  it("writes what load gives back, including the tensor's name", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams");
      const report = await save(state(1.5), path);
      assert.equal(report.bytes, statSync(path).size);
      assert.equal(report.durable, true);
      const tensor = (await load(path) as StateDict).get("w") as Tensor;
      assert.equal(tensor.name, "linear_0.w_0");
      assert.deepEqual(tensor.toArray(), [1.5, 1.5, 1.5]);
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
    }));

  it("keeps a link a link, and keeps the file's mode", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams"), link = join(folder, "link.pdparams");
      await save(state(1), path);
      chmodSync(path, 0o640);
      symlinkSync(path, link);
      await save(state(2), link);
      assert.ok(lstatSync(link).isSymbolicLink());
      assert.equal(statSync(path).mode & 0o777, 0o640);
      assert.equal(((await load(path) as StateDict).get("w") as Tensor).at(0), 2);
    }));

  it("leaves the old file whole, and nothing else, when the value cannot be saved", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams");
      await save(state(1), path);
      const old = readFileSync(path);
      assert.equal(await codeOf(save(new Map([["f", () => 0]]), path)), "INVALID_VALUE");
      assert.deepEqual(readFileSync(path), old);
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
    }));

  it("rejects with signal.reason when it is aborted, and leaves the old file and nothing else", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams");
      await save(state(1), path);
      const controller = new AbortController();
      const reason = new Error("enough");
      const value = state(2, 30_000_000);
      const saving = save(value, path, { signal: controller.signal, onProgress: () => controller.abort(reason) });
      await assert.rejects(saving, (error) => error === reason);
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
      assert.equal(((await load(path) as StateDict).get("w") as Tensor).at(0), 1);
    }));

  it("creates missing folders, and leaves none when the signal is already aborted", () =>
    inTempFolder(async (folder) => {
      await save(state(1), join(folder, "x", "y", "a.pdparams"));
      assert.ok(existsSync(join(folder, "x", "y", "a.pdparams")));
      const signal = AbortSignal.abort(new Error("no"));
      await assert.rejects(save(state(1), join(folder, "p", "a.pdparams"), { signal }));
      assert.equal(existsSync(join(folder, "p")), false);
    }));

  it("refuses a folder as the target, and a file that was changed meanwhile", () =>
    inTempFolder(async (folder) => {
      assert.equal(await codeOf(save(state(1), folder)), "NOT_A_FILE");
      const path = join(folder, "a.pdparams");
      await save(state(1), path);
      assert.equal(await codeOf(save(state(2), path, { ifUnchanged: { size: 1, mtimeMs: 1 } })), "CONFLICT");
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
    }));

  it("queues saves to one path: the last one wins, whole", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams");
      await Promise.all(Array.from({ length: 20 }, (_, i) => save(state(i, 1000 + i), path)));
      const tensor = (await load(path) as StateDict).get("w") as Tensor;
      assert.equal(tensor.size, 1019);
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
    }));

  it("queues saves of several files that have some in common, in whatever order each writes them", () =>
    inTempFolder(async (folder) => {
      const model = await paddleStatic.loadInferenceModel("tests/fixtures/real/paddle-1.8.5/fluid-infer-separate/d");
      const [, ...variables] = model.program.parameters().toSorted((a, b) => a.name < b.name ? -1 : 1);
      const { parameters } = model;
      // Each has a first file that it writes alone, while the other waits with that one among its others.
      await Promise.all(Array.from({ length: 4 }, (_, i) => {
        return fluid.io.saveVars(folder, { vars: variables.slice(i), parameters });
      }));
      assert.deepEqual(readdirSync(folder).sort(), variables.map(({ name }) => name));
    }));

  it("queues saves in the order of their calls, even through links and other spellings of the path", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams"), link = join(folder, "link"), aside = join(folder, "aside");
      symlinkSync("a.pdparams", link);
      symlinkSync(".", aside);
      for (const first of [link, join(aside, "a.pdparams"), join(aside, "link")]) {
        // The long save comes first: without waiting for it, it would finish last.
        await Promise.all([save(state(1, 500_000), first), save(state(2), path)]);
        assert.equal(((await load(path) as StateDict).get("w") as Tensor).at(0), 2, first);
        rmSync(path);
      }
      assert.equal(lstatSync(link).isSymbolicLink(), true);
    }));

  it("follows chains of links, each relative to its own folder", () =>
    inTempFolder(async (folder) => {
      mkdirSync(join(folder, "deep/er"), { recursive: true });
      symlinkSync("deep/er", join(folder, "short"));
      symlinkSync("../target", join(folder, "deep/er/second"));
      symlinkSync("short/second", join(folder, "first"));
      for (const value of [1, 2]) {
        await save(value, join(folder, "first"));
        assert.deepEqual(readdirSync(join(folder, "deep")).sort(), ["er", "target"]);
        assert.equal(await load(join(folder, "deep/target")), value);
        assert.ok(lstatSync(join(folder, "first")).isSymbolicLink());
        assert.ok(lstatSync(join(folder, "deep/er/second")).isSymbolicLink());
      }
      symlinkSync("round", join(folder, "round"));
      assert.equal(await codeOf(save(1, join(folder, "round"))), "WRITE_FAILED");
    }));

  it("retries a rename that Windows refuses because the file is in use, but no other", async () => {
    const busy = (times: number, code: string) => {
      let calls = 0;
      const rename = () => ++calls > times ? Promise.resolve() : Promise.reject(Object.assign(new Error(), { code }));
      return { fs: { promises: { rename } } as unknown as Fs, calls: () => calls };
    };
    for (const code of ["EPERM", "EACCES", "EBUSY"]) {
      const scanned = busy(3, code);
      await rename(scanned.fs, "a", "b", 0, true);
      assert.equal(scanned.calls(), 4);
      const elsewhere = busy(3, code);
      await assert.rejects(rename(elsewhere.fs, "a", "b", 0, false), { code });
      assert.equal(elsewhere.calls(), 1);
    }
    const full = busy(1, "ENOSPC");
    await assert.rejects(rename(full.fs, "a", "b", 0, true), { code: "ENOSPC" });
    assert.equal(full.calls(), 1);
    const before = performance.now(), held = busy(Infinity, "EBUSY");
    await assert.rejects(rename(held.fs, "a", "b", 0, true), { code: "EBUSY" });
    const took = performance.now() - before;
    assert.ok(held.calls() > 5 && took > 1000 && took < 20_000, `${held.calls()} times in ${took} ms`);
  });

  const needsDeno = "Deno" in globalThis ? false : "the process that fills the disk imports TypeScript";
  it("changes nothing when the disk is full", { skip: needsDeno }, () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams");
      await save(state(1), path);
      // Files may not grow beyond this many blocks of 1 KiB, which makes the system respond as for a full disk.
      const script = `
        import { save, fromArray } from ${JSON.stringify(new URL("../mod.ts", import.meta.url).href)};
        process.on("SIGXFSZ", () => {});
        try { await save(new Map([["w", fromArray(new Array(2000000).fill(1), "float32")]]), ${
        JSON.stringify(path)
      }); console.log("saved"); }
        catch (error) { console.log(error.code, error.committed); }`;
      const file = join(folder, "s.mjs");
      writeFileSync(file, script);
      const config = join(process.cwd(), "deno.json");
      const limited = `trap '' XFSZ; ulimit -f 1024; exec "$@"`;
      const run = [process.execPath, "run", "-A", "--no-check", "--config", config, file];
      const child = spawn("bash", ["-c", limited, "bash", ...run]);
      let out = "";
      child.stdout.on("data", (data) => out += data);
      await once(child, "close");
      assert.match(out, /DISK_FULL no/);
      rmSync(file);
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
      assert.equal(((await load(path) as StateDict).get("w") as Tensor).at(0), 1);
    }));
});

describe("save to a stream, a sink or a folder", () => {
  it("writes the bytes of encode", async () => {
    const value = state(3, 100_000);
    const expected = encode(value);
    const chunks: Uint8Array[] = [];
    await save(value, new WritableStream({ write: (chunk) => void chunks.push(chunk) }));
    assert.deepEqual(new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()), expected);
    const folder = new MemoryFolder();
    await save(value, "a.pdparams", { folder });
    assert.deepEqual(
      ((await load("a.pdparams", { folder })) as StateDict).get("w"),
      (decode(expected) as StateDict).get("w"),
    );
    let aborted: unknown = null;
    const sink = {
      write: () => Promise.reject(new Error("no")),
      close: () => {},
      abort: (reason: unknown) => void (aborted = reason),
    };
    assert.equal(await codeOf(save(value, sink)), "SINK_FAILED");
    assert.ok(aborted);
  });
});

describe("a value that is saved and read again", () => {
  it("is the same at every protocol", () => {
    const shared = fromArray([1, 2], "int64");
    const value = new Map<string, unknown>([
      ["list", [1, -1, 2n ** 70n, 1.5, new Float(2), "é\ud800", true, null]],
      ["tuple", Tuple.of<unknown>(1, [2], new Map([["x", 3]]))],
      ["set", new Set([1, "a"])],
      ["arrays", [shared, shared]],
      ["bytes 5", "bytes 5"],
      ["dtype f4", fromArray([[1, 2], [3, 4]], "float32")],
    ]);
    for (const protocol of [2, 3, 4]) {
      const bytes = encode(value, { protocol });
      const back = decode(bytes, { returnNumpy: true }) as Map<string, unknown>;
      assert.deepEqual([...back.keys()], [...value.keys()]);
      assert.deepEqual(back.get("list"), [1, -1, 2n ** 70n, 1.5, 2, "é\ud800", true, null]);
      for (const key of ["tuple", "set", "bytes 5"]) assert.deepEqual(back.get(key), value.get(key), key);
      const [a, b] = back.get("arrays") as NDArray[];
      assert.equal(a, b, "one object stays one object");
      assert.ok(a.equals(shared) && (back.get("dtype f4") as NDArray).equals(value.get("dtype f4") as NDArray));
      // Floats stay floats: a round trip does not change the bytes.
      assert.deepEqual(encode(decode(bytes, { returnNumpy: true }), { protocol }), bytes);
    }
  });

  it("may be one tensor or SelectedRows in Paddle's binary format", () => {
    const lod = new DenseTensor("float32", [2, 1], new Float32Array([1, 2]), { lod: [[0, 1, 2]] });
    const back = decode(encode(lod, { useBinaryFormat: true }), { mode: "static" }) as DenseTensor;
    assert.deepEqual(back.lod, [[0, 1, 2]]);
    const rows = new SelectedRows([7, 1], 10, fromArray([[1, 2], [3, 4]], "float32"));
    const again = decode(encode(rows, { useBinaryFormat: true })) as SelectedRows;
    assert.deepEqual([again.rows, again.height, again.value.toArray()], [[7, 1], 10, [[1, 2], [3, 4]]]);
  });

  it("can be inspected first and read in parts", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams");
      const numbers = Float32Array.from({ length: 40_000 }, (_, i) => i);
      for (const protocol of [2, 4]) {
        await save(new Map([["w", new Tensor("float32", [200, 200], numbers, { name: "w_0" })]]), path, { protocol });
        await using checkpoint = await open(path);
        assert.deepEqual(checkpoint.names(), ["w"]);
        const { dtype, shape, nbytes, kind } = checkpoint.info("w");
        assert.deepEqual({ dtype, shape: [...shape], nbytes, kind }, {
          dtype: "float32",
          shape: [200, 200],
          nbytes: 160_000,
          kind: "Tensor",
        });
        const part = await checkpoint.getSlice("w", [3, 5]);
        assert.deepEqual([...part.shape], [2, 200]);
        assert.equal(part.at(0, 0), 600);
        assert.equal((await checkpoint.get("w")).at(199, 199), 39_999);
      }
    }));
});

describe("float8 tensors, which are saved as int8", () => {
  const folder = new MemoryFolder();
  const [w, v] = (["float8_e4m3fn", "float8_e5m2"] as const).map((dtype) =>
    new Tensor(dtype, [2], Uint8Array.of(1, 2))
  );
  const saved = save(new Map([["w", w], ["v", v], ["i", new Tensor("int8", [1])]]), "f.pdparams", { folder });

  it("have the dtype that float8 gives for their keys, and names that are no int8 tensor's are warned of", async () => {
    await saved;
    const warnings: string[] = [];
    const float8 = { w: "float8_e4m3fn", v: "float8_e5m2", typo: "float8_e5m2" } as const;
    const state = await load<StateDict>("f.pdparams", { folder, float8, onWarning: (w) => warnings.push(w.message) });
    assert.deepEqual([...state.values()].map((array) => (array as Tensor).dtype), [w.dtype, v.dtype, "int8"]);
    assert.ok((state.get("w") as Tensor).equals(w) && (state.get("v") as Tensor).equals(v));
    assert.deepEqual(warnings, ['Option float8 names "typo", which is not the key of an int8 tensor']);
  });

  it("have the one dtype that float8 gives, and all other int8 tensors, too", async () => {
    await saved;
    const state = await load<StateDict>("f.pdparams", { folder, float8: "float8_e5m2" });
    assert.deepEqual([...state.values()].map((array) => (array as Tensor).dtype), Array(3).fill("float8_e5m2"));
  });
});

describe("an array of more axes than a tensor of Paddle has", () => {
  it("is saved, and read from a binary file, with a warning that Paddle cannot load it", async () => {
    for (const [axes, codes] of [[9, []], [10, ["TOO_MANY_AXES"]]] as const) {
      const tensor = new Tensor("float32", new Array(axes).fill(1));
      const folder = new MemoryFolder(),
        codesOf = (warnings: readonly { code: string }[]) => warnings.map(({ code }) => code);
      const { warnings } = await save(new Map([["w", tensor]]), "a", { folder });
      assert.deepEqual(codesOf(warnings), codes);
      if (axes > 9) assert.equal(warnings[0].at, '["w"]');
      for (const value of [tensor, new SelectedRows([0], 1, new DenseTensor("float32", tensor.shape))]) {
        const report = await save(value, "b", { folder, useBinaryFormat: true });
        assert.deepEqual(codesOf(report.warnings), codes);
        const read: { code: string }[] = [];
        await load("b", { folder, onWarning: (warning) => read.push(warning) });
        await using checkpoint = await open("b", { folder });
        assert.deepEqual([codesOf(read), codesOf(checkpoint.warnings)], [codes, codes]);
      }
    }
  });
});

describe("a save of arrays of all sizes", () => {
  const KIB = 1024;
  // Strings that are written on their own, strings that are gathered, arrays that go into frames.
  const SIZES = [1500 * KIB, 100 * KIB, 2500 * KIB, 10, 90 * KIB, 1100 * KIB, 70 * KIB, 70 * KIB, 3000 * KIB];
  const filled = (length: number, k: number) =>
    new NDArray("uint8", [length], new Uint8Array(length).map((_, i) => (i + 40 * k) & 0xff));
  const value = new Map(SIZES.map((size, k) => [`w${k}`, filled(size, k)]));

  it("writes the bytes of encode at protocol 2, even to a slow file", () =>
    inTempFolder(async (folder) => {
      const write = FileSink.prototype.write;
      FileSink.prototype.write = async function (chunk) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return await write.call(this, chunk);
      };
      try {
        await save(value, join(folder, "a"), { protocol: 2, verify: false });
      } finally {
        FileSink.prototype.write = write;
      }
      assert.ok(Buffer.compare(readFileSync(join(folder, "a")), encode(value, { protocol: 2 })) === 0);
    }));

  it("writes them to a sink that does not keep its chunks, reusing memory", async () => {
    const copies: Uint8Array[] = [], memories = new Set<ArrayBufferLike>();
    const write = async (chunk: Uint8Array) => {
      memories.add(chunk.buffer);
      await new Promise((resolve) => setTimeout(resolve, 5));
      copies.push(chunk.slice());
    };
    await save(value, { write, close() {}, abort() {}, keepsChunks: false }, { protocol: 2 });
    assert.ok(Buffer.compare(Buffer.concat(copies), encode(value, { protocol: 2 })) === 0);
    assert.ok(memories.size < copies.length, `${memories.size} memories`);
  });

  it("writes the same bytes from an opened checkpoint to a sink that keeps its chunks", () =>
    inTempFolder(async (folder) => {
      for (const protocol of [2, 4]) {
        await save(value, join(folder, "a"), { protocol });
        await using checkpoint = await open(join(folder, "a"));
        for (const to of [2, 4]) {
          const kept: Uint8Array[] = [];
          await save(checkpoint, { write: (chunk: Uint8Array) => void kept.push(chunk), close() {}, abort() {} }, {
            protocol: to,
          });
          const whole = encode(await checkpoint.value(), { protocol: to });
          assert.ok(Buffer.compare(Buffer.concat(kept), whole) === 0, `${protocol} to ${to}`);
        }
      }
    }));
});
