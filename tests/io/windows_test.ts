import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe as suite, it } from "@std/testing/bdd";
import { isPaddleError } from "../../mod.ts";
import { driveBytes } from "../../src/codec/drive_bytes.ts";
import { type FileContent, readFile } from "../../src/codec/read_file.ts";
import { BytesSource } from "../../src/io/sources/bytes_source.ts";
import { driveSource } from "../../src/io/drive/drive_source.ts";
import { driveStream } from "../../src/io/drive/drive_stream.ts";
import type { Source } from "../../src/io/source.ts";
import { resolveLimits } from "../../src/limits.ts";
import { fromFile } from "../../src/model/from_file.ts";
import { describe } from "../real/describe.ts";
import { filesBelow } from "../helpers/files_below.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** Number of bytes that a decoder sees at a time, or that a stream returns per chunk. */
const WINDOWS = [1, 7, 65_536, Infinity];
/** Size in bytes above which small windows only waste time. */
const SMALL = 20_000;

interface Case {
  path: string;
  bytes: Uint8Array;
  options: Json;
  /** Too large to print: that there is a value is enough. */
  isHuge?: boolean;
}

type Way = (bytes: Uint8Array, window: number, make: (cursor: Json) => Json) => FileContent | Promise<FileContent>;

const WAYS: Record<string, Way> = {
  bytes: (bytes, window, make) => driveBytes(make, bytes, { window }),
  "bytes, copied": (bytes, window, make) => driveBytes(make, bytes, { window, copy: true }),
  memory: (bytes, window, make) => driveSource(make, new BytesSource(bytes), { window: Math.min(window, 2 ** 30) }),
  "positional reads": (bytes, window, make) => driveSource(make, readsOf(bytes), { window: Math.min(window, 2 ** 20) }),
  "positional reads at once": (bytes, window, make) => {
    const source = new BytesSource(bytes);
    const direct: Source = { ...readsOf(bytes), readSync: (offset, into) => source.readSync(offset, into) };
    return driveSource(make, direct, { window: Math.min(window, 2 ** 20) });
  },
  "a stream": (bytes, window, make) => driveStream(make, streamOf(bytes, window)),
  "a stream of known size": (bytes, window, make) => driveStream(make, streamOf(bytes, window), { size: bytes.length }),
};

/** A source whose reads return a little less than requested. */
function readsOf(bytes: Uint8Array): Source {
  const source = new BytesSource(bytes);
  return {
    size: bytes.length,
    read: (offset, into) => source.read(offset, into.subarray(0, Math.ceil(into.length * 0.7))),
  };
}

function streamOf(bytes: Uint8Array, step: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += Math.min(step, bytes.length)));
    },
  });
}

/** The outcome, as a string. */
async function outcome(way: Way, window: number, { bytes, options, isHuge }: Case): Promise<string> {
  let file: { value: unknown; warnings: Json[] };
  try {
    const content = await way(bytes, window, (cursor) => readFile(cursor, options));
    file = fromFile(content, { borrowed: true, returnNumpy: true, ...options });
  } catch (error) {
    assert.ok(isPaddleError(error), String(error));
    return `${error.name} ${error.code} at ${error.offset}`;
  }
  const value = isHuge ? "a value" : describe(file.value);
  return JSON.stringify([value, file.warnings.map(({ code, at, offset }) => [code, at, offset])]);
}

async function compare(cases: Case[]): Promise<void> {
  const different: string[] = [];
  for (const one of cases) {
    const wanted = await outcome(WAYS.bytes, Infinity, one);
    for (const [name, way] of Object.entries(WAYS)) {
      for (const window of one.bytes.length > SMALL ? WINDOWS.slice(2) : WINDOWS) {
        const got = await outcome(way, window, one);
        if (got !== wanted) {
          different.push(
            `${one.path} by ${name}, ${window} at a time: ${got.slice(0, 200)}, not ${wanted.slice(0, 200)}`,
          );
        }
      }
    }
  }
  assert.deepEqual(different, []);
  console.log(`    ${cases.length} files, ${Object.keys(WAYS).length} ways`);
}

suite(
  "a decoder gives the same value, or the same error at the same byte, whatever drives it and however little it sees at a time",
  () => {
    it("for files that Paddle wrote", async () => {
      const files = filesBelow("tests/fixtures/real").filter((path) => !/\.(json|pdmodel)$|__model__/.test(path));
      assert.ok(files.length > 100);
      await compare(files.map((path) => ({ path, bytes: new Uint8Array(readFileSync(path)), options: {} })));
    });

    it("for malformed and hostile files", async () => {
      const folder = "tests/fixtures/hostile";
      assert.ok(existsSync(join(folder, "manifest.json")));
      const { cases } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
      await compare(
        (cases as Json[]).filter((c) => c.call === "load").map((c) => ({
          path: c.path,
          bytes: new Uint8Array(readFileSync(join(folder, c.path))),
          isHuge: c.answers.some((answer: Json) => answer.any),
          options: { limits: resolveLimits(c.limits), strict: c.options?.strict },
        })),
      );
    });

    it("for lengths beyond the end, which a stream cannot know beforehand", async () => {
      const u64 = (n: number) => [n & 255, (n >> 8) & 255, (n >> 16) & 255, 0, 0, 0, 0, 0];
      const ascii = (text: string) => [...text].map((c) => c.charCodeAt(0));
      const header = ascii(
        '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[9000],"data_offsets":[2,9002]}}',
      );
      const files: Record<string, number[]> = {
        "a text for bytes that is no text": [
          ...[0x80, 2, ...ascii("c_codecs\nencode\n"), 0x58, 0, 0x20, 0, 0],
          ...[0x41, 0x80, 0x41, 0x58, 6, 0, 0, 0, ...ascii("latin1"), 0x86, 0x52, 0x2e],
        ],
        "a level of detail": [0, 0, 0, 0, ...u64(1), ...u64(0x100000), ...u64(0), 0, 0, 0, 0],
        "the data of a safetensors file": [...u64(header.length), ...header, 1, 2, 3],
        "no data of a safetensors file": [...u64(header.length), ...header],
      };
      await compare(
        Object.entries(files).map(([path, bytes]) => ({ path, bytes: Uint8Array.from(bytes), options: {} })),
      );
    });
  },
);
