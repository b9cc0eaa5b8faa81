/**
 * `set`: changes one variable, or one element of it.
 *
 * @module
 */
import { castLazily } from "../../words/cast_lazily.ts";
import { isPaddleError, quote, ValueError } from "../../errors.ts";
import { replaceLeaves } from "../../model/walk.ts";
import type { NDArray, Scalar } from "../../ndarray.ts";
import { remade } from "../../tensor.ts";
import { SelectedRows } from "../../values.ts";
import { type Call, command, type Given, UsageError } from "../command.ts";
import { DONE } from "../failure.ts";
import { arrayNamed, notNamed, type OpenFile, withFile } from "../open_file.ts";
import { elementOf, listOf, valueLike } from "../parse_value.ts";
import { FROM_ARRAYS } from "../reading.ts";
import { withModel } from "../model_of.ts";
import { CHANGED, checkRewriting, rewrite, rewriteModel } from "../rewrite.ts";
import type { Session } from "../session.ts";
import { countText, nameText, shapeText } from "../text.ts";
import { findValue, rowsOf } from "../value_rows.ts";
import { isFloatAt, valueText } from "../value_text.ts";
import { elementText } from "../array_text.ts";

const OPTIONS = {
  ...FROM_ARRAYS,
  value: {
    value: "VALUE",
    help: "a number for all elements (or for the one at --at), a list such as [[1, 2], [3, 4]], or a string",
  },
  from: { value: "FILE", help: "a file with the new array: its only array, or the one of the same name" },
  at: { value: "I,J", help: "change only this element; -1 is the last" },
  replace: { help: "allow the new array another dtype and shape" },
  cast: { help: "convert the new array to the old one's dtype" },
  ...CHANGED,
} as const;

type Options = Call<Given<typeof OPTIONS>>["options"];

/** The command. */
export const set = command({
  name: "set",
  summary: "change one variable, or one element of it",
  operands: ["FILE", "NAME"],
  options: OPTIONS,
  notes: [
    "A crash at any moment leaves the old values or the new ones. Where dtype and shape stay, the values are written",
    "in place; otherwise, and with --out, the file is rewritten.",
  ],
  json: "{ file, name, changed: in-place or anew }",
  async run({ operands: [from, name], options, session }) {
    if ((options.value === undefined) === (options.from === undefined)) {
      throw new UsageError("set takes either --value VALUE or --from FILE");
    }
    return await withFile(from, options, session, async (file) => {
      checkRewriting(file, options);
      const isArray = file.arrays.has(name);
      const done = await (isArray ? setArray : setValue)(file, name, options, session);
      if (session.json) await session.printJson({ file: done.file, name, changed: done.how });
      else await session.print(`${done.file}: ${nameText(name)}${done.what}`);
      return DONE;
    });
  },
});

interface Done {
  file: string;
  how: "in-place" | "anew";
  what: string;
}

async function setArray(file: OpenFile, name: string, options: Options, session: Session): Promise<Done> {
  const { signal } = session;
  const old = await file.checkpoint.get(name, { signal });
  const { array, what } = await changed(old, name, options, session);
  const isSame = array.dtype === old.dtype && String(array.shape) === String(old.shape);
  if (!isSame && !options.replace) {
    throw new ValueError(
      "INVALID_VALUE",
      `${quote(name)} is ${old.dtype} ${shapeText(old.shape)}, the new array ${array.dtype} ${shapeText(array.shape)}`,
      { at: name, hint: hintFor(array, old) },
    );
  }
  if (options.out === undefined && isSame && !file.where.folder) {
    try {
      await file.checkpoint.write(name, array, { signal });
      return { file: file.shown, how: "in-place", what };
    } catch (error) {
      // Protocol 2 strings, Fortran order and compressed members require a rewrite.
      if (!isPaddleError(error) || error.code !== "UNSUPPORTED_FEATURE") throw error;
    }
  }
  if (file.model) {
    const written = await withModel(file.model, session, file.where, async (model) => {
      model.replace(variableOf(name, model.info), array);
      return await rewriteModel(file, model, options, session);
    });
    return { file: written, how: "anew", what };
  }
  const target = file.arrays.get(name);
  const value = replaceLeaves(file.value, (item) => {
    if (item === target) return array;
    return item instanceof SelectedRows && item.value === target
      ? new SelectedRows(item.rows, item.height, array)
      : item;
  });
  return { file: await rewrite(file, value, options, session), how: "anew", what };
}

