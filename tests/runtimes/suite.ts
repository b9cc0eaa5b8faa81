/** What must work the same in every runtime. Uses no test framework, since the eight runtimes have none in common. */
import * as paddle from "../../mod.ts";
import * as npy from "../../src/npy.ts";
import * as safetensors from "../../src/safetensors.ts";
import { hasFileSystem } from "../../src/io/platform.ts";
import { FakeBucket } from "../helpers/fake_bucket.ts";

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

function sumOf(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7);
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function thrown(work: () => unknown): Promise<unknown> {
  try {
    await work();
    return null;
  } catch (error) {
    return error;
  }
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
      return [bytes.length, sumOf(bytes)];
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
  async "the bytes of an array as a stream, whole and in part"() {
    const checkpoint = await paddle.open(new Blob([paddle.encode(state())]));
    const { bytes } = state().get("w")!;
    same(sumOf(await bytesOf(checkpoint.stream("w"))), sumOf(bytes));
    same([...await bytesOf(checkpoint.stream("w", { range: [402, 411] }))], [...bytes.subarray(402, 411)]);
    same((await bytesOf(checkpoint.stream("b", { range: [6, 6] }))).length, 0);
    await checkpoint.stream("w").cancel();
    const lazy = await checkpoint.value() as Map<string, paddle.Tensor>;
    check((await lazy.get("w")!.load()).equals(state().get("w")!), "value");
    await checkpoint.close();
  },
  async "what is in a file is detected and audited"() {
    const record = paddle.encode(paddle.fromArray([1, 2]), { useBinaryFormat: true });
    const kinds = [paddle.encode(state()), record, safetensors.encode(state()), npy.encode(paddle.zeros([2]))];
    same(await Promise.all(kinds.map((bytes) => paddle.detect(new Blob([bytes])))), [
      "pickle",
      "record",
      "safetensors",
      "npy",
    ]);
    const report = await paddle.audit(new Blob(["cos\nsystem\n(S'id'\ntR."]));
    same([report.ok, report.exitCode, report.symbols.map(({ symbol }) => symbol)], [false, 1, ["os.system"]]);
  },
  async "numpy arrays, name tables, static mode, limits and warnings as asked for"() {
    const blob = () => new Blob([paddle.encode(state())]);
    const arrays = await paddle.load(blob(), { returnNumpy: true, keepNameTable: true }) as Map<string, paddle.NDArray>;
    same([...arrays].map(([name, array]) => [name, array instanceof paddle.Tensor]), [
      ["w", false],
      ["b", false],
      ["StructuredToParameterName@@", false],
    ]);
    const tensors = await paddle.load(blob(), { mode: "static" }) as Map<string, unknown>;
    check(tensors.get("w") instanceof paddle.DenseTensor, "static");
    same(await codeOf(paddle.load(blob(), { limits: { maxTensors: 1 } })), "LIMIT");
    const warnings: string[] = [];
    const repeated = new TextEncoder().encode("(dS'a'\nI1\nsS'a'\nI2\ns.");
    const onWarning = ({ code }: paddle.Warning) => void warnings.push(code);
    same([...await paddle.load(new Blob([repeated]), { onWarning }) as Map<string, number>], [["a", 2]]);
    same(warnings, ["DUPLICATE_KEY"]);
  },
  async "safetensors, npy and npz, the latter as an archive, too"() {
    const folder = new paddle.MemoryFolder();
    await safetensors.save(state(), { folder, name: "m.safetensors" });
    const opened = await safetensors.open("m.safetensors", { folder });
    check((await opened.get("w")).equals(state().get("w")!), "safetensors");
    await opened.close();
    const array = paddle.fromArray([[1, 2], [3, 4]], "float32"), large = paddle.zeros([LENGTH], "int64");
    await npy.save(array, { folder, name: "a.npy" });
    check((await npy.load("a.npy", { folder })).equals(array), "npy");
    await npy.saveNpz(new Map([["x/y", array], ["z", large]]), { folder, name: "a.npz" });
    const arrays = await npy.loadNpz("a.npz", { folder });
    check(arrays.get("x/y")!.equals(array) && arrays.get("z")!.equals(large), "npz");
    const archive = await paddle.openArchive({ folder, name: "a.npz" });
    same(await archive.list(), ["x/y.npy", "z.npy"]);
    check((await npy.load("z.npy", { folder: archive })).equals(large), "archive");
  },
  async "a file opened by its side index, which is ignored for another"() {
    const file = new Blob([paddle.encode(state())]), other = new Blob([paddle.encode(new Map([["w", 1]]))]);
    const index = await paddle.sideIndex(file);
    const warnings: string[] = [];
    for (const from of [file, other]) {
      const checkpoint = await paddle.open(from, { index, onWarning: ({ code }) => void warnings.push(code) });
      if (from === file) check((await checkpoint.get("w")).equals(state().get("w")!), "w");
      await checkpoint.close();
    }
    same(warnings, ["STALE_INDEX"]);
  },
  async "a bucket: parts of a large file, a condition, a slice"() {
    // The bucket's own streams need it.
    if (!("ReadableByteStreamController" in globalThis)) return;
    const bucket = new FakeBucket(), folder = new paddle.BucketFolder(bucket, { prefix: "run/" });
    const w = paddle.Tensor.full([3 * 2 ** 20], 0.5), name = "large.pdparams";
    await paddle.save(new Map([["w", w]]), name, { folder, ifUnchanged: { version: null } });
    same([await folder.list(), bucket.uploads], [[name], 0]);
    same(await codeOf(paddle.save(new Map(), name, { folder, ifUnchanged: { version: null } })), "CONFLICT");
    const checkpoint = await paddle.open(name, { folder });
    same((await checkpoint.getSlice("w", [-3, -1])).toArray(), [0.5, 0.5]);
    await paddle.save(checkpoint, "copy.pdparams", { folder });
    await checkpoint.close();
    const value = await paddle.load("copy.pdparams", { folder }) as Map<string, paddle.Tensor>;
    check(value.get("w")!.equals(w), "copy");
    await folder.delete(name);
    same(await codeOf(paddle.load(name, { folder })), "NOT_FOUND");
  },
  async "dropped files, and a distributed checkpoint in a folder"() {
    const dropped = new paddle.FileListFolder([["run/m.pdparams", new File([paddle.encode(state())], "m.pdparams")]]);
    const value = await paddle.load("run/m.pdparams", { folder: dropped }) as Map<string, paddle.Tensor>;
    check(value.get("w")!.equals(state().get("w")!), "dropped");
    const folder = new paddle.MemoryFolder();
    await paddle.distributed.saveStateDict(state(), { folder, name: "dist" });
    const merged = await paddle.distributed.loadMergedStateDict({ folder, name: "dist" });
    check((merged.get("w") as paddle.Tensor).equals(state().get("w")!), "distributed");
  },
  async "a bucket by S3 requests: parts of a large file, a condition, a slice"(base) {
    const folder = new paddle.S3Folder(`${base}/bucket`, { prefix: `${crypto.randomUUID()}/`, partSize: 5 * 2 ** 20 });
    const w = paddle.Tensor.full([3 * 2 ** 19], 0.5), name = "large ü.pdparams";
    await paddle.save(new Map([["w", w]]), name, { folder, ifUnchanged: { version: null } });
    await paddle.save(state(), "small.pdparams", { folder });
    same(await folder.list(), [name, "small.pdparams"]);
    same(await codeOf(paddle.save(new Map(), name, { folder, ifUnchanged: { version: null } })), "CONFLICT");
    const checkpoint = await paddle.open(name, { folder });
    same((await checkpoint.getSlice("w", [-3, -1])).toArray(), [0.5, 0.5]);
    await checkpoint.close();
    const value = await paddle.load("small.pdparams", { folder }) as Map<string, paddle.Tensor>;
    check(value.get("w")!.equals(state().get("w")!), "small");
    await folder.delete(name);
    same(await codeOf(paddle.load(name, { folder })), "NOT_FOUND");
  },
  async "a directory handle, where there are any"() {
    const { navigator } = globalThis as {
      navigator?: { storage?: { getDirectory?: () => Promise<paddle.DirectoryHandle> } };
    };
    const root = await navigator?.storage?.getDirectory?.().catch(() => undefined);
    if (!root) {
      const error = await thrown(() => new paddle.HandleFolder({} as paddle.DirectoryHandle));
      return check(error instanceof TypeError && error.message.includes("a directory handle"), String(error));
    }
    const folder = new paddle.HandleFolder(root), place = `suite-${crypto.randomUUID()}`, name = `${place}/m.pdparams`;
    const saved = await codeOf(paddle.save(state(), name, { folder }));
    // WebKit's files can be written in workers only.
    if (saved === "UNSUPPORTED_RUNTIME") return;
    same(saved, null);
    same(await folder.list(`${place}/`), [name]);
    const checkpoint = await paddle.open(name, { folder });
    same((await checkpoint.getSlice("w", [3, 4])).at(0, 1), 37_500.5);
    await checkpoint.close();
    await paddle.save(new Map([["w", 7]]), name, { folder });
    same([...await paddle.load({ folder, name }) as Map<string, unknown>], [["w", 7]]);
    await folder.delete(name);
    same(await codeOf(paddle.load(name, { folder })), "NOT_FOUND");
  },
  async "a download, in a page"() {
    if (typeof document !== "object") {
      const error = await thrown(() => new paddle.DownloadSink("m.pdparams"));
      return same((error as paddle.PaddleError)?.code, "UNSUPPORTED_RUNTIME");
    }
    const { createObjectURL } = URL, { click } = HTMLAnchorElement.prototype;
    const offered: unknown[] = [];
    URL.createObjectURL = (blob) => {
      offered.push(blob);
      return createObjectURL.call(URL, blob);
    };
    HTMLAnchorElement.prototype.click = function () {
      offered.push(this.download, this.href.startsWith("blob:"));
    };
    try {
      await paddle.save(state(), new paddle.DownloadSink("m.pdparams"));
    } finally {
      Object.assign(URL, { createObjectURL });
      Object.assign(HTMLAnchorElement.prototype, { click });
    }
    same(offered.slice(1), ["m.pdparams", true]);
    const value = await paddle.load(offered[0] as Blob) as Map<string, paddle.Tensor>;
    check(value.get("w")!.equals(state().get("w")!), "w");
  },
  async "a model: as a Layer, for inference, as weights, in every layout"(base) {
    const server = new paddle.HttpFolder(`${base}/models/`), folder = new paddle.MemoryFolder();
    const { jit, static: graph } = paddle;
    for (
      const [name, program, key] of [["two", "two.pdmodel", "body.0.weight"], ["three", "three.json", "linear_0.w_0"]]
    ) {
      const layer = await jit.load(name, { folder: server });
      same([layer.stateDict().size, layer.variables.size], [10, 10]);
      await jit.save(layer, name, { folder });
      const model = await graph.loadInferenceModel(`${base}/models/${name}?token=a%2Fb`);
      same([...model.parameters.keys()], [...(await jit.load(name, { folder })).variables.keys()]);
      same(model.feedTargetNames, ["x"]);
      await graph.relayout(model, "d", { folder, layout: "folder" });
      await graph.relayout("d", "c", { folder, layout: "combined" });
      await graph.relayout({ path: "c", paramsFilename: "__params__" }, "p", { folder });
      for (
        const [file, original] of [[`p${program.slice(name.length)}`, program], ["p.pdiparams", `${name}.pdiparams`]]
      ) {
        const [a, b] = [
          await graph.loadFromFile(file, { folder }),
          await graph.loadFromFile(original, { folder: server }),
        ];
        same([file, a.length, sumOf(a)], [file, b.length, sumOf(b)]);
      }
      const { stateDict, close } = await paddle.recoverStateDict(name, { folder: server, lazy: true });
      same([stateDict.size, [...stateDict.keys()][0]], [10, key]);
      await paddle.save(stateDict, "w.pdparams", { folder });
      await close();
      same((await paddle.load("w.pdparams", { folder }) as Map<string, unknown>).size, 10);
      const outputs = model.fetchTargets.map(({ name }) => name);
      const bytes = graph.serializeProgram("x", outputs, { program: model.program });
      same(graph.deserializeProgram(bytes).ops().length, model.program.ops().length);
      for (const file of await folder.list()) await folder.delete(file);
    }
  },
  async "a tar on a server, and one that is compressed"(base) {
    for (const archive of ["models.tar", "models.tar.gz"]) {
      if (archive.endsWith("gz") && typeof DecompressionStream === "undefined" && !hasFileSystem()) {
        same(await codeOf(paddle.openArchive(`${base}/${archive}`)), "UNSUPPORTED_RUNTIME");
        continue;
      }
      const folder = await paddle.openArchive(`${base}/${archive}`);
      same((await folder.list()).length, 5);
      const values = await paddle.load("two", { folder }) as Map<string, paddle.Tensor>;
      same(values.size, 10);
      await folder.close();
    }
  },
  async "a folder that is saved as a whole, where there are paths"() {
    const name = `oarlock-suite-${crypto.randomUUID()}`, options = { wholeFolder: true };
    if (!hasFileSystem()) {
      const error = await paddle.distributed.saveStateDict(state(), name, options).then(() => null, (error) => error);
      return check(error instanceof TypeError && error.message.includes("wholeFolder"), String(error));
    }
    for (let i = 0; i < 2; i++) await paddle.distributed.saveStateDict(state(), name, options);
    const merged = await paddle.distributed.loadMergedStateDict(name);
    check((merged.get("w") as paddle.Tensor).equals(state().get("w")!), "w");
    same(await paddle.recoverFolder(name), "nothing");
  },
  async "encrypted bytes, by every cipher"() {
    const key = new Uint8Array(32).fill(7), plain = paddle.encode(new Map([["w", paddle.zeros([1000])]]));
    for (const mode of ["GCM_NoPadding", "CBC_PKCSPadding", "ECB_PKCSPadding", "CTR_NoPadding"] as const) {
      const cipher = { cipherName: `AES_${mode}` as const };
      const bytes = await paddle.crypto.encrypt(plain, key, cipher);
      check(sumOf(bytes) !== sumOf(plain), mode);
      same(sumOf(await paddle.crypto.decrypt(bytes, key, cipher)), sumOf(plain));
    }
  },
  "the same bits of random initial values, conversions and a training step"() {
    paddle.seed(7);
    const layer = new paddle.nn.Linear(64, 256);
    const adam = new paddle.optimizer.Adam({ parameters: layer.parameters() });
    for (const parameter of layer.parameters()) parameter.grad = paddle.full(parameter.shape, 0.25, "float32");
    adam.step();
    const weight = layer.weight.astype("float32");
    const made = [weight, ...(["float16", "bfloat16", "float8_e4m3fn"] as const).map((dtype) => weight.astype(dtype))];
    same(made.map(({ bytes }) => sumOf(bytes)), BITS);
    const { min, max } = paddle.statistics(weight);
    same([min, max], [-0.13788272440433502, 0.1358812004327774]);
    return Promise.resolve();
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

/** Checksums of a trained weight as float32, float16, bfloat16 and float8. */
const BITS = [2085571729, 3101446691, 2390589909, 3086927846];

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
