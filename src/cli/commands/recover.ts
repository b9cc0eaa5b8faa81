/**
 * `recover`: turns an inference model back into trainable weights.
 *
 * @module
 */
import { readWhole } from "../../io/open/read_whole.ts";
import { load } from "../../load.ts";
import type { RecoverReport } from "../../model/recover.ts";
import type { LoadOptions } from "../../options.ts";
import { recoverStateDict } from "../../recover_state_dict.ts";
import type { StateDict } from "../../values.ts";
import { command, UsageError } from "../command.ts";
import { DONE } from "../failure.ts";
import { foundModel } from "../model_of.ts";
import { FROM_MODEL, reading } from "../reading.ts";
import type { Session } from "../session.ts";
import { type Arrays, checkFormOptions, checkTarget, TO_FILE, wantedForm, write } from "../target.ts";
import { countText, sizeText, table } from "../text.ts";

/** The command. */
export const recover = command({
  name: "recover",
  summary: "recover trainable weights from an inference model, and report what cannot be known",
  operands: ["MODEL", "TO"],
  options: {
    ...FROM_MODEL,
    ...TO_FILE,
    names: {
      value: "FILE",
      help: "a JSON object that maps variable names to keys; takes precedence over everything else",
    },
    like: { value: "FILE", help: "a checkpoint of the same network, whose keys are to be used" },
  },
  notes: [
    "MODEL is a prefix (m for m.pdmodel or m.json, and m.pdiparams), one of these files, or a folder of Paddle 1.x.",
    "TO is a .pdparams, .safetensors, .npz or a folder, as for convert. No inference model holds optimizer state.",
  ],
  json: "{ file, bytes, entries: [{ key, variable, name, exact, changed }], pruned, constants, notes }",
  async run({ operands: [from, to], options, session }) {
    const form = wantedForm(to);
    if (form === "npy" || form === "record") {
      throw new UsageError("TO is a .pdparams, .safetensors, .npz or a folder: other formats hold one array");
    }
    checkFormOptions(form, options);
    await checkTarget(to, options, session);
    return await reading(options, session, async (where) => {
      const model = await foundModel(from, options, where);
      const { limits } = where;
      const like = options.like === undefined ? undefined : await stateDict(options.like, { ...session.hooks, limits });
      const names = options.names === undefined ? undefined : await namesIn(options.names, session);
      const recovered = await recoverStateDict(model.entry, {
        ...model.names,
        ...session.hooks,
        limits,
        like,
        names,
        lazy: true,
      });
      try {
        const { stateDict: found, report } = recovered;
        const bytes = await write({ value: found, arrays: found as Arrays }, to, { ...options, form }, session);
        if (session.json) await session.printJson({ file: to, bytes, ...report });
        else {
          await session.print(`${to}: ${countText(found.size, "tensor")}, ${sizeText(bytes)}`);
          await session.printAll(reportLines(report));
        }
        return DONE;
      } finally {
        await recovered.close();
      }
    });
  },
});

async function stateDict(path: string, options: LoadOptions): Promise<StateDict> {
  const value = await load(path, options);
  if (!(value instanceof Map)) throw new UsageError("--like takes a state dict");
  return value;
}

/** Maximum bytes of a file of names. */
const MOST = 64 * 2 ** 20;

async function namesIn(path: string, { signal }: Session): Promise<Map<string, string>> {
  const text = new TextDecoder().decode(await readWhole(path, MOST, { signal }));
  let names: unknown;
  try {
    names = JSON.parse(text);
  } catch {
    names = null;
  }
  const entries = typeof names === "object" && names !== null && !Array.isArray(names) ? Object.entries(names) : null;
  if (!entries?.every(([, key]) => typeof key === "string")) {
    throw new UsageError('--names takes a JSON object such as {"linear_0.w_0": "fc.weight"}');
  }
  return new Map(entries);
}

const ORIGINS = {
  info: "named as the network names them",
  given: "named as in --names, or as the variable is in --like",
  guess: "named as in --like by kind, number and shape: a guess",
  variable: "named after their variables",
};

function reportLines({ entries, pruned, constants, notes }: RecoverReport): string[] {
  const inexact = entries.filter(({ exact }) => !exact);
  const lines = [`exact: ${entries.length - inexact.length} of ${entries.length}`];
  for (const [origin, text] of Object.entries(ORIGINS)) {
    const count = entries.filter(({ name }) => name === origin).length;
    if (count > 0) lines.push(`${text}: ${count}`);
  }
  for (const line of table(inexact.map(({ key, changed }) => [`changed: ${key}`, changed.join("; ")]))) {
    lines.push(line);
  }
  if (pruned.length > 0) lines.push(`no longer in the model: ${someOf(pruned)}`);
  if (constants.length > 0) lines.push(`left out, being constants of the program: ${someOf(constants)}`);
  return [...lines, ...notes.map((note) => `note: ${note}`)];
}

/** Maximum names in a line: a network may have lost hundreds. */
const MANY_NAMES = 10;

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, MANY_NAMES).join(", ");
  const more = names.length - MANY_NAMES;
  return more > 0 ? `${shown} and ${more} more (--json lists all)` : shown;
}
