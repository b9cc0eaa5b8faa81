import assert from "node:assert/strict";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { describe as suite, it } from "@std/testing/bdd";
import { decode, fluid, isPaddleError, jit, load, static as paddleStatic } from "../../mod.ts";
import { decodePickle } from "../../src/model/decode_pickle.ts";
import { describeAnswer, expectedAnswer } from "./describe_answer.ts";
import { firstDifference, same } from "./describe.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** A deliberate difference from Paddle: an error with this code, or a result that differs in nothing else. */
interface Difference {
  file: RegExp;
  version: RegExp;
  why: string;
  code?: string;
  /** Whether our result and Paddle's are the same except for the difference. */
  alike?: (ours: Json, wanted: Json) => boolean;
}

/** Everything that is not listed must be equal. */
const DIFFERENCES: Difference[] = [
  {
    file: /objects\/function\.pkl/,
    version: /./,
    code: "FORBIDDEN_SYMBOL",
    why: "nothing is ever imported: a function by name is refused",
  },
  {
    file: /objects\/dataclass\.pkl/,
    version: /./,
    code: "FORBIDDEN_SYMBOL",
    why: "nothing is ever imported: a user's class is refused",
  },
  {
    file: /arrays\/(matrix|masked)\.npd/,
    version: /./,
    code: "FORBIDDEN_SYMBOL",
    why: "numpy.matrix and masked arrays are outside the closed table",
  },
  {
    file: /dygraph/,
    version: /1\.6\.1/,
    why: "1.6 gives variables in the order of a hash; we give arrays in file order, as 1.7 and 1.8 do",
    alike: except((object) => object.dict ? inOrder(object) : asArray(object)),
  },
  {
    file: /_v1/,
    version: /py2/,
    why: "Python 2's str keys are bytes in the order of a hash there; they are text in file order here, as in Python 3",
    alike: except((object) => {
      if (typeof object.bytes === "string") return Buffer.from(object.bytes, "hex").toString();
      return inOrder(object);
    }),
  },
  {
    file: /./,
    version: /2\.0\.2/,
    why: "2.0 answers arrays where 2.1 and later answer Tensors",
    alike: except(asArray),
  },
  {
    file: /uint16|bfloat16|bf16|infer|binary|types|amp/,
    version: /2\.[123]\./,
    why: "2.1 to 2.3 call bfloat16 uint16",
    alike: except((object) => object.dtype === "bfloat16" ? { ...object, dtype: "uint16" } : object),
  },
  {
    file: /records-shapes\/empty/,
    version: /./,
    why: "Paddle gives a new float64 array of shape [0] for an empty record; we give what the file says",
    alike: except((object) => object.shape?.includes(0) ? "empty" : object),
  },
  {
    file: /(fluid-infer-combined|infer-model-names)\/d|jit-function\/bound/,
    version: /2\./,
    code: "MISSING_PART",
    why: "a program without the file of its parameters is an error; Paddle answers an empty dict",
  },
  {
    file: /jit-methods(\.oldir)?\/m$/,
    version: /2\.[012345]|3\./,
    why:
      "Paddle numbers the parameters of methods in the order of the directory's listing; we in the order of the methods' names",
    alike: except(withoutKeys),
  },
  {
    file: /(infer-dtypes|infer-zero-d)\.oldir/,
    version: /3\./,
    why: "3.x answers models of the older form with shifted names, such as v_bool_0 for v_bool",
    alike: except(withoutKeys),
  },
  {
    file: /static-save-places\/x\.pdparams/,
    version: /1\.[78]|[23]\./,
    why: "a file x.pdparams.pdparams is found by x.pdparams; Paddle strips the suffix and answers an empty dict",
    alike: onlyWeHaveArrays,
  },
  {
    file: /program-state-folder\/d$/,
    version: /3\./,
    why: "a folder of variables is read as 2.6 reads it; Paddle with PIR warns and answers an empty dict",
    alike: onlyWeHaveArrays,
  },
  {
    file: /jit-save\/no-info/,
    version: /2\.[0123]/,
    why: "2.0 to 2.3 number the parameters in the order of a hash",
    alike: except(withoutKeys),
  },
  {
    file: /zero-d|static|model/,
    version: /2\.5/,
    why: "2.5 shows a 0-d tensor as [1]",
    alike: except((object) => object.shape?.length === 0 ? { ...object, shape: [1] } : object),
  },
];

