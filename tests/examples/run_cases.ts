/**
 * Runs the cases of a script that drives a page.
 *
 * @module
 */

/** Run each case, in order, and report those that fail; `onFailure` may keep what the page shows. Returns how many failed. */
export async function runCases(
  cases: Record<string, () => Promise<void>>,
  onFailure?: (failures: number) => Promise<unknown>,
): Promise<number> {
  let failures = 0;
  for (const [name, run] of Object.entries(cases)) {
    try {
      await run();
    } catch (error) {
      failures++;
      console.log(`  ${name}: ${error instanceof Error ? error.message : error}`);
      await onFailure?.(failures);
    }
  }
  return failures;
}
