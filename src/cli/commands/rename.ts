/**
 * `rename`: renames a variable everywhere.
 *
 * @module
 */
import { isPaddleError, quote, ValueError } from "../../errors.ts";
import { rememberFloat } from "../../words/floats.ts";
import { command, UsageError } from "../command.ts";
import { DONE } from "../failure.ts";
import { notNamed, type OpenFile, withFile } from "../open_file.ts";
import { FROM_ARRAYS } from "../reading.ts";
import { withModel } from "../model_of.ts";
import { CHANGED, checkRewriting, rewrite, rewriteModel, type Rewriting } from "../rewrite.ts";
import type { Session } from "../session.ts";
import { nameText } from "../text.ts";
import { findValue, rowsOf } from "../value_rows.ts";
import { isFloatAt } from "../value_text.ts";

/** The command. */
export const rename = command({
  name: "rename",
  summary: "rename an entry of a checkpoint, or a variable of a model everywhere it occurs",
  operands: ["FILE", "OLD", "NEW"],
  options: { ...FROM_ARRAYS, ...CHANGED },
  notes: ["In a model the names are variable names, as program --vars lists them. The file is rewritten."],
  json: "{ file, from, to }",
  async run({ operands: [from, old, name], options, session }) {
    return await withFile(from, options, session, async (file) => {
      checkRewriting(file, options);
      const to = await (file.model ? renameVariable : renameKey)(file, [old, name], options, session);
      if (session.json) await session.printJson({ file: to, from: old, to: name });
      else await session.print(`${to}: ${nameText(old)} -> ${nameText(name)}`);
      return DONE;
    });
  },
});

type Names = readonly [old: string, name: string];

async function renameVariable(
  file: OpenFile,
  [old, name]: Names,
  options: Rewriting,
  session: Session,
): Promise<string> {
  return await withModel(file.model!, session, file.where, async (model) => {
    try {
      model.rename(old, name);
    } catch (error) {
      if (!isPaddleError(error) || error.code !== "NOT_FOUND") throw error;
      const structured = [...model.info ?? []].find(([, { structuredName }]) => structuredName === old);
      if (structured) {
        throw new UsageError(
          `In a model the names are variable names: ${quote(old)} is that of ${quote(structured[0])}`,
        );
      }
      throw notNamed(old, model.program.vars().map((variable) => variable.name));
    }
    const to = await rewriteModel(file, model, options, session);
    const { files: { folder, methods: [{ params }] } } = file.model!;
    // In a folder with one file per parameter, the file of the old name is now obsolete.
    if (options.out === undefined && params === null && model.parameters.has(name)) {
      await folder.delete(old).catch((error) => {
        if (!isPaddleError(error)) throw error;
        session.onWarning({ code: "LEFTOVER", message: `${to} is saved, but ${quote(old)} is left: ${error.message}` });
      });
    }
    return to;
  });
}

async function renameKey(
  file: OpenFile,
  [old, name]: Names,
  options: Rewriting,
  session: Session,
): Promise<string> {
  const found = findValue(file.value, old);
  if (!found?.container) throw notNamed(old, [...rowsOf(file.value, file.arrays)].map((row) => row.name));
  const { container, key, prefix } = found;
  if (!(container instanceof Map) || typeof key !== "string") {
    throw new UsageError(`${nameText(old)} is not a key of a dict`);
  }
  if (!name.startsWith(prefix)) throw new UsageError(`${nameText(old)} stays where it is: NEW begins with ${prefix}`);
  const other = name.slice(prefix.length);
  if (container.has(other)) {
    throw new ValueError("NAME_COLLISION", `${quote(name)} already exists`, { at: name, names: [old, name] });
  }
  const entries = [...container];
  container.clear();
  for (const [entryKey, value] of entries) {
    const isIt = entryKey === key;
    if (isIt && isFloatAt(container, key, value)) rememberFloat(container, other, value as number);
    container.set(isIt ? other : entryKey, value);
  }
  return await rewrite(file, file.value, options, session);
}
