/** An opened document, with its arrays, its program and its other values. */
import * as paddle from "../../mod.ts";
import * as npy from "../../src/npy.ts";
import type { Found } from "./find_documents.ts";

/** A document. Array contents are read on demand. */
export interface OpenDocument {
  label: string;
  /** The value; its arrays may not be read yet. */
  value: paddle.Value;
  arrays: Map<string, paddle.NDArray>;
  program: paddle.Program | null;
  /** The model, if weights can be recovered from it. */
  model: Found | null;
  notes: string[];
  /** Names of arrays that the file has, but that cannot be read. */
  unreadable: string[];
  /** The bytes `[start, end)` of an array, in pieces. */
  bytes(name: string, start: number, end: number, signal?: AbortSignal): ReadableStream<Uint8Array>;
  /** Edited elements by their index in C order, for each array: one that has several names has the edits made under any of them. */
  edits: Map<paddle.NDArray, Map<number, paddle.Scalar>>;
  /** Whether the edits are in a file that was saved. */
  isSaved: boolean;
  close(): Promise<void>;
}

/** An .npz up to this size is read into memory: a compressed array would be decompressed anew for each of its pieces. */
const MOST_NPZ = 512 * 2 ** 20;

async function sizeOf({ folder, name }: Found, signal?: AbortSignal): Promise<number> {
  const source = await folder.get(name, { signal });
  await source?.close?.();
  return source?.size ?? 0;
}

/** Open a document that was found. */
export async function openDocument(found: Found, signal?: AbortSignal): Promise<OpenDocument> {
  if (found.failure !== undefined) throw found.failure;
  const [likely, other] = /\.np[yz]$/i.test(found.name) ? [ofNumpy, ofPaddle] : [ofPaddle, ofNumpy];
  try {
    return await likely(found, signal);
  } catch (error) {
    // The name may be that of another format.
    if (found.program !== null || !paddle.isPaddleError(error) || error.code !== "WRONG_FORMAT") throw error;
    return await other(found, signal).catch(() => Promise.reject(error));
  }
}

async function ofNumpy(found: Found, signal?: AbortSignal): Promise<OpenDocument> {
  const from = { folder: found.folder, name: found.name }, kind = await paddle.detect(from, { signal });
  if (kind === "npy" || (kind !== "zip" && /\.npy$/i.test(found.name))) {
    return await ofCheckpoint(await npy.open(from, { signal }), found, signal);
  }
  const arrays = await sizeOf(found, signal) <= MOST_NPZ ? await npzInMemory(from, signal) : null;
  return arrays
    ? inMemory(found.label, arrays)
    : await ofCheckpoint(await npy.openNpz(from, { signal }), found, signal);
}

async function ofPaddle(found: Found, signal?: AbortSignal): Promise<OpenDocument> {
  const from = { folder: found.folder, name: found.name };
  const { modelFilename, paramsFilename } = found;
  const opened = async (returnNumpy: boolean) => {
    const checkpoint = await paddle.open(from, { modelFilename, paramsFilename, returnNumpy, signal });
    return await ofCheckpoint(checkpoint, found, signal);
  };
  try {
    return await opened(false);
  } catch (error) {
    if (isUnreadable(error)) {
      const document = await opened(true);
      return { ...document, notes: [...document.notes, `Its arrays are shown as numpy's: ${error.message}`] };
    }
    if (error instanceof paddle.UnsafeError && found.program === null) {
      const known = await knownPartOf(found, error, signal).catch(() => null);
      signal?.throwIfAborted();
      if (known) return known;
    }
    // The program was given by its URL, and its parameters are somewhere else.
    if (found.name !== "" || !paddle.isPaddleError(error) || error.code !== "MISSING_PART") throw error;
    const { label, folder } = found;
    const program = await openDocument({ label, folder, name: found.program!, program: null }, signal);
    return { ...program, notes: [...program.notes, `This is the program alone: ${error.message}`] };
  }
}

/** A pickle is read into memory up to this size if its objects are not all plain data. */
const MOST_UNKNOWN = 512 * 2 ** 20;

/** A pickle that is refused, with inert records in place of the objects of unknown classes; null if it cannot be read to its end. */
async function knownPartOf(
  found: Found,
  error: paddle.UnsafeError,
  signal?: AbortSignal,
): Promise<OpenDocument | null> {
  if (await sizeOf(found, signal) > MOST_UNKNOWN) return null;
  const { value } = await paddle.audit({ folder: found.folder, name: found.name }, { unknown: "opaque", signal });
  const note = "Objects of classes that are not plain data are shown as records; nothing of them was executed. " +
    `The first is ${error.symbol || "unnamed"}, at byte ${error.offset!.toLocaleString("en")}.`;
  return value instanceof Map || value instanceof paddle.PickledObject ? inMemory(found.label, value, [note]) : null;
}

