/**
 * `verify`: checks that a file is intact, by reading every element.
 *
 * @module
 */
import { readProperties } from "../../codec/program/properties.ts";
import { dtypeInfo } from "../../dtype.ts";
import { isPaddleError } from "../../errors.ts";
import { load } from "../../load.ts";
import { Program } from "../../program.ts";
import { seekableSource } from "../../io/sources/seekable_source.ts";
import { sourceOf } from "../../io/open/open_source.ts";
import { readWhole } from "../../io/open/read_whole.ts";
import { ZipFolder } from "../../io/archives/zip_folder.ts";
import { joinBytes, piecesOf } from "../../words/joined_bytes.ts";
import { limitsOf } from "../../io/limits_of.ts";
import { NDArray, type PieceOptions } from "../../ndarray.ts";
import { statistics } from "../../words/statistics.ts";
import { command } from "../command.ts";
import { DONE, NO, placed } from "../failure.ts";
import { type OpenFile, withFile } from "../open_file.ts";
import { FROM_ARRAYS, type Reading, reading } from "../reading.ts";
import type { Value } from "../../values.ts";
import type { Session } from "../session.ts";
import { countText, nameText, sizeText } from "../text.ts";

/** Classes of errors that mean that the file is at fault. */
const DAMAGED = ["FormatError", "UnsafeError", "LimitError"];

/** The command. */
export const verify = command({
  name: "verify",
  summary: "check that a file or model is intact: every value is read, NaNs are counted",
  operands: ["FILE"],
  options: FROM_ARRAYS,
  notes: [
    "The exit code is 1 when the file is damaged or refused. The checksums of an .npz are compared, too.",
    "A program without a version field is reported: it reads well, but may have been cut between two of its parts.",
  ],
  json:
    "{ file, ok, kind?, arrays?, bytes?, nan?: [{ name, count }], inf?: [{ name, count }], unversioned?: [program], " +
    "error?: { code, message, ... } }",
  async run({ operands: [from], options, session }) {
    try {
      const found = from.endsWith(".meta")
        ? await reading(options, session, (where) => readMeta(from, where))
        : await withFile(from, options, session, (file) => readAll(file, session));
      if (session.json) await session.printJson({ file: from, ok: true, ...found });
      else await session.printAll(lines(from, found));
      return DONE;
    } catch (error) {
      const isDamage = isPaddleError(error) && (DAMAGED.includes(error.name) || error.code === "MISSING_PART" ||
        error.code === "SHORT_READ");
      if (!isDamage) throw error;
      if (session.json) await session.printJson({ file: from, ok: false, error: error.toJSON() });
      else await session.print(`${from}: not intact`, `${placed(error, [from])} (${error.code})`);
      return NO;
    }
  },
});

interface Odd {
  name: string;
  count: number;
}

interface Found {
  kind: OpenFile["kind"] | "properties";
  arrays: number;
  bytes: number;
  nan: Odd[];
  inf: Odd[];
  unversioned: string[];
}

/** Read the properties of a Layer; the file of one without any is empty (FORMATS.md 10.5). */
async function readMeta(from: string, { folder, limits, signal }: Reading): Promise<Found> {
  const bytes = await readWhole(from, limitsOf(limits).maxStructureBytes, { folder, signal });
  readProperties(bytes);
  return { kind: "properties", arrays: 0, bytes: bytes.length, nan: [], inf: [], unversioned: [] };
}

async function readAll(file: OpenFile, { signal }: Session): Promise<Found> {
  const { shown, kind, arrays, where } = file;
  const unversioned = await unversionedPrograms(file);
  const found: Found = { kind, arrays: arrays.size, bytes: 0, nan: [], inf: [], unversioned };
  const scratch: Uint8Array[] = [];
  for (const [name, array] of arrays) {
    let nans = 0, infs = 0;
    for await (const elements of elementsOf(array, { signal, scratch })) {
      found.bytes += elements.nbytes;
      const { nanCount, infCount } = statistics(elements);
      nans += nanCount;
      infs += infCount;
    }
    if (nans > 0) found.nan.push({ name, count: nans });
    if (infs > 0) found.inf.push({ name, count: infs });
  }
  if (kind === "npz") await checkSums(shown, where);
  return found;
}

/**
 * The programs without a version field. Every Paddle writes one, after the blocks, and a program that is cut before it is well formed
 * (RULES.md VAL-12).
 */
async function unversionedPrograms({ shown, value, model, where }: OpenFile): Promise<string[]> {
  const programs: [string, Value][] = [[shown, value]];
  for (const { programs: names } of model?.files.methods ?? []) {
    for (const name of names) programs.push([name, await load({ folder: model!.files.folder, name }, where)]);
  }
  return programs.filter(([, program]) => program instanceof Program && isUnversioned(program)).map(([name]) => name);
}

function isUnversioned({ form, version }: Program): boolean {
  return form === "pdmodel" && version === null;
}

/** The elements of an array in pieces; a piece of the file may end within an element. */
async function* elementsOf(array: NDArray, options: PieceOptions): AsyncGenerator<NDArray> {
  const { dtype, nbytes } = array, { itemsize } = dtypeInfo(dtype);
  let rest: Uint8Array = new Uint8Array(0);
  for await (const piece of piecesOf(array.unread ?? array.bytes, 0, nbytes, options)) {
    const known = rest.length > 0 ? joinBytes([rest, piece]) : piece;
    const whole = known.length - known.length % itemsize;
    rest = known.slice(whole);
    yield new NDArray(dtype, [whole / itemsize], known.subarray(0, whole));
  }
}

/** Read every file of an archive in one pass: for stored ones, nothing else verifies their checksums. */
async function checkSums(from: string, { folder, limits, signal }: Reading): Promise<void> {
  const opened = await sourceOf(from, { folder, signal });
  const source = await seekableSource(opened, limitsOf(limits).maxStreamBytes, signal);
  try {
    const zip = await ZipFolder.open(source, { limits: limitsOf(limits), signal, keys: true });
    for (const name of zip.names()) {
      const file = await zip.get(name, { signal });
      await file?.readAll?.().pipeTo(new WritableStream(), { signal });
    }
  } finally {
    await source.close?.();
  }
}

function lines(from: string, { kind, arrays, bytes, nan, inf, unversioned }: Found): string[] {
  return [
    `${from}: intact (${kind}), ${countText(arrays, "array")}, ${sizeText(bytes)}`,
    ...nan.map(({ name, count }) => `${nameText(name)}: ${countText(count, "NaN")}`),
    ...inf.map(({ name, count }) => `${nameText(name)}: ${count} infinite`),
    ...unversioned.map((name) =>
      `${nameText(name)}: no version field, which every Paddle writes: it may have lost its end`
    ),
  ];
}
