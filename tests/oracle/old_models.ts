/** Models of Paddle 1.8 are converted here to today's layout, then loaded and run by newer Paddles. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { static as paddleStatic } from "../../mod.ts";
import { isHere, type Json, Paddle } from "./paddles.ts";
import type { Report } from "./report.ts";

/** Tolerance: between versions, results differ in the last digits. */
const NEAR = 1e-5;
/** Networks with ops that newer Paddles have dropped: `recurrent`, `multiclass_nms`, and LoD rank tables. */
const DROPPED: Readonly<Record<string, readonly string[]>> = {
  p262: ["loops", "boxes"],
  p300: ["loops", "boxes", "rows"],
  p331: ["loops", "boxes", "rows"],
};

export async function oldModels(paddle: Paddle, report: Report, seed: number): Promise<string> {
  if (paddle.name === "p185") return "is the one that writes them";
  if (!isHere("p185")) return "SKIPPED, they are made by p185";
  const old = new Paddle("p185");
  try {
    const made = old.makeFolder("networks"), folder = paddle.makeFolder("old");
    const { files } = old.ask("networks.py", made, "make", String(seed));
    const names: string[] = [];
    for (const [name, { kind, names: parts }] of Object.entries<Json>(files)) {
      // SelectedRows cannot be in a combined parameters file.
      if (kind !== "program" || name === "table" || DROPPED[paddle.name]?.includes(name)) continue;
      names.push(name);
      const from = {
        path: join(made, name),
        modelFilename: parts.model_filename,
        paramsFilename: parts.params_filename,
      };
      await paddleStatic.relayout(from, join(folder, name));
      cpSync(join(made, `${name}.npz`), join(folder, `${name}.npz`));
    }
    const said = paddle.ask("old_models.py", folder, ...names).files;
    for (const name of names) {
      if (!(said[name].distance <= NEAR)) report.differs(`${paddle.name} ${name} of 1.8`, JSON.stringify(said[name]));
    }
    return `${names.length} models of 1.8 run in it`;
  } finally {
    old.remove();
  }
}
