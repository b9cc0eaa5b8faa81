/** Typical exported networks are read, edited and written again here, and run by Paddle before and after. */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { jit, load, NDArray, open, recoverStateDict, save, SelectedRows, static as paddleStatic } from "../../mod.ts";
import type { Json, Paddle } from "./paddles.ts";
import type { Report } from "./report.ts";

const { deserializeProgram, loadInferenceModel, relayout, saveInferenceModel } = paddleStatic;
type Model = paddleStatic.InferenceModel;
type Layout = paddleStatic.Layout;

/** Something for Paddle to run, and the expected outputs. */
interface Wanted {
  id: string;
  /** The name of the network. */
  name: string;
  how: "run" | "layer" | "training" | "methods";
  path: string;
  names?: Json;
  fetch?: string[];
  negated?: string;
  /** The outputs, if already known, or the id of the run that produces them. */
  outputs: Json | string;
}

/** What the edits of a network need. */
interface Subject {
  name: string;
  folder: string;
  /** The path of the model, for our loaders and for Paddle's. */
  path: string;
  names: { model_filename?: string; params_filename?: string };
  is1x: boolean;
  outputs: Json;
  wanted: Wanted[];
  report: Report;
}

export async function networks(paddle: Paddle, report: Report, seed: number): Promise<string> {
  const folder = paddle.makeFolder("networks");
  const { files, notes } = paddle.ask("networks.py", folder, "make", String(seed));
  for (const note of notes) report.differs(`${paddle.name} networks`, `cannot be built: ${note}`);
  const is1x = paddle.name.startsWith("p1");
  const wanted: Wanted[] = [];
  for (const [name, made] of Object.entries<Json>(files)) {
    const place = join(folder, name);
    const path = is1x ? place : join(place, "m");
    const subject = { name, folder: place, path, names: made.names ?? {}, is1x, outputs: made.outputs, wanted, report };
    try {
      if (made.kind === "methods") {
        await methodsOf(subject);
        continue;
      }
      if (made.kind === "training") await trainingOf(subject, made.losses);
      else await editsOf(subject);
      if (made.kind === "layer") await recovered(subject, made.layer);
      if (fileIsThere(join(place, "whole.pdmodel"))) await clipped(subject);
    } catch (error) {
      report.differs(`${paddle.name} ${name}`, error instanceof Error ? error.stack ?? String(error) : String(error));
    }
  }
  writeFileSync(join(folder, "wanted.json"), JSON.stringify(wanted));
  const said = paddle.ask("networks.py", folder, "check", String(seed)).files;
  for (const { id, outputs } of wanted) {
    report.compareAnswers(`${paddle.name} ${id}`, said[id], typeof outputs === "string" ? said[outputs] : outputs);
  }
  return `${Object.keys(files).length} networks, ${wanted.length} runs of what we wrote`;
}

/** Load the model with our loader. */
function at({ path, names }: Subject): Promise<Model> {
  return loadInferenceModel(path, { modelFilename: names.model_filename, paramsFilename: names.params_filename });
}

/** Write `model` in a layout, and have Paddle run it. */
async function layOut(
  subject: Subject,
  model: Model,
  id: string,
  layout: Layout,
  outputs: Json | string,
): Promise<void> {
  const { name, folder, is1x, wanted } = subject;
  const path = join(folder, id);
  await relayout(model, path, { layout });
  const ending = model.program.form === "json" ? ".json" : "";
  const files: Record<Layout, Json> = {
    prefix: is1x ? { model_filename: `${id}.pdmodel`, params_filename: `${id}.pdiparams` } : {},
    folder: { model_filename: "__model__" + ending },
    combined: { model_filename: "__model__" + ending, params_filename: "__params__" },
  };
  const place = layout === "prefix" && is1x ? folder : path;
  wanted.push({ id: `${name} ${id}`, name, how: "run", path: place, names: files[layout], outputs });
}

