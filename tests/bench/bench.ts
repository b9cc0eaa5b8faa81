/**
 * The benchmark: `deno task bench [--quick] [--readme] [--reps=N] [--only=TEXT]`; TEXT is a part of a row's title, or of its job.
 *
 * Every figure is a ratio of medians: the same job done by this library and by CPython with numpy, alternating, each in a fresh process,
 * with the files in the page cache and nothing left to be written to the disk. The data is created in out/bench and removed at the end.
 * `--readme` puts the table into README.md.
 */
import { cpus, totalmem } from "node:os";
import { readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import process from "node:process";
import { bundle, findWorkers, output, type Report, runJob, type Worker } from "./measure.ts";
import { findPeerPython } from "./peer_python.ts";
import { markdown, type Results } from "./table.ts";
import { CALL_ROWS, isMeant, MEMORY_ROWS, STREAM_ROWS, TIME_ROWS } from "./rows.ts";
import { serve } from "./serve.ts";

const FOLDER = "out/bench";
const flag = (name: string) => process.argv.includes(`--${name}`);
const value = (name: string) => process.argv.find((a) => a.startsWith(`--${name}=`))?.split("=")[1];

const divisor = flag("quick") ? 8 : 1;
const reps = Number(value("reps") ?? (flag("quick") ? 3 : 7));
const only = value("only") ?? "";

await bundle(`${FOLDER}/ours.mjs`);
const python = await findPeerPython();
const peer: Worker = { name: "peer", version: python.version, command: [python.command, "tests/bench/peer.py"] };
const workers = await findWorkers(`${FOLDER}/ours.mjs`);
const times = TIME_ROWS.filter((row) => isMeant(row, only));
const memory = MEMORY_ROWS.filter((row) => isMeant(row, only));
const calls = CALL_ROWS.filter((row) => isMeant(row, only));
const streams = STREAM_ROWS.filter(({ title, from }) => isMeant({ title, job: `stream:${from}` }, only));

console.error("making the files");
await output([python.command, "tests/bench/make_data.py", FOLDER, String(divisor)]);

const results: Results = new Map();
for (const worker of workers) await repeat([worker], "empty");
for (const job of new Set(times.map((row) => row.peer))) {
  const ours = new Set(times.filter((row) => row.peer === job).map((row) => row.job));
  for (let rep = 0; rep < reps; rep++) {
    console.error(`${job}, ${rep + 1} of ${reps}`);
    await measure(peer, job);
    for (const worker of workers) for (const mine of ours) await measure(worker, mine);
  }
}

for (const { job, base } of calls) {
  for (let rep = 0; rep < reps; rep++) {
    console.error(`${base}, ${rep + 1} of ${reps}`);
    for (const worker of workers) for (const mine of [base, job]) await measure(worker, mine);
  }
}

const server = await serve(FOLDER);
process.env.BENCH_URL = server.url;
for (const { from } of streams) {
  for (let rep = 0; rep < reps; rep++) {
    console.error(`stream:${from}, ${rep + 1} of ${reps}`);
    for (const worker of workers) {
      for (const kind of ["stream", "drop", "keep"]) await measure(worker, `${kind}:${from}`);
    }
  }
}
await server.close();

const machine = `${cpus().length} cores (${cpus()[0].model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB of memory`;
const versions = [
  ...workers.map((w) => `${w.name[0].toUpperCase() + w.name.slice(1)} ${w.version}`),
  `CPython ${peer.version}`,
].join(", ");
const sizes = divisor === 1 ? "" : ` Sizes are ${divisor} times smaller than the rows say (\`--quick\`).`;
const table = markdown({ times, calls, memory, streams, workers, results, reps }) +
  `\n${machine}; ${versions}.${sizes}\n`;
console.log(table);
if (flag("readme")) intoReadme(table);
if (!flag("keep")) await rm(FOLDER, { recursive: true, force: true });

async function repeat(some: Worker[], job: string): Promise<void> {
  for (let rep = 0; rep < reps; rep++) for (const worker of some) await measure(worker, job);
}

async function measure(worker: Worker, job: string): Promise<void> {
  // Otherwise the run would compete for the disk with the writes that the one before left behind.
  await output(["sync"]);
  const report: Report = await runJob(worker, job, FOLDER, divisor);
  const key = `${worker.name} ${job}`;
  const list = results.get(key);
  if (list) list.push(report);
  else results.set(key, [report]);
}

function intoReadme(text: string): void {
  const [begin, end] = ["<!-- bench -->", "<!-- /bench -->"];
  const readme = readFileSync("README.md", "utf8");
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md has no ${begin} ... ${end}`);
  writeFileSync("README.md", `${readme.slice(0, from + begin.length)}\n\n${text}\n${readme.slice(to)}`);
}
