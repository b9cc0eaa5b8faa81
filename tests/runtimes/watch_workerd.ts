/** The memory of workerd, watched from outside. */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

/** Ids of the children of this process that are workerd. */
export function workerds(): number[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((id) => {
    try {
      const status = readFileSync(`/proc/${id}/status`, "utf8");
      return /^Name:\s+workerd$/m.test(status) && status.includes(`\nPPid:\t${process.pid}\n`);
    } catch {
      return false;
    }
  });
}

/** Bytes that the process has in memory. */
export function residentOf(id: number): number {
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, "utf8"))![1]);
}

/** The most that the process had during `work`. */
export async function peakOf(id: number, work: () => Promise<unknown>): Promise<number> {
  let peak = 0;
  const timer = setInterval(() => peak = Math.max(peak, residentOf(id)), 20);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.max(peak, residentOf(id));
}