async function editsOf(subject: Subject): Promise<void> {
  const { outputs, name, path, names, wanted, is1x } = subject;
  const layout = is1x ? "folder" : "prefix";
  const model = await at(subject);
  await looksTheSame(subject, model);
  const hasRows = [...model.parameters.values()].some((value) => value instanceof SelectedRows);
  for (const other of hasRows ? ["folder"] as const : ["prefix", "folder", "combined"] as const) {
    await layOut(subject, model, other, other, outputs);
  }

  const first = await at(subject);
  first.prune(first.fetchTargets[0]);
  await layOut(subject, first, "first", layout, outputs.slice(0, 1));

  const renamed = await at(subject);
  for (const parameter of [...renamed.parameters.keys()]) renamed.rename(parameter, `renamed/${parameter}.x`);
  const inner = innerVariable(renamed);
  if (inner !== null) renamed.rename(inner, "inner.renamed");
  await layOut(subject, renamed, "renamed", layout, outputs);

  if (inner !== null) {
    const pruned = await at(subject);
    pruned.prune(inner);
    const id = `${name} fetched`;
    wanted.push({ id, name, how: "run", path, names, fetch: [inner], outputs: id });
    await layOut(subject, pruned, "inner", layout, id);
  }

  const negated = [...model.parameters].find(([, value]) => value instanceof NDArray && value.dtype === "float32");
  if (negated) {
    const [parameter, value] = negated as [string, NDArray];
    const replaced = await at(subject);
    const other = value.clone();
    for (let i = 3; i < other.bytes.length; i += 4) other.bytes[i] ^= 0x80;
    replaced.replace(parameter, other);
    const id = `${name} set`;
    wanted.push({ id, name, how: "run", path, names, negated: parameter, outputs: id });
    await layOut(subject, replaced, "replaced", layout, id);
  }
  if (is1x) return;
  const { program, parameters, feedTargetNames, fetchTargets } = await at(subject);
  const mine = join(subject.folder, "mine");
  await saveInferenceModel(mine, feedTargetNames, fetchTargets, { program, parameters });
  wanted.push({ id: `${name} mine`, name, how: "run", path: mine, names: {}, outputs });
}

/** Slots whose values are written in every mode, unlike the statistics. */
const RESULTS = new Set(["Out", "Output", "Y"]);

/** An intermediate variable of block 0 of a ProgramDesc; values inside PIR have no names by which Paddle could fetch them. */
function innerVariable({ program }: Model): string | null {
  if (program.form === "json") return null;
  const [main] = program.blocks;
  const made = main.ops.flatMap((op) =>
    [...op.outputs].flatMap(([slot, names]) => RESULTS.has(slot) && !["feed", "fetch"].includes(op.type) ? names : [])
  );
  const variables = new Map(main.vars.map((variable) => [variable.name, variable]));
  const found = made.filter((name) => {
    const variable = variables.get(name);
    return variable?.kind === "dense_tensor" && variable.dtype === "float32" && !variable.persistable &&
      made.indexOf(name) === made.lastIndexOf(name);
  });
  return found[found.length >> 1] ?? null;
}

/** Check that the program is the same byte for byte, and that every way of reading gives the same values. */
async function looksTheSame(subject: Subject, model: Model): Promise<void> {
  const { path, names, is1x, name, report } = subject;
  const file = is1x
    ? join(path, names.model_filename ?? "__model__")
    : path + (model.program.form === "json" ? ".json" : ".pdmodel");
  const bytes = readFileSync(file);
  for (const written of [model.program.serialize(), model.program.clone().serialize()]) {
    if (!bytes.equals(written)) report.differs(name, "the program is written with other bytes");
  }
  const options = { modelFilename: names.model_filename, paramsFilename: names.params_filename };
  const loaded = await load(path, options) as Map<string, unknown>;
  if (loaded.size !== model.parameters.size) report.differs(name, `load gives ${loaded.size} values`);
  const checkpoint = await open(path, options);
  const keys = [...loaded.keys()];
  for (const key of keys) {
    const read = await checkpoint.get(key), value = loaded.get(key) as NDArray | SelectedRows;
    const whole = value instanceof SelectedRows ? value.value : value;
    if (!(read instanceof NDArray) || !Buffer.from(read.bytes).equals(Buffer.from(whole.bytes))) {
      report.differs(`${name} ${key}`, "open gives another value");
    }
  }
  await checkpoint.close();
}

