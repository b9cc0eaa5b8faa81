/**
 * `convert`: the same values in a file of another format.
 *
 * @module
 */
import { castLazily } from "../../words/cast_lazily.ts";
import { type DType, isNarrowFloat } from "../../dtype.ts";
import { replaceLeaves } from "../../model/walk.ts";
import { NDArray } from "../../ndarray.ts";
import { TensorMap } from "../../words/tensor_map.ts";
import { SelectedRows, type Value } from "../../values.ts";
import { command, UsageError } from "../command.ts";
import { DONE } from "../failure.ts";
import { type KnownFile, withKnownValues } from "../known_values.ts";
import { arrayNamed, type OpenFile, withFile } from "../open_file.ts";
import { FROM_ARRAYS } from "../reading.ts";
import { type Arrays, checkFormOptions, checkTarget, type Form, TO_FILE, wantedForm, write } from "../target.ts";
import type { Session } from "../session.ts";
import { countText, nameText, sizeText } from "../text.ts";
import { rowsOf } from "../value_rows.ts";

const FLOATS: readonly DType[] = ["float16", "bfloat16", "float32", "float64"];

/** The command. */
export const convert = command({
  name: "convert",
  summary: "the same arrays in another format, chosen by the extension of TO",
  operands: ["FROM", "TO"],
  options: {
    ...FROM_ARRAYS,
    ...TO_FILE,
    name: { value: "NAME", help: "only this array" },
    dtype: { value: "DTYPE", choices: FLOATS, help: "convert floats to this; integers and bools stay as they are" },
    "skip-unknown": {
      help: "leave out objects of unknown classes, such as argparse.Namespace, for which a pickle is refused",
    },
  },
  notes: [
    "TO: .pdparams, .pdopt, .pdckpt, .pkl (pickles), .safetensors, .npz, .npy (one array), .tensor (one array, Paddle's",
    "binary format), or a folder, which ends in / and gets an .npy for each array.",
    "Arrays go from file to file in pieces, converted on the way.",
  ],
  json: "{ file, arrays, bytes, leftOut: [name] }",
  async run({ operands: [from, to], options, session }) {
    const form = wantedForm(to);
    checkFormOptions(form, options);
    await checkTarget(to, options, session);
    const save = async (file: OpenFile | KnownFile) => {
      const { value, arrays } = converted(file, form, options.name, options.dtype as DType | undefined);
      const metadata = file.value instanceof TensorMap ? file.value.metadata : undefined;
      const left = form === "pickle" || (form === "record" && value instanceof SelectedRows) ? [] : otherNames(file);
      const bytes = await write({ value, arrays }, to, { ...options, form, metadata }, session);
      await report(to, arrays, bytes, { left, unknown: "unknown" in file ? file.unknown : [] }, session);
      return DONE;
    };
    if (options["skip-unknown"]) return await withKnownValues(from, options, session, save);
    return await withFile(from, options, session, save);
  },
});

/** What to write: the whole value for a pickle, the arrays for everything else. */
function converted(
  file: OpenFile | KnownFile,
  form: Form,
  name: string | undefined,
  dtype: DType | undefined,
): { value: Value; arrays: Arrays } {
  const cast = (array: NDArray) => dtype && isFloat(array.dtype) ? castLazily(array, dtype) : array;
  const isWhole = form === "record" && file.value instanceof SelectedRows;
  if (name !== undefined || (["npy", "record"].includes(form) && !isWhole)) {
    const own = arrayNamed(file, name);
    const array = cast(file.arrays.get(own)!);
    return { value: array, arrays: new Map([[own, array]]) };
  }
  if (file.arrays.size === 0 && form !== "pickle") throw new UsageError(`There are no arrays in ${file.shown}`);
  const whole = file.value instanceof TensorMap ? new Map(file.value) : file.value;
  const made = new Map<unknown, NDArray>();
  const value = replaceLeaves(whole, (item) => {
    if (item instanceof SelectedRows) return new SelectedRows(item.rows, item.height, cast(item.value));
    if (!(item instanceof NDArray)) return item;
    // An array shared by two names stays shared.
    if (!made.has(item)) made.set(item, cast(item));
    return made.get(item);
  });
  return { value, arrays: new Map([...file.arrays].map(([key, array]) => [key, made.get(array) ?? cast(array)])) };
}

function isFloat(dtype: DType): boolean {
  return isNarrowFloat(dtype) || dtype === "float32" || dtype === "float64";
}

/** Names of values that a file of arrays cannot hold. */
function otherNames({ value, arrays }: OpenFile | KnownFile): string[] {
  return [...rowsOf(value, arrays)].flatMap(({ name, value, selected }) => {
    if (selected) return [name === "" ? "rows" : `${name}.rows`];
    return value instanceof NDArray ? [] : [name];
  });
}

/** Names of values that were left out: the file cannot hold them, or their classes are unknown. */
interface LeftOut {
  left: readonly string[];
  unknown: readonly string[];
}

async function report(
  to: string,
  arrays: Arrays,
  bytes: number,
  { left, unknown }: LeftOut,
  session: Session,
): Promise<void> {
  if (session.json) {
    return await session.printJson({ file: to, arrays: arrays.size, bytes, leftOut: [...left, ...unknown] });
  }
  if (left.length > 0) await session.note(`warning: left out, as the file cannot hold them: ${someNames(left)}`);
  if (unknown.length > 0) await session.note(`warning: left out, as their classes are unknown: ${someNames(unknown)}`);
  await session.print(`${to}: ${countText(arrays.size, "array")}, ${sizeText(bytes)}`);
}

function someNames(names: readonly string[]): string {
  return names.slice(0, 5).map(nameText).join(", ") + (names.length > 5 ? ", ..." : "");
}
