import assert from "node:assert/strict";
import { existsSync, mkdtempSync, promises, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Readable, Writable } from "node:stream";
import { describe, it } from "@std/testing/bdd";
import * as paddle from "../mod.ts";
import * as codec from "../src/codec.ts";
import * as pickle from "../src/pickle.ts";

// For what TypeScript would reject.
// deno-lint-ignore no-explicit-any
type Any = any;

const state = new Map([["epoch", 3]]);
const bytes = paddle.encode(state);
const blob = new Blob([bytes]);
const opened = await paddle.open(bytes);

async function* chunks(): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

/** Values that are not files, and the error messages for them. */
const NOT_READ: [what: string, given: () => unknown, message: RegExp][] = [
  ["undefined", () => undefined, /^Cannot read from undefined: a path, URL, .* is expected$/],
  ["null", () => null, /from null:/],
  ["a number", () => 3, /from a number:/],
  ["a function", () => () => bytes, /from a function:/],
  ["a Map", () => state, /from a Map:/],
  ["a path in an object", () => new String("a.pdparams"), /from a String:/],
  ["a promise", () => Promise.resolve(bytes), /from a Promise: await it$/],
  ["a stream of Node", () => Readable.from([bytes]), /from a Readable: .*Readable\.toWeb\(stream\)/],
  ["a Request", () => new Request("http://127.0.0.1/a"), /from a Request: .*fetch/],
  [
    "a Request with a file",
    () => new Request("http://127.0.0.1/a", { method: "PUT", body: blob }),
    /from a Request: give its body$/,
  ],
  ["an object of a bucket", () => ({ key: "a", size: 9, body: blob.stream() }), /from an Object: give its body$/],
  ["an array of files", () => [blob], /from an Array: .*new FileListFolder\(files\), name \}/],
  ["an array of numbers", () => [...bytes], /from an Array: .*Uint8Array\.from/],
  ["chunks as they come", () => chunks(), /from an? \w+: convert it with ReadableStream\.from\(iterable\)$/],
  ["an open checkpoint", () => opened, /from a Checkpoint: give what it was opened from/],
  ["a folder", () => new paddle.MemoryFolder(), /from a MemoryFolder: .*\{ folder, name \}/],
  ["a folder without a name", () => ({ folder: new paddle.MemoryFolder() }), /\{ folder, name \}/],
  ["a name that is not a string", () => ({ folder: new paddle.MemoryFolder(), name: 3 }), /^The name .* got a number/],
  ["a name without a folder", () => ({ folder: null, name: "a" }), /^A folder must .* got null/],
  [
    "the path of a folder",
    () => ({ folder: ".", name: "a" }),
    /^A folder must .* got a string: .*new DirectoryFolder\(/,
  ],
  [
    "a bucket by URL",
    () => "s3://bucket/a.pdparams",
    /^Cannot read from s3: URLs: file:, http:, https:, blob: and data:/,
  ],
  ["another URL", () => new URL("ftp://host/a"), /^Cannot read from ftp: URLs/],
];