/** The arrays of an .npz, or null if some of them cannot be read. */
async function npzInMemory(
  from: paddle.FolderEntry,
  signal?: AbortSignal,
): Promise<Map<string, paddle.NDArray> | null> {
  try {
    return await npy.loadNpz(from, { signal });
  } catch (error) {
    if (isUnreadable(error)) return null;
    throw error;
  }
}

/** Whether an error or a warning is about an array whose dtype no array here can have. */
function isUnreadable(found: unknown): found is paddle.Warning {
  return (found as paddle.Warning).code === "UNSUPPORTED_DTYPE";
}

/** A document over a lazily read file. */
export async function ofCheckpoint(
  checkpoint: paddle.Checkpoint,
  found: Pick<Found, "label"> & Partial<Found>,
  signal?: AbortSignal,
): Promise<OpenDocument> {
  const value = await checkpoint.value();
  let program = value instanceof paddle.Program ? value : null;
  if (found.program && found.folder) {
    // Not `await using`, which WebKit lacks.
    const file = await paddle.open({ folder: found.folder, name: found.program }, { signal });
    try {
      const own = await file.value();
      if (own instanceof paddle.Program) program = own;
    } finally {
      await file.close();
    }
  }
  return {
    label: found.label,
    value,
    arrays: arraysOf(value, checkpoint.names()),
    program,
    model: found.program ? found as Found : null,
    notes: checkpoint.warnings.map(({ code, message }) => `${code}: ${message}`),
    unreadable: checkpoint.warnings.filter(isUnreadable).map(({ at }) => at!),
    bytes: (name, start, end, signal) => checkpoint.stream(name, { range: [start, end], signal }),
    edits: new Map(),
    isSaved: false,
    close: () => checkpoint.close(),
  };
}

/** A document over a value that is in memory. */
export function inMemory(label: string, value: paddle.Value, notes: string[] = []): OpenDocument {
  const arrays = arraysOf(value, null);
  return {
    label,
    value,
    arrays,
    program: null,
    model: null,
    notes,
    unreadable: [],
    bytes(name, start, end) {
      const { bytes } = arrays.get(name)!;
      return new ReadableStream({
        start(stream) {
          stream.enqueue(bytes.subarray(start, end));
          stream.close();
        },
      });
    },
    edits: new Map(),
    isSaved: false,
    close: () => Promise.resolve(),
  };
}

/** The arrays of a value, in file order; `names` are their names, if known. */
function arraysOf(root: paddle.Value, names: readonly string[] | null): Map<string, paddle.NDArray> {
  const found: [string, paddle.NDArray][] = [];
  const seen = new Set<unknown>();
  const todo: [unknown, string][] = [[root, ""]];
  while (todo.length > 0) {
    const [value, name] = todo.pop()!;
    if (value instanceof paddle.NDArray) found.push([name, value]);
    else if (value instanceof paddle.SelectedRows) found.push([name, value.value]);
    else if (isContainer(value) && !seen.has(value)) {
      seen.add(value);
      for (const [key, item] of membersOf(value).reverse()) {
        todo.push([item, name === "" ? String(key) : `${name}.${key}`]);
      }
    }
  }
  if (names && new Set(found.map(([, array]) => array)).size === names.length) {
    return new Map(names.map((name, i) => [name, found[i][1]]));
  }
  return new Map(found);
}

/** A dict, list or tuple, or an object of an unknown class. */
export type Container = Map<unknown, unknown> | unknown[] | paddle.PickledObject;

/** Whether a value has members. */
export function isContainer(value: unknown): value is Container {
  return value instanceof Map || Array.isArray(value) || value instanceof paddle.PickledObject;
}

/** What is in a container by key or index; in an object, its arguments, its fields or state, and its items. */
export function membersOf(value: Container): [unknown, unknown][] {
  if (!(value instanceof paddle.PickledObject)) return [...value.entries()];
  const { args, state, items } = value;
  return [args, state, items].flatMap((part) => isContainer(part) ? membersOf(part) : []);
}

/** Number of edits that are not in a file yet. */
export function unsavedEdits({ edits, isSaved }: OpenDocument): number {
  return isSaved ? 0 : [...edits.values()].reduce((sum, { size }) => sum + size, 0);
}
