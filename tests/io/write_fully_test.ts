import { deepEqual } from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { writeFully } from "../../src/io/disk/write_fully.ts";
import { FileSink } from "../../src/io/sinks/file_sink.ts";
import { FileSource } from "../../src/io/sources/file_source.ts";
import { readFully } from "../../src/io/sources/read_fully.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

describe("writing a buffer to a file", () => {
  /** A file that takes `most` bytes at a time, and refuses 2 GiB as those of Node, Deno and Bun do. */
  const written = async (size: number, most: number) => {
    const ranges: [start: number, end: number][] = [];
    const write = (_: Uint8Array, start: number, length: number, position: number) => {
      if (length >= 2 ** 31) throw new RangeError('The value of "length" is out of range');
      const bytesWritten = Math.min(length, most);
      ranges.push([position - start, position + bytesWritten]);
      return Promise.resolve({ bytesWritten });
    };
    await writeFully({ write }, new Uint8Array(size), 100);
    return ranges;
  };

  it("of more than 2 GiB, as a large tensor that is changed in place, takes several writes", async () => {
    const ranges = await written(2 ** 31 + 5, Infinity);
    deepEqual(ranges, [[100, 100 + 2 ** 30], [100, 100 + 2 ** 31], [100, 105 + 2 ** 31]]);
  });

  it("goes on where the system stopped", async () => {
    deepEqual(await written(10, 4), [[100, 104], [100, 108], [100, 110]]);
  });

  it("of more than 2 GiB that a file sink is given takes several writes, too", () =>
    inTempFolder(async (folder) => {
      const lengths: number[] = [], { open } = fs.promises;
      fs.promises.open = async (...args) => {
        const handle = await open(...args);
        handle.write = ((_: Uint8Array, __: number, length: number) => {
          lengths.push(length);
          return Promise.resolve({ bytesWritten: length });
        }) as typeof handle.write;
        return handle;
      };
      try {
        const sink = await FileSink.create(join(folder, "a"), {});
        await sink.write(new Uint8Array(2 ** 31 + 5));
        await sink.abort();
      } finally {
        fs.promises.open = open;
      }
      deepEqual(lengths, [2 ** 30, 2 ** 30, 5]);
    }));
});

describe("reading a file into a buffer", { skip: "Deno" in globalThis && "Deno reads with calls of its own" }, () => {
  it("of more than 2 GiB, as a large tensor, takes several reads where the system refuses a single one", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a"), size = 2 ** 31 + 5, lengths: number[] = [], { read, readSync } = fs;
      fs.writeFileSync(path, "");
      fs.truncateSync(path, size);
      const taken = (length: number) => {
        if (length >= 2 ** 31) throw new RangeError('The value of "length" is out of range');
        lengths.push(length);
        return length;
      };
      type Done = (error: Error | null, count: number) => void;
      fs.read = ((_: number, __: Uint8Array, ___: number, length: number, ____: number, done: Done) =>
        done(null, taken(length))) as unknown as typeof fs.read;
      fs.readSync = ((_: number, __: Uint8Array, ___: number, length: number) =>
        taken(length)) as typeof fs.readSync;
      try {
        const source = await FileSource.open(path), into = new Uint8Array(size);
        await readFully(source, 0, into);
        deepEqual(source.readSync(0, into), 2 ** 30);
        await source.close();
      } finally {
        Object.assign(fs, { read, readSync });
      }
      deepEqual(lengths, [2 ** 30, 2 ** 30, 5, 2 ** 30]);
    }));
});
