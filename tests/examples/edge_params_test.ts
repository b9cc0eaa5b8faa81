import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { byteRange } from "../../examples/edge_params/byte_range.ts";
import { KeptBytes, TOO_LARGE } from "../../examples/edge_params/kept_bytes.ts";
import { serveParams, type Settings } from "../../examples/edge_params/serve_params.ts";
import * as edge from "../../examples/edge_params/main.ts";
import {
  BucketFolder,
  Complex,
  DirectoryFolder,
  encode,
  fromArray,
  full,
  load,
  MemoryFolder,
  NDArray,
  save,
  Tensor,
} from "../../mod.ts";
import * as npy from "../../src/npy.ts";
import * as safetensors from "../../src/safetensors.ts";
import { FakeBucket } from "../helpers/fake_bucket.ts";

const REAL = "tests/fixtures/real";
const STATE = new Map<string, Tensor>([
  ["body.weight", counted("float32", [40, 70])],
  ["body.bias", counted("float16", [70])],
  ["steps", counted("int64", [])],
  ["mask", new Tensor("bool", [5], Uint8Array.of(1, 0, 0, 1, 1))],
  ["half", counted("bfloat16", [3, 2])],
  ["nothing", new Tensor("float32", [0, 4])],
  ["Gewicht/größe %+?#", counted("float64", [2, 2])],
]);

function counted(dtype: "float32" | "float16" | "float64" | "bfloat16" | "int64", shape: number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const numbers = new NDArray("float64", shape, Float64Array.from({ length: size }, (_, i) => (i - 7) * 1.25));
  return new Tensor(dtype, shape, numbers.astype(dtype).bytes, { name: `made_${size}` });
}

function bytesAt(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

/** The edge function over a bucket, with the indexes it keeps between requests. */
function edgeOf(files: Iterable<readonly [string, Uint8Array]>, more: Partial<Settings> = {}) {
  const bucket = new FakeBucket(files);
  const settings = { folder: new BucketFolder(bucket), kept: new KeptBytes(), ...more };
  const ask = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
    serveParams(new Request(`https://models.example${path}`, { headers, ...init }), settings);
  const bytes = async (path: string, headers?: Record<string, string>) =>
    new Uint8Array(await (await ask(path, headers)).arrayBuffer());
  return { bucket, ask, bytes };
}

/** Make the bodies of long ranges break after so many bytes; returns the original `get`. */
function breaking(bucket: FakeBucket, after: number) {
  const get = bucket.get.bind(bucket);
  bucket.get = async (key, options) => {
    const object = await get(key, options);
    if (!object || !("body" in object) || options!.range!.length < 1_000_000) return object;
    let given = 0;
    const body = object.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          if ((given += chunk.length) > after) controller.error(new Error("lost"));
          else controller.enqueue(chunk);
        },
      }),
    );
    return { ...object, body };
  };
  return get;
}

async function failureOf(response: Response): Promise<[number, string]> {
  const { code, message, ...rest } = await response.json();
  assert.equal(typeof message, "string");
  assert.deepEqual(rest, {});
  assert.equal(response.headers.get("cache-control"), "no-store");
  return [response.status, code];
}

/** The metadata of a file made from one without metadata. */
const NP = { metadata: { format: "np" } };

/** Pseudorandom numbers that are the same in every run. */
function* dice(seed: number): Generator<number, never> {
  for (let x = seed;;) yield (x = (x * 48_271) % 2_147_483_647) / 2_147_483_647;
}

const FILES: Record<
  string,
  { files: [string, Uint8Array][]; name: string; arrays: () => Promise<Map<string, NDArray>> }
> = {
  "a pickle of protocol 4": {
    files: [["net.pdparams", encode(STATE)]],
    name: "net.pdparams",
    arrays: () => loaded(encode(STATE)),
  },
  "a pickle of protocol 2, whose tensors are text": {
    files: [["net.pdparams", encode(STATE, { protocol: 2 })]],
    name: "net.pdparams",
    arrays: () => loaded(encode(STATE)),
  },
  "a pickle of real Paddle": {
    files: [["deep/er/net.pdparams", bytesAt(`${REAL}/paddle-3.3.1/net/net.pdparams`)]],
    name: "deep/er/net.pdparams",
    arrays: () => loaded(`${REAL}/paddle-3.3.1/net/net.pdparams`),
  },
  "a .pdiparams with its program": {
    files: ["m.pdmodel", "m.pdiparams", "m.pdiparams.info"].map((name) => [
      `exported/${name}`,
      bytesAt(`${REAL}/paddle-2.6.2/jit-save/${name}`),
    ]),
    name: "exported/m.pdiparams",
    arrays: () => loaded(`${REAL}/paddle-2.6.2/jit-save/m`),
  },
  "a safetensors file": {
    files: [["t.safetensors", safetensors.encode(STATE, NP)]],
    name: "t.safetensors",
    arrays: () => Promise.resolve(safetensors.decode(safetensors.encode(STATE, NP))),
  },
};

