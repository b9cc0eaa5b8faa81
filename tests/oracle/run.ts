/**
 * Compares with real Paddle, in both directions: we load what it saves as it does; it loads what we save as it was.
 *
 *     deno task test:oracle [p185 p202 p242 p262 p300 p331] [topic ...]
 *
 * Missing environments are installed; a version that cannot be installed is skipped with a message. `OARLOCK_SEED` changes the random
 * values. A topic is a file in this folder with a Python script of the same name, and a line in TOPICS.
 *
 * @module
 */
import process from "node:process";
import { NAMES, Paddle, prepare } from "./paddles.ts";
import { extremes } from "./extremes.ts";
import { fields } from "./fields.ts";
import { layers } from "./layers.ts";
import { layerWalks } from "./layer_walks.ts";
import { lbfgs } from "./lbfgs.ts";
import { models } from "./models.ts";
import { networks } from "./networks.ts";
import { oldModels } from "./old_models.ts";
import { pickles } from "./pickles.ts";
import { records } from "./records.ts";
import { Report } from "./report.ts";
import { scaler } from "./scaler.ts";
import { schedulers } from "./schedulers.ts";
import { schedulerWalks } from "./scheduler_walks.ts";
import { training } from "./training.ts";

/** Compares with one Paddle; returns a line of figures. */
export type Topic = (paddle: Paddle, report: Report, seed: number) => Promise<string>;

const TOPICS: Readonly<Record<string, Topic>> = {
  pickles,
  records,
  layers,
  layerWalks,
  fields,
  schedulers,
  schedulerWalks,
  scaler,
  training,
  extremes,
  lbfgs,
  models,
  networks,
  oldModels,
};

const unknown = process.argv.slice(2).filter((word) => !NAMES.includes(word) && !Object.hasOwn(TOPICS, word));
if (unknown.length > 0) throw new Error(`No Paddle and no topic: ${unknown.join(" ")}`);
const asked = <T extends string>(all: readonly T[]): T[] => {
  const some = all.filter((word) => process.argv.includes(word));
  return some.length > 0 ? some : [...all];
};

const seed = Number(process.env.OARLOCK_SEED ?? 1);
const report = new Report();
const present = prepare(asked(NAMES));
for (const name of present) {
  for (const topic of asked(Object.keys(TOPICS))) {
    const paddle = new Paddle(name);
    try {
      console.log(`${name} ${topic}: ${await TOPICS[topic](paddle, report, seed)}`);
    } catch (error) {
      report.differs(`${name} ${topic}`, error instanceof Error ? error.stack ?? String(error) : String(error));
    } finally {
      paddle.remove();
    }
  }
}
if (present.length === 0) report.differs("oracle", "no Paddle could be installed, nothing was compared");
console.log(
  report.count === 0 ? `${present.length} Paddles agree, seed ${seed}` : `${report.count} differences, seed ${seed}`,
);
process.exit(report.count === 0 ? 0 : 1);
