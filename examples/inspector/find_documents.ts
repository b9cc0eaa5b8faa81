/** Finds out which files form a model together, and which are documents of their own. */
import type * as paddle from "../../mod.ts";

/** The files of a document. */
export interface Found {
  label: string;
  folder: paddle.Folder;
  /** A file, a prefix or a folder, as `open` takes it. */
  name: string;
  /** Name of its program, if it is a model. */
  program: string | null;
  /** Why it cannot be opened, if that is known already. */
  failure?: unknown;
  /** For a 1.x folder: the names of its program and of the file that holds all parameters, if there is one. */
  modelFilename?: string;
  paramsFilename?: string;
}

const PROGRAM = /\.(pdmodel|json)$/;
/** Usual names of the program of a 1.x folder, and of the file with all its parameters. */
export const PROGRAM_OF_FOLDER = ["__model__", "__model__.json", "model"];
export const ONE_FILE = ["__params__", "params"];
/** Files that are certainly of our kinds. */
const OURS = /\.(pdparams|pdopt|pdmodel|pdtensor|safetensors|npy|npz)$/i;

/** The files of a 1.x folder with the program `name`; null if it is none. `has` tells whether a file is beside it. */
export function folderModel(
  name: string,
  has: (name: string) => boolean,
): Pick<Found, "modelFilename" | "paramsFilename"> | null {
  const paramsFilename = ONE_FILE.find(has);
  // Without parameters beside it, `model` may be anything.
  const isProgram = PROGRAM_OF_FOLDER.includes(name) && (name !== "model" || paramsFilename !== undefined);
  return isProgram ? { modelFilename: name, paramsFilename } : null;
}

/** The documents among `names`, models first. */
export function findDocuments(folder: paddle.Folder, names: readonly string[]): Found[] {
  const left = new Set(names);
  const found: Found[] = [];
  const take = (test: (name: string) => boolean) => {
    for (const name of [...left]) if (test(name)) left.delete(name);
  };
  // The program of a 1.x folder has a fixed name, and all other files are parameters.
  for (const name of names) {
    const end = name.lastIndexOf("/"), base = name.slice(0, end);
    const files = end < 0 ? null : folderModel(name.slice(end + 1), (file) => left.has(`${base}/${file}`));
    if (!files) continue;
    found.push({ label: `${base}/`, folder, name: base, program: name, ...files });
    take((other) => other.startsWith(`${base}/`) && !other.slice(base.length + 1).includes("/"));
  }
  // The shortest prefix first: `m.other.pdmodel` is a method of `m`.
  const prefixes = names.filter((name) => PROGRAM.test(name)).map((name) => name.replace(PROGRAM, ""))
    .sort((a, b) => a.length - b.length);
  for (const prefix of prefixes) {
    if (!left.has(`${prefix}.pdiparams`)) continue;
    const program = [`${prefix}.json`, `${prefix}.pdmodel`].find((name) => left.has(name));
    if (!program) continue;
    found.push({ label: prefix, folder, name: prefix, program });
    take((name) => name.startsWith(`${prefix}.`) && /\.(pdmodel|json|pdiparams|pdiparams\.info)$/.test(name));
  }
  for (const name of names.filter((name) => name.endsWith(".index.json"))) {
    if (!left.delete(name)) continue;
    found.push({ label: name, folder, name, program: null });
    const base = name.slice(0, name.lastIndexOf("/") + 1);
    take((other) => other.startsWith(base) && /-\d+-of-\d+\.\w+$/.test(other));
  }
  // Weights before the optimizer's state, which is before what may be a readme, and a distributed checkpoint's metadata after its tensors.
  const rank = (name: string) => name.endsWith(".pdopt") ? 1 : OURS.test(name) ? 0 : name.endsWith(".metadata") ? 3 : 2;
  for (const name of [...left].sort((a, b) => rank(a) - rank(b))) {
    found.push({ label: name, folder, name, program: null });
  }
  return found;
}
