/**
 * `relayout`: the same model in a different file layout.
 *
 * @module
 */
import { type Layout, relayout as relayoutModel } from "../../static/relayout.ts";
import { command } from "../command.ts";
import { DONE } from "../failure.ts";
import { foundModel, withModel } from "../model_of.ts";
import { FROM_MODEL, reading } from "../reading.ts";
import { checkModelTarget } from "../target.ts";

const LAYOUTS: readonly Layout[] = ["prefix", "folder", "combined"];

/** The command. */
export const relayout = command({
  name: "relayout",
  summary: "write the same model in another layout: from a 1.x folder to today's two files, and back",
  operands: ["FROM", "TO"],
  options: {
    ...FROM_MODEL,
    layout: {
      value: "LAYOUT",
      choices: LAYOUTS,
      help:
        "prefix (default): TO.pdmodel and TO.pdiparams; folder: __model__ and a file per parameter; combined: two files",
    },
    force: { help: "overwrite what is there" },
  },
  json: "{ files: [name] }",
  async run({ operands: [from, to], options, session }) {
    const layout = (options.layout ?? "prefix") as Layout;
    await checkModelTarget(to, layout, options, session);
    return await reading(options, session, async (where) => {
      const found = await foundModel(from, options, where);
      const files = await withModel(found, session, where, async (model) => {
        return await relayoutModel(model, to, { layout, ...session.hooks });
      });
      if (session.json) await session.printJson({ files });
      else await session.printAll(files);
      return DONE;
    });
  },
});
