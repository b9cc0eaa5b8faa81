import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import {
  audit,
  detect,
  encode,
  fromArray,
  load,
  maxDifference,
  NDArray,
  open,
  openArchive,
  type ProgressEvent,
  type StateDict,
} from "../../mod.ts";
import { loadNpz, openNpz } from "../../src/npy.ts";
import { countedSignal } from "../helpers/counted_signal.ts";

const FILE = encode(new Map([["w", fromArray([1, 2, 3], "float32")]]));
const VERBS = { load, open, audit, detect };

/** A Response with a URL, as from fetch, that records when its body is cancelled. */
function answer(status: number, body: BodyInit | null = FILE, url = "https://host.example/m?token=t") {
  let isCancelled = false;
  const stream = body === null ? null : new ReadableStream({ cancel: () => void (isCancelled = true) });
  const response = new Response(status === 200 ? body : stream, { status, statusText: "Odd" });
  return { response: Object.defineProperty(response, "url", { value: url }), isCancelled: () => isCancelled };
}

describe("a Response", () => {
  for (const [verb, read] of Object.entries(VERBS)) {
    it(`without a file is refused by ${verb} with its status, its URL without the query, and a cancelled body`, async () => {
      for (
        const [status, message] of [[404, /answered 404 Odd/], [500, /answered 500/], [
          206,
          /part of a file/,
        ]] as const
      ) {
        const { response, isCancelled } = answer(status);
        const path = "https://host.example/m";
        await assert.rejects(read(response), { name: "HttpError", code: "HTTP_STATUS", status, path, message });
        assert.ok(isCancelled(), String(status));
      }
      const { response } = answer(200, null);
      await assert.rejects(read(response), { code: "HTTP_STATUS", message: /has no body/ });
      const { response: nameless } = answer(404, null, "");
      await assert.rejects(read(nameless), { code: "HTTP_STATUS" });
    });
  }

  it("with status 200 and a body is read as the file", async () => {
    const state = await load(answer(200).response) as StateDict;
    assert.deepEqual((state.get("w") as NDArray).toArray(), [1, 2, 3]);
  });

  it("of another origin may be compressed without a browser saying so: then its length is that of the compressed body", async () => {
    const headers = { "content-length": String(FILE.length - 9) };
    const response = () => Object.defineProperty(new Response(FILE, { headers }), "type", { value: "cors" });
    const events: ProgressEvent[] = [];
    const onProgress = (event: ProgressEvent) => void events.push(event);
    const state = await load(response(), { onProgress }) as StateDict;
    assert.deepEqual((state.get("w") as NDArray).toArray(), [1, 2, 3]);
    assert.deepEqual(events.at(-1), { phase: "load", loaded: FILE.length, total: FILE.length });
    await using checkpoint = await open(response());
    assert.deepEqual((await checkpoint.get("w")).toArray(), [1, 2, 3]);
  });
});

describe("a Response with status 206", () => {
  const ranged = (range: string) => new Response(FILE, { status: 206, headers: { "content-range": range } });

  it("is read as the file if it says that it holds all of it, as after a request for bytes=0-", async () => {
    for (const [verb, read] of Object.entries(VERBS)) {
      await assert.doesNotReject(read(ranged(`bytes 0-${FILE.length - 1}/${FILE.length}`)), verb);
    }
    const part = `bytes 0-${FILE.length - 1}`;
    for (const range of [`${part}/*`, `${part}/${FILE.length + 1}`, `bytes 1-${FILE.length}/${FILE.length + 1}`, "?"]) {
      await assert.rejects(load(ranged(range)), { code: "HTTP_STATUS", message: /part of a file/ }, range);
    }
  });
});

describe("a data: or blob: URL", () => {
  it("leaves no listener on the caller's signal", async () => {
    const { signal, listeners } = countedSignal();
    await load(`data:application/octet-stream;base64,${btoa(String.fromCharCode(...FILE))}`, { signal });
    await assert.rejects(load("data:;base64,!!!", { signal }), { code: "HTTP_NETWORK" });
    assert.equal(listeners.size, 0);
  });

  it("is read, and gives a typed error when it cannot be fetched", async () => {
    const data = `data:application/octet-stream;base64,${btoa(String.fromCharCode(...FILE))}`;
    for (const from of [data, new URL(data)]) {
      assert.deepEqual(((await load(from) as StateDict).get("w") as NDArray).toArray(), [1, 2, 3]);
    }
    const url = URL.createObjectURL(new Blob([FILE as Uint8Array<ArrayBuffer>]));
    await using checkpoint = await open(url);
    assert.deepEqual((await checkpoint.get("w")).toArray(), [1, 2, 3]);
    URL.revokeObjectURL(url);
    await assert.rejects(load(url), { code: "HTTP_NETWORK", message: "Cannot fetch the blob: URL" });
    await assert.rejects(load("data:;base64,!!!"), { code: "HTTP_NETWORK", message: "Cannot fetch the data: URL" });
    await assert.rejects(load(new URL("ftp://host.example/m")), { name: "TypeError", message: /ftp: URLs/ });
    const reason = new Error("enough");
    await assert.rejects(load(data, { signal: AbortSignal.abort(reason) }), (error) => error === reason);
  });
});

describe("a stream of a file that needs random access", () => {
  it("is kept in memory up to maxStreamBytes, and cancelled beyond it", async () => {
    const zip = new Uint8Array(readFileSync("tests/fixtures/archives/stored.zip"));
    const npz = new Uint8Array(readFileSync("tests/fixtures/npy/stored.npz"));
    for (const [bytes, read] of [[zip, openArchive], [npz, loadNpz], [npz, openNpz]] as const) {
      let isCancelled = false;
      const stream = () => {
        let at = 0;
        return new ReadableStream<Uint8Array>({
          pull(controller) {
            if (at < bytes.length) controller.enqueue(bytes.slice(at, at += 100));
            else controller.close();
          },
          cancel: () => void (isCancelled = true),
        });
      };
      assert.ok(await read(stream(), { limits: { maxStreamBytes: bytes.length } }));
      await assert.rejects(read(stream(), { limits: { maxStreamBytes: bytes.length >> 1 } }), {
        code: "LIMIT",
        limit: "maxStreamBytes",
        max: bytes.length >> 1,
      });
      assert.ok(isCancelled);
      await assert.rejects(read(stream(), { limits: { maxStreamBytes: bytes.length - 1 } }), { code: "LIMIT" });
    }
  });
});

describe("an opened buffer that is resized", () => {
  it("is SOURCE_CHANGED when it is read after that", async () => {
    const file = encode(new Map([["w", new NDArray("float32", [50_000]).fill(2)]]));
    const buffer = new ArrayBuffer(file.length, { maxByteLength: 2 * file.length });
    const bytes = new Uint8Array(buffer);
    bytes.set(file);
    await using checkpoint = await open(bytes);
    assert.equal((await checkpoint.getSlice("w", [49_999, 50_000])).at(0), 2);
    buffer.resize(file.length - 20);
    await assert.rejects(checkpoint.getSlice("w", [0, 1]), { code: "SOURCE_CHANGED" });
  });
});

describe("arrays that are compared", () => {
  it("are refused when only one is complex, or the shapes differ", () => {
    const plain = fromArray([1, 2], "float32"), complex = plain.astype("complex64");
    assert.equal(maxDifference(complex, complex), 0);
    assert.throws(() => maxDifference(plain, complex), { code: "INVALID_VALUE", message: /use astype first/ });
    assert.throws(() => maxDifference(plain, plain.reshape([2, 1])), {
      code: "INVALID_VALUE",
      message: /same shape|shapes/,
    });
  });
});
