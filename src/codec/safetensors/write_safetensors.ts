/**
 * Writes safetensors files as safetensors' own writer does: see read_safetensors.ts for the layout.
 *
 * @module
 */
import { byCodePoint } from "../../words/code_point_order.ts";
import { quote, UnsupportedError, ValueError } from "../../errors.ts";
import type { NDArray } from "../../ndarray.ts";
import { type Chunk, UnreadBytes } from "../../words/unread_bytes.ts";
import { type Json, JsonObject } from "../json/json.ts";
import { wellFormed, writeJsonInSteps } from "../json/write_json.ts";
import { sortInSteps, StepPace } from "../../words/steps.ts";
import { TO_WORD } from "./dtypes.ts";

/** A file ready to be written: its size is known before its first byte. */
export interface SafetensorsPlan {
  size: number;
  /** The chunks, starting over with each call; the bytes of a tensor are one chunk, uncopied. */
  chunks(): Generator<Uint8Array<ArrayBuffer>, void>;
  /** The chunks, with stand-ins for bytes that are still in a file. */
  unread(): Generator<Chunk, void>;
}

/**
 * Plan a file, in steps. Like safetensors' own writer, it sorts tensors by dtype (descending), then by name, and pads the header with
 * spaces so that the data begins at a multiple of eight.
 *
 * @throws {ValueError} `INVALID_VALUE` for a name that the format reserves, or metadata that are not strings; `LONE_SURROGATE` for a name
 *   that UTF-8 cannot encode
 * @throws {UnsupportedError} `UNSUPPORTED_DTYPE` for complex128
 */
export function* planSafetensors(
  tensors: ReadonlyMap<string, NDArray>,
  metadata: ReadonlyMap<string, string>,
): Generator<void, SafetensorsPlan> {
  const sorted: { name: string; array: NDArray; word: string; rank: number }[] = [];
  const pace = new StepPace();
  for (const [name, array] of tensors) {
    if (pace.isDue(4)) yield;
    const { word, rank } = wordOf(name, array);
    sorted.push({ name, array, word, rank });
  }
  yield* sortInSteps(sorted, (a, b) => b.rank - a.rank || byCodePoint(a.name, b.name));
  const fields = new JsonObject();
  for (const [key, text] of metadata) checkStrings(key, text);
  if (metadata.size > 0) fields.set("__metadata__", JsonObject.of(metadata));
  let end = 0;
  for (const { name, array, word } of sorted) {
    if (pace.isDue(8)) yield;
    const begin = end;
    end += array.nbytes;
    const entry: [string, Json][] = [["dtype", word], ["shape", [...array.shape]], ["data_offsets", [begin, end]]];
    fields.set(name, JsonObject.of(entry));
  }
  const text = yield* writeJsonInSteps(fields);
  const header = new Uint8Array(8 + 8 * Math.ceil(text.length / 8)).fill(0x20);
  header.set(text, 8);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  return {
    size: header.length + end,
    *chunks() {
      yield header;
      for (const { array } of sorted) if (array.nbytes > 0) yield array.bytes;
    },
    *unread() {
      yield header;
      for (const { array } of sorted) {
        if (array.nbytes > 0) yield array.unread ? new UnreadBytes(array) : array.bytes;
      }
    },
  };
}

function checkStrings(key: unknown, text: unknown): void {
  if (typeof key === "string" && typeof text === "string") {
    wellFormed(key);
    wellFormed(text);
    return;
  }
  throw new ValueError("INVALID_VALUE", `Metadata must map strings to strings: ${String(key)} does not`, {
    at: String(key),
  });
}

function wordOf(name: string, array: NDArray): { word: string; rank: number } {
  if (name === "__metadata__") {
    throw new ValueError("INVALID_VALUE", 'No tensor can be called "__metadata__" in a safetensors file', { at: name });
  }
  wellFormed(name);
  const found = TO_WORD.get(array.dtype);
  if (!found) {
    throw new UnsupportedError("UNSUPPORTED_DTYPE", `Safetensors has no dtype for ${array.dtype} (${quote(name)})`, {
      at: name,
      actual: array.dtype,
    });
  }
  return found;
}
