/**
 * The files of a model, ready to be written: with a prefix, in a folder with one file per parameter, or in a folder with one file for all.
 *
 * @module
 */
import { npyHead } from "../../codec/npy/write_npy.ts";
import { sizeOfPickle, writePickle } from "../../codec/pickle/write/write_pickle.ts";
import { serializeInSteps } from "../../model/encode_program.ts";
import type { ModelInfo } from "../../model/model_info.ts";
import { checkCombined, combinedChunks, type NamedValue, valueChunks, valueSize } from "../../model/model_values.ts";
import type { NDArray } from "../../ndarray.ts";
import type { Program } from "../../program.ts";
import { UnreadBytes } from "../../words/unread_bytes.ts";
import { checkFileNames } from "../names/file_names.ts";
import type { OutFile } from "../save/save_files.ts";
import { inTurns } from "../waiting/turns.ts";

/** A file whose content is in memory. */
export function bytesFile(name: string, bytes: Uint8Array): OutFile {
  return { name, size: bytes.length, chunks: [bytes] };
}

/** The file of a program. A large one is encoded in turns with other work. */
export async function programFile(name: string, program: Program, signal?: AbortSignal): Promise<OutFile> {
  return bytesFile(name, await inTurns(serializeInSteps(program), signal));
}

/**
 * All values in one file.
 *
 * @throws {ValueError} `INVALID_VALUE`: SelectedRows
 */
export function combinedFile(name: string, values: readonly NamedValue[]): OutFile {
  checkCombined(values);
  return { name, size: values.reduce((n, { value }) => n + valueSize(value), 0), chunks: combinedChunks(values) };
}

/** One file per value, named after its variable. */
export function scatteredFiles(values: readonly NamedValue[], options: { portable?: boolean }): OutFile[] {
  checkFileNames(values.map(({ name }) => name), options);
  return values.map(({ name, value }) => ({ name, size: valueSize(value), chunks: valueChunks(value) }));
}

/** One array as an `.npy` file. */
export function npyFile(name: string, array: NDArray): OutFile {
  const head = npyHead(array);
  return {
    name,
    size: head.length + array.nbytes,
    chunks: [head, array.unread ? new UnreadBytes(array) : array.bytes],
  };
}

/** `.pdmodel` or `.json`, depending on the program's form. */
export function programEnding(program: Program): ".pdmodel" | ".json" {
  return program.form === "json" ? ".json" : ".pdmodel";
}

/** `.pdiparams.info`: always protocol 2 (FORMATS.md 10.2). */
export function infoFile(name: string, info: ModelInfo): OutFile {
  const value = new Map([...info].map(([variable, { structuredName, stopGradient, trainable }]) => {
    const entry = new Map<string, unknown>();
    if (structuredName !== undefined) entry.set("structured_name", structuredName);
    entry.set("stop_gradient", stopGradient);
    if (trainable !== undefined) entry.set("trainable", trainable);
    return [variable, entry];
  }));
  const options = { protocol: 2, numpy: 1 as const };
  return { name, size: sizeOfPickle(value, options), chunks: writePickle(value, options) };
}
