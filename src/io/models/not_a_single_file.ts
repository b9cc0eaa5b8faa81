/**
 * The error for a model or folder where a single file is expected.
 *
 * @module
 */
import { PathError, quote, SourceError } from "../../errors.ts";
import { findModel, isNoFile } from "./find_model.ts";
import type { From, SourceOfOptions } from "../open/open_source.ts";
import { folderAt, isFolder, type Place, placeOf } from "../open/place.ts";

/**
 * For an operation that takes one file and was given the prefix or the folder of a model: an error that says what it is, and what reads it.
 * Any other error is returned as it is.
 */
export async function notASingleFile(
  error: unknown,
  from: From,
  options: SourceOfOptions,
  verb: string,
): Promise<unknown> {
  const place = isNoFile(error) ? await placeOf(from, options) : null;
  if (!place) return error;
  const { shown } = place;
  const model = await findModel(place, { lazy: true, signal: options.signal }).catch(() => null);
  options.signal?.throwIfAborted();
  const isDirectory = await isFolder(place);
  if (!model && !isDirectory) return error;
  const isDistributed = !model && await hasMetadata(place);
  const what = model
    ? `${isDirectory ? "the folder" : "the prefix"} of a model`
    : isDistributed
    ? "a distributed checkpoint"
    : "a folder";
  const readers = model ? "load and open read it" : isDistributed ? "distributed.loadStateDict reads it" : "";
  const example = model ? `, such as ${quote(model.methods[0].programs[0])}` : "";
  const hint = `${readers ? readers + "; " : ""}${verb} takes one of its files${example}`;
  const fields = { path: shown, hint };
  const message = `${quote(shown)} is ${what}: ${hint}`;
  return isDirectory ? new PathError("NOT_A_FILE", message, fields) : new SourceError("NOT_FOUND", message, fields);
}

async function hasMetadata(place: Place): Promise<boolean> {
  const names = await folderAt(place).list().catch(() => []);
  return names.some((name) => name.endsWith(".metadata"));
}
