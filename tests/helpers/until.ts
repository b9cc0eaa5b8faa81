/** Waits for what happens elsewhere: in a server, in another process. */
import assert from "node:assert/strict";

/** Milliseconds between two looks. */
const PAUSE = 5;
/** Milliseconds after which it is taken to happen never: a busy machine may need seconds. */
const PATIENCE = 30_000;

/** Wait until `holds` returns true; fails with what `finding` says if it does not. */
export async function until(holds: () => boolean, finding: () => string = () => "it never happened"): Promise<void> {
  for (const end = performance.now() + PATIENCE; !holds();) {
    assert.ok(performance.now() < end, finding());
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
