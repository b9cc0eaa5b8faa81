/** What must work the same in every runtime. Uses no test framework, since the eight runtimes have none in common. */
import * as paddle from "../../mod.ts";

/** The outcome of a case. */
export interface Outcome {
  name: string;
  error: string | null;
}

function check(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

function same(a: unknown, b: unknown): void {
  const [x, y] = [a, b].map((value) => JSON.stringify(value));
  check(x === y, `${x} is not ${y}`);
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.then(() => null, (error) => error);
  return paddle.isPaddleError(error) ? error.code : error;
}

const LENGTH = 100_000;

function state(): Map<string, paddle.Tensor> {
  const w = new paddle.Tensor("float32", [4, LENGTH / 4], Float32Array.from({ length: LENGTH }, (_, i) => i / 2), {
    name: "linear_0.w_0",
  });
  const b = paddle.fromArray([1.5, -2, 0.25], "float32").astype("bfloat16");
  return new Map([["w", w], ["b", new paddle.Tensor("bfloat16", [3], b.bytes, { name: "linear_0.b_0" })]]);
}

type Cases = Record<string, (base: string) => Promise<void>>;

const CASES: Cases = {
  async "save and load by a bare name"() {
    const name = `oarlock-suite-${crypto.randomUUID()}.pdparams`;
    await paddle.save(state(), name);
    const value = await paddle.load(name) as Map<string, paddle.Tensor>;
    same([...value.keys()], ["w", "b"]);
    check(value.get("w")!.equals(state().get("w")!), "w");
    same([value.get("b")!.dtype, value.get("b")!.toArray()], ["bfloat16", [1.5, -2, 0.25]]);
    same(value.get("w")!.name, "linear_0.w_0");
    await paddle.save(new Map([["w", paddle.fromArray([7], "int64")]]), name);
    same((await paddle.load(name) as Map<string, paddle.Tensor>).get("w")!.size, 1);
    same(await codeOf(paddle.load(name + ".not")), "NOT_FOUND");
  },
  async "open, slice and write in place by a bare name"() {
    const name = `oarlock-suite-${crypto.randomUUID()}.pdparams`;
    await paddle.save(state(), name);
    {
      const checkpoint = await paddle.open(name);
      same((await checkpoint.getSlice("w", [3, 4])).at(0, 1), 37_500.5);
      try {
        await checkpoint.write("b", paddle.fromArray([4, 5, 6], "float32").astype("bfloat16"));
      } catch (error) {
        // Some folders cannot change a file in place, such as those that store it in rows or parts.
        if (!paddle.isPaddleError(error) || error.code !== "UNSUPPORTED_FEATURE") throw error;
        await checkpoint.close();
        return;
      }
      await checkpoint.close();
    }
    same((await paddle.load(name) as Map<string, paddle.Tensor>).get("b")!.toArray(), [4, 5, 6]);
  },
  "the same bytes at every protocol"() {
    const sums = [2, 3, 4].map((protocol) => {
      const bytes = paddle.encode(state(), { protocol });
      return [bytes.length, bytes.reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7)];
    });
    same(sums, SUMS);
    return Promise.resolve();
  },
  async "blobs, buffers, responses and streams in chunks of any size"() {
    const bytes = paddle.encode(state());
    const chunked = (size: number) => {
      let at = 0;
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          if (at >= bytes.length) controller.close();
          else controller.enqueue(bytes.slice(at, at += size));
        },
      });
    };
    for (
      const from of [bytes, bytes.buffer, new Blob([bytes]), new Response(bytes), chunked(1000), chunked(10_000_000)]
    ) {
      const value = await paddle.load(from) as Map<string, paddle.Tensor>;
      check(value.get("w")!.equals(state().get("w")!), String(from));
    }
  },
  async "a blob of many tensors: opened, read side by side, copied"() {
    const data = Float32Array.from({ length: 65_536 }, (_, i) => i / 2);
    const tensors = Array.from(
      { length: 60 },
      (_, i) => new paddle.Tensor("float32", [i % 3 ? 64 : 65_536], data.slice(0, i % 3 ? 64 : 65_536)),
    );
    const bytes = paddle.encode(new Map(tensors.map((tensor, i) => [`w${i}`, tensor])));
    const checkpoint = await paddle.open(new Blob([bytes]));
    const arrays = await Promise.all(checkpoint.names().map((name) => checkpoint.get(name)));
    check(arrays.every((array, i) => array.equals(tensors[i])), "get");
    const chunks: Uint8Array[] = [];
    await paddle.save(checkpoint, new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk) }));
    const copy = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
    check(copy.length === bytes.length && copy.every((byte, i) => byte === bytes[i]), "copy");
    await checkpoint.close();
  },
  async "a save if nobody else saved meanwhile, where files have versions"() {
    const name = `oarlock-suite-${crypto.randomUUID()}.pdparams`;
    const large = new Map([["w", paddle.zeros([9 * 2 ** 18], "float32")]]);
    for (const value of [state(), large]) {
      await paddle.save(value, name);
      const opened = await paddle.open(name), { version } = opened;
      await opened.close();
      if (version === undefined) return;
      await paddle.save(value, name, { ifUnchanged: { version } });
      await new Promise((resolve) => setTimeout(resolve, 5));
      await paddle.save(new Map([["w", 1]]), name);
      same(await codeOf(paddle.save(value, name, { ifUnchanged: { version } })), "CONFLICT");
      same(await codeOf(paddle.save(value, name, { ifUnchanged: { version: null } })), "CONFLICT");
      same([...(await paddle.load(name) as Map<string, unknown>).values()], [1]);
      await paddle.save(value, `${name}.${value.size}`, { ifUnchanged: { version: null } });
    }
  },
  async "a stream as the place of a save"() {
    const chunks: Uint8Array[] = [];
    await paddle.save(state(), new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk) }));
    const value = await paddle.load(new Blob(chunks as BlobPart[])) as Map<string, paddle.Tensor>;
    check(value.get("w")!.equals(state().get("w")!), "w");
  },
  async "a URL: load whole, open by ranges"(base) {
    const value = await paddle.load(`${base}/good`) as Map<string, paddle.Tensor>;
    check(value.get("w")!.equals(state().get("w")!), "load");
    const checkpoint = await paddle.open(`${base}/good`);
    same((await checkpoint.getSlice("w", [2, 3])).at(0, 0), 25_000);
    check((await checkpoint.get("w")).equals(state().get("w")!), "open");
    await checkpoint.close();
  },
  async "a URL whose server is at fault"(base) {
    const run = async (path: string, verb: "load" | "open") => {
      const http = { retryDelay: 1, ...path === "silent" && { idleTimeout: 400 } };
      if (verb === "load") return await codeOf(paddle.load(`${base}/${path}`, { http }));
      return await codeOf((async () => {
        const checkpoint = await paddle.open(`${base}/${path}`, { http });
        try {
          await checkpoint.get("w");
        } finally {
          await checkpoint.close();
        }
      })());
    };
    for (
      const [path, load, open] of [
        ["whole", null, null],
        ["elsewhere", null, "HTTP_BAD_RANGE"],
        ["changed", null, "HTTP_CHANGED"],
        ["missing", "HTTP_STATUS", "HTTP_STATUS"],
        ["busy", "HTTP_STATUS", "HTTP_STATUS"],
        ["once", null, null],
        ["silent", "HTTP_TIMEOUT", "HTTP_TIMEOUT"],
        ["page", "WRONG_FORMAT", "WRONG_FORMAT"],
        ["empty", "EMPTY", "EMPTY"],
      ] as const
    ) {
      const [l, o] = [await run(path, "load"), await run(path, "open")];
      // If there is no such file, it is tried as a prefix.
      const due = path === "missing" ? "NOT_FOUND" : load;
      same([path, l, o === "NOT_FOUND" ? "HTTP_STATUS" : o], [path, due, open]);
    }
  },
  async "a signal ends a wait within 100 ms, with its own reason"(base) {
    const times: number[] = [];
    // A busy machine may delay some ends, but not all.
    while (times.length < 10 && !(times.at(-1)! < 100)) {
      const controller = new AbortController(), reason = { mine: true };
      const waiting = paddle.load(`${base}/silent`, { signal: controller.signal }).then(() => null, (error) => error);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const before = performance.now();
      controller.abort(reason);
      check(await waiting === reason, "another reason");
      times.push(performance.now() - before);
    }
    check(times.at(-1)! < 100, `${times} ms`);
  },
  async "progress never falls, and ends with everything"() {
    const seen: number[] = [];
    await paddle.load(new Blob([paddle.encode(state())]), { onProgress: ({ loaded }) => seen.push(loaded) });
    check(seen.every((loaded, i) => i === 0 || loaded >= seen[i - 1]), "it falls");
    same(seen.at(-1), paddle.encode(state()).length);
  },
  async "folders: memory, and names that lead elsewhere"() {
    const folder = new paddle.MemoryFolder();
    await paddle.save(state(), "a/b.pdparams", { folder });
    same(await folder.list("a/"), ["a/b.pdparams"]);
    same(await codeOf(paddle.load("../a", { folder })), "UNSAFE_PATH");
  },
  async "a base URL"(base) {
    const folder = new paddle.HttpFolder(base);
    const value = await paddle.load("good", { folder }) as Map<string, paddle.Tensor>;
    same(value.get("b")!.toArray(), [1.5, -2, 0.25]);
    check(await folder.get("missing") === null, "missing");
  },
  "what is refused is refused by the same code"() {
    const evil = new TextEncoder().encode("cos\nsystem\n(S'id'\ntR.");
    const codes = [evil, new Uint8Array(0), paddle.encode(state()).subarray(0, 1000)].map((bytes) => {
      try {
        paddle.decode(bytes);
        return null;
      } catch (error) {
        return (error as paddle.PaddleError).code;
      }
    });
    same(codes, ["FORBIDDEN_SYMBOL", "EMPTY", "TRUNCATED"]);
    return Promise.resolve();
  },
};

/** Lengths and checksums of the bytes at protocols 2, 3 and 4. */
const SUMS = [[511118, 4097922141], [400344, 812494869], [400312, 268277216]];

/** Run all cases; `base` is the URL of the server. */
export async function suite(base: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [name, run] of Object.entries(CASES)) {
    try {
      await run(base);
      outcomes.push({ name, error: null });
    } catch (error) {
      outcomes.push({
        name,
        error: error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error),
      });
    }
  }
  return outcomes;
}
