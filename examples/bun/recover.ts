/**
 * Turns an inference model back into trainable weights, and prints notes on what could not be recovered with certainty.
 *
 * Run: bun recover.ts inference/model net.pdparams
 */
import process from "node:process";
import { recoverStateDict, save } from "@oarlock/paddle";

const [from, to] = process.argv.slice(2);
if (!from || !to) {
  console.error("Usage: bun recover.ts PREFIX TO.pdparams");
  process.exit(2);
}
const { stateDict, report } = await recoverStateDict(from);
const { bytes } = await save(stateDict, to);
console.log(`${to}: ${stateDict.size} entries, ${bytes} bytes`);
for (const note of report.notes) console.log(note);