/** Values that are not save targets, and the error messages for them. */
const NOT_WRITTEN: [what: string, given: () => unknown, message: RegExp][] = [
  ["nothing", () => undefined, /^Cannot save to undefined: a path, file: URL, .* is expected$/],
  ["bytes", () => new Uint8Array(9), /to a Uint8Array: .*encode/],
  ["the value, where it comes second", () => state, /to a Map: .*save\(value, to\)/],
  ["a Blob", () => blob, /to a Blob: give the path of its file$/],
  ["a promise", () => Promise.resolve("a"), /to a Promise: await it$/],
  ["a stream of Node", () => new Writable(), /to a Writable: .*Writable\.toWeb\(stream\)/],
  ["a sink that cannot abort", () => ({ write() {}, close() {} }), /to an Object: a sink has write, close and abort/],
  ["a folder", () => new paddle.MemoryFolder(), /to a MemoryFolder: .*\{ folder, name \}/],
  [
    "the path of a folder",
    () => ({ folder: ".", name: "a" }),
    /^A folder must .* got a string: .*new DirectoryFolder\(/,
  ],
  [
    "a name that is not a string",
    () => ({ folder: new paddle.MemoryFolder(), name: undefined }),
    /^The name .* undefined/,
  ],
  ["a URL", () => new URL("https://host/a.pdparams"), /^Cannot save to https: URLs: only file: URLs can be written/],
  ["the text of a URL", () => "https://host/a.pdparams", /^Cannot save to https: URLs/],
  ["a bucket by URL", () => "gs://bucket/a.pdparams", /^Cannot save to gs: URLs/],
  ["a URL of data", () => "data:,a", /^Cannot save to data: URLs/],
];

/** Options of the wrong type. */
const OPTIONS: [name: string, value: unknown, message: RegExp][] = [
  ["onWarning", "log", /^Option onWarning must be a function: got "log"$/],
  ["onProgress", {}, /^Option onProgress must be a function: got an Object$/],
  ["signal", new AbortController(), /^Option signal must be an AbortSignal: got an AbortController/],
  ["folder", "models", /^A folder must .* got a string: .*new DirectoryFolder\(/],
];
const LOAD_OPTIONS: typeof OPTIONS = [
  ["returnNumpy", "false", /^Option returnNumpy must be a boolean: got "false"$/],
  ["keepNameTable", [], /^Option keepNameTable must be a boolean: got an Array$/],
  ["strict", null, /^Option strict must be a boolean: got null$/],
  ["copy", "yes", /^Option copy must be a boolean/],
  ["safetensors", "yes", /^Option safetensors must be a boolean/],
  ["mode", "graph", /^Option mode must be "dygraph" or "static": got "graph"$/],
  ["float8", "e4m3", /^Option float8 must be "float8_e4m3fn" or "float8_e5m2", for all or by key: got "e4m3"$/],
  ["float8", { w: "int8" }, /^Option float8 .* got "int8"$/],
  ["fetch", "x", /^Option fetch must be a function/],
  ["http", 3, /^Option http must be an object/],
  ["modelFilename", 3, /^Option modelFilename must be a string/],
  ["paramsFilename", null, /^Option paramsFilename must be a string: got null$/],
  ["limits", { maxDepth: "3" }, /^limits\.maxDepth must be .* got "3"$/],
];
const SAVE_OPTIONS: typeof OPTIONS = [
  ["useBinaryFormat", "yes", /^Option useBinaryFormat must be a boolean/],
  ["safetensors", 1, /^Option safetensors must be a boolean/],
  ["verify", "no", /^Option verify must be a boolean/],
  ["lock", 1, /^Option lock must be a boolean/],
  ["mkdir", "no", /^Option mkdir must be a boolean/],
  ["requireDurable", 1, /^Option requireDurable must be a boolean/],
  ["portable", 1, /^Option portable must be a boolean/],
  ["preserve", true, /^Option preserve must be "inode": got true$/],
];
/** Values that are not options objects at all. */
const NO_OPTIONS: unknown[] = [null, "static", 4, () => {}, [], new Map([["protocol", 2]])];

async function refused(work: () => unknown, message: RegExp, what: string): Promise<void> {
  await assert.rejects(async () => await work(), { name: "TypeError", message }, what);
}

describe("a wrong argument", () => {
  for (const verb of ["load", "open", "detect", "audit"] as const) {
    it(`of ${verb} is a TypeError that says what it was and what to pass instead`, async () => {
      for (const [what, given, message] of NOT_READ) await refused(() => paddle[verb](given() as Any), message, what);
    });
  }

  it("of save is a TypeError that says so, and a URL string creates no folder", async () => {
    for (const [what, given, message] of NOT_WRITTEN) {
      await refused(() => paddle.save(state, given() as Any), message, what);
    }
    for (const name of ["https:", "gs:", "data:,a"]) assert.ok(!existsSync(name), name);
  });

  it("that is an open file is a TypeError that asks for its path", async () => {
    const path = fileURLToPath(new URL(import.meta.url)), handle = await promises.open(path);
    try {
      await refused(() => paddle.load(handle as Any), /^Cannot read from a FileHandle: give its path$/, "load");
      await refused(() => paddle.save(state, handle as Any), /^Cannot save to a FileHandle: give its path$/, "save");
    } finally {
      await handle.close();
    }
    const { Deno } = globalThis as Any;
    if (!Deno) return;
    const file = await Deno.open(path);
    await refused(() => paddle.load(file), /from a FsFile: give its path, or its readable$/, "load");
    await refused(() => paddle.save(state, file), /to a FsFile: give its path, or its writable$/, "save");
    file.close();
  });

  it("of the functions for models is a TypeError that says what to pass instead", async () => {
    const verbs = [
      paddle.recoverStateDict,
      paddle.static.loadInferenceModel,
      paddle.jit.load,
      paddle.static.loadProgramState,
    ];
    for (const verb of verbs) {
      await refused(() => verb(Promise.resolve("m") as Any), /Promise: await it$/, verb.name);
      await refused(() => verb({ folder: ".", name: "m" } as Any), /^A folder .*new DirectoryFolder/, verb.name);
    }
  });
});

describe("a wrong option", () => {
  it("is a second format: neither is ignored, whatever is saved", async () => {
    const both = { useBinaryFormat: true, safetensors: true }, folder = new paddle.MemoryFolder();
    await refused(() => paddle.encode(state, both), /useBinaryFormat and safetensors each choose the format/, "encode");
    await refused(() => paddle.save(a, "x", { ...both, folder }), /useBinaryFormat and safetensors each/, "save");
    const program = await paddle.load("tests/fixtures/real/paddle-2.6.2/jit-save/m.pdmodel");
    for (const option of ["useBinaryFormat", "safetensors"]) {
      assert.throws(() => paddle.encode(program, { [option]: true }), { code: "INVALID_VALUE" }, option);
    }
    assert.deepEqual(await folder.list(), []);
  });

  it("of load, open and decode is a TypeError that says what is expected", async () => {
    for (const [name, value, message] of [...OPTIONS, ...LOAD_OPTIONS]) {
      const options = { [name]: value } as Any;
      await refused(() => paddle.load(bytes, options), message, name);
      await refused(() => paddle.open(bytes, options), message, name);
    }
    for (const [name, value, message] of LOAD_OPTIONS.slice(0, 8)) {
      await refused(() => paddle.decode(bytes, { [name]: value } as Any), message, name);
    }
  });

  it("of save and encode is an error that says what is expected, and nothing is written", async () => {
    const folder = mkdtempSync(join(tmpdir(), "oarlock-misuse-")), path = join(folder, "a.pdparams");
    try {
      for (const [name, value, message] of [...OPTIONS, ...SAVE_OPTIONS]) {
        await refused(() => paddle.save(state, path, { [name]: value } as Any), message, name);
      }
      for (const [name, value, message] of SAVE_OPTIONS.slice(0, 2)) {
        await refused(() => paddle.encode(state, { [name]: value } as Any), message, name);
      }
      for (const protocol of ["2", true, 5, 2.5]) {
        const message = `protocol must be 2, 3 or 4: got ${JSON.stringify(protocol)}`;
        await assert.rejects(paddle.save(state, path, { protocol } as Any), { code: "INVALID_VALUE", message });
      }
      assert.deepEqual(readdirSync(folder), []);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("in place of the whole options object, such as a Map or an array, is a TypeError", async () => {
    for (const options of NO_OPTIONS) {
      await refused(() => paddle.load(bytes, options as Any), /^Options must be an object/, String(options));
      await refused(() => paddle.save(state, "a", options as Any), /^Options must be an object/, String(options));
      await refused(() => paddle.encode(state, options as Any), /^Options must be an object/, String(options));
    }
  });

  it("is not reported for a null signal or folder, which mean none, as in fetch", async () => {
    assert.deepEqual(await paddle.load(bytes, { signal: null, folder: null } as Any), state);
  });
});

describe("an empty path", () => {
  it("is reported as empty, and does not mean the current directory", async () => {
    for (const verb of [paddle.load, paddle.open, paddle.detect, paddle.audit]) {
      await assert.rejects(verb(""), { code: "NOT_FOUND", message: /empty/ }, verb.name);
    }
  });
});

describe("a value that cannot be saved", () => {
  const VALUES: [value: unknown, message: string][] = [
    [undefined, "Cannot save undefined: null is Python's None"],
    [Promise.resolve(1), "Cannot save a Promise: await it"],
    [new Map([["w", Promise.resolve(1)]]), 'Cannot save a Promise at ["w"]: await it'],
    [new Float32Array(3), "Cannot save a Float32Array: fromArray(data) makes an array of it"],
    [new Error("x"), "Cannot save an Error"],
    [new paddle.optimizer.SGD({ parameters: [] }), "Cannot save a SGD: save its stateDict()"],
    [() => {}, "Cannot save a function"],
    [
      new Map([["w", Object.assign(paddle.Tensor.zeros([1]), { name: null })]]),
      'Cannot save a Tensor named null at ["w"]',
    ],
    [[new paddle.Tensor("float32", [1], undefined, { name: 5 as Any })], "Cannot save a Tensor named 5 at [0]"],
    [{ w: Object.assign(new paddle.DefaultDict(), { factory: undefined }) }, 'Cannot save a defaultdict at ["w"]'],
  ];
  it("is named in the error, with the alternative if there is one", () => {
    for (const [value, message] of VALUES) {
      assert.throws(() => paddle.encode(value), { code: "INVALID_VALUE", message });
    }
  });
});

const a = paddle.fromArray([[1, 2], [3, 4]]);
const { NDArray, Tensor, DenseTensor, SelectedRows, DirectoryFolder, MemoryFolder } = paddle as Any;

/** Meaningless calls on arrays, and the error messages for them. */
const ARRAYS: [what: string, work: () => unknown, message: RegExp][] = [
  [
    "a number for a shape",
    () => new NDArray("float32", 3),
    /^A shape must be a list of non-negative integers .*: got 3$/,
  ],
  ["no shape", () => new NDArray("float32"), /^A shape must be a list .*: got undefined$/],
  ["separate lengths", () => (paddle as Any).zeros(2, 3), /^A shape must be a list .*: got 2$/],
  ["a string in a shape", () => new NDArray("float32", ["2"]), /^A shape must be a list .*: got \[2\]$/],
  ["reshape to a number", () => (a as Any).reshape(4), /^A shape must be a list .*: got 4$/],
  ["a list for bytes", () => new NDArray("float32", [2], [1, 2]), /bytes.* got an Array: fromArray\(list\)/],
  ["null for a number", () => paddle.fromArray(null as Any), /^null does not fit in float32$/],
  ["a string for a number", () => paddle.fromArray(["1"] as Any), /^"1" does not fit in float32$/],
  ["a Map for numbers", () => paddle.fromArray(new Map() as Any), /^a Map does not fit in float32$/],
  ["a string for an index", () => (a as Any).at("0", 0), /^Index "0" is out of range/],
  ["a string for a bound", () => (a as Any).slice("0"), /^A slice bound must be an integer: got "0"$/],
  ["a name for the options of a Tensor", () => new Tensor("float32", [1], undefined, "w"), /^Options .*got "w"$/],
  [
    "Python's name for an option",
    () => Tensor.from(a, { stop_gradient: false }),
    /^Unknown option "stop_gradient": .*"stopGradient"$/,
  ],
  ["null for the options of a Tensor", () => new Tensor("float32", [1], undefined, null), /^Options .*got null$/],
  [
    "an option that Parameters lack",
    () => new paddle.nn.Parameter("float32", [1], undefined, { trainble: false } as Any),
    /^Unknown option "trainble": .*"trainable"$/,
  ],
  [
    "LoD levels for the options",
    () => new DenseTensor("float32", [1], undefined, [[0, 1]]),
    /^Options .*got an Array$/,
  ],
  ["a list for a Tensor", () => Tensor.from([1]), /^Expected an array: got an Array/],
  ["a list for rows", () => paddle.encode(new SelectedRows([0], 1, [1]), { useBinaryFormat: true }), /rows .*an Array/],
  ["a list for statistics", () => paddle.statistics([1] as Any), /^Expected an array: got an Array/],
  ["nothing for statistics", () => paddle.statistics(undefined as Any), /^Expected an array: got undefined/],
  ["a list to compare", () => paddle.maxDifference(a, [1] as Any), /^Expected an array: got an Array/],
];

describe("creating an array", () => {
  for (const [what, work, message] of ARRAYS) {
    it(`gives a TypeError or ValueError that names the mistake: ${what}`, () => {
      assert.throws(work, (error: Error) => {
        assert.match(error.message, message);
        return error instanceof TypeError || (error as Any).code === "INVALID_VALUE";
      });
    });
  }

  it("is not needed for equals, which is false for anything but an array", () => {
    for (const other of [undefined, null, [[1, 2], [3, 4]], "a"]) assert.equal(a.equals(other as Any), false);
  });

  it("is not attempted by toMap, which accepts a Map in place of an object", () => {
    assert.deepEqual(paddle.toMap(new Map([["w", 1]]) as Any), new Map([["w", 1]]));
  });
});

/** Impossible folders, and the error messages for them. */
const FOLDERS: [what: string, work: () => unknown, message: RegExp][] = [
  ["no path", () => new DirectoryFolder(), /^Expected a path or file: URL: got undefined$/],
  ["a URL for a path", () => new DirectoryFolder("https://host/models"), /^Expected a path or file: URL: got "https:/],
  ["an unknown option", () => new DirectoryFolder(".", { trust: true }), /^Unknown option "trust": .*"trusted"$/],
  [
    "a string for bytes",
    () => new MemoryFolder([["a", "text"]]),
    /^Expected bytes, such as a Uint8Array: got a string$/,
  ],
  [
    "a name that is not a string",
    () => new MemoryFolder([[3, bytes]]),
    /^The name in a folder must be a string: got a num/,
  ],
  [
    "strings for files",
    () => new (paddle as Any).FileListFolder(["a"]),
    /^Expected a File, or a pair of a name and a Blob.* "a"$/,
  ],
  ["no files", () => new (paddle as Any).FileListFolder(), /^Expected a list of Files: got undefined$/],
  ["one file for a list", () => new (paddle as Any).FileListFolder(blob), /^Expected a list of Files: got a Blob$/],
  [
    "items in place of their files",
    () => new (paddle as Any).FileListFolder([{ kind: "file" }]),
    /^Expected a File, or a pair of a name and a Blob: got an Object$/,
  ],
  [
    "promises of files",
    () => new (paddle as Any).FileListFolder([Promise.resolve(blob)]),
    /a name and a Blob: got a Promise: await it$/,
  ],
  [
    "an object of bytes",
    () => new (paddle as Any).MemoryFolder({ a: bytes }),
    /^Expected a list of names and bytes: got an Object$/,
  ],
  ["names without bytes", () => new (paddle as Any).MemoryFolder(["ab"]), /^Expected a pair of .* bytes: got "ab"$/],
  [
    "one name for a list",
    () => new (paddle as Any).HttpFolder("http://h/", { names: "m.pdmodel" }),
    /^Expected a list of names: got a string$/,
  ],
  ["no handle", () => new (paddle as Any).HandleFolder("a"), /^Expected a directory handle: got a string$/],
  ["no bucket", () => new (paddle as Any).BucketFolder("models"), /^A bucket must have.*: got a string/],
  [
    "an unknown option of BucketFolder",
    () => new (paddle as Any).BucketFolder({ head() {} }, { prefx: "" }),
    /nearest is "prefix"$/,
  ],
  [
    "an unknown option of HttpFolder",
    () => new (paddle as Any).HttpFolder("http://h/", { header: {} }),
    /nearest is "headers"$/,
  ],
  [
    "an unknown option of S3Folder",
    () => new (paddle as Any).S3Folder("http://h/", { fetsch: 1 }),
    /nearest is "fetch"$/,
  ],
  ...["HttpFolder", "S3Folder"].map((name): [string, () => unknown, RegExp] => [
    `a signal for all of ${name}`,
    () => new (paddle as Any)[name]("http://h/", { signal: new AbortController().signal }),
    /^Option signal belongs to the calls that read, not to their folder$/,
  ]),
  [
    "a path for the default",
    () => paddle.setDefaultFolder("models" as Any),
    /got a string: new DirectoryFolder\(path\)/,
  ],
  ["no folder to recover", () => (paddle as Any).recoverFolder(), /^Expected a path or file: URL: got undefined$/],
  ["a wrong name for an age", () => (paddle as Any).cleanupTemps("d", { olderthan: 1 }), /"olderthan": .*"olderThan"$/],
  [
    "a string for an age",
    () => (paddle as Any).cleanupTemps("d", { olderThan: "1 h" }),
    /^Option olderThan must be a number/,
  ],
  [
    "an age of NaN, with which temporary files of saves under way would be removed",
    () => paddle.cleanupTemps("d", { olderThan: NaN }),
    /^Option olderThan must be a number from 0 on: got NaN$/,
  ],
  ["an age below 0", () => paddle.cleanupTemps("d", { olderThan: -1 }), /^Option olderThan must be .*: got -1$/],
  ["an unknown option of a recovery", () => (paddle as Any).recoverFolder("d", { sync: true }), /"sync": .*"signal"$/],
  ["no folder to clean", () => (paddle as Any).cleanupTemps(), /^Expected a path or file: URL: got undefined$/],
];

describe("creating a folder", () => {
  for (const [what, work, message] of FOLDERS) {
    it(`gives a TypeError that names the mistake: ${what}`, async () => await refused(work, message, what));
  }

  it("accepts file: URLs, as strings or URL objects", () => {
    const path = join(tmpdir(), "models"), url = pathToFileURL(path);
    for (const given of [path, url, url.href]) assert.equal(new DirectoryFolder(given).path, path);
  });
});

const program = paddle.static.deserializeProgram(readFileSync("tests/fixtures/programs/plain-3.3.1.pdmodel"));
const { static: graph, jit, fluid, Model, nn } = paddle as Any;

/** Meaningless calls of Paddle's functions, and the error messages for them. */
const FUNCTIONS: [what: string, work: () => unknown, message: RegExp][] = [
  ...[["serializeProgram", "legacyformat", "legacyFormat"], ["serializePersistables", "parameter", "parameters"], [
    "deserializePersistables",
    "limit",
    "limits",
  ]].map(([name, given, nearest]): [string, () => unknown, RegExp] => [
    `an unknown option of ${name}`,
    () => graph[name](program, [], { [given]: 1 }),
    new RegExp(`nearest is "${nearest}"$`),
  ]),
  ["a path for a program", () => graph.load("m.pdmodel", "m"), /^Expected a Program: got a string$/],
  ["no program to normalize", () => graph.normalizeProgram(), /^Expected a Program: got undefined$/],
  ["no program to save", () => graph.save(null, "m", { parameters: new Map() }), /^Expected a Program: got null$/],
  ["no program for a state", () => graph.setProgramState(undefined, new Map()), /^Expected a Program: got undefined$/],
  [
    "a promise of a program",
    () => graph.setProgramState(Promise.resolve(program), new Map()),
    /got a Promise: await it$/,
  ],
  [
    "a string for a program of 1.x",
    () => fluid.io.saveParams("d", { mainProgram: "m", parameters: new Map() }),
    /a string$/,
  ],
  ["no options of 1.x", () => fluid.io.saveParams("d"), /^Options must be an object: got undefined$/],
  [
    "a Layer without programs",
    () => jit.save(new nn.Linear(1, 1), "m"),
    /^jit\.save takes .*there is no tracing here: got a/,
  ],
  ["nothing to export", () => jit.save(undefined, "m"), /^jit\.save takes .*: got undefined$/],
  ["a promise for a prefix", () => new Model(new nn.Linear(1, 1)).load(Promise.resolve("m")), /a Promise: await it$/],
  ["no prefix", () => fluid.loadDygraph(), /^A prefix must be a path or a URL: got undefined$/],
  ["no network", () => new Model("net"), /^A Model needs a network .*: got a string$/],
  ["a string for a length", () => new nn.Linear("2", 2), /axis 0 of a parameter has the length "2"$/],
  [
    "no shape of a parameter",
    () => (paddle as Any).createParameter(),
    /: a shape is a list of lengths: got undefined$/,
  ],
  [
    "an object of names",
    () => paddle.recoverStateDict("m", { names: { a: "b" } } as Any),
    /^Option names must be a Map, such as toMap makes of an object: got an Object$/,
  ],
  ["a list of keys", () => paddle.recoverStateDict("m", { like: ["a"] } as Any), /^Option like must be a Map/],
  [
    "a number for a key",
    () => paddle.recoverStateDict("m", { names: new Map([["a", 5]]) } as Any),
    /^Option names must have a string for "a": got 5$/,
  ],
  ["an unknown numpy version", () => pickle.encode(1, { numpy: 3 } as Any), /^Option numpy must be 1 or 2: got 3$/],
  ["a string for bytes", () => codec.detectKind("abc" as Any), /^Expected bytes, such as a Uint8Array: got a string$/],
];

describe("a Paddle function", () => {
  for (const [what, work, message] of FUNCTIONS) {
    it(`names a wrong argument in its error: ${what}`, async () => {
      await assert.rejects(async () => await work(), (error: Error) => {
        assert.match(error.message, message);
        return error instanceof TypeError || (error as Any).code === "INVALID_VALUE";
      });
    });
  }

  it("accepts a URL as a prefix", async () => {
    const folder = mkdtempSync(join(tmpdir(), "oarlock-misuse-")), prefix = pathToFileURL(join(folder, "m"));
    try {
      const model = new paddle.Model(new paddle.nn.Linear(1, 1));
      await model.save(prefix);
      await model.load(prefix);
      const [parameters] = await paddle.fluid.loadDygraph(prefix);
      await paddle.fluid.saveDygraph(parameters, prefix, { kind: "optimizer" });
      assert.deepEqual(readdirSync(folder).sort(), ["m.pdopt", "m.pdparams"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** Meaningless calls on an open checkpoint, and the error messages for them. */
const CHECKPOINT: [what: string, work: (file: Any) => unknown, message: RegExp][] = [
  ["no name", (file) => file.get(), /^There is no array undefined/],
  ["an option of get", (file) => file.get("w", { sginal: null }), /^Unknown option "sginal": .*"signal"$/],
  [
    "a signal that is none",
    (file) => file.get("w", { signal: true }),
    /^Option signal must be an AbortSignal: got true$/,
  ],
  ["no rows", (file) => file.getSlice("w"), /^A slice is \[start, end\]: got undefined$/],
  ["one row", (file) => file.getSlice("w", 2), /^A slice is \[start, end\]: got 2$/],
  ["texts for rows", (file) => file.getSlice("w", ["0", "1"]), /^A slice bound must be an integer: got "0"$/],
  ["a number for a range", (file) => file.stream("w", { range: 3 }), /^Option range must be \[start, end\]: got 3$/],
  ["an option of streams", (file) => file.stream("w", { rang: [0, 1] }), /^Unknown option "rang": .*"range"$/],
  ["an option of write", (file) => file.write("w", a, { folder: null }), /^Unknown option "folder"/],
  ["a list to write", (file) => file.write("w", [1]), /^Expected an array: got an Array/],
  ["an option of value", (file) => file.value({ sig: null }), /^Unknown option "sig"/],
];

describe("an opened checkpoint", () => {
  it("takes the bounds that an array's slice takes: beyond the end, infinite, or none", async () => {
    await using file = await paddle.open(paddle.encode(new Map([["w", a]])));
    for (
      const range of [[0, Infinity], [-Infinity, 1], [1, undefined], [undefined, -1], [-99, 99], [2, 1], [
        2 ** 60,
        2 ** 70,
      ]]
    ) {
      const rows = await file.getSlice("w", range as [number, number]);
      assert.deepEqual(rows.toArray(), a.slice(...range as [number, number]).toArray(), String(range));
    }
  });

  for (const [what, work, message] of CHECKPOINT) {
    it(`names a wrong argument in its error: ${what}`, async () => {
      await using file = await paddle.open(paddle.encode(new Map([["w", a]])));
      await assert.rejects(async () => await work(file), (error: Error) => {
        assert.match(error.message, message);
        return error instanceof TypeError || ["NOT_FOUND", "INVALID_VALUE"].includes((error as Any).code);
      });
    });
  }
});
