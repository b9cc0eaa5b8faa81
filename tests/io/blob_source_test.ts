import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { detect, encode, load, open, save, type StateDict, type Value, zeros } from "../../mod.ts";
import { SparseFile, stateOf } from "../helpers/sparse_file.ts";

const KiB = 1024, MiB = 2 ** 20;

/** A Blob over a large file that records what is read from it. */
function blobOf(file: SparseFile) {
  const slices: [start: number, end: number][] = [], state = { fails: false };
  const slice = (start: number, end: number) => {
    slices.push([start, end]);
    if (state.fails) throw new DOMException("busy", "NotReadableError");
    return new Blob([file.slice(start, Math.max(start, Math.min(end, file.size))) as Uint8Array<ArrayBuffer>]);
  };
  return {
    blob: Object.create(Blob.prototype, {
      name: { value: "m" },
      size: { value: file.size },
      slice: { value: slice },
    }) as Blob,
    slices,
    state,
  };
}

const read = (slices: [number, number][]) => slices.reduce((sum, [start, end]) => sum + end - start, 0);

describe("a Blob or File of many tensors", () => {
  it("opens with few slices when tensors are small", async () => {
    const { blob, slices } = blobOf(await SparseFile.of(stateOf(1200, 16 * KiB)));
    await using checkpoint = await open(blob);
    assert.equal(checkpoint.names().length, 1200);
    assert.ok(slices.length <= 30, `${slices.length} slices`);
  });

  it("opens with one short slice for each large tensor, and none for the small ones between them", async () => {
    const { blob, slices } = blobOf(await SparseFile.of(stateOf(200, 5 * MiB, 4 * KiB)));
    await using checkpoint = await open(blob);
    assert.equal(checkpoint.names().length, 400);
    assert.ok(slices.length <= 202, `${slices.length} slices`);
    assert.ok(read(slices) <= 400 * 64 * KiB, `${read(slices)} bytes`);
  });

  it("is read and copied with few slices", async () => {
    const state: StateDict = stateOf(600, 16 * KiB);
    [...state.values()].forEach((tensor, i) => (tensor as Value & { set(...x: number[]): void }).set(i, 15, 255));
    const file = new SparseFile();
    await save(state, { write: (chunk: Uint8Array) => file.add(chunk), close: () => {}, abort: () => {} });
    const { blob, slices } = blobOf(file);
    await using checkpoint = await open(blob);
    slices.length = 0;
    const copy = new SparseFile();
    await save(checkpoint, { write: (chunk: Uint8Array) => copy.add(chunk), close: () => {}, abort: () => {} });
    assert.ok(slices.length <= 30, `${slices.length} slices`);
    assert.deepEqual(copy.slice(0, copy.size), file.slice(0, file.size));
    slices.length = 0;
    for (const name of checkpoint.names()) await checkpoint.get(name);
    assert.ok(slices.length <= 30, `${slices.length} slices`);
    await load(blob);
  });

  it("is SOURCE_CHANGED when the file behind it has shrunk", async () => {
    const file = await SparseFile.of(stateOf(4, 256 * KiB));
    const { blob } = blobOf(file);
    await using checkpoint = await open(blob);
    const names = checkpoint.names();
    file.size -= 300 * KiB;
    assert.equal((await checkpoint.get(names[0])).nbytes, 256 * KiB);
    for (const name of names.slice(2)) await assert.rejects(checkpoint.get(name), { code: "SOURCE_CHANGED" });
    assert.equal((await checkpoint.get(names[1])).nbytes, 256 * KiB);
  });

  it("is read again after a slice failed", async () => {
    const { blob, state } = blobOf(await SparseFile.of(stateOf(40, 16 * KiB)));
    await using checkpoint = await open(blob);
    const [first] = checkpoint.names();
    state.fails = true;
    await assert.rejects(checkpoint.get(first), { code: "SOURCE_CHANGED" });
    state.fails = false;
    assert.equal((await checkpoint.get(first)).nbytes, 16 * KiB);
  });
});

describe("a blob as some runtimes have it", () => {
  /** As Bun's: it looks empty until it is read. */
  const missing = (failure: Error) =>
    Object.create(Blob.prototype, {
      name: { value: "gone.pdparams" },
      size: { value: 0 },
      slice: { value: () => ({ arrayBuffer: () => Promise.reject(failure) }) },
    }) as Blob;

  it("is NOT_FOUND, not empty, when there is no file behind it", async () => {
    const failures = [
      Object.assign(new Error("no such file"), { code: "ENOENT" }),
      new DOMException("gone", "NotFoundError"),
    ];
    for (const failure of failures) {
      for (const verb of [load, open, detect]) {
        await assert.rejects(
          verb(missing(failure)),
          { code: "NOT_FOUND", path: "gone.pdparams", message: "There is no file behind the blob" },
        );
      }
    }
  });

  it("is SOURCE_CHANGED when it was there once, as while another tab replaces it", async () => {
    const bytes = encode(new Map([["w", zeros([100_000])]])) as Uint8Array<ArrayBuffer>;
    const blob = Object.create(Blob.prototype, {
      name: { value: "m" },
      size: { value: bytes.length },
      slice: { value: () => ({ arrayBuffer: () => Promise.reject(new DOMException("gone", "NotFoundError")) }) },
    }) as Blob;
    for (const verb of [load, open]) await assert.rejects(verb(blob), { code: "SOURCE_CHANGED" });
  });

  it("is empty when it is", async () => {
    await assert.rejects(load(new Blob([])), { code: "EMPTY" });
  });

  it("is read as a stream when it has no end, as standard input", async () => {
    const blob = Object.create(Blob.prototype, {
      size: { value: Infinity },
      stream: { value: () => new Blob([encode(new Map([["epoch", 3]])) as Uint8Array<ArrayBuffer>]).stream() },
    }) as Blob;
    assert.deepEqual(await load(blob), new Map([["epoch", 3]]));
  });
});
