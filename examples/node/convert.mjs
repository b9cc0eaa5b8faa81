/**
 * From a checkpoint to safetensors or `.npz`.
 *
 * @module
 */
import { NDArray, open } from "@oarlock/paddle";
import { saveNpz } from "@oarlock/paddle/npy";
import * as safetensors from "@oarlock/paddle/safetensors";

/**
 * What a dict holds, and the dicts in it: keys joined by dots. Python's dicts may contain themselves.
 *
 * @param {Map<unknown, unknown>} dict
 * @param {string} prefix
 * @param {readonly unknown[]} around
 * @returns {Generator<[name: string, value: unknown]>}
 */
function* entriesOf(dict, prefix = "", around = []) {
  for (const [key, item] of dict) {
    const name = `${prefix}${key}`;
    if (item instanceof Map && item !== dict && !around.includes(item)) {
      yield* entriesOf(item, `${name}.`, [...around, dict]);
    } else yield [name, item];
  }
}

/**
 * Write the arrays of `from` to `to`, whose ending says in which form, in pieces of a few MiB, whatever the size. The old `to` is there until
 * the new one is whole.
 *
 * @param {string} from a `.pdparams`, `.pdopt` or safetensors file, the prefix of an inference model, a folder of Paddle 1.x
 * @param {string} to ends in `.safetensors` or `.npz`
 * @param {{ signal?: AbortSignal, onProgress?: (event: { loaded: number, total?: number }) => void }} [options]
 * @returns {Promise<{ arrays: number, leftOut: string[] }>} how many were written, and the names of values that are no arrays
 */
export async function convert(from, to, { signal, onProgress } = {}) {
  const isNpz = to.endsWith(".npz");
  if (!isNpz && !to.endsWith(".safetensors")) throw new TypeError(`The target ends in .safetensors or .npz: got ${to}`);
  const checkpoint = await open(from, { signal });
  try {
    const value = await checkpoint.value();
    if (!(value instanceof Map)) throw new TypeError(`${from} holds no arrays by name`);
    const arrays = new Map(), leftOut = [];
    for (const [name, item] of entriesOf(value)) {
      if (arrays.has(name)) throw new TypeError(`${from} holds two entries that would be called ${name}`);
      if (item instanceof NDArray) arrays.set(name, item);
      else leftOut.push(name);
    }
    if (arrays.size === 0) throw new TypeError(`${from} holds no arrays by name`);
    const metadata = value instanceof safetensors.TensorMap ? value.metadata : { format: "np" };
    if (isNpz) await saveNpz(arrays, to, { signal, onProgress });
    else await safetensors.save(arrays, to, { metadata, signal, onProgress });
    return { arrays: arrays.size, leftOut };
  } finally {
    await checkpoint.close();
  }
}
