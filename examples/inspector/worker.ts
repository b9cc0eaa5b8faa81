/** The worker, which handles everything that touches a file, off the page's main thread. */
import * as paddle from "../../mod.ts";
import { arrayStatistics } from "./array_statistics.ts";
import { inMemory, type OpenDocument, openDocument, unsavedEdits } from "./document.ts";
import { elementText, originalText, parseElement, pieces } from "./elements.ts";
import { explained, failureOf } from "./failure.ts";
import { findDocuments, folderModel, type Found, ONE_FILE, PROGRAM_OF_FOLDER } from "./find_documents.ts";
import { folderAt } from "./folder_at.ts";
import { nameAt } from "./name_at.ts";
import { operatorRow, type Operators, operatorsIn, operatorView } from "./operators.ts";
import type { DocumentEntry, Methods, Reply, Request } from "./protocol.ts";
import { saveAs } from "./save_as.ts";
import { viewOf } from "./document_view.ts";

interface Context {
  signal: AbortSignal;
  onProgress(done: number): void;
}

type Handlers = {
  [M in keyof Methods]: (
    context: Context,
    ...args: Parameters<Methods[M]>
  ) => ReturnType<Methods[M]> | Promise<ReturnType<Methods[M]>>;
};

const ARCHIVE = /\.(tar|tar\.gz|tgz|zip)$/i;
const found = new Map<number, Found>();
const opened = new Map<number, OpenDocument>();
/** Open archives, each with the id of the last document before it. */
const archives = new Map<AsyncDisposable, number>();
let last = 0;

function enter(documents: Found[]): DocumentEntry[] {
  return documents.map((one) => {
    found.set(++last, one);
    return { id: last, label: one.label };
  });
}

async function documentOf(id: number, signal?: AbortSignal): Promise<OpenDocument> {
  let document = opened.get(id);
  if (!document) opened.set(id, document = await openDocument(found.get(id)!, signal));
  return document;
}

async function inArchive(from: paddle.FolderEntry | string, label: string, signal: AbortSignal): Promise<Found[]> {
  const folder = await paddle.openArchive(from, { signal });
  archives.set(folder, last);
  return findDocuments(folder, await folder.list()).map((one) => ({
    ...one,
    label: `${label} › ${one.label}`,
  }));
}

let turn: Promise<unknown> = Promise.resolve();

