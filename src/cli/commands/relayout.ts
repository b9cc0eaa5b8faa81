/**
 * `relayout`: the same model in a different file layout.
 *
 * @module
 */
import { exists } from "../../io/models/find_model.ts";
import { folderAt, isFolder, placeOf } from "../../io/open/place.ts";
import { type Layout, relayout as relayoutModel } from "../../static/relayout.ts";
import { command } from "../command.ts";
import { DONE } from "../failure.ts";
import { foundModel, withModel } from "../model_of.ts";
import { FROM_MODEL, reading } from "../reading.ts";
import type { Session } from "../session.ts";
import { conflict } from "../target.ts";

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
    if (!options.force) await checkPlace(to, layout, session);
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

async function checkPlace(to: string, layout: Layout, { signal }: Session): Promise<void> {
  const place = await placeOf(to, { signal });
  if (!place) return;
  if (layout !== "prefix") {
    if (await isFolder(place) && (await folderAt(place).list()).length > 0) throw conflict(to);
    return;
  }
  for (const ending of [".pdmodel", ".json", ".pdiparams"]) {
    if (await exists(place.folder, place.name + ending)) throw conflict(to + ending);
  }
}
