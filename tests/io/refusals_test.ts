/** Refusals that no other test reaches: see unreached_throws.ts. */
import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import * as paddle from "../../mod.ts";
import { encodeNpz, loadNpz } from "../../src/npy.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const { HttpFolder, FileListFolder, load, open, save } = paddle;
const FILE = paddle.encode(new Map([["w", paddle.zeros([50_000])]]));
const URL_OF_FILE = "http://127.0.0.1/file";
const ONCE = { retries: 0, retryDelay: 0 };
/** A fetch of the caller, which does not compare a body with the length that its header claims. */
const lying = (claim: number) => () =>
  Promise.resolve(new Response(FILE, { headers: { "content-length": `${claim}` } }));
/** A file handle of a worker. */
const handle = (fields: object) => ({
  getSize: () => FILE.length,
  read: (into: Uint8Array, { at }: { at: number }) => {
    const part = FILE.subarray(at, at + into.length);
    into.set(part);
    return part.length;
  },
  write: (bytes: Uint8Array) => bytes.length,
  truncate: () => {},
  flush: () => {},
  close: () => {},
  ...fields,
});

const CALLS: [what: string, work: () => unknown, error: { name?: string; code?: string; message?: RegExp }][] = [
  [
    "a server whose download is longer than it says",
    () => load(URL_OF_FILE, { fetch: lying(1000), http: ONCE }),
    { code: "HTTP_BAD_RANGE" },
  ],
  [
    "a server without ranges whose file is longer than it says",
    () => open(URL_OF_FILE, { fetch: lying(1000), http: ONCE }),
    { code: "HTTP_BAD_RANGE" },
  ],
  [
    "a server without ranges whose file is shorter than it says",
    () => open(URL_OF_FILE, { fetch: lying(FILE.length + 1), http: ONCE }),
    { code: "HTTP_TRUNCATED" },
  ],
  ["a base that is no server", () => new HttpFolder("file:///models/"), {
    name: "TypeError",
    message: /http: or https:/,
  }],
  ["a number for http", () => load(URL_OF_FILE, { http: 5 as Any }), { name: "TypeError", message: /http/ }],
  ["a text among dropped files", () => new FileListFolder(["a"] as Any), { name: "TypeError", message: /Expected/ }],
  [
    "two dropped files of one name",
    () => new FileListFolder([new File(["1"], "a"), new File(["2"], "a")]),
    { code: "NAME_COLLISION" },
  ],
  [
    "a worker's handle that fails to read",
    () =>
      load(handle({
        read: () => {
          throw new Error("gone");
        },
      }) as Any),
    { code: "READ_FAILED" },
  ],
  [
    "a worker's handle whose file grew",
    async () => {
      let size = FILE.length;
      const checkpoint = await open(handle({ getSize: () => size }) as Any);
      size++;
      await checkpoint.get("w");
    },
    { code: "SOURCE_CHANGED" },
  ],
  [
    "a worker's handle whose file became shorter",
    async () => {
      let size = FILE.length;
      const read = (into: Uint8Array, { at }: { at: number }) => {
        const part = FILE.subarray(at, Math.min(size, at + into.length));
        into.set(part);
        return part.length;
      };
      const checkpoint = await open(handle({ getSize: () => size, read }) as Any);
      size = 1000;
      await checkpoint.get("w");
    },
    { code: "SOURCE_CHANGED" },
  ],
  [
    "a worker's handle that writes nothing",
    () => save(new Map([["w", paddle.zeros([1])]]), handle({ write: () => 0 }) as Any),
    { code: "WRITE_FAILED" },
  ],
  [
    "an .npz file that has an array twice",
    async () => {
      const bytes = await encodeNpz(new Map([["a", paddle.zeros([1])], ["b", paddle.zeros([1])]]));
      // Both names stand in the archive twice: in front of the array and in the directory.
      const text = [...bytes].map((byte) => String.fromCharCode(byte)).join("").replaceAll("b.npy", "a.npy");
      return await loadNpz(Uint8Array.from(text, (c) => c.charCodeAt(0)));
    },
    { code: "DUPLICATE_KEY" },
  ],
];

describe("a call with", () => {
  for (const [what, work, error] of CALLS) {
    it(`${what} is refused`, () => assert.rejects(async () => await work(), error));
  }
});
