/**
 * From a checkpoint to safetensors or `.npz`.
 *
 * @module
 */
import { NDArray, open } from "@oarlock/paddle";
import { saveNpz } from "@oarlock/paddle/npy";
import * as safetensors from "@oarlock/paddle/safetensors";

/**
 * Write the arrays of `from` to `to`, whose ending says in which form: safetensors in pieces of a few MiB, whatever the size; `.npz` by way of
 * the memory. The old `to` is there until the new one is whole.
 *
 * @param {string} from a `.pdparams`, `.pdopt` or safetensors file, the prefix of an inference model, a folder of Paddle 1.x
 * @param {string} to ends in `.safetensors` or `.npz`
 * @param {{ signal?: AbortSignal, onProgress?: (event: { loaded: number, total?: number }) => void }} [options]
 * @returns {Promise<{ arrays: number, leftOut: string[] }>} how many were written, and the names of values that are no arrays
 */
export async function convert(from, to, { signal, onProgress } = {}) {
  const save = to.endsWith(".npz") ? saveNpz : to.endsWith(".safetensors") ? safetensors.save : null;
  if (!save) throw new TypeError(`The target ends in .safetensors or .npz: got ${to}`);
  const checkpoint = await open(from, { signal });
  try {
    const value = await checkpoint.value();
    if (!(value instanceof Map)) throw new TypeError(`${from} holds no arrays by name`);
    const arrays = new Map(), leftOut = [];
    for (const [name, item] of value) {
      if (item instanceof NDArray) arrays.set(String(name), item);
      else leftOut.push(String(name));
    }
    await save(arrays, to, { signal, onProgress });
    return { arrays: arrays.size, leftOut };
  } finally {
    await checkpoint.close();
  }
}
