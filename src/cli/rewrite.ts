/**
 * Rewrites a changed file in its own format, in place or to another path.
 *
 * @module
 */
import { UnsupportedError } from "../errors.ts";
import type { NDArray } from "../ndarray.ts";
import { checkWhole } from "../words/refused_array.ts";
import { TensorMap } from "../words/tensor_map.ts";
import type { Value } from "../values.ts";
import type { OpenedKind, OpenFile } from "./open_file.ts";
import type { Session } from "./session.ts";
import { checkFormOptions, checkModelTarget, checkTarget, type Form, formOf, write } from "./target.ts";
import { namedArrays } from "../model/named_arrays.ts";
import { relayout } from "../static/relayout.ts";
import type { InferenceModel } from "../static/inference_model.ts";

/** Options of commands that change a file. */
export const CHANGED = {
  out: { value: "FILE", help: "write there and leave FILE unchanged" },
  force: { help: "overwrite what is there (with --out)" },
  protocol: { value: "N", choices: ["2", "3", "4"], help: "for a pickle that is rewritten (default 4)" },
} as const;

/** Where and how to write. */
export interface Rewriting {
  readonly out?: string;
  readonly force?: true;
  readonly protocol?: string;
}

const FORMS: Partial<Record<OpenedKind, Form>> = {
  pickle: "pickle",
  safetensors: "safetensors",
  npz: "npz",
  npy: "npy",
  record: "record",
  selected_rows: "record",
};

/** Write the changed value. Returns the name of the file. */
export async function rewrite(
  file: OpenFile,
  value: Value,
  options: Rewriting,
  session: Session,
): Promise<string> {
  checkWhole(value);
  const to = options.out ?? inPlace(file);
  const form = formFor(file, options);
  if (!form) {
    throw new UnsupportedError(
      "UNSUPPORTED_FEATURE",
      `A file of this kind (${file.kind}) cannot be rewritten: convert it, or pass --out with an extension such as .pdparams`,
      { path: file.shown },
    );
  }
  if (options.out !== undefined) await checkTarget(to, options, session);
  const metadata = file.value instanceof TensorMap ? file.value.metadata : undefined;
  const plain = value instanceof TensorMap ? new Map(value) : value;
  await write({ value: plain, arrays: arraysOf(value) }, to, { ...options, form, metadata }, session);
  return to;
}

function formFor({ kind }: OpenFile, { out }: Rewriting): Form | undefined {
  return (out === undefined ? null : formOf(out)) ?? FORMS[kind];
}

/** @throws {UsageError} there is an option that another format would need */
export function checkRewriting(file: OpenFile, options: Rewriting): void {
  const form = file.model ? undefined : formFor(file, options);
  checkFormOptions(form, { protocol: options.protocol });
}

function arraysOf(value: Value): ReadonlyMap<string, NDArray> {
  // The names in such a file are its keys, whatever they are.
  return value instanceof TensorMap ? value : namedArrays(value);
}

/** Write a changed model in its place, or to a prefix. Returns its name. */
export async function rewriteModel(
  file: OpenFile,
  model: InferenceModel,
  { out, force }: Rewriting,
  session: Session,
): Promise<string> {
  const { hooks } = session;
  const { files, entry, names } = file.model!;
  if (out !== undefined) {
    await checkModelTarget(out, "prefix", { force }, session);
    await relayout(model, out, hooks);
    return out;
  }
  inPlace(file);
  if (files.methods.length > 1) {
    throw new UnsupportedError(
      "UNSUPPORTED_FEATURE",
      "The methods of this model share parameters: only one of them could be changed. Pass --out",
      { path: file.shown },
    );
  }
  const [{ programs: [program], params }] = files.methods;
  const isPrefix = params === entry.name + ".pdiparams";
  if (isPrefix) await relayout(model, entry, hooks);
  else {
    const layout = params === null ? "folder" : "combined";
    await relayout(model, entry, { ...hooks, layout, modelFilename: program, paramsFilename: names.paramsFilename });
  }
  return file.shown;
}

/** @throws {UnsupportedError} the file is where nothing can be written */
function inPlace({ shown, where }: OpenFile): string {
  if (!where.folder) return shown;
  throw new UnsupportedError("UNSUPPORTED_FEATURE", "An archive cannot be written: pass --out", { path: shown });
}
