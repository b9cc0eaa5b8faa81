/** Runs jobs, each in its own process. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import esbuild from "esbuild";
import type { RuntimeName } from "./rows.ts";

const exec = promisify(execFile);

/** What a job reports about itself. */
export interface Report {
  ms: number;
  peakKiB: number;
  /** Bytes of the array data it handled. */
  nbytes: number;
}

/** A command that runs jobs, and its name. */
export interface Worker {
  name: RuntimeName | "peer";
  version: string;
  command: string[];
}

/** Bundle `ours.ts` for Node and Bun, as the tests are. */
export async function bundle(outfile: string): Promise<void> {
  await esbuild.build({
    entryPoints: ["tests/bench/ours.ts"],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    supported: { "using": false },
  });
  await esbuild.stop();
}

/** The runtimes that are installed; missing ones are left out of the table. */
export async function findWorkers(bundled: string): Promise<Worker[]> {
  const found: Worker[] = [];
  const candidates: [RuntimeName, string[], string[]][] = [
    ["deno", [Deno.execPath(), "run", "-A", "tests/bench/ours.ts"], [Deno.execPath(), "--version"]],
    ["node", ["node", bundled], ["node", "--version"]],
    ["bun", ["node_modules/.bin/bun", bundled], ["node_modules/.bin/bun", "--version"]],
  ];
  for (const [name, command, version] of candidates) {
    const text = await output(version).catch(() => null);
    if (text === null) console.error(`${name} is not here: its columns stay empty`);
    else {found.push({
        name,
        command,
        version: text.split("\n")[0].replace(/^deno |^v| \(.*$/g, "").replace(/ \(.*$/, ""),
      });}
  }
  return found;
}

/** Run a job once. */
export async function runJob(worker: Worker, job: string, folder: string, divisor: number): Promise<Report> {
  return JSON.parse(await output([...worker.command, job, folder, String(divisor)]));
}

/** The output of a command. */
export async function output([command, ...args]: string[]): Promise<string> {
  return (await exec(command, args, { maxBuffer: 2 ** 24 })).stdout;
}
