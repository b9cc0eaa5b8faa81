import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs, {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { describe, it } from "@std/testing/bdd";
import {
  decode,
  DirectoryFolder,
  encode,
  type From,
  fromArray,
  HandleFolder,
  load,
  MemoryFolder,
  type NDArray,
  open,
  save,
  Tensor,
} from "../../mod.ts";
import { replaceBytes } from "../../src/io/disk/undo_journal.ts";
import { cutOff } from "../helpers/cut_off.ts";
import { heldUp } from "../helpers/held_up.ts";
import { inTime } from "../helpers/in_time.ts";
import { fakeDirectory } from "../helpers/fake_file_system.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";
import { codeOf } from "../helpers/code_of.ts";

const LENGTH = 50_000;

function state(a: number, b: number): Map<string, Tensor> {
  const make = (x: number) => new Tensor("float32", [LENGTH], new Float32Array(LENGTH).fill(x));
  return new Map([["a", make(a)], ["b", make(b)], ["c", make(3)]]);
}

function inFolder(test: (path: string, folder: string) => Promise<void> | void): Promise<void> {
  return inTempFolder(async (folder) => {
    const path = join(folder, "a.pdparams");
    await save(state(1, 2), path);
    await test(path, folder);
  });
}

async function write(from: From, array: NDArray = state(0, 9).get("b")!): Promise<void> {
  await using checkpoint = await open(from);
  await checkpoint.write("b", array);
  assert.equal((await checkpoint.get("b")).at(7), array.at(7), "the same checkpoint reads what was written");
  assert.equal((await checkpoint.get("a")).at(7), 1);
}

describe("an array so small that it was read with the structure", () => {
  it("is SOURCE_CHANGED, in get as in a stream, once the file was changed", () =>
    inFolder(async (path) => {
      await save(new Map([["b", Tensor.full([7], 1)]]), path);
      await using checkpoint = await open(path);
      writeFileSync(path, "x", { flag: "a" });
      for (const read of [checkpoint.get("b"), new Response(checkpoint.stream("b")).arrayBuffer()]) {
        assert.equal(await codeOf(read), "SOURCE_CHANGED");
      }
    }));
});

describe("writing one tensor in place", () => {
  for (const how of ["replaces", "rewrites"]) {
    it(`changes nothing of the file with which another process ${how} this one at that moment`, () =>
      inFolder(async (path, folder) => {
        const other = encode(new Map([["text", "x".repeat(300)], ["more", "y".repeat(400_000)]])),
          { open: original } = fs.promises;
        await using checkpoint = await open(path);
        fs.promises.open = (async (...values: Parameters<typeof original>) => {
          if (values[1] === "r+") {
            writeFileSync(join(folder, "other"), other);
            if (how === "replaces") fs.renameSync(join(folder, "other"), path);
            else writeFileSync(path, other);
          }
          return await original(...values);
        }) as typeof original;
        try {
          await assert.rejects(checkpoint.write("b", state(0, 9).get("b")!), { code: "SOURCE_CHANGED" });
        } finally {
          fs.promises.open = original;
        }
        assert.ok(readFileSync(path).equals(other));
        rmSync(join(folder, "other"), { force: true });
        assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
      }));
  }

  it("changes that tensor and nothing else, by path, in memory and in a browser", async () => {
    await inFolder(async (path, folder) => {
      const before = readFileSync(path);
      await write(path);
      const after = readFileSync(path), at = before.findIndex((byte, i) => byte !== after[i]);
      assert.deepEqual(after, Buffer.from(encode(state(1, 9))));
      assert.ok(at > LENGTH * 4);
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
    });
    const bytes = encode(state(1, 2));
    await write(bytes);
    assert.deepEqual(bytes, encode(state(1, 9)));
    for (const folder of [new MemoryFolder(), new HandleFolder(fakeDirectory())]) {
      await save(state(1, 2), "x/a.pdparams", { folder });
      await write({ folder, name: "x/a.pdparams" });
      assert.equal(
        (await load("x/a.pdparams", { folder }) as Map<string, NDArray>).get("b")!.at(49_999),
        9,
      );
    }
  });

  it("accepts an empty array in every kind of file", async () => {
    const value = new Map([["e", new Tensor("float32", [0, 3])], ["w", new Tensor("float32", [2])]]);
    for (const options of [{}, { protocol: 2 }, { safetensors: true }]) {
      const bytes = encode(value, options), before = bytes.slice();
      await using checkpoint = await open(bytes);
      await checkpoint.write("e", new Tensor("float32", [0, 3]));
      assert.deepEqual(bytes, before);
      await assert.rejects(checkpoint.write("e", new Tensor("float32", [3, 0])), { code: "INVALID_VALUE" });
    }
  });

  it("works for a tensor so small that it was read with the structure", () =>
    inFolder(async (path) => {
      for (const protocol of [3, 4]) {
        for (const length of [1, 60, 1000]) {
          const make = (x: number) =>
            new Map(
              ["a", "b"].map((name) => [name, new Tensor("float32", [length], new Float32Array(length).fill(x))]),
            );
          const nine = make(9).get("b")!, old = make(1);
          await save(old, path, { protocol });
          await using checkpoint = await open(path);
          const value = await checkpoint.value() as Map<string, Tensor>;
          await checkpoint.write("b", nine);
          assert.deepEqual(readFileSync(path), Buffer.from(encode(old.set("b", nine), { protocol })));
          assert.equal((await checkpoint.get("b")).at(0), 9);
          assert.equal((await checkpoint.getSlice("b", [0, 1])).at(0), 9);
          assert.equal((await checkpoint.get("a")).at(0), 1);
          assert.equal(value.get("b")!.at(0), 1);
        }
      }
      await save(new Map([["b", new Tensor("float32", [10])]]), path, { protocol: 2 });
      await using checkpoint = await open(path);
      assert.equal(await codeOf(checkpoint.write("b", new Tensor("float32", [10]))), "UNSUPPORTED_FEATURE");
    }));

  it("works for such a tensor whatever opcode gives the length of its bytes", async () => {
    const bytes = encode(new Map([["a", fromArray([1, 2], "float32")], ["b", fromArray([3, 4], "float32")]]), {
      protocol: 3,
    });
    await using before = await open(bytes);
    const { offset, nbytes } = before.info("b"), head = bytes[offset - 2] === 0x43 ? 2 : 5;
    for (const [opcode, width] of [[0x43, 1], [0x42, 4], [0x8e, 8]]) {
      const length = new Uint8Array(1 + width);
      length.set([opcode, nbytes]);
      const file = new Uint8Array(bytes.length - head + length.length);
      file.set(bytes.subarray(0, offset - head));
      file.set(length, offset - head);
      file.set(bytes.subarray(offset), offset - head + length.length);
      await using checkpoint = await open(file);
      await checkpoint.write("b", fromArray([5, 6], "float32"));
      const now = decode(file) as Map<string, NDArray>;
      assert.deepEqual([now.get("a")!.toArray(), now.get("b")!.toArray()], [[1, 2], [5, 6]], `opcode ${opcode}`);
    }
  });

  it("shows in whatever is read from the checkpoint afterwards, and in a copy that is saved of it", () =>
    inFolder(async (path, folder) => {
      const make = (a: number, b: number) =>
        new Map<string, Tensor>([["a", Tensor.full([LENGTH], a)], ["b", Tensor.full([7], b)]]);
      for (const isRead of [false, true]) {
        await save(make(1, 2), path);
        await using checkpoint = await open(path);
        const before = await checkpoint.value() as Map<string, Tensor>, [oldA, oldB] = [...before.values()];
        if (isRead) await oldA.load();
        for (const x of [8, 9]) {
          const now = make(10 * x, x);
          for (const [name, array] of now) await checkpoint.write(name, array);
          for (const [name, array] of now) {
            assert.ok((await checkpoint.get(name)).equals(array));
            assert.ok((await checkpoint.getSlice(name, [0, array.size])).equals(array));
            const bytes = await new Response(checkpoint.stream(name)).arrayBuffer();
            assert.deepEqual(new Uint8Array(bytes), array.bytes);
          }
          const copy = join(folder, "copy");
          await save(checkpoint, copy);
          assert.deepEqual(readFileSync(copy), Buffer.from(encode(now)));
          const value = await checkpoint.value() as Map<string, Tensor>;
          for (const [name, array] of now) assert.ok((await value.get(name)!.load()).equals(array));
        }
        assert.equal(oldB.at(0), 2, "an array that was read keeps its values");
        if (isRead) assert.equal(oldA.at(0), 1);
      }
    }));

  it("shows in the value once more although several calls returned that at once, or one during a write", async () => {
    const bytes = encode(new Map(["a", "b"].map((name) => [name, fromArray([1, 2], "float32")])));
    await using checkpoint = await open(bytes);
    const first = async () =>
      [...(await checkpoint.value() as Map<string, NDArray>).values()].map((array) => array.at(0));
    assert.deepEqual(await first(), [1, 1]);
    const write = (name: string, value: number) => checkpoint.write(name, fromArray([value, value], "float32"));
    let value = 1;
    const together: (() => Promise<unknown>[])[] = [
      () => [first(), first()],
      () => [first(), write("a", ++value), first()],
      () => [first(), write("b", ++value), first(), write("a", ++value)],
    ];
    for (const calls of together) {
      await write("a", ++value);
      await Promise.all(calls());
      await write("b", ++value);
      const there = await Promise.all(["a", "b"].map(async (name) => (await checkpoint.get(name)).at(0)));
      assert.deepEqual(await first(), there);
    }
  });

  it("does not begin after the checkpoint was closed", () =>
    inFolder(async (path) => {
      const folder = new HandleFolder(fakeDirectory()), bytes = encode(state(1, 2));
      await save(state(1, 2), "a.pdparams", { folder });
      for (const from of [path, { folder, name: "a.pdparams" }, bytes]) {
        const checkpoint = await open(from);
        const writing = checkpoint.write("b", state(0, 9).get("b")!);
        await checkpoint.close();
        await assert.rejects(writing, TypeError);
        assert.equal((await load(from) as Map<string, NDArray>).get("b")!.at(0), 2);
      }
    }));

  it("goes through a link to the file behind it", () =>
    inFolder(async (path, folder) => {
      symlinkSync("a.pdparams", join(folder, "link"));
      await write(join(folder, "link"));
      assert.deepEqual(readFileSync(path), Buffer.from(encode(state(1, 9))));
    }));

  it(
    "asks for no permission above the file's folder",
    { skip: !("Deno" in globalThis) },
    () =>
      inFolder((path, folder) => {
        const asked = join(folder, "asked.jsonl");
        const code = `import { open } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
        await using checkpoint = await open(${JSON.stringify(path)});
        await checkpoint.write("b", await checkpoint.get("c"));`;
        const flags = ["--no-config", "--no-check", `--allow-read=${folder}`, `--allow-write=${folder}`, "--allow-env"];
        const { status, stderr } = spawnSync(process.execPath, ["run", ...flags, "--ext=ts", "-"], {
          input: code,
          env: { ...process.env, DENO_AUDIT_PERMISSIONS: asked },
          encoding: "utf8",
        });
        assert.equal(status, 0, stderr);
        const lines = readFileSync(asked, "utf8").trim().split("\n").map((line) => JSON.parse(line));
        const read = lines.filter(({ permission }) => permission === "read").map(({ value }) => value);
        assert.ok(read.includes(path));
        assert.deepEqual(read.filter((value) => !value.startsWith(folder)), []);
      }),
  );

  it("needs the same dtype and shape, stored in one piece, in a writable location", () =>
    inFolder(async (path) => {
      await using checkpoint = await open(path);
      assert.equal(await codeOf(checkpoint.write("b", fromArray([1, 2], "float32"))), "INVALID_VALUE");
      assert.equal(await codeOf(checkpoint.write("b", new Tensor("int32", [LENGTH]))), "INVALID_VALUE");
      assert.equal(await codeOf(checkpoint.write("x", new Tensor("int32", [LENGTH]))), "NOT_FOUND");
      const text = await open(encode(state(1, 2), { protocol: 2 }));
      assert.equal(await codeOf(text.write("b", state(0, 9).get("b")!)), "UNSUPPORTED_FEATURE");
      const blob = await open(new Blob([encode(state(1, 2))]));
      assert.equal(await codeOf(blob.write("b", state(0, 9).get("b")!)), "UNSUPPORTED_FEATURE");
    }));

  it("is refused when the file was changed or replaced meanwhile", () =>
    inFolder(async (path) => {
      await using checkpoint = await open(path);
      await save(state(5, 6), path);
      assert.equal(await codeOf(checkpoint.write("b", state(0, 9).get("b")!)), "SOURCE_CHANGED");
      assert.deepEqual(readFileSync(path), Buffer.from(encode(state(5, 6))));
      await using other = await open(path);
      truncateSync(path, 1000);
      assert.equal(await codeOf(other.write("b", state(0, 9).get("b")!)), "SOURCE_CHANGED");
    }));

  it("is refused when another page changed the file meanwhile, which then stays as that page left it", async () => {
    const folder = new HandleFolder(fakeDirectory()), name = "a.pdparams";
    await save(state(1, 2), name, { folder });
    await using checkpoint = await open({ folder, name });
    await save(state(5, 6), name, { folder });
    assert.equal(await codeOf(checkpoint.write("b", state(0, 9).get("b")!)), "SOURCE_CHANGED");
    assert.equal((await load({ folder, name }) as Map<string, NDArray>).get("b")!.at(0), 6);
    await save(state(7, 8), name, { folder });
    assert.equal((await load({ folder, name }) as Map<string, NDArray>).get("b")!.at(0), 8, "the file is not locked");
  });

  it("runs one write after another when several are started at once", () =>
    inFolder(async (path) => {
      await using one = await open(path);
      const writes = Array.from({ length: 6 }, (_, i) => one.write(i % 2 ? "a" : "b", state(i, i).get("b")!));
      await Promise.all(writes);
      const value = await load(path) as Map<string, NDArray>;
      assert.deepEqual(["a", "b", "c"].map((name) => value.get(name)!.at(49_999)), [5, 4, 3]);
    }));

  it("is not seen in part by reads of the same checkpoint, nor does it disturb them", () =>
    inFolder(async (path) => {
      const length = 2 ** 20, part = [length - 9, length] as const;
      await save(new Map(["a", "b"].map((name) => [name, Tensor.full([length], 0)])), path);
      await using checkpoint = await open(path);
      const calls: Promise<unknown>[] = [];
      const check = async (name: string, due: number, reading: Promise<NDArray>) => {
        const { data } = await reading;
        assert.ok((data as Float32Array).every((x) => x === due), `${name} after write ${due}`);
      };
      for (let i = 1; i <= 6; i++) {
        calls.push(checkpoint.write("b", Tensor.full([length], i)));
        // A write takes its turn once its array has been looked at.
        await new Promise((resolve) => setTimeout(resolve));
        calls.push(check("a", 0, checkpoint.get("a")), check("a", 0, checkpoint.getSlice("a", part)));
        calls.push(check("b", i, checkpoint.get("b")), check("b", i, checkpoint.getSlice("b", part)));
      }
      await Promise.all(calls);
    }));

  it("is waited for by the lazy arrays of the same checkpoint, and by a save of it", () =>
    inFolder(async (path) => {
      const length = 2 ** 20, folder = new MemoryFolder();
      await save(new Map(["a", "b"].map((name) => [name, Tensor.full([length], 0)])), path);
      for (let i = 1; i <= 6; i++) {
        await using checkpoint = await open(path);
        const value = await checkpoint.value() as Map<string, NDArray>;
        const writing = checkpoint.write("b", Tensor.full([length], i));
        for (let turn = 0; turn < i; turn++) await new Promise((resolve) => setTimeout(resolve));
        await Promise.all([save(checkpoint, "copy", { folder }), value.get("a")!.load(), value.get("b")!.load()]);
        await writing;
        const copy = await load("copy", { folder }) as Map<string, NDArray>;
        for (const { data } of [value.get("b")!, copy.get("b")!]) {
          assert.ok((data as Float32Array).every((x) => x === i) || (data as Float32Array).every((x) => x === i - 1));
        }
      }
    }));

  it("makes a stream of the tensor that has begun SOURCE_CHANGED: it would have old bytes and new ones", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams"), length = 6 * 2 ** 20;
      const filled = (x: number) => new Tensor("float32", [length], new Float32Array(length).fill(x));
      const bytes = encode(new Map([["a", filled(1)]]));
      writeFileSync(path, bytes);
      for (const from of [path, bytes]) {
        await using file = await open(from);
        const stream = file.stream("a"), reader = stream.getReader();
        await reader.read();
        await file.write("a", filled(2));
        const rest = (async () => {
          while (!(await reader.read()).done);
        })();
        await assert.rejects(rest, { code: "SOURCE_CHANGED" });
        assert.equal((await file.get("a")).at(0), 2);
      }
    }));

  it("goes to a browser's file in pieces, as browsers take no more than 2 GiB at once, and stops between two", async () => {
    const folder = fakeDirectory(), handle = await folder.getFileHandle("a.pdparams", { create: true });
    const length = 4.5 * 2 ** 20, filled = (x: number) => Tensor.full([length], x);
    await save(new Map([["a", filled(1)]]), handle);
    const sizes: number[] = [];
    let noted = () => {};
    const noting = Object.assign(Object.create(handle), {
      async createWritable(options?: FileSystemCreateWritableOptions) {
        const stream = await handle.createWritable(options), write = stream.write.bind(stream);
        return Object.assign(stream, {
          write(chunk: { data: Uint8Array<ArrayBuffer>; type: "write"; position: number }) {
            sizes.push(chunk.data.length);
            noted();
            return write(chunk);
          },
        });
      },
    });
    await using checkpoint = await open(noting);
    await checkpoint.write("a", filled(2));
    assert.ok(sizes.length > 1 && sizes.every((size) => size <= 2 ** 24), String(sizes));
    assert.equal(sizes.reduce((sum, size) => sum + size), 4 * length);
    assert.ok((await checkpoint.get("a")).equals(filled(2)));
    const controller = new AbortController();
    noted = () => controller.abort("enough");
    assert.equal(await codeOf(checkpoint.write("a", filled(3), { signal: controller.signal })), "enough");
    assert.ok((await checkpoint.get("a")).equals(filled(2)));
    noted = () => {};
    await checkpoint.write("a", filled(4));
    assert.ok((await checkpoint.get("a")).equals(filled(4)));
  });

  it("stops before the file is touched when the signal is aborted", () =>
    inFolder(async (path, folder) => {
      await using checkpoint = await open(path);
      assert.equal(
        await codeOf(checkpoint.write("b", state(0, 9).get("b")!, { signal: AbortSignal.abort("no") })),
        "no",
      );
      assert.deepEqual(readFileSync(path), Buffer.from(encode(state(1, 2))));
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
    }));

  it("leaves the old or the new tensor after a crash at any call of the file system, and the rest unchanged", async () => {
    const [old, next] = [encode(state(1, 2)), encode(state(1, 9))];
    let sawOld = 0, sawNew = 0;
    for (let after = 0;; after++) {
      let finished = false;
      await inFolder(async (path, folder) => {
        await using checkpoint = await open(path);
        const { offset, nbytes } = checkpoint.info("b");
        const crashing = cutOff(after);
        await replaceBytes(crashing.fs, path, offset, next.subarray(offset, offset + nbytes)).catch(() => {});
        finished = crashing.calls() <= after;
        const value = await load(path) as Map<string, NDArray>;
        const bytes = readFileSync(path);
        assert.ok(bytes.equals(old) || bytes.equals(next), `cut off before call ${after}`);
        assert.equal(value.get("b")!.at(0), bytes.equals(old) ? 2 : 9);
        assert.deepEqual(readdirSync(folder), ["a.pdparams"], "the journal is gone after the next reading");
        if (bytes.equals(old)) sawOld++;
        else sawNew++;
      });
      if (finished) break;
    }
    assert.ok(sawOld > 5 && sawNew > 1, `${sawOld} ${sawNew}`);
  });

  it("is rolled back when it was half done, unless another process is still writing", () =>
    inFolder(async (path, folder) => {
      const journal = path + ".pdundo";
      await using checkpoint = await open(path);
      const { offset, nbytes } = checkpoint.info("b");
      // Cut off when half of the new bytes are written: the journal is complete then.
      let kept = new Uint8Array(0);
      for (let after = 0; kept.length === 0; after++) {
        await replaceBytes(cutOff(after).fs, path, offset, new Uint8Array(nbytes)).catch(() => {});
        const bytes = existsSync(journal) ? new Uint8Array(readFileSync(journal)) : kept;
        // The hash is written last.
        if (bytes.length === 72 + nbytes && bytes.subarray(48, 72).some((byte) => byte !== 0)) kept = bytes;
        rmSync(journal, { force: true });
      }
      writeFileSync(path, encode(state(1, 2)));
      const half = readFileSync(path).fill(0, offset, offset + nbytes / 2);
      const spoil = (bytes: Uint8Array) => {
        writeFileSync(path, half);
        writeFileSync(journal, bytes);
      };
      spoil(kept);
      assert.equal((await load(path) as Map<string, NDArray>).get("b")!.at(0), 2);
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
      for (const length of [0, 10, 71, 72, 1000, kept.length - 1]) {
        spoil(kept.subarray(0, length));
        await load(path);
        assert.deepEqual(readFileSync(path), half, "a journal that is not whole says nothing");
        assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
      }
      for (const at of [3, 20, 33, 50, 72, kept.length - 1]) {
        const wrong = kept.slice();
        wrong[at] ^= 1;
        spoil(wrong);
        await load(path);
        assert.deepEqual(readFileSync(path), half, `nor does one with a wrong bit in byte ${at}`);
      }
      /** The same journal with another number in its head. */
      const rewritten = (at: number, value: number) => {
        const other = kept.slice();
        new DataView(other.buffer).setBigUint64(at, BigInt(value), true);
        const hash = createHash("sha256").update(other.subarray(0, 48)).update(other.subarray(72)).digest();
        other.set(hash.subarray(0, 24), 48);
        return other;
      };
      spoil(rewritten(24, half.length + 1));
      await load(path);
      assert.deepEqual(readFileSync(path), half, "a journal for a file of another size is not for this one");
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
      spoil(rewritten(16, 0));
      assert.equal((await load(path) as Map<string, NDArray>).get("b")!.at(0), 2, "some systems have no inodes");
      // The journals of other processes.
      const by = (pid: number) => rewritten(8, pid);
      spoil(by(process.ppid));
      assert.equal(await codeOf(load(path)), "HOT_JOURNAL");
      // To others that want to change the file, the journal is like a lock.
      for (const preserve of [undefined, "inode"] as const) {
        const error = await save(1, path, { preserve }).catch((error) => error);
        assert.deepEqual([error.name, error.code, error.committed], ["SaveError", "CONFLICT", "no"]);
      }
      assert.deepEqual(readFileSync(path), half);
      const child = spawn(process.execPath, ["--version"]);
      await new Promise((resolve) => child.on("exit", resolve));
      spoil(by(child.pid!));
      assert.equal((await load(path) as Map<string, NDArray>).get("b")!.at(0), 2);
    }));

  it("is not disturbed by a reader or writer that finds the journal before it says whose it is", () =>
    inFolder(async (path) => {
      const journal = path + ".pdundo", head = new Uint8Array(72);
      head.set(new TextEncoder().encode("PDUNDO2\n"));
      new DataView(head.buffer).setBigUint64(8, BigInt(process.ppid), true);
      // Another process writes the head when the empty journal has been opened here, or when its size is asked for.
      let isLate = false;
      const writeHead = () => writeFileSync(journal, head);
      const builtin = process.getBuiltinModule;
      const { promises } = fs;
      const opening = async (name: string, ...rest: unknown[]) => {
        if (name === journal && !isLate) setTimeout(writeHead);
        const handle = await (promises.open as (...values: unknown[]) => unknown)(
          name,
          ...rest,
        ) as fs.promises.FileHandle;
        if (name !== journal || !isLate) return handle;
        return new Proxy(handle, {
          get(_, key) {
            const value = Reflect.get(handle, key);
            if (typeof value !== "function") return value;
            return (...values: unknown[]) => {
              if (key === "stat") writeHead();
              return value.apply(handle, values);
            };
          },
        });
      };
      const watched = new Proxy(promises, { get: (_, key) => key === "open" ? opening : Reflect.get(promises, key) });
      const system = new Proxy(fs, { get: (_, key) => key === "promises" ? watched : Reflect.get(fs, key) });
      process.getBuiltinModule = ((name: string) => name === "node:fs" ? system : builtin(name)) as typeof builtin;
      try {
        for (isLate of [true, false]) {
          writeFileSync(journal, "");
          assert.equal((await load(path) as Map<string, NDArray>).get("b")!.at(0), 2);
          assert.deepEqual(readFileSync(journal), Buffer.from(head), "the journal of the other process is still there");
        }
        writeFileSync(journal, "");
        await using checkpoint = await open(path);
        writeFileSync(journal, "");
        assert.equal(await codeOf(checkpoint.write("b", state(0, 9).get("b")!)), "CONFLICT");
        assert.deepEqual(readFileSync(journal), Buffer.from(head));
      } finally {
        process.getBuiltinModule = builtin;
      }
    }));

  it("is waited for by readers and writers in the same process, which never see a part of it", () =>
    inFolder(async (folder) => {
      const path = realpathSync(folder);
      const file = await open(path);
      const { offset } = file.info("b");
      await file.close();
      let start = () => {};
      const go = new Promise<void>((done) => start = done);
      const slow = heldUp(path, go);
      const first = replaceBytes(slow.fs, path, offset, new Uint8Array(4 * LENGTH));
      await slow.reached;
      const read = load(path) as Promise<Map<string, NDArray>>;
      const second = replaceBytes(fs, path, offset, new Uint8Array(4));
      const done: string[] = [];
      for (const [name, call] of Object.entries({ read, second })) {
        call.then(() => done.push(name), () => done.push(name));
      }
      // Calls that do not wait have finished by now.
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.deepEqual([done, existsSync(path + ".pdundo")], [[], true]);
      start();
      await Promise.all([first, second]);
      assert.equal((await read).get("b")!.at(9), 0);
      assert.equal((await load(path) as Map<string, NDArray>).get("b")!.at(9), 0);
      assert.equal(existsSync(path + ".pdundo"), false);
    }));

  it("is not waited for once the signal of the waiting call is aborted, and still ends well", () =>
    inFolder(async (folder) => {
      const path = realpathSync(folder), other = await open(path);
      let start = () => {};
      const slow = heldUp(path, new Promise<void>((done) => start = done));
      const first = replaceBytes(slow.fs, path, other.info("b").offset, new Uint8Array(4 * LENGTH));
      await slow.reached;
      const place = { folder: new DirectoryFolder(dirname(path)), name: basename(path) };
      const calls: Record<string, (options: { signal: AbortSignal }) => Promise<unknown>> = {
        open: (options) => open(path, options),
        load: (options) => load(path, options),
        "load from a folder": (options) => load(place, options),
        write: (options) => other.write("b", state(0, 9).get("b")!, options),
        save: (options) => save(state(1, 2), path, options),
        "save into the same inode": (options) => save(state(1, 2), path, { ...options, preserve: "inode" }),
      };
      for (const [name, call] of Object.entries(calls)) {
        const controller = new AbortController(), reason = { name };
        const settled = call({ signal: controller.signal }).then(() => "a value", (error) => error);
        setTimeout(() => controller.abort(reason), 5);
        assert.equal(await inTime(settled), reason, name);
      }
      // One that waits for as long as it takes is not let in before its turn.
      const second = load(path) as Promise<Map<string, NDArray>>;
      start();
      await first;
      assert.equal((await second).get("b")!.at(9), 0);
      assert.equal(existsSync(path + ".pdundo"), false);
      await other.close();
    }));

  const isRoot = process.getuid?.() === 0;
  it(
    "leaves a read-only file alone",
    { skip: isRoot ? "root may write to every file" : false },
    () =>
      inFolder(async (path) => {
        chmodSync(path, 0o400);
        assert.equal(await codeOf(write(path)), "READ_ONLY");
        assert.deepEqual(readFileSync(path), Buffer.from(encode(state(1, 2))));
      }),
  );
});
