import { describe, it } from "@std/testing/bdd";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { audit, detect, encode, fromArray, HttpFolder, isPaddleError, load, open, type Warning } from "../../mod.ts";
import { good, scriptedServer } from "../helpers/scripted_server.ts";

const FILE = encode(new Map([["w", fromArray([1, 2], "float32")]]));
const VERBS = { load, open, detect, audit };

describe("URLs with a percent sign that encodes nothing", () => {
  it("are requested unchanged, and a missing file is reported as such", async () => {
    const server = await scriptedServer((asked) => (asked.path === "/50%" ? good(asked, FILE) : { status: 404 }));
    try {
      assert.equal((await load(`${server.url}/50%`) as Map<string, unknown>).size, 1);
      for (const [name, verb] of Object.entries(VERBS)) {
        for (const missing of ["/100%", "/%ff", "/m.index.json%"]) {
          await assert.rejects(Promise.resolve(verb(server.url + missing)), isPaddleError, name + missing);
        }
      }
    } finally {
      await server.close();
    }
  });

  it("may have it in the password", async () => {
    const server = await scriptedServer((asked) => good(asked, FILE));
    try {
      await load(server.url.replace("//", "//u:100%@"));
      assert.equal(server.asked[0].headers.authorization, `Basic ${btoa("u:100%")}`);
    } finally {
      await server.close();
    }
  });

  it("may be file: URLs", async () => {
    const folder = mkdtempSync(join(tmpdir(), "oarlock-"));
    try {
      writeFileSync(join(folder, "50%"), FILE);
      assert.equal((await load(pathToFileURL(folder).href + "/50%") as Map<string, unknown>).size, 1);
      // Bytes that are not UTF-8: Bun accepts them in a path nonetheless.
      const error = await load(pathToFileURL(folder).href + "/%ff").catch((error) => error);
      assert.ok(error instanceof TypeError || isPaddleError(error), String(error));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("URLs whose last part has an encoded slash, backslash, percent sign, or bytes that are not UTF-8", () => {
  it("are prefixes like any other: what is beside them is requested with the same encoding", async () => {
    const model = "tests/fixtures/real/paddle-3.1.1/infer-model.oldir/m";
    for (const last of ["models%2Fm", "a%5Cm", "m%E9", "d%2f..%2fm", "m%c3%a9", "100%25", "d%252Fm"]) {
      const files = new Map(
        [".pdmodel", ".pdiparams"].map((end) => [`/o/${last}${end}?alt=media`, readFileSync(model + end)]),
      );
      const server = await scriptedServer((asked) => {
        const body = files.get(asked.path);
        return body ? good(asked, body) : { status: 404 };
      });
      try {
        const state = await load(`${server.url}/o/${last}?alt=media`) as Map<string, unknown>;
        assert.ok(state.size > 0, last);
      } finally {
        await server.close();
      }
    }
  });

  it("do not lead a name in a file out of their folder", async () => {
    const index = JSON.stringify({ metadata: {}, weight_map: { a: "../secret" } });
    const server = await scriptedServer((asked) =>
      asked.path === "/o/d%2Fm.index.json" ? good(asked, new TextEncoder().encode(index)) : { status: 404 }
    );
    try {
      await assert.rejects(load(`${server.url}/o/d%2Fm.index.json`), { code: "UNSAFE_PATH" });
      assert.ok(server.asked.every(({ path }) => path.startsWith("/o/d%2Fm")), server.asked.map((a) => a.path).join());
    } finally {
      await server.close();
    }
  });
});

describe("a server of another origin that answers no preflight", () => {
  it("is asked without If-Range from then on, and a changed file is still noticed", async () => {
    const large = encode(
      new Map([["v", fromArray(Array(50_000).fill(1), "float32")], ["w", fromArray([1, 2], "float32")]]),
    );
    let etag = '"1"', preflights = 0;
    const fetch = (_: string, init?: RequestInit) => {
      const headers = new Headers(init?.headers), match = /^bytes=(\d+)-(\d+)$/.exec(headers.get("range") ?? "");
      // What a browser does before it sends such a header.
      if (headers.has("if-range")) return Promise.reject(new TypeError(`Failed to fetch ${++preflights}`));
      const answer = good({ range: { start: Number(match![1]), end: Number(match![2]) + 1 } }, large, { etag });
      const response = new Response(answer.body as BodyInit, answer as ResponseInit);
      return Promise.resolve(Object.defineProperty(response, "type", { value: "cors" }));
    };
    await using checkpoint = await open("https://other.example/m", { fetch, http: { retries: 0 } });
    assert.deepEqual((await checkpoint.get("w")).toArray(), [1, 2]);
    assert.equal(preflights, 1);
    etag = '"2"';
    await assert.rejects(checkpoint.get("v"), { code: "HTTP_CHANGED" });
  });
});

describe("a warning from before the file was read", () => {
  it("is among the checkpoint's warnings", async () => {
    const asked: [string, string | null][] = [];
    const fetch = (_: string, init?: RequestInit) => {
      const range = new Headers(init?.headers).get("range");
      asked.push([init!.method!, range]);
      const match = /^bytes=(\d+)-(\d+)$/.exec(range ?? "");
      const { body, status } = good(
        { range: match ? { start: Number(match[1]), end: Number(match[2]) + 1 } : null },
        FILE,
      );
      // Compressed, unless a range is asked for: browsers then ask for the bytes as they are.
      const length = init!.method === "HEAD" && range === null ? 3 : body!.length;
      const headers = { "content-length": String(length) };
      const response = new Response(init!.method === "HEAD" ? null : body as BodyInit, { status, headers });
      return Promise.resolve(Object.defineProperty(response, "type", { value: "cors" }));
    };
    const told: Warning[] = [];
    await using checkpoint = await open("https://other.example/m", { fetch, onWarning: (one) => told.push(one) });
    assert.deepEqual(checkpoint.warnings.map(({ code }) => code), ["HTTP_BAD_RANGE"]);
    assert.deepEqual(told, checkpoint.warnings);
    assert.deepEqual((await checkpoint.get("w")).toArray(), [1, 2]);
    await using named = await open("m", { folder: new HttpFolder("https://other.example/", { fetch }) });
    assert.deepEqual(named.warnings, checkpoint.warnings);
    assert.deepEqual(asked.filter(([method]) => method === "HEAD"), [["HEAD", "bytes=0-"], ["HEAD", "bytes=0-"]]);
  });
});