/** Edits and saves take turns: a save has all edits that were made before it. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = turn.then(work);
  turn = result.catch(() => {});
  return result;
}

const handlers: Handlers = {
  async openFiles({ signal }, files) {
    // A 1.x folder is found by its name, so its files get a folder name if they came without one.
    const given = new Set(files.map(([name]) => name));
    const isModel = files.some(([name]) => folderModel(name, (file) => given.has(file)));
    const folder = new paddle.FileListFolder(
      files.map(([name, file]) => [isModel && !name.includes("/") ? `model/${name}` : name, file] as const),
    );
    const names = await folder.list();
    const documents = findDocuments(folder, names.filter((name) => !ARCHIVE.test(name)));
    for (const name of names.filter((name) => ARCHIVE.test(name))) {
      try {
        documents.push(...await inArchive({ folder, name }, name, signal));
      } catch (failure) {
        signal.throwIfAborted();
        // The other files are opened nevertheless.
        documents.push({ label: name, folder, name, program: null, failure });
      }
    }
    return enter(documents);
  },
  async openUrl({ signal }, text) {
    const url = new URL(text);
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      throw new TypeError("Only http: and https: URLs can be opened");
    }
    if (url.username || url.password) {
      throw new TypeError("A page cannot open a URL with a user name or password: download the file, and drop it here");
    }
    const name = nameAt(url);
    if (ARCHIVE.test(name)) return enter(await inArchive(url.href, name, signal));
    return enter([await besideUrl(folderAt(url), name, url.href, signal)]);
  },
  async show({ signal }, id) {
    try {
      return viewOf(id, await documentOf(id, signal));
    } catch (error) {
      throw explained(error, found.get(id)!);
    }
  },
  async statistics({ signal, onProgress }, id, name) {
    return await arrayStatistics(await documentOf(id), name, signal, onProgress);
  },
  async cells({ signal }, id, name, first, end) {
    const document = await documentOf(id);
    const edits = document.edits.get(document.arrays.get(name)!);
    const texts: string[] = [], edited: boolean[] = [];
    for await (const piece of pieces(document, name, first, end, signal)) {
      const stop = Math.min(end, piece.first + piece.array.size);
      for (let place = Math.max(first, piece.first); place < stop; place++) {
        texts.push(elementText(piece.array.at(place - piece.first), piece.array.dtype));
        edited.push(edits?.has(place) ?? false);
      }
    }
    return { texts, edited };
  },
  edit(_, id, name, index, text) {
    return inTurn(async () => {
      const document = await documentOf(id);
      const array = document.arrays.get(name)!;
      const { dtype } = array;
      const one = paddle.zeros([1], dtype);
      one.set(parseElement(text, dtype), 0);
      const value = one.at(0);
      const shown = elementText(value, dtype);
      const edited = shown !== await originalText(document, name, index);
      let edits = document.edits.get(array);
      if (!edits) document.edits.set(array, edits = new Map());
      if (edited) edits.set(index, value);
      else edits.delete(index);
      document.isSaved = false;
      return { text: shown, edited, edits: unsavedEdits(document) };
    });
  },
  undo(_, id) {
    return inTurn(async () => (await documentOf(id)).edits.clear());
  },
  async operators(_, id, first, end) {
    const { ops, names } = operatorsOf(await documentOf(id));
    return ops.slice(first, end).map((op) => operatorRow(op, names));
  },
  async operator(_, id, index) {
    const { ops, names } = operatorsOf(await documentOf(id));
    return operatorView(ops[index], names);
  },
  async recover({ signal }, id) {
    const { model, label, edits } = await documentOf(id);
    if (!model) throw new TypeError("Weights are recovered from a program with its parameters");
    const { folder, name, modelFilename, paramsFilename } = model;
    const { stateDict, report } = await paddle.recoverStateDict(
      { folder, name },
      { modelFilename, paramsFilename, signal },
    );
    const changed = report.entries.filter(({ exact }) => !exact).map(({ key, changed }) =>
      `${key}: changed by ${changed}`
    );
    const notes = [...report.notes, ...changed];
    if ([...edits.values()].some(({ size }) => size > 0)) {
      notes.push(`They are from the model's files: the changes made here to ${label} are not in them.`);
    }
    const entry = { id: ++last, label: `${label} (recovered)` };
    opened.set(entry.id, inMemory(entry.label, stateDict, notes));
    return entry;
  },
  save({ signal, onProgress }, id, form, handle) {
    return inTurn(async () => {
      const document = await documentOf(id);
      const saved = await saveAs(document, form, handle, signal, onProgress);
      document.isSaved = true;
      return saved;
    });
  },
  async replace(_, id, file) {
    const old = found.get(id);
    // A file of an archive or a server is still there, and a model has other files.
    if (!(old?.folder instanceof paddle.FileListFolder) || old.program !== null) return false;
    found.set(id, { ...old, folder: new paddle.FileListFolder([[old.name, file]]) });
    const document = opened.get(id);
    opened.delete(id);
    await document?.close();
    return true;
  },
  async closeBefore(_, id) {
    await closeThose((one) => one < id);
  },
  async closeFrom(_, id) {
    await closeThose((one) => one >= id);
  },
};

async function closeThose(test: (id: number) => boolean): Promise<void> {
  for (const id of [...found.keys()]) if (test(id)) found.delete(id);
  for (const [id, document] of [...opened]) {
    if (!test(id)) continue;
    opened.delete(id);
    await document.close();
  }
  for (const [archive, before] of [...archives]) {
    if (!test(before + 1)) continue;
    archives.delete(archive);
    await archive[Symbol.asyncDispose]();
  }
}

const programs = new WeakMap<OpenDocument, Operators>();

function operatorsOf(document: OpenDocument): Operators {
  let operators = programs.get(document);
  if (!operators) {
    operators = document.program ? operatorsIn(document.program) : { ops: [], names: new Map() };
    programs.set(document, operators);
  }
  return operators;
}

async function isThere(folder: paddle.Folder, name: string, signal: AbortSignal): Promise<boolean> {
  const source = await folder.get(name, { signal });
  await source?.close?.();
  return source !== null;
}

/** Looks for the other half of a model on the server: the parameters beside a program, or the program beside parameters. */
async function besideUrl(folder: paddle.Folder, name: string, label: string, signal: AbortSignal): Promise<Found> {
  const there = new Set<string>();
  for (const file of PROGRAM_OF_FOLDER.includes(name) ? ONE_FILE : []) {
    if (await isThere(folder, file, signal)) there.add(file);
  }
  const files = folderModel(name, (file) => there.has(file));
  if (files) return { label: new URL(".", label).href, folder, name: "", program: name, ...files };
  const prefix = name.replace(/\.(pdmodel|json|pdiparams)$/, "");
  const isModel = prefix !== name && !name.endsWith(".index.json");
  const others = name.endsWith(".pdiparams") ? [`${prefix}.json`, `${prefix}.pdmodel`] : [`${prefix}.pdiparams`];
  for (const other of isModel ? others : []) {
    if (!await isThere(folder, other, signal)) continue;
    return { label, folder, name: prefix, program: name.endsWith(".pdiparams") ? other : name };
  }
  // A prefix has no ending of its own.
  for (const program of name.includes(".") ? [] : [`${name}.json`, `${name}.pdmodel`]) {
    if (await isThere(folder, program, signal)) return { label, folder, name, program };
  }
  return { label, folder, name, program: null };
}

const scope = globalThis as unknown as {
  postMessage(reply: Reply): void;
  onmessage: (event: MessageEvent<Request>) => void;
};
const working = new Map<number, AbortController>();

scope.onmessage = async ({ data: request }) => {
  const { id } = request;
  if ("cancel" in request) return working.get(id)?.abort();
  const controller = new AbortController();
  working.set(id, controller);
  try {
    const handler = handlers[request.method] as (context: Context, ...args: unknown[]) => unknown;
    const context = { signal: controller.signal, onProgress: (done: number) => scope.postMessage({ id, done }) };
    scope.postMessage({ id, result: await handler(context, ...request.args) });
  } catch (error) {
    scope.postMessage({ id, failure: failureOf(error) });
  } finally {
    working.delete(id);
  }
};