function hintFor(array: NDArray, old: NDArray): string {
  const isShaped = String(array.shape) === String(old.shape);
  return `${isShaped ? "--cast converts the new array, " : ""}--replace accepts it as it is`;
}

/** The variable of a structured name. */
function variableOf(
  name: string,
  info: ReadonlyMap<string, { structuredName?: string }> | null,
): string {
  for (const [variable, { structuredName }] of info ?? []) if (structuredName === name) return variable;
  return name;
}

/** The array that replaces the old one. */
async function changed(
  old: NDArray,
  name: string,
  options: Options,
  session: Session,
): Promise<{ array: NDArray; what: string }> {
  const { value, from, at, cast } = options;
  if (at !== undefined) {
    const index = indexOf(at);
    const before = elementText(old.at(...index), old.dtype);
    const element = value === undefined
      ? onlyElement(await arrayOf(from!, name, options, session), from!)
      : elementOf(value, old.dtype);
    old.set(element, ...index);
    return { array: old, what: `[${index}]: ${before} -> ${elementText(old.at(...index), old.dtype)}` };
  }
  if (value !== undefined) {
    const list = listOf(value, old.dtype);
    if (list) {
      return {
        array: remade(old, old.dtype, list.shape, list.bytes),
        what: `: ${countText(list.size, "element")} set`,
      };
    }
    return { array: old.fill(elementOf(value, old.dtype)), what: `: ${countText(old.size, "element")} set` };
  }
  const given = await arrayOf(from!, name, options, session);
  // numpy has no bfloat16: in numpy, Paddle's bfloat16 arrays are uint16.
  const isBits = old.dtype === "bfloat16" && given.dtype === "uint16";
  const dtype = isBits || cast ? old.dtype : given.dtype;
  const bytes = isBits ? given.bytes : castLazily(given, dtype).bytes;
  return { array: remade(old, dtype, given.shape, bytes), what: `: taken from ${from}` };
}

function onlyElement(array: NDArray, from: string): Scalar {
  if (array.size === 1) return array.reshape([]).at();
  throw new UsageError(
    `--at takes one element, but the array in ${quote(from)} has the shape ${shapeText(array.shape)}`,
  );
}

/** The only array of a file, or the one of this name. */
async function arrayOf(
  from: string,
  name: string,
  { limit, float8 }: Options,
  session: Session,
): Promise<NDArray> {
  return await withFile(from, { limit, float8 }, session, async (file) => {
    const own = file.arrays.size === 1 ? undefined : name;
    return await file.checkpoint.get(arrayNamed(file, own), { signal: session.signal });
  });
}

function indexOf(text: string): number[] {
  if (text === "" || text === "()") return [];
  if (!/^-?\d{1,15}(,-?\d{1,15})*$/.test(text)) throw new UsageError(`--at must be indices such as 0,-1: got ${text}`);
  return text.split(",").map(Number);
}

async function setValue(file: OpenFile, name: string, options: Options, session: Session): Promise<Done> {
  const found = findValue(file.value, name);
  if (!found || found.container === null) {
    throw notNamed(name, [...rowsOf(file.value, file.arrays)].map((row) => row.name));
  }
  if (options.value === undefined || options.at !== undefined) {
    throw new UsageError(`${nameText(name)} is not an array: it can only take --value`);
  }
  const { container, key, value: old } = found;
  const isFloat = isFloatAt(container, key, old);
  const value = valueLike(options.value, old, isFloat);
  if (container instanceof Map) container.set(key, value);
  else container[key as number] = value;
  const to = await rewrite(file, file.value, options, session);
  return { file: to, how: "anew", what: `: ${valueText(old, isFloat)} -> ${valueText(value)}` };
}
