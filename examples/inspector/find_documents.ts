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
  /** Name of the file that holds all parameters of a 1.x folder, if there is one. */
  paramsFilename?: string;
}

const PROGRAM = /\.(pdmodel|json)$/;
/** Names of the file with all parameters of a 1.x folder. */
export const ONE_FILE = ["__params__", "params"];

/** The documents among `names`, models first. */
export function findDocuments(folder: paddle.Folder, names: readonly string[]): Found[] {
  const left = new Set(names);
  const found: Found[] = [];
  const take = (test: (name: string) => boolean) => {
    for (const name of [...left]) if (test(name)) left.delete(name);
  };
  // The program of a 1.x folder has a fixed name, and all other files are parameters.
  for (const name of names) {
    const end = name.endsWith("/__model__")
      ? "/__model__"
      : name.endsWith("/__model__.json")
      ? "/__model__.json"
      : null;
    if (!end) continue;
    const base = name.slice(0, -end.length);
    const paramsFilename = ONE_FILE.find((file) => left.has(`${base}/${file}`));
    found.push({ label: `${base}/`, folder, name: base, program: name, paramsFilename });
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
  // The files with a distributed checkpoint's tensors come before its metadata.
  const last = names.filter((name) => name.endsWith(".metadata"));
  for (const name of [...names.filter((name) => !last.includes(name)), ...last]) {
    if (left.has(name)) found.push({ label: name, folder, name, program: null });
  }
  return found;
}
