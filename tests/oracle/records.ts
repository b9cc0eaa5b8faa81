/** Binary records, of Paddle 2.1 and later: tensors of every dtype, LoD, SelectedRows. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DenseTensor, type DType, load, save, SelectedRows, type Value } from "../../mod.ts";
import type { Json, Paddle } from "./paddles.ts";
import { Random } from "./random.ts";
import type { Report } from "./report.ts";

const DTYPES: readonly DType[] = ["float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "bool"];
const LATER: readonly DType[] = ["complex64", "complex128", "bfloat16"];

export async function records(paddle: Paddle, report: Report, seed: number): Promise<string> {
  const theirs = paddle.makeFolder("theirs"), ours = paddle.makeFolder("ours");
  const said = paddle.ask("records.py", theirs, "save", String(seed));
  for (const note of said.notes) report.differs(paddle.name, note);
  const [major, minor] = (said.paddle as string).split(".").map(Number);
  if (major < 2 || (major === 2 && minor < 1)) return "this version has none";

  for (const [file, answer] of Object.entries<Json>(said.files)) {
    const value = await load(join(theirs, file), { mode: modeOf(file) });
    report.compare(`${paddle.name} ${file}`, value, answer);
    const path = join(ours, `again-${file}`);
    await save(value, path, { useBinaryFormat: true });
    const isSame = Buffer.compare(readFileSync(path), readFileSync(join(theirs, file))) === 0;
    if (!isSame) report.differs(`${paddle.name} ${file}`, "saved again it has other bytes");
  }

  const random = new Random(seed);
  const own = new Map<string, Value>();
  for (const dtype of major > 2 || minor >= 5 ? [...DTYPES, ...LATER] : DTYPES) {
    const { shape, bytes } = random.array(dtype, 1);
    own.set(
      `dense-${dtype}.static`,
      new DenseTensor(dtype, shape.map((n) => n || 1), bytes.length ? bytes : undefined),
    );
    own.set(`tensor-${dtype}.dygraph`, random.tensor("", dtype, 1));
  }
  for (let i = 0; i < 5; i++) {
    const n = 2 + random.below(5), cut = random.below(n);
    const lod = random.pick([[[0, cut, n]], [[0, 1, 2], [0, cut, n]]]);
    own.set(`lod-${i}.static`, new DenseTensor("float32", [n, 3], new Float32Array(3 * n).fill(i), { lod }));
    const rows = Array.from({ length: n }, () => random.below(50));
    own.set(
      `rows-${i}.static`,
      new SelectedRows(rows, 50, new DenseTensor("float32", [n, 2], new Float32Array(2 * n))),
    );
  }
  for (const [file, value] of own) await save(value, join(ours, file), { useBinaryFormat: true });
  const heard = paddle.ask("records.py", ours, "load");
  for (const [file, value] of own) report.compare(`${paddle.name} ${file}, of ours`, value, heard.files[file]);
  return `${Object.keys(said.files).length} of its files loaded and saved again, ${own.size} of ours loaded by it`;
}

function modeOf(file: string): "static" | "dygraph" {
  return file.endsWith(".dygraph") ? "dygraph" : "static";
}