async function recovered({ name, path, folder, wanted }: Subject, outputs: Json): Promise<void> {
  const { stateDict } = await recoverStateDict(path);
  const to = join(folder, "recovered.pdparams");
  await save(stateDict, to);
  wanted.push({ id: `${name} recovered`, name, how: "layer", path: to, outputs });
}

/** Save a training program with its optimizer again, and turn it into an inference model. */
async function trainingOf({ name, path, folder, wanted, outputs, is1x }: Subject, losses: Json): Promise<void> {
  const base = is1x ? join(path, "m") : path;
  const state = await paddleStatic.loadProgramState(base);
  const ending = [".pdmodel", ".json"].find((end) => fileIsThere(base + end))!;
  const program = deserializeProgram(readFileSync(base + ending));
  const parameters = await paddleStatic.load(program, base);
  if (parameters.size !== state.size) throw new Error(`${parameters.size} of ${state.size} variables`);
  const again = join(folder, "again");
  await paddleStatic.save(program, again, { parameters });
  wanted.push({ id: `${name} again`, name, how: "training", path: again, outputs: losses });
  // The prediction is what the loss compares with y.
  const subtract = program.ops().find((op) => op.type === "elementwise_sub" || op.type === "pd_op.subtract")!;
  const prediction = [...subtract.inputs.entries()].find(([slot]) => slot === "X" || slot === "0")![1][0];
  const mine = join(folder, "mine");
  await saveInferenceModel(mine, ["x"], prediction, { program, parameters });
  const [where, names] = is1x
    ? [dirname(mine), { model_filename: `${basename(mine)}.pdmodel`, params_filename: `${basename(mine)}.pdiparams` }]
    : [mine, {}];
  wanted.push({ id: `${name} mine`, name, how: "run", path: where, names, outputs });
}

/** Check that clipExtra drops from a complete program what Paddle's clip_extra drops. */
async function clipped({ name, path, folder, report }: Subject): Promise<void> {
  await jit.save(await jit.load(join(folder, "whole")), join(folder, "clipped"));
  const [ours, theirs] = [join(folder, "clipped"), path].map((prefix) => {
    return deserializeProgram(readFileSync(`${prefix}.pdmodel`)).ops().map(({ type, outputs, attributes }) => {
      return `${type} ${[...outputs.keys()]} ${[...attributes.keys()].sort()}`;
    });
  });
  const at = theirs.findIndex((op, i) => op !== ours[i]);
  if (at >= 0 || ours.length !== theirs.length) {
    report.differs(`${name} clipExtra`, `ours: ${ours[at]}\n   Paddle's: ${theirs[at]}`);
  }
}

/** Save several methods of a Layer: each with its own parameters, and all with one file. */
async function methodsOf({ name, path, folder, wanted, outputs }: Subject): Promise<void> {
  const layer = await jit.load(path);
  for (const combineParams of [false, true]) {
    const to = join(folder, combineParams ? "combined" : "again");
    await jit.save(layer, to, { combineParams });
    wanted.push({ id: `${name} combineParams ${combineParams}`, name, how: "methods", path: to, outputs });
    const { parameters, program } = await loadInferenceModel(to);
    if (parameters.size !== program.parameters().length) throw new Error(`${parameters.size} parameters in ${to}`);
  }
}

function fileIsThere(path: string): boolean {
  try {
    return readFileSync(path).length >= 0;
  } catch {
    return false;
  }
}
