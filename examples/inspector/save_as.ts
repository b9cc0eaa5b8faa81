/** Saves a document as a file. Large arrays are copied in pieces. */
import * as paddle from "../../mod.ts";
import * as npy from "../../src/npy.ts";
import * as safetensors from "../../src/safetensors.ts";
import type { OpenDocument } from "./document.ts";
import type { Saved, SaveForm } from "./protocol.ts";

/** Save to a handle, or without one to a blob. `onDone` is called with the fraction that is done. */
export async function saveAs(
  document: OpenDocument,
  form: SaveForm,
  handle: FileSystemFileHandle | null,
  signal: AbortSignal,
  onDone: (done: number) => void = () => {},
): Promise<Saved> {
  const onProgress = ({ loaded, total }: paddle.ProgressEvent) => onDone(loaded / (total ?? Infinity));
  const [unreadable] = document.unreadable;
  if (unreadable !== undefined) {
    throw new TypeError(`${JSON.stringify(unreadable)} cannot be read, and a file without it would not be a copy`);
  }
  const sink = handle ? null : new BlobSink();
  const to = handle ?? sink!;
  const { bytes, warnings } = await edited(document, signal, async () => {
    if (form === "pdparams") return await paddle.save(document.value, to, { signal, onProgress });
    if (document.arrays.size === 0) throw new TypeError("There are no arrays to be saved");
    const arrays = named(document.arrays);
    if (form === "npz") return await npy.saveNpz(arrays, to, { signal, onProgress });
    const { value } = document;
    const metadata = value instanceof safetensors.TensorMap ? value.metadata : { format: "np" };
    return await safetensors.save(arrays, to, { metadata, signal, onProgress });
  });
  return { bytes, warnings: warnings.map(({ message }) => message), blob: sink?.blob() ?? null };
}

/** The arrays, with an unused name in place of an empty one: these formats need names. */
function named(arrays: ReadonlyMap<string, paddle.NDArray>): Map<string, paddle.NDArray> {
  let free = "array";
  while (arrays.has(free)) free += "_";
  return new Map([...arrays].map(([name, array]) => [name || free, array]));
}

/** Run `body` with the edits applied to the value itself, then revert them. */
async function edited<T>(document: OpenDocument, signal: AbortSignal, body: () => Promise<T>): Promise<T> {
  const before: (() => void)[] = [];
  try {
    for (const [lazy, edits] of document.edits) {
      const array = await lazy.load({ signal });
      const flat = array.reshape([-1]);
      for (const [place, value] of edits) {
        const old = flat.at(place);
        before.push(() => flat.set(old, place));
        flat.set(value, place);
      }
    }
    return await body();
  } finally {
    for (const undo of before.reverse()) undo();
  }
}

/** Collects chunks in a blob, which the browser may keep on disk. */
class BlobSink implements paddle.Sink {
  #parts: Blob[] = [];

  write(chunk: Uint8Array): void {
    this.#parts.push(new Blob([chunk as Uint8Array<ArrayBuffer>]));
  }

  close(): void {}

  abort(): void {
    this.#parts = [];
  }

  blob(): Blob {
    return new Blob(this.#parts, { type: "application/octet-stream" });
  }
}
