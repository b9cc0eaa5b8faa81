/**
 * `verify`: whether a file is whole, by reading every number of it.
 *
 * @module
 */
import { isPaddleError } from "../errors.ts";
import { loadNpz } from "../npy.ts";
import { statistics } from "../statistics.ts";
import { command } from "./command.ts";
import { DONE, NO } from "./failure.ts";
import { type OpenFile, withFile } from "./open_file.ts";
import { FROM_ARRAYS } from "./reading.ts";
import type { Session } from "./session.ts";
import { countText, nameText, sizeText } from "./text.ts";

/** Classes of errors that say that a file is not what it should be. */
const DAMAGED = ["FormatError", "UnsafeError", "LimitError"];

/** The command. */
export const verify = command({
  name: "verify",
  summary: "whether a file or model is whole: every number is read, one array at a time; NaNs are counted",
  operands: ["FILE"],
  options: FROM_ARRAYS,
  notes: [
    "It ends with 1 where the file is damaged or refused. The sums of an .npz are compared, for which it is loaded whole.",
  ],
  json:
    "{ file, ok, kind?, arrays?, bytes?, nan?: [{ name, count }], inf?: [{ name, count }], error?: { code, message, ... } }",
  async run({ operands: [from], options, session }) {
    try {
      const found = await withFile(from, options, session, (file) => readAll(file, session));
      if (session.json) await session.printJson({ file: from, ok: true, ...found });
      else await session.print(...lines(from, found));
      return DONE;
    } catch (error) {
      const isDamage = isPaddleError(error) && (DAMAGED.includes(error.name) || error.code === "MISSING_PART" ||
        error.code === "SHORT_READ");
      if (!isDamage) throw error;
      if (session.json) await session.printJson({ file: from, ok: false, error: error.toJSON() });
      else await session.print(`${from}: not whole`, `${error.message} (${error.code})`);
      return NO;
    }
  },
});

interface Odd {
  name: string;
  count: number;
}

interface Found {
  kind: OpenFile["kind"];
  arrays: number;
  bytes: number;
  nan: Odd[];
  inf: Odd[];
}

async function readAll({ shown, kind, checkpoint, arrays, where }: OpenFile, { signal }: Session): Promise<Found> {
  const found: Found = { kind, arrays: arrays.size, bytes: 0, nan: [], inf: [] };
  for (const name of arrays.keys()) {
    const array = await checkpoint.get(name, { signal });
    found.bytes += array.nbytes;
    const { nanCount, infCount } = statistics(array);
    if (nanCount > 0) found.nan.push({ name, count: nanCount });
    if (infCount > 0) found.inf.push({ name, count: infCount });
  }
  // The sums of stored members are looked at by this one only.
  if (kind === "npz") await loadNpz(shown, where);
  return found;
}

function lines(from: string, { kind, arrays, bytes, nan, inf }: Found): string[] {
  return [
    `${from}: whole (${kind}), ${countText(arrays, "array")}, ${sizeText(bytes)}`,
    ...nan.map(({ name, count }) => `${nameText(name)}: ${countText(count, "NaN")}`),
    ...inf.map(({ name, count }) => `${nameText(name)}: ${count} infinite`),
  ];
}
