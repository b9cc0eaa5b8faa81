/**
 * Converts a checkpoint. Ctrl-C stops it, and the target is what it was before.
 *
 * Run: node main.mjs net.pdparams net.safetensors
 */
import process from "node:process";
import { isPaddleError } from "@oarlock/paddle";
import { convert } from "./convert.mjs";

const [from, to] = process.argv.slice(2);
if (!from || !to) {
  console.error("Usage: node main.mjs FROM TO.safetensors|TO.npz");
  process.exit(2);
}

const controller = new AbortController();
process.once("SIGINT", () => controller.abort());

let shown = -1;
/** @param {{ loaded: number, total?: number }} event */
function show({ loaded, total }) {
  const percent = Math.floor(100 * loaded / (total || 1));
  if (percent !== shown) process.stderr.write(`\r${to}: ${shown = percent} %`);
}

try {
  const { arrays, leftOut } = await convert(from, to, { signal: controller.signal, onProgress: show });
  process.stderr.write("\n");
  console.log(`${to}: ${arrays} arrays`);
  if (leftOut.length > 0) console.log(`Left out, as they are no arrays: ${leftOut.join(", ")}`);
} catch (error) {
  process.stderr.write("\n");
  if (controller.signal.aborted) {
    console.error(`Stopped: ${to} is what it was before`);
    process.exitCode = 130;
  } else {
    const code = isPaddleError(error) ? `${error.code}: ` : "";
    console.error(code + (error instanceof Error ? error.message : error));
    process.exitCode = 1;
  }
}