async function loaded(from: Parameters<typeof load>[0]): Promise<Map<string, NDArray>> {
  const state = await load(from) as Map<string, unknown>;
  return new Map([...state].filter((entry): entry is [string, NDArray] => entry[1] instanceof NDArray));
}

describe("examples/edge_params", () => {
  for (const [kind, { files, name, arrays }] of Object.entries(FILES)) {
    describe(`serving ${kind}`, () => {
      it("lists the tensors", async () => {
        const { ask } = edgeOf(files);
        const response = await ask(`/tensors/${name}`);
        assert.equal(response.headers.get("content-type"), "application/json");
        const { tensors } = await response.json();
        const expected = [...await arrays()].map(([name, { dtype, shape, nbytes }]) => ({
          name,
          dtype,
          shape,
          nbytes,
        }));
        assert.deepEqual(tensors, expected);
      });

      it("gives every tensor as raw bytes and as .npy, with its length", async () => {
        const { ask } = edgeOf(files);
        for (const [name_, array] of await arrays()) {
          const query = new URLSearchParams({ tensor: name_ });
          for (const [form, expected] of [["raw", array.bytes], ["npy", npy.encode(array)]] as const) {
            const response = await ask(`/${form}/${name}?${query}`);
            assert.equal(response.status, 200);
            assert.equal(response.headers.get("content-length"), String(expected.length));
            assert.deepEqual(
              new Uint8Array(await response.arrayBuffer()),
              new Uint8Array(expected),
              `${form} ${name_}`,
            );
          }
        }
      });

      it("gives any range of the safetensors file that encode would write", async () => {
        const { ask, bytes } = edgeOf(files);
        const whole = safetensors.encode(await arrays(), NP);
        assert.deepEqual(await bytes(`/safetensors/${name}`), whole);
        const die = dice(whole.length);
        const roll = (n: number) => Math.floor(die.next().value * n);
        const head = 8 + Number(new DataView(whole.buffer).getBigUint64(0, true));
        for (let i = 0; i < 60; i++) {
          const start = i % 3 ? roll(whole.length) : roll(head + 1), end = start + 1 + roll(i % 2 ? 50 : whole.length);
          const response = await ask(`/safetensors/${name}`, { range: `bytes=${start}-${end - 1}` });
          const expected = whole.slice(start, end);
          assert.equal(response.status, 206);
          assert.equal(response.headers.get("content-length"), String(expected.length));
          assert.equal(
            response.headers.get("content-range"),
            `bytes ${start}-${start + expected.length - 1}/${whole.length}`,
          );
          assert.deepEqual(new Uint8Array(await response.arrayBuffer()), expected, `${start}-${end}`);
        }
      });
    });
  }

  it("opens a folder of Paddle 1.x and a checkpoint in several files", async () => {
    const folder = `${REAL}/paddle-1.8.5/fluid-infer-separate`;
    const names = readdirSync(folder, { recursive: true }) as string[];
    const model = names.find((name) => name.endsWith("__model__"))!.replace(/\/?__model__$/, "");
    const at = `${folder}/${model}`;
    const files = (readdirSync(at) as string[]).map((name) => [`old/${name}`, bytesAt(`${at}/${name}`)] as const);
    const shards = new MemoryFolder();
    await save(new Map([["a", full([3], 1, "float32")]]), "one.safetensors", { folder: shards, safetensors: true });
    await save(new Map([["b", full([2], 2, "int32")]]), "two.safetensors", { folder: shards, safetensors: true });
    const index = { metadata: {}, weight_map: { a: "one.safetensors", b: "two.safetensors" } };
    const { bytes, ask } = edgeOf([
      ...files,
      ["all.safetensors.index.json", new TextEncoder().encode(JSON.stringify(index))],
      ["one.safetensors", safetensors.encode(new Map([["a", full([3], 1, "float32")]]))],
      ["two.safetensors", safetensors.encode(new Map([["b", full([2], 2, "int32")]]))],
    ]);
    assert.deepEqual(
      [...safetensors.decode(await bytes("/safetensors/old"))].map(([name, array]) => [name, array.bytes]).sort(),
      [...await loaded(at)].map(([name, array]) => [name, array.bytes]).sort(),
    );
    const both = safetensors.decode(await bytes("/safetensors/all.safetensors.index.json"));
    assert.deepEqual([both.get("a")!.toArray(), both.get("b")!.toArray()], [[1, 1, 1], [2, 2]]);
    assert.ok((await ask("/tensors/old")).headers.get("etag"));
  });

  it("opens a folder of Paddle 1.x in a directory", async () => {
    const settings = { folder: new DirectoryFolder(`${REAL}/paddle-1.8.5`), kept: new KeptBytes() };
    const ask = (path: string) => serveParams(new Request(`http://models.example${path}`), settings);
    const name = "fluid-infer-separate/d";
    const answer = await ask(`/safetensors/${name}`);
    assert.equal(answer.status, 200);
    assert.ok(answer.headers.get("etag"));
    assert.deepEqual(
      [...safetensors.decode(new Uint8Array(await answer.arrayBuffer()))].map(([name, { bytes }]) => [name, bytes]),
      [...await loaded(`${REAL}/paddle-1.8.5/${name}`)].map(([name, { bytes }]) => [name, bytes]).sort(),
    );
    assert.equal((await ask("/tensors/none")).status, 404);
  });

  it("keeps the metadata of a safetensors file", async () => {
    const file = safetensors.encode(STATE, { metadata: { format: "pd", größe: "ü" } });
    const { bytes } = edgeOf([["t.safetensors", file]]);
    assert.deepEqual(await bytes("/safetensors/t.safetensors"), file);
  });

  it("refuses a tensor that it cannot read, and a safetensors file without it, but gives the other tensors", async () => {
    const header =
      '{"q":{"dtype":"F4","shape":[4],"data_offsets":[0,2]},"w":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}';
    const file = Uint8Array.from(
      `${String.fromCharCode(header.length)}\0\0\0\0\0\0\0${header}12\x07`,
      (c) => c.charCodeAt(0),
    );
    const { ask, bytes } = edgeOf([["q.safetensors", file]]);
    for (const path of ["/safetensors/q.safetensors", "/raw/q.safetensors?tensor=q", "/npy/q.safetensors?tensor=q"]) {
      assert.deepEqual(await failureOf(await ask(path)), [422, "UNSUPPORTED_DTYPE"], path);
    }
    assert.deepEqual(await bytes("/raw/q.safetensors?tensor=w"), Uint8Array.of(7));
  });

  it("reports that safetensors has no complex128, and gives it as .npy", async () => {
    const array = fromArray([new Complex(1, 2), new Complex(-3, 4)], "complex128");
    const { ask, bytes } = edgeOf([["c.pdparams", encode(new Map([["c", array]]))]]);
    assert.deepEqual(await failureOf(await ask("/safetensors/c.pdparams")), [422, "UNSUPPORTED_DTYPE"]);
    assert.deepEqual(npy.decode(await bytes("/npy/c.pdparams?tensor=c")).toArray(), array.toArray());
  });

  it("answers every kind of Range as RFC 9110 says", async () => {
    const { ask } = edgeOf([["net.pdparams", encode(STATE)]]);
    const whole = STATE.get("body.weight")!.bytes, size = whole.length;
    const cases: [string, number, number, number][] = [
      ["bytes=0-0", 206, 0, 1],
      ["bytes=10-19", 206, 10, 20],
      ["BYTES=10-19", 206, 10, 20],
      [`bytes=${size - 1}-`, 206, size - 1, size],
      ["bytes=5-", 206, 5, size],
      ["bytes=-7", 206, size - 7, size],
      [`bytes=-${size + 9}`, 206, 0, size],
      ["bytes=100-99999999999999999999999", 206, 100, size],
      ["bytes=,3-4,", 206, 3, 5],
      [`bytes=${size}-`, 416, 0, 0],
      ["bytes=99999999999999999999999-", 416, 0, 0],
      ["bytes=-0", 416, 0, 0],
      ["bytes=0-1,5-6", 200, 0, size],
      ["bytes=9-3", 200, 0, size],
      ["bytes=99999999999999999999-99999999999999999998", 200, 0, size],
      ["bytes=", 200, 0, size],
      ["bytes=-", 200, 0, size],
      ["bytes=a-b", 200, 0, size],
      ["bytes=0x1-0x2", 200, 0, size],
      ["rows=0-1", 200, 0, size],
    ];
    for (const [range, status, start, end] of cases) {
      const response = await ask("/raw/net.pdparams?tensor=body.weight", { range });
      assert.equal(response.status, status, range);
      if (status === 416) {
        assert.equal(response.headers.get("content-range"), `bytes */${size}`);
        assert.deepEqual(await failureOf(response), [416, "NO_SUCH_RANGE"]);
        continue;
      }
      const part = status === 206 ? `bytes ${start}-${end - 1}/${size}` : null;
      assert.equal(response.headers.get("content-range"), part, range);
      assert.equal(response.headers.get("accept-ranges"), "bytes");
      assert.deepEqual(new Uint8Array(await response.arrayBuffer()), whole.slice(start, end), range);
    }
  });

  it("has no range of an empty tensor", async () => {
    const { ask } = edgeOf([["net.pdparams", encode(STATE)]]);
    const path = "/raw/net.pdparams?tensor=nothing";
    assert.equal((await ask(path, { range: "bytes=0-" })).status, 416);
    assert.equal((await ask(path, { range: "bytes=-3" })).status, 200);
    const response = await ask(path);
    assert.deepEqual([response.headers.get("content-length"), (await response.arrayBuffer()).byteLength], ["0", 0]);
    assert.equal(byteRange("bytes=-0", 0), "unsatisfiable");
  });

  it("answers HEAD like GET without its body, whatever the range", async () => {
    const { ask } = edgeOf([["net.pdparams", encode(STATE)]]);
    for (const path of ["/tensors/net.pdparams", "/raw/net.pdparams?tensor=steps", "/safetensors/net.pdparams"]) {
      const got = await ask(path), asked = await ask(path, { range: "bytes=0-1" }, { method: "HEAD" });
      assert.equal(asked.status, 200);
      assert.equal(asked.body, null);
      assert.deepEqual([...asked.headers], [...got.headers]);
      assert.equal(asked.headers.get("content-length"), String((await got.arrayBuffer()).byteLength));
    }
    const missing = await ask("/tensors/no", {}, { method: "HEAD" });
    assert.deepEqual([missing.status, missing.body], [404, null]);
  });

  describe("ETags and conditional requests", () => {
    const path = "/raw/net.pdparams?tensor=body.bias";
    const tagOf = (response: Response) => response.headers.get("etag")!;

    it("have one strong ETag for each form and version", async () => {
      const { ask, bucket } = edgeOf([["net.pdparams", encode(STATE)]]);
      const forms = [path, path.replace("raw", "npy"), "/tensors/net.pdparams", "/safetensors/net.pdparams"];
      const tags = await Promise.all(forms.map(async (form) => tagOf(await ask(form))));
      for (const tag of tags) assert.match(tag, /^"[0-9a-f]{32}"$/);
      assert.equal(new Set(tags).size, forms.length);
      assert.equal(tagOf(await ask(path)), tags[0]);
      await bucket.put("net.pdparams", encode(new Map([["body.bias", full([1], 0, "float32")]])));
      const changed = await ask(path);
      assert.notEqual(tagOf(changed), tags[0]);
      assert.equal((await changed.arrayBuffer()).byteLength, 4);
    });

    it("have another ETag when the program or the parameters of a model change", async () => {
      const { files, name } = FILES["a .pdiparams with its program"];
      const { ask, bucket } = edgeOf(files);
      const tags = new Set<string>();
      for (const key of ["", "exported/m.pdmodel", "exported/m.pdiparams"]) {
        if (key) await bucket.put(key, bucket.objects.get(key)!.bytes);
        tags.add(tagOf(await ask(`/tensors/${name}`)));
      }
      assert.equal(tags.size, 3);
    });

    it("give 304 without reading from the bucket when If-None-Match matches", async () => {
      const { ask, bucket } = edgeOf([["net.pdparams", encode(STATE)]]);
      const tag = tagOf(await ask(path));
      bucket.gets.length = 0;
      for (const condition of [tag, `W/${tag}`, `"other", ${tag}`]) {
        const response = await ask(path, { "if-none-match": condition, "range": "bytes=0-1" });
        assert.deepEqual([response.status, response.body, tagOf(response)], [304, null, tag], condition);
        assert.ok(response.headers.get("cache-control"));
        assert.ok(response.headers.get("access-control-allow-origin"));
      }
      assert.equal(bucket.gets.length, 0);
      assert.equal((await ask(path, { "if-none-match": '"other"' })).status, 200);
      assert.equal((await ask("/tensors/none", { "if-none-match": "*" })).status, 404);
    });

    it("give 304 for If-None-Match: * only if there is something to be had", async () => {
      const { ask } = edgeOf([["net.pdparams", encode(STATE)], ["broken.pdparams", encode(STATE).slice(0, 100)]]);
      const headers = { "if-none-match": "*" };
      const paths = ["raw/net.pdparams?tensor=mask", "raw/net.pdparams?tensor=nosuch", "tensors/broken.pdparams"];
      const answers = await Promise.all(paths.map((path) => ask(`/${path}`, headers)));
      assert.deepEqual(answers.map(({ status }) => status), [304, 404, 422]);
    });

    it("give 412 when If-Match names another version", async () => {
      const { ask } = edgeOf([["net.pdparams", encode(STATE)]]);
      const tag = tagOf(await ask(path));
      for (const condition of [tag, "*", `"x", ${tag}`]) {
        assert.equal((await ask(path, { "if-match": condition })).status, 200, condition);
      }
      for (const condition of ['"x"', `W/${tag}`, ""]) {
        assert.deepEqual(await failureOf(await ask(path, { "if-match": condition })), [412, "NOT_THIS_VERSION"]);
      }
    });

    it("give the whole file when If-Range names another version, or a date", async () => {
      const { ask } = edgeOf([["net.pdparams", encode(STATE)]]);
      const tag = tagOf(await ask(path)), range = "bytes=0-1";
      assert.equal((await ask(path, { range, "if-range": tag })).status, 206);
      for (const other of ['"x"', `W/${tag}`, "Thu, 26 Nov 2026 00:00:00 GMT"]) {
        assert.equal((await ask(path, { range, "if-range": other })).status, 200, other);
      }
      assert.equal((await ask(path, { "range": "bytes=999999-", "if-range": '"x"' })).status, 200);
    });

    it("have weak ETags for folders that only know times, and none for those that know nothing", async () => {
      const files = new MemoryFolder();
      await save(STATE, "net.pdparams", { folder: files });
      const { ask } = edgeOf([], { folder: files });
      const response = await ask(path, { range: "bytes=0-1" });
      assert.deepEqual([response.status, tagOf(response)], [206, null]);
      assert.equal((await ask(path, { "if-none-match": '"x"' })).status, 200);
      const dated = edgeOf([], {
        folder: {
          get: async (name) => {
            const source = await files.get(name);
            return source && { size: source.size, version: "mtime:5", read: (...args) => source.read(...args) };
          },
          list: () => Promise.resolve([]),
          put: () => Promise.reject(new Error()),
          delete: () => Promise.reject(new Error()),
        },
      });
      const tag = tagOf(await dated.ask(path));
      assert.match(tag, /^W\//);
      assert.equal((await dated.ask(path, { "if-none-match": tag })).status, 304);
      assert.equal((await dated.ask(path, { "range": "bytes=0-1", "if-range": tag })).status, 200);
    });
  });

  describe("pages of other origins", () => {
    it("may request ranges and read the headers about them", async () => {
      const { ask } = edgeOf([["net.pdparams", encode(STATE)]]);
      const preflight = await ask("/safetensors/net.pdparams", {
        "origin": "https://page.example",
        "access-control-request-method": "GET",
        "access-control-request-headers": "range,if-range",
      }, { method: "OPTIONS" });
      assert.equal(preflight.status, 204);
      assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
      assert.match(preflight.headers.get("access-control-allow-headers")!, /Range, If-Range/);
      assert.match(preflight.headers.get("access-control-allow-methods")!, /GET, HEAD/);
      for (const path of ["/tensors/net.pdparams", "/tensors/none"]) {
        const { headers } = await ask(path, { origin: "https://page.example" });
        assert.equal(headers.get("access-control-allow-origin"), "*");
        const exposed = headers.get("access-control-expose-headers")!.split(", ");
        assert.deepEqual(exposed, ["Content-Range", "ETag", "Accept-Ranges", "Content-Length"]);
        assert.equal(headers.get("vary"), null);
      }
    });

    it("may be restricted to some, which Vary reports to caches", async () => {
      const { ask } = edgeOf([["net.pdparams", encode(STATE)]], {
        origins: ["https://a.example", "https://b.example"],
      });
      for (const [origin, allowed] of [["https://b.example", "https://b.example"], ["https://c.example", null]]) {
        const { headers } = await ask("/tensors/net.pdparams", { origin: origin! });
        assert.deepEqual([headers.get("access-control-allow-origin"), headers.get("vary")], [allowed, "Origin"]);
      }
    });
  });

  describe("failures", () => {
    it("have a status, a code and a message", async () => {
      const { ask } = edgeOf([
        ["net.pdparams", encode(STATE)],
        ["text.txt", new TextEncoder().encode("no checkpoint at all\n")],
        ["empty", new Uint8Array(0)],
        ["evil.pdparams", new TextEncoder().encode("cos\nsystem\n(S'true'\ntR.")],
        ["cut.pdparams", encode(STATE).slice(0, 700)],
        ["lonely.pdiparams", bytesAt(`${REAL}/paddle-2.6.2/jit-save/m.pdiparams`)],
        ["reserved.pdparams", encode(new Map([["__metadata__", full([1], 1, "float32")]]))],
        ["net.index.json", new TextEncoder().encode(`{"metadata":{},"weight_map":{"a":"gone.safetensors"}}`)],
      ]);
      const cases: [string, number, string, RequestInit?][] = [
        ["/", 404, "NO_ROUTE"],
        ["/tensors/", 404, "NO_ROUTE"],
        ["/other/net.pdparams", 404, "NO_ROUTE"],
        ["/tensors/none.pdparams", 404, "NOT_FOUND"],
        ["/raw/net.pdparams?tensor=none", 404, "NO_TENSOR"],
        ["/raw/net.pdparams", 400, "BAD_QUERY"],
        ["/npy/net.pdparams?tensor=a&tensor=b", 400, "BAD_QUERY"],
        ["/tensors/%E0%A4%A", 400, "BAD_URL"],
        ["/tensors/%ff", 400, "BAD_URL"],
        ["/tensors/..%2fsecret", 400, "UNSAFE_PATH"],
        ["/tensors/a//b", 400, "UNSAFE_PATH"],
        ["/tensors/%2fetc/passwd", 400, "UNSAFE_PATH"],
        ["/tensors/a%5cb", 400, "UNSAFE_PATH"],
        ["/tensors/a%00b", 400, "UNSAFE_PATH"],
        ["/tensors/https:%2f%2fother.example/x", 400, "UNSAFE_PATH"],
        [`/tensors/${"n".repeat(2000)}`, 400, "NAME_TOO_LONG"],
        ["/tensors/net.pdparams", 405, "BAD_METHOD", { method: "POST", body: "x" }],
        ["/tensors/net.pdparams", 405, "BAD_METHOD", { method: "DELETE" }],
        ["/tensors/text.txt", 422, "WRONG_FORMAT"],
        ["/safetensors/empty", 422, "EMPTY"],
        ["/tensors/evil.pdparams", 422, "FORBIDDEN_SYMBOL"],
        ["/tensors/cut.pdparams", 422, "TRUNCATED"],
        ["/safetensors/reserved.pdparams", 422, "INVALID_VALUE"],
        ["/tensors/net.index.json", 422, "MISSING_PART"],
        ["/tensors/lonely.pdiparams", 422, "MISSING_PART"],
      ];
      for (const [path, status, code, init] of cases) {
        const response = await ask(path, {}, init);
        if (status === 405) assert.equal(response.headers.get("allow"), "GET, HEAD, OPTIONS");
        assert.deepEqual(await failureOf(response), [status, code], path.slice(0, 60));
      }
    });

    it("of the bucket give a 502 that reveals nothing about it", async () => {
      const { ask, bucket } = edgeOf([["net.pdparams", encode(new Map([["w", full([300_000], 1, "float32")]]))]]);
      const path = "/raw/net.pdparams?tensor=w";
      assert.equal((await ask(path)).status, 200);
      const { head, get } = bucket;
      bucket.get = () => Promise.reject(new Error("secret-account: internal error (10001)"));
      const response = await ask(path);
      assert.doesNotMatch(await response.clone().text(), /secret|10001/);
      assert.deepEqual(await failureOf(response), [502, "READ_FAILED"]);
      bucket.head = () => Promise.reject(new Error("secret-account"));
      bucket.get = get;
      assert.deepEqual(await failureOf(await ask(path)), [502, "READ_FAILED"]);
      bucket.head = head;
      const settings: Settings = { folder: new BucketFolder(bucket), kept: null as never };
      const broken = await serveParams(new Request("https://x/tensors/net.pdparams"), settings);
      assert.deepEqual(await failureOf(broken), [500, "INTERNAL"]);
    });

    it("in the middle of a body cut it short", async () => {
      const { ask, bucket } = edgeOf([["net.pdparams", encode(new Map([["w", full([4_000_000], 1, "float32")]]))]]);
      const get = breaking(bucket, 8_000_000);
      const response = await ask("/raw/net.pdparams?tensor=w");
      assert.equal(response.status, 200);
      bucket.get = (key, options) =>
        options!.range!.offset > 1_000_000 ? Promise.reject(new Error("lost")) : get(key, options);
      await assert.rejects(response.arrayBuffer());
    });

    it("in the middle of a body are invisible to the client if the bucket can resume", async () => {
      const array = full([4_000_000], 1, "float32");
      const { bytes, bucket } = edgeOf([["net.pdparams", encode(new Map([["w", array]]))]]);
      breaking(bucket, 5_000_000);
      assert.deepEqual(await bytes("/raw/net.pdparams?tensor=w"), array.bytes);
      assert.ok(bucket.gets.filter(({ length }) => length > 1_000_000).length <= 4);
    });

    it("because a file was replaced meanwhile are retried once, and then reported", async () => {
      const { ask, bucket } = edgeOf([["net.pdparams", encode(STATE)]]);
      const path = "/raw/net.pdparams?tensor=steps";
      const get = bucket.get.bind(bucket);
      let left = 1;
      bucket.get = async (key, options) => {
        if (left-- > 0) await bucket.put(key, encode(STATE));
        return await get(key, options);
      };
      assert.equal((await ask(path)).status, 200);
      left = Infinity;
      const response = await ask(path);
      assert.equal(response.headers.get("retry-after"), "1");
      assert.deepEqual(await failureOf(response), [503, "SOURCE_CHANGED"]);
    });
  });

  it("finds names with slashes, percent signs and letters of all kinds", async () => {
    const names = [
      "a/b/c.pdparams",
      "100%.pdparams",
      "größe 模型.pdparams",
      "a+b&c=d?.pdparams",
      "..hidden",
      "%2F",
      "e\u0301",
    ];
    const { ask, bytes } = edgeOf(names.map((name, i) => [name, encode(new Map([["w", full([1], i, "float32")]]))]));
    for (const [i, name] of names.entries()) {
      const path = `/raw/${name.split("/").map(encodeURIComponent).join("/")}?tensor=w`;
      assert.deepEqual(await bytes(path), full([1], i, "float32").bytes, name);
      assert.equal((await ask(path.replaceAll("/b/", "%2Fb%2F"))).status, 200);
    }
  });

  it("opens a known file with one read, until it is replaced", async () => {
    const state = new Map(Array.from({ length: 40 }, (_, i) => [`w${i}`, full([50_000], i, "float32")] as const));
    const { bytes, bucket } = edgeOf([["net.pdparams", encode(state)]]);
    await bytes("/tensors/net.pdparams");
    bucket.gets.length = 0;
    await bytes("/safetensors/net.pdparams", { range: "bytes=0-7" });
    assert.ok(bucket.gets.length <= 2, `${bucket.gets.length} reads`);
    bucket.gets.length = 0;
    assert.deepEqual(
      await bytes("/raw/net.pdparams?tensor=w7", { range: "bytes=40-43" }),
      full([1], 7, "float32").bytes,
    );
    assert.ok(bucket.gets.length <= 2 && bucket.gets.every(({ length }) => length <= 4096));
    state.set("w7", full([50_000], -1, "float32"));
    await bucket.put("net.pdparams", encode(state));
    assert.deepEqual(
      await bytes("/raw/net.pdparams?tensor=w7", { range: "bytes=40-43" }),
      full([1], -1, "float32").bytes,
    );
  });

  it("reads neighbouring tensors together", async () => {
    const state = new Map(Array.from({ length: 300 }, (_, i) => [`w${1000 + i}`, full([3000], i, "float32")] as const));
    const { bytes, bucket } = edgeOf([["net.pdparams", encode(state)]]);
    await bytes("/tensors/net.pdparams");
    bucket.gets.length = 0;
    assert.equal((await bytes("/safetensors/net.pdparams")).length, safetensors.encode(state, NP).length);
    assert.ok(bucket.gets.length < 40, `${bucket.gets.length} reads`);
  });

  it("sends thousands of small tensors in a few pieces, and any range of them", async () => {
    const state = new Map(Array.from({ length: 3000 }, (_, i) => [`w${1000 + i}`, full([2], i, "float32")] as const));
    const { ask, bytes } = edgeOf([["net.pdparams", encode(state)]]);
    const whole = safetensors.encode(state, NP), pieces: Uint8Array[] = [];
    for await (const piece of (await ask("/safetensors/net.pdparams")).body!) pieces.push(piece);
    assert.ok(Buffer.concat(pieces).equals(whole));
    assert.ok(pieces.length < 10, `${pieces.length} pieces`);
    const end = whole.length;
    assert.deepEqual(
      await bytes("/safetensors/net.pdparams", { range: `bytes=${end - 19}-${end - 3}` }),
      whole.slice(-19, -2),
    );
  });

  it("requests less at a time for each of several bodies that are sent together, and again as much for one", async () => {
    const state = new Map(
      Array.from({ length: 200 }, (_, i) => [`w${1000 + i}`, full([15_000], i, "float32")] as const),
    );
    const { ask, bytes, bucket } = edgeOf([["net.pdparams", encode(state)]]), path = "/safetensors/net.pdparams";
    const { now } = Date;
    let minutes = 0;
    Date.now = () => now() + minutes * 60_001;
    /** How many requests another body takes. */
    const another = async () => {
      await bytes(path);
      bucket.gets.length = 0;
      await bytes(path);
      return bucket.gets.length;
    };
    try {
      // Other tests left bodies that nobody reads.
      minutes++;
      const alone = await another();
      const bodies = await Promise.all(Array.from({ length: 5 }, () => ask(path)));
      const amongSix = await another();
      assert.ok(amongSix > 2 * alone, `${amongSix}, alone ${alone}`);
      for (const { body } of bodies.splice(0, 3)) await body!.cancel();
      const amongThree = await another();
      assert.ok(amongThree > alone && amongThree < amongSix, `${amongThree} of ${alone} to ${amongSix}`);
      // Of a client that leaves, workerd tells nothing.
      minutes++;
      assert.equal(await another(), alone);
      for (const { body } of bodies) await body!.cancel();
    } finally {
      Date.now = now;
    }
  });

  it("makes one request to the bucket for each large tensor", async () => {
    const state = new Map(["b", "a", "c"].map((name, i) => [name, full([2_500_000], i, "float32")] as const));
    const { bytes, bucket } = edgeOf([["net.pdparams", encode(state)]]);
    await bytes("/tensors/net.pdparams");
    bucket.gets.length = 0;
    assert.deepEqual(await bytes("/safetensors/net.pdparams"), safetensors.encode(state, NP));
    assert.ok(bucket.gets.length <= 5, `${bucket.gets.length} reads`);
    bucket.gets.length = 0;
    assert.equal((await bytes("/raw/net.pdparams?tensor=a", { range: "bytes=4-9000003" })).length, 9_000_000);
    assert.ok(bucket.gets.length <= 3, `${bucket.gets.length} reads`);
  });

  it("opens a file once for all ranges of its safetensors header, until there is a new version", async () => {
    const state = new Map([["a", full([50_000], 1, "float32")], ["b", full([9], 2, "float32")]]);
    const { ask, bytes, bucket } = edgeOf([["net.pdparams", encode(state)]]);
    for (const name of ["a", "longer"]) {
      const whole = safetensors.encode(state, NP),
        header = 8 + Number(new DataView(whole.buffer).getBigUint64(0, true));
      assert.deepEqual(await bytes("/safetensors/net.pdparams"), whole);
      bucket.gets.length = 0;
      const [start, rest] = await Promise.all([
        ask("/safetensors/net.pdparams", { range: "bytes=0-7" }),
        ask("/safetensors/net.pdparams", { range: `bytes=8-${header - 1}` }),
      ]);
      assert.equal(rest.headers.get("content-range"), `bytes 8-${header - 1}/${whole.length}`);
      assert.equal(start.headers.get("etag"), rest.headers.get("etag"));
      const parts = [start, rest].map(async (part) => new Uint8Array(await part.arrayBuffer()));
      assert.deepEqual(new Uint8Array(Buffer.concat(await Promise.all(parts))), whole.slice(0, header), name);
      assert.equal(bucket.gets.length, 0);
      assert.deepEqual(await bytes("/safetensors/net.pdparams", { range: "bytes=-9" }), whole.slice(-9));
      state.set("longer", full([70_000], 3, "float32"));
      await bucket.put("net.pdparams", encode(state));
    }
  });

  it("keeps what it has sent", async () => {
    const { bytes } = edgeOf([["net.pdparams", encode(STATE)]]), whole = await bytes("/safetensors/net.pdparams");
    const header = 8 + Number(new DataView(whole.buffer).getBigUint64(0, true));
    // As in workerd, where what was sent is freed.
    const scope = globalThis as { FixedLengthStream?: unknown };
    scope.FixedLengthStream = class extends TransformStream<Uint8Array, Uint8Array> {
      constructor() {
        super({ transform: (chunk, controller) => controller.enqueue(chunk.slice()) });
      }
    };
    try {
      for (let times = 0; times < 3; times++) {
        const range = `bytes=0-${header - 1}`;
        assert.deepEqual(await bytes("/safetensors/net.pdparams", { range }), whole.slice(0, header));
        assert.deepEqual(await bytes("/safetensors/net.pdparams"), whole);
      }
    } finally {
      delete scope.FixedLengthStream;
    }
  });

  it("indexes a file no second time if the index is too large to be kept", async () => {
    const state = new Map(Array.from({ length: 100 }, (_, i) => [`w${i}`, full([15_000], i, "float32")] as const));
    const { bytes, bucket } = edgeOf([["net.pdparams", encode(state)]]);
    await bytes("/tensors/net.pdparams");
    const first = bucket.gets.length;
    bucket.gets.length = 0;
    assert.deepEqual(await bytes("/raw/net.pdparams?tensor=w7", { range: "bytes=4-7" }), full([1], 7, "float32").bytes);
    assert.ok(bucket.gets.length <= first, `${bucket.gets.length} reads after ${first}`);
  });

  it("keeps the most recently used indexes", () => {
    const kept = new KeptBytes(), index = new Uint8Array(3 * 2 ** 20);
    for (let i = 0; i < 6; i++) {
      kept.set(`file${i}`, "1", index);
      kept.get("file0", "1");
    }
    assert.deepEqual(["file0", "file1", "file5"].map((file) => kept.get(file, "1") !== null), [true, false, true]);
    assert.equal(kept.get("file5", "2"), null);
    kept.set("file5", "2", new Uint8Array(5 * 2 ** 20));
    assert.equal(kept.get("file5", "2"), TOO_LARGE);
    assert.ok(kept.get("file0", "1"));
  });

  describe("after the client has gone", () => {
    const BIG = encode(new Map([["w", full([8_000_000], 1, "float32")]]));
    /** A bucket whose bodies never end, and the number of open bodies. */
    function slow() {
      const edge = edgeOf([["net.pdparams", BIG]]);
      const get = edge.bucket.get.bind(edge.bucket);
      const open = new Set<object>();
      let asked = 0;
      edge.bucket.get = async (key, options) => {
        const object = await get(key, options);
        if (!object || !("body" in object) || options!.range!.length < 1_000_000) return object;
        asked++;
        const sign = {};
        open.add(sign);
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(new Uint8Array(2 ** 21)),
          cancel: () => void open.delete(sign),
        });
        return { ...object, body };
      };
      return { ...edge, open, asked: () => asked };
    }
    const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

    it("ends the bucket's reads when the request is aborted", async () => {
      const { ask, open } = slow();
      const controller = new AbortController();
      const response = await ask("/raw/net.pdparams?tensor=w", {}, { signal: controller.signal });
      const rest = response.arrayBuffer().catch((error) => error);
      await turn();
      assert.ok(open.size > 0);
      controller.abort();
      assert.equal((await rest).name, "AbortError");
      await turn();
      assert.equal(open.size, 0);
    });

    it("ends them when the body is cancelled, and requests nothing more", async () => {
      const { ask, open, asked } = slow();
      const response = await ask("/safetensors/net.pdparams");
      const reader = response.body!.getReader();
      await reader.read();
      await turn();
      await reader.cancel();
      await turn();
      const before = asked();
      await turn();
      assert.deepEqual([open.size, asked()], [0, before]);
    });

    it("requests nothing when the request was already aborted", async () => {
      const { ask, bucket } = slow();
      await ask("/tensors/net.pdparams", {}, { signal: AbortSignal.abort() });
      assert.equal(bucket.gets.length, 0);
    });
  });

  it("is the default export of main.ts, with the binding MODELS", async () => {
    const MODELS = new FakeBucket([["public/net.pdparams", encode(STATE)], ["secret.pdparams", encode(STATE)]]);
    const env = { MODELS, MODELS_PREFIX: "public/" };
    const ask = (path: string) => edge.default.fetch(new Request(`https://x${path}`), env);
    assert.equal((await ask("/tensors/net.pdparams")).status, 200);
    assert.equal((await ask("/tensors/secret.pdparams")).status, 404);
    assert.throws(() => edge.default.fetch(new Request("https://x/")), /MODELS/);
  });
});