/** Whether two results are the same after `change` has taken the difference out of all objects within them. */
function except(change: (object: Json) => Json): (ours: Json, wanted: Json) => boolean {
  const changed = (value: Json): Json => {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(changed);
    return change(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, changed(item)])));
  };
  return (ours, wanted) => same(changed(ours), changed(wanted));
}

function asArray(object: Json): Json {
  const tensor = object.Tensor ?? object.DenseTensor;
  if (!tensor) return object;
  const { dtype, shape, sha256 } = tensor;
  return { ndarray: { dtype, shape, sha256 } };
}

/** A dict by its values alone. */
function withoutKeys(object: Json): Json {
  const pairs = object.OrderedDict ?? object.dict;
  if (!pairs) return object;
  return pairs.map(([, { Tensor, ndarray }]: Json) => JSON.stringify({ ...Tensor ?? ndarray, name: "" })).sort();
}

function onlyWeHaveArrays(ours: Json, wanted: Json): boolean {
  const isArray = ([, value]: Json) => "ndarray" in value || "Tensor" in value;
  return ours.dict.length > 0 && ours.dict.every(isArray) && same({ dict: [] }, wanted);
}

/** Those that were found. */
const occurred = new Set<Difference>();

const READ = new Set([
  "paddle.load",
  "pickle.load",
  "fluid.load_dygraph",
  "fluid.load_dygraph(...)[1]",
  "value",
  "paddle.static.load_inference_model",
  "fluid.io.load_inference_model",
  "paddle.jit.load",
  "paddle.static.load_program_state",
  "fluid.io.load_program_state",
  "ProgramDesc.ParseFromString",
  "paddle.static.deserialize_program",
  "core.deserialize_pir_program",
]);

const CORPUS = "../shared/real";

for (const root of ["tests/fixtures/real", CORPUS].filter((folder) => existsSync(folder))) {
  suite(`what is read from files that Paddle wrote, in ${root.replace("../", "")}`, () => {
    for (
      const version of readdirSync(root).filter((name) => name.startsWith("paddle-") && name !== "paddle-cross").sort()
    ) {
      it(`is what ${version} itself reads, except for the listed differences`, async () => {
        const counts: Counts = { asked: 0, failures: [] };
        for (const name of readdirSync(join(root, version))) await askAll(join(root, version, name), version, counts);
        assert.ok(counts.asked > 0, "no question was asked");
        assert.equal(counts.failures.length, 0, counts.failures.slice(0, 50).join("\n"));
        console.log(`    ${version}: ${counts.asked} answers compared`);
      });
    }

    // Only the whole corpus has them all.
    if (root !== CORPUS) return;
    it("differs in every listed way", () => {
      assert.deepEqual(DIFFERENCES.filter((one) => !occurred.has(one)).map(({ why }) => why), []);
    });
  });
}

/** The results of one version's cases. */
interface Counts {
  asked: number;
  failures: string[];
}

async function askAll(folder: string, version: string, counts: Counts): Promise<void> {
  const expectation = JSON.parse(readFileSync(join(folder, "expect.json"), "utf8"));
  const stage = stageOf(folder, expectation);
  try {
    await askCase(stage, expectation.calls, version, counts);
  } finally {
    if (stage !== folder) rmSync(join(stage, "..", ".."), { recursive: true });
  }
}

/** The folder as it was when Paddle read it: without expect.json, with the files that are stored only once, and with empty folders. */
function stageOf(folder: string, { files, calls, empty_folders = [] }: Json): string {
  const copies = Object.entries(files as Json).filter(([, file]: Json) => file.copy_of);
  if (copies.length === 0 && empty_folders.length === 0 && !calls.some((call: Json) => call.target === "")) {
    return folder;
  }
  const stage = join(mkdtempSync(join(tmpdir(), "oarlock-real-")), basename(dirname(folder)), basename(folder));
  cpSync(folder, stage, { recursive: true });
  rmSync(join(stage, "expect.json"));
  for (const [name, { copy_of }] of copies as Json[]) {
    mkdirSync(dirname(join(stage, name)), { recursive: true });
    copyFileSync(join(folder, copy_of), join(stage, name));
  }
  for (const name of empty_folders) mkdirSync(join(stage, name), { recursive: true });
  return stage;
}

