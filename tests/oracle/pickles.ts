/** Pickles: we load what Paddle saves as it does; it loads what we save, copied or new, as it was. */
import { join } from "node:path";
import { fluid, load, save, type Tensor, type Value } from "../../mod.ts";
import type { Json, Paddle } from "./paddles.ts";
import { Random } from "./random.ts";
import type { Report } from "./report.ts";

const PROTOCOLS = [2, 3, 4];
/** Dtypes of state dicts in every version. */
const COMMON = ["float32", "float64", "float16", "int64", "int32", "int8", "bool", "uint8"] as const;
/** Dtypes since 2.5. */
const LATER = ["bfloat16", "complex64", "complex128"] as const;
/** Number of objects and state dicts that we create. */
const OWN = 120;

export async function pickles(paddle: Paddle, report: Report, seed: number): Promise<string> {
  const theirs = paddle.makeFolder("theirs"), ours = paddle.makeFolder("ours");
  const said = paddle.ask("pickles.py", theirs, "save", String(seed));
  const [major, minor] = (said.paddle as string).split(".").map(Number);
  const isOld = major < 2;
  // 1.8 and 2.0 return arrays where later versions return Tensors.
  const isFlat = isOld || (major === 2 && minor === 0);
  const dtypes = major > 2 || minor >= 5 ? [...COMMON, ...LATER] : COMMON;
  for (const note of said.notes) report.differs(paddle.name, note);

  const again = new Map<string, Json>();
  for (const [file, answer] of Object.entries<Json>(said.files)) {
    const path = join(theirs, file);
    report.compare(`${paddle.name} ${file}`, await loadAs(path, isFlat), withoutTable(answer));
    // What Paddle loads as a Tensor may have been an array, so it is saved as one again.
    const value = await load(path, { returnNumpy: file.startsWith("arrays") });
    for (const protocol of isOld ? [2] : PROTOCOLS) {
      const name = `p${protocol}-${file}`;
      const numpy = numpyOf(said.numpy, protocol);
      if (isOld) await fluid.saveDygraph(value as Map<string, unknown>, join(ours, stem(name)), { kind: kindOf(file) });
      else await save(value, join(ours, name), { protocol, numpy });
      again.set(name, answer);
    }
  }

  const own = new Map<string, Value>();
  const random = new Random(seed);
  for (let i = 0; i < OWN; i++) {
    const file = `own-${i}.pdparams`;
    const makers = [
      () => random.stateDict(dtypes, 1),
      () => random.withTensors(),
      () => random.withArrays(),
      () => [random.plain()],
      () => random.tensor("one.w_0"),
    ];
    const value = isFlat ? makers[0]() : makers[i % makers.length]();
    const options = { protocol: random.pick(PROTOCOLS), numpy: numpyOf(said.numpy, i) };
    if (isOld) await fluid.saveDygraph(value as Map<string, Tensor>, join(ours, stem(file)), { kind: "parameters" });
    else await save(value, join(ours, file), options);
    own.set(file, value);
  }

  const heard = paddle.ask("pickles.py", ours, "load");
  for (const [file, answer] of again) {
    report.compareAnswers(`${paddle.name} ${file}, saved again`, heard.files[file], answer);
  }
  for (const file of own.keys()) {
    // Other tests check that we load what was saved. Paddle must see the same.
    const value = await loadAs(join(ours, file), isFlat);
    report.compare(`${paddle.name} ${file}, of ours`, value, withoutTable(heard.files[file]));
  }
  return `Paddle ${said.paddle}, numpy ${said.numpy}: ${Object.keys(said.files).length} of its files loaded, ` +
    `${again.size} saved again and loaded by it, ${own.size} of ours loaded by it`;
}

async function loadAs(path: string, isFlat: boolean): Promise<Value> {
  return await load(path, { returnNumpy: isFlat });
}

/** Removes the name table, which 1.8 leaves in an optimizer's state. */
function withoutTable(answer: Json): Json {
  const pairs = answer.result?.dict;
  if (!pairs) return answer;
  return { result: { dict: pairs.filter(([key]: [Json]) => key !== "StructuredToParameterName@@") } };
}

/** numpy 2 reads both spellings of its module names, numpy 1 only its own. */
function numpyOf(version: string, turn: number): 1 | 2 {
  return version.startsWith("2.") && turn % 2 === 1 ? 2 : 1;
}

function stem(file: string): string {
  return file.slice(0, file.lastIndexOf("."));
}

function kindOf(file: string): "parameters" | "optimizer" {
  return file.endsWith(".pdopt") ? "optimizer" : "parameters";
}
