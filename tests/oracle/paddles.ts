/** Real Paddles: which ones exist, how they are installed and run. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

// deno-lint-ignore no-explicit-any
export type Json = any;

/** One per release line. */
export const NAMES = ["p185", "p202", "p242", "p262", "p300", "p331"];

/** The folder of the environments: `OARLOCK_PADDLES`, or `out/paddles`. */
const environments = process.env.OARLOCK_PADDLES ?? "out/paddles";
/** Whether a Paddle is installed. */
export const isHere = (name: string): boolean => existsSync(join(environments, name, "ok"));

/** Install what is missing; returns those of `names` that are available. */
export function prepare(names: readonly string[]): string[] {
  const missing = names.filter((name) => !isHere(name));
  if (missing.length > 0) {
    console.log(`Installing ${missing.join(", ")} into ${environments}: some hundred megabytes each`);
    spawnSync("bash", ["tests/oracle/environments.sh", environments, ...missing], { stdio: "inherit" });
  }
  for (const name of names) if (!isHere(name)) console.log(`${name}: SKIPPED, it cannot be installed here`);
  return names.filter(isHere);
}

/** A Paddle with a folder to write to. */
export class Paddle {
  readonly name: string;
  readonly folder: string;

  constructor(name: string) {
    this.name = name;
    this.folder = mkdtempSync(join(tmpdir(), `oarlock-${name}-`));
  }

  /** Create a folder in it. */
  makeFolder(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path);
    return path;
  }

  /** Run `tests/oracle/<script>` in `folder`, where it writes its answers to said.json. */
  ask(script: string, folder: string, ...args: string[]): Json {
    const program = [this.name, join("tests/oracle", script), folder, ...args];
    const { status, signal, stderr } = spawnSync(join(environments, "py"), program, { encoding: "utf8" });
    if (status !== 0) {
      throw new Error(`${script} ${args.join(" ")} ended with ${status ?? signal}:\n${stderr.slice(-2000)}`);
    }
    return JSON.parse(readFileSync(join(folder, "said.json"), "utf8"));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
