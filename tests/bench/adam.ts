/**
 * One Adam step over 50 million parameters, alternating between this library and real Paddle with one thread, each in fresh processes:
 *
 *     deno run -A tests/bench/adam.ts [p331] [--rounds=N]
 *
 * Both run on one thread, so processor time measures the cost of a step even on a busy machine.
 *
 * `OARLOCK_PADDLES` is the folder of Paddle environments, by default `out/paddles` (created by `deno task test:oracle`). Prints the
 * medians, their ratio, and the memory that a step takes in addition to parameter, gradient and state.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { NDArray, nn, optimizer } from "../../mod.ts";
import { type Build, useBuild } from "../../src/kernel/lanes.ts";

const SIZE = 50_000_000;
const STEPS = 9;
/** The maximum ratio of this library's time to Paddle's. */
const MOST = 1.5;

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1];
}

/** Processor time of each step in seconds, and the bytes by which the steps grew the process. */
function ours(build: Build | null): { seconds: number[]; grown: number } {
  if (build && !useBuild(build)) return { seconds: [], grown: 0 };
  const parameter = new nn.Parameter("float32", [SIZE], undefined, { name: "p" });
  (parameter.data as Float32Array).fill(0.5);
  parameter.grad = new NDArray("float32", [SIZE]);
  (parameter.grad.data as Float32Array).fill(0.01);
  const adam = new optimizer.Adam({ learningRate: 0.001, parameters: [parameter] });
  adam.step();
  const before = process.memoryUsage().rss;
  const seconds = Array.from({ length: STEPS }, () => {
    const start = process.cpuUsage();
    adam.step();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  });
  return { seconds, grown: process.memoryUsage().rss - before };
}

const job = process.argv.find((word) => word.startsWith("--job="))?.slice(6);
if (job) {
  console.log(JSON.stringify(ours(job === "best" ? null : job as Build)));
  process.exit(0);
}

const name = process.argv.slice(2).find((word) => /^p\d+$/.test(word)) ?? "p331";
const rounds = Number(process.argv.find((word) => word.startsWith("--rounds="))?.slice(9) ?? 3);
const environments = process.env.OARLOCK_PADDLES ?? "out/paddles";

function run(command: string, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr.slice(-500)}`);
  return stdout;
}

const theirs: number[] = [];
const mine = new Map<string, number[]>([["best", []], ["plain", []], ["twin", []]]);
let grown = 0;
for (let round = 0; round < rounds; round++) {
  theirs.push(
    ...run(`${environments}/py`, [name, "tests/bench/adam.py", String(SIZE), String(STEPS)]).trim().split("\n").map(
      Number,
    ),
  );
  for (const [build, seconds] of mine) {
    const report = JSON.parse(run(process.execPath, ["run", "-A", "tests/bench/adam.ts", `--job=${build}`]));
    seconds.push(...report.seconds);
    grown = Math.max(grown, report.grown);
  }
}
const paddle = median(theirs);
console.log(`real Paddle (${name}), one thread: ${(paddle * 1000).toFixed(0)} ms`);
for (const [build, seconds] of mine) {
  const ms = median(seconds) * 1000;
  console.log(`this library, ${build}: ${ms.toFixed(0)} ms, ${(ms / 1000 / paddle).toFixed(2)} times Paddle's`);
}
console.log(`memory taken by ${STEPS} steps beside parameter, gradient and state: ${(grown / 2 ** 20).toFixed(1)} MiB`);
const ratio = median(mine.get("best")!) / paddle;
if (ratio > MOST) {
  console.error(`${ratio.toFixed(2)} is more than ${MOST}`);
  process.exit(1);
}
