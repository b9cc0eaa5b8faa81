/**
 * The files of a distributed checkpoint: `0_0.distcp` (rank and number of the save) and `0.metadata` (number of the save).
 *
 * @module
 */
import { isPaddleError, SourceError } from "../errors.ts";
import type { Folder } from "../io/folder.ts";
import type { From } from "../io/open/open_source.ts";
import { notAPlace } from "../io/argument_errors.ts";
import { folderAt, placeOf } from "../io/open/place.ts";
import type { LoadOptions } from "../options.ts";
import { shownValue } from "../words/described.ts";

/** The folder that `from` names. */
export async function checkpointFolder(
  from: From,
  options: Pick<LoadOptions, "folder" | "fetch" | "http">,
): Promise<Folder> {
  const place = await placeOf(from, options);
  if (place) return folderAt(place);
  throw notAPlace(
    "A distributed checkpoint is a folder: give a path, URL, directory handle or { folder, name }",
    from,
  );
}

/** Numbers of the saves in a folder, in ascending order; null if the folder cannot list its files. */
export async function savesIn(folder: Folder): Promise<number[] | null> {
  let names: string[];
  try {
    names = await folder.list();
  } catch (error) {
    if (isPaddleError(error) && error.code === "UNSUPPORTED_FEATURE") return null;
    // The folder is created by the first save.
    if (isPaddleError(error) && error.code === "NOT_FOUND") return [];
    throw error;
  }
  const found = new Set<number>();
  for (const name of names) {
    const match = /^(?:([0-9]{1,16})\.metadata|[0-9]{1,9}_([0-9]{1,16})\.distcp)$/.exec(name.slice(0, 64));
    const save = match ? Number(match[1] ?? match[2]) : NaN;
    if (Number.isSafeInteger(save)) found.add(save);
  }
  return [...found].sort((a, b) => a - b);
}

/**
 * The option `uniqueId`, checked.
 *
 * @throws {TypeError} it is not an integer of 0 or more: no reader would find the files
 */
export function checkedSave(uniqueId: number | undefined): number | undefined {
  if (uniqueId === undefined || (Number.isSafeInteger(uniqueId) && uniqueId >= 0)) return uniqueId;
  throw new TypeError(`Option uniqueId must be an integer of 0 or more: got ${shownValue(uniqueId)}`);
}

/** The requested save, or the last one. */
export async function chosenSave(folder: Folder, uniqueId: number | undefined): Promise<number> {
  const given = checkedSave(uniqueId);
  if (given !== undefined) return given;
  const saves = await savesIn(folder);
  if (saves === null) return 0;
  if (saves.length > 0) return saves[saves.length - 1];
  throw new SourceError("NOT_FOUND", "There is no distributed checkpoint in this folder: it has no .metadata");
}
