/**
 * What a save has to undo.
 *
 * @module
 */
import { addFailures } from "./save_error.ts";
import { withRetries } from "./with_retries.ts";

/** Steps to undo, last one first. */
export class Cleanup {
  #steps: { undo: () => unknown; name?: string; onlyOnFailure: boolean }[] = [];

  /** Add a step; `name` is the path of what it removes. Steps `onlyOnFailure` are dropped by {@linkcode Cleanup.commit}. */
  push(undo: () => unknown, name?: string, { onlyOnFailure = false }: { onlyOnFailure?: boolean } = {}): void {
    this.#steps.push({ undo, name, onlyOnFailure });
  }

  /** Drop the step for the path `name`, which is gone already. */
  forget(name: string): void {
    this.#steps = this.#steps.filter((step) => step.name !== name);
  }

  /** From here on, the save counts as done. */
  commit(): void {
    this.#steps = this.#steps.filter((step) => !step.onlyOnFailure);
  }

  /** Undo all steps; returns the files that cannot be removed, which are also reported with `error`. */
  async run(error?: unknown): Promise<string[]> {
    const failures: unknown[] = [], leftovers: string[] = [];
    for (const { undo, name } of this.#steps.splice(0).reverse()) {
      try {
        await withRetries(undo);
      } catch (failure) {
        // A folder that was made on the way may contain a file by now; it stays.
        if (!name) continue;
        failures.push(failure);
        leftovers.push(name);
      }
    }
    addFailures(error, failures, leftovers);
    return leftovers;
  }
}