async function askCase(folder: string, calls: Json[], version: string, counts: Counts) {
  for (const call of calls) {
    if (call.needs || (call.varies && call.must_fail === undefined)) continue;
    const options = optionsOf(call.options ?? {});
    const path = join(folder, call.target);
    assert.ok(READ.has(call.call), `${folder}: ${call.call}`);
    let answer = call;
    while (answer.result?.result_of_call !== undefined) answer = calls[answer.result.result_of_call];
    for (const mode of call.mode === "both" ? ["dygraph", "static"] : [call.mode ?? "dygraph"]) {
      counts.asked++;
      const failure = await ask(call, answer, path, { ...options, mode }, version);
      if (failure) counts.failures.push(failure);
    }
  }
}

async function ask(call: Json, answer: Json, path: string, options: Json, version: string): Promise<string | null> {
  const place = `${path} ${JSON.stringify(options)}`;
  let value: Json, error: unknown;
  try {
    value = describeAnswer(call.call, await read(call.call, path, options));
  } catch (thrown) {
    if (!isPaddleError(thrown) && !(thrown instanceof TypeError)) return `${place}: ${thrown}`;
    error = thrown;
  }
  if (call.must_fail === true) {
    return error ? null : `${place}: an error is expected (${call.why})`;
  }
  if (call.must_fail === false && (error || "error" in answer)) return null;
  const wanted = expectedAnswer(call.call, answer.result);
  const isFile = existsSync(path) && statSync(path).isFile();
  const [ours, theirs] = isFile ? [value, wanted] : [inOrder(value), inOrder(wanted)];
  if (!error && same(ours, theirs)) return null;
  const listed = DIFFERENCES.filter(({ file, version: versions, code, alike }) => {
    if (!file.test(path.replaceAll("\\", "/")) || !versions.test(version)) return false;
    return code ? isPaddleError(error) && error.code === code : !error && alike!(ours, theirs);
  });
  for (const difference of listed) occurred.add(difference);
  if (listed.length > 0) return null;
  return `${place}: ${error ?? firstDifference(ours, theirs)}`;
}

async function read(call: string, path: string, options: Json): Promise<unknown> {
  switch (call) {
    case "pickle.load":
      return decodePickle(readFileSync(path));
    case "fluid.load_dygraph": {
      const [parameters, optimizer] = await fluid.loadDygraph(path, { keepNameTable: options.keepNameTable });
      return tupleOf(parameters, optimizer);
    }
    case "fluid.load_dygraph(...)[1]":
      return await load(path.endsWith(".pdopt") ? path : path + ".pdopt", { returnNumpy: true, keepNameTable: true });
    case "paddle.static.load_inference_model":
    case "fluid.io.load_inference_model": {
      const { mode: _, ...names } = options;
      return await paddleStatic.loadInferenceModel(path, names);
    }
    case "paddle.jit.load": {
      const { mode: _, ...names } = options;
      return await jit.load(path, names);
    }
    case "paddle.static.load_program_state":
    case "fluid.io.load_program_state":
      return await paddleStatic.loadProgramState(path);
    case "ProgramDesc.ParseFromString":
    case "paddle.static.deserialize_program":
    case "core.deserialize_pir_program":
      return paddleStatic.deserializeProgram(readFileSync(path));
    case "value":
      return decode(readFileSync(path), options);
    default:
      return await load(path, options);
  }
}

function tupleOf(...items: unknown[]): unknown {
  return decodeTuple(items);
}

function decodeTuple(items: unknown[]): unknown {
  const tuple = decodePickle(Uint8Array.of(0x80, 2, 0x4e, 0x4e, 0x86, 0x2e)) as unknown[];
  items.forEach((item, i) => tuple[i] = item);
  return tuple;
}

/** Sorts a dict by its keys: what Paddle gathers from several files is in hash order. */
function inOrder(value: Json): Json {
  if (!value?.dict) return value;
  return { dict: [...value.dict].sort(([a]: Json, [b]: Json) => (a < b ? -1 : 1)) };
}

const NAMES: Record<string, string> = {
  return_numpy: "returnNumpy",
  keep_name_table: "keepNameTable",
  model_filename: "modelFilename",
  params_filename: "paramsFilename",
  safetensors: "safetensors",
};

/** Paddle's options under our names. */
function optionsOf(options: Record<string, Json>): Json {
  const ours: Record<string, Json> = {};
  for (const [name, value] of Object.entries(options)) {
    if (name in NAMES) ours[NAMES[name]] = typeof value?.int === "string" ? Number(value.int) : value;
    else if (name === "nonsense" || name === "nope") ours[name] = value;
    else assert.fail(`an option named ${name}`);
  }
  return ours;
}
