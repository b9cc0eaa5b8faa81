/** Runs an example that is a server, in a process of its own. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import process from "node:process";

/** Milliseconds until the program has to answer: a busy machine may take long to start it. */
const PATIENCE = 60_000;

/** How a program is started. */
export interface ServedProgram {
  command: string;
  /** Its arguments; the port is also in the environment, as `PORT`. */
  args: (port: number) => string[];
  cwd?: string;
  env?: Record<string, string>;
}

/** Run a server program while `work` sends requests to its URL. */
export async function whileServed(
  { command, args, cwd, env }: ServedProgram,
  work: (base: string) => Promise<void>,
): Promise<void> {
  const port = await freePort(), base = `http://127.0.0.1:${port}`;
  const child = spawn(command, args(port), {
    cwd,
    env: { ...process.env, ...env, PORT: String(port) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    for (const end = performance.now() + PATIENCE; !await answers(base);) {
      assert.ok(child.exitCode === null && performance.now() < end, `${command} does not serve`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await work(base);
  } finally {
    child.kill("SIGKILL");
  }
}

async function answers(base: string): Promise<boolean> {
  try {
    await (await fetch(base)).body?.cancel();
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
