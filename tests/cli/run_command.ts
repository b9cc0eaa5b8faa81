/** Runs the command line in this process and captures its output. */
import assert from "node:assert/strict";
import { main } from "../../src/cli/mod.ts";

/** The result of a command. */
export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Run one command. */
export async function oarlock(args: readonly string[], options: { signal?: AbortSignal } = {}): Promise<Ran> {
  const ran = { code: 0, out: "", err: "" };
  ran.code = await main({
    args,
    write: (text) => Promise.resolve(void (ran.out += text)),
    error: (text) => Promise.resolve(void (ran.err += text)),
    isTerminal: false,
    signal: options.signal ?? new AbortController().signal,
  });
  return ran;
}

/** The output of a command that succeeds. */
export async function printed(...args: string[]): Promise<string> {
  const { code, out, err } = await oarlock(args);
  assert.equal(code, 0, `oarlock ${args.join(" ")}: ${err}`);
  return out;
}
