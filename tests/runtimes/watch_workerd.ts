/** Measures the memory of workerd from outside the process. */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

/** Ids of this process's workerd children. */
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

/** Resident memory of the process, in bytes. */
export function residentOf(id: number): number {
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, "utf8"))![1]);
}

/** Peak resident memory of the process during `work`, in bytes. */
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
