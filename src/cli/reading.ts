/**
 * The options of all reading commands, and what they mean for the library.
 *
 * @module
 */
import type { Folder } from "../io/folder.ts";
import { FLOAT8_DTYPES } from "../dtype.ts";
import { DEFAULT_LIMITS, type Limits, nearest } from "../limits.ts";
import { quote } from "../errors.ts";
import { type ArchiveFolder, openArchive } from "../open_archive.ts";
import { type Given, UsageError } from "./command.ts";
import type { Session } from "./session.ts";

/** Options of commands that read one file. */
export const FROM_FILE = {
  archive: { value: "FILE", help: "FILE is a name inside this tar, tar.gz or zip" },
  limit: {
    value: "NAME=N",
    help: "a limit on what the file may request, such as maxDepth=1000; separate several with commas",
  },
} as const;

/** Options of commands that also read models. */
export const FROM_MODEL = {
  ...FROM_FILE,
  "model-filename": { value: "NAME", help: "for a folder: its program file (default __model__)" },
  "params-filename": { value: "NAME", help: "for a folder: the file that holds all its parameters" },
} as const;

/** Options of commands that read arrays. */
export const FROM_ARRAYS = {
  ...FROM_MODEL,
  float8: {
    value: "DTYPE",
    choices: FLOAT8_DTYPES,
    help: "the float8 dtype that int8 tensors really have, which Paddle does not record",
  },
} as const;

/** The library options that say where to look, and within which limits. */
export interface Reading {
  readonly folder?: Folder;
  readonly limits?: Partial<Limits>;
  readonly signal: AbortSignal;
}

/** Run `body` with the given options; an archive is closed afterwards. */
export async function reading<T>(
  options: Given<typeof FROM_FILE>,
  session: Session,
  body: (reading: Reading) => Promise<T>,
): Promise<T> {
  const { signal, onWarning } = session;
  const limits = limitsOf(options.limit);
  let folder: ArchiveFolder | undefined;
  if (options.archive !== undefined) folder = await openArchive(options.archive, { limits, signal, onWarning });
  try {
    return await body({ folder, limits, signal });
  } finally {
    await folder?.close();
  }
}

function limitsOf(text: string | undefined): Partial<Limits> | undefined {
  if (text === undefined) return undefined;
  const limits: Partial<Limits> = {};
  for (const part of text.split(",")) {
    const [name, number, ...rest] = part.split("=");
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      throw new UsageError(
        `There is no limit ${quote(name)}: the nearest is ${nearest(name, Object.keys(DEFAULT_LIMITS))}`,
      );
    }
    const value = /^([0-9]+|Infinity)$/.test(number ?? "") ? Number(number) : NaN;
    if (rest.length > 0 || !(value === Infinity || Number.isSafeInteger(value))) {
      throw new UsageError(`A limit must be given as ${name}=NUMBER`);
    }
    limits[name as keyof Limits] = value;
  }
  return limits;
}
