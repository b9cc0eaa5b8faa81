/**
 * `paddle.static.save_to_file` and `load_from_file`: plain bytes.
 *
 * @module
 */
import type { Folder } from "../io/folder.ts";
import type { From } from "../io/open/open_source.ts";
import { readWhole } from "../io/open/read_whole.ts";
import type { To } from "../io/open/sink_of.ts";
import { saveChunks } from "../save.ts";
import { checkedBytes } from "../words/plain_bytes.ts";

/** Options of {@linkcode saveToFile} and {@linkcode loadFromFile}. */
export interface FileBytesOptions {
  /** The folder that a bare name refers to. */
  folder?: Folder | undefined;
  /** Aborts the call. */
  signal?: AbortSignal | undefined;
}

/**
 * Write bytes to a file: afterwards it is all new, or the old one is untouched. Mirrors `paddle.static.save_to_file` (2.0 and later).
 *
 * @throws {TypeError} `content` is not a Uint8Array, or its buffer was detached
 */
export async function saveToFile(path: To, content: Uint8Array, options: FileBytesOptions = {}): Promise<void> {
  if (!(content instanceof Uint8Array)) throw new TypeError("content must be bytes");
  await saveChunks({ size: content.length, chunks: [checkedBytes(content)], warnings: [] }, path, options);
}

/** The bytes of a file. Mirrors `paddle.static.load_from_file` (2.0 and later). */
export async function loadFromFile(path: From, options: FileBytesOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  options.signal?.throwIfAborted();
  return await readWhole(path, Infinity, options);
}
