/**
 * The binary state dicts of `fluid.save_dygraph` in Paddle 1.6 (FORMATS.md 1.6).
 *
 * ```text
 * 256 reserved bytes (old memory) · "TNUM" · u64 count
 * per tensor: "NAME" · u64 length · name (UTF-8) · u32 version 0 · i32 length · TensorDesc · data
 * ```
 *
 * @module
 */
import { FormatError, quote, type Warning } from "../../errors.ts";
import type { Cursor, Decoder } from "../cursor.ts";
import { PRICES } from "../../limits.ts";
import { type RawTensor, readTensor, type RecordOptions } from "../record/read_record.ts";
import { about, take, takeEnd, takeU64 } from "../take.ts";
import { textFromUtf8 } from "../../words/utf8.ts";

/** Bytes before the "TNUM" mark. */
export const RESERVED = 256;
/** The magic numbers "TNUM" and "NAME" as u32. */
export const TNUM = 0x4d554e54, NAME = 0x454d414e;

/** Maximum number of warnings about repeated names. */
const MAX_WARNINGS = 100;

/** Decode the file under the cursor. */
export function* readTnum(
  cursor: Cursor,
  options: RecordOptions,
): Decoder<{ tensors: Map<string, RawTensor>; warnings: Warning[] }> {
  const { budget } = options;
  yield* take(cursor, RESERVED, 0);
  yield* word(cursor, TNUM);
  const countAt = cursor.offset;
  const count = yield* takeU64(cursor);
  budget.check("maxTensors", count, countAt);
  const tensors = new Map<string, RawTensor>();
  const warnings: Warning[] = [];
  for (let i = 0; i < count; i++) {
    yield* word(cursor, NAME);
    const nameAt = cursor.offset;
    const length = yield* takeU64(cursor);
    budget.check("maxNameBytes", length, nameAt);
    budget.charge(PRICES.entry + PRICES.string + PRICES.unit * length, nameAt);
    const p = yield* take(cursor, length, nameAt);
    const name = textFromUtf8(cursor.bytes, p, p + length);
    if (name === null) {
      throw new FormatError("BAD_TEXT", `The name at byte ${nameAt} is not valid UTF-8`, { offset: nameAt });
    }
    if (tensors.has(name) && warnings.length < MAX_WARNINGS) {
      warnings.push({
        code: "DUPLICATE_KEY",
        message: `The name ${quote(name)} appears twice: the last tensor wins`,
        offset: nameAt,
      });
    }
    tensors.set(name, { ...(yield* about(name, readTensor(cursor, options))), lod: [] });
  }
  yield* takeEnd(cursor, (at) => `Bytes follow the last of ${count} tensors at byte ${at}`);
  return { tensors, warnings };
}

function* word(cursor: Cursor, expected: number): Decoder<void> {
  const at = cursor.offset;
  const p = yield* take(cursor, 4, at);
  if (cursor.view.getUint32(p, true) !== expected) {
    throw new FormatError("BAD_FIELD", `${expected === TNUM ? "TNUM" : "NAME"} is expected at byte ${at}`, {
      offset: at,
    });
  }
}
