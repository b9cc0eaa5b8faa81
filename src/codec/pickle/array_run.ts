/**
 * The run of opcodes that CPython writes for every array after the first: symbols, `b'b'` and the dtype come from the memo, so that only
 * the shape and the data differ. Recognised as a whole, byte by byte (dossier 3.4 and 3.5).
 *
 * ```text
 * get ndarray · K 00 · TUPLE1 m · get b'b' · TUPLE3 m · REDUCE m · MARK · K 01 · shape m · get dtype · NEWTRUE|NEWFALSE · data m · TUPLE m · BUILD
 * get: BINGET | LONG_BINGET     m: MEMOIZE | BINPUT | LONG_BINPUT, or nothing     data: SHORT_BINBYTES | BINBYTES
 * ```
 *
 * @module
 */
import { BLOB_MIN } from "../cursor.ts";
import type { Memo } from "./memo.ts";
import { type PickledArray, PickledDType, Token } from "./pickled.ts";

/** Opcodes that a run stands for, with one axis more or less. */
export const ARRAY_RUN_OPCODES = 24;
/** Axes that a run may have; more go the common way. */
const MAX_AXES = 8;

/** A thing that a run puts into the memo. */
export type RunPart = "zero" | "args" | "array" | "shape" | "data" | "state";

/** One PUT of a run: an index, or -1 for MEMOIZE. */
export interface MemoNote {
  index: number;
  part: RunPart;
}

/** What a run says. */
export interface ArrayRun {
  cls: Token;
  dtype: PickledDType;
  shape: number[];
  fortran: boolean;
  dataStart: number;
  dataEnd: number;
  /** Behind the BUILD. */
  end: number;
}

/** A tuple of a run that the memo holds unmade. */
export class DeferredTuple {
  readonly part: RunPart;
  readonly callable: Token;
  readonly cls: Token;
  readonly array: PickledArray;
  constructor(part: RunPart, callable: Token, cls: Token, array: PickledArray) {
    this.part = part;
    this.callable = callable;
    this.cls = cls;
    this.array = array;
  }
}

let p = 0;

/** The run at `start`, its memo puts in `notes`; null where it is anything else or not whole in the window. */
export function matchArrayRun(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  memo: Memo,
  notes: MemoNote[],
): ArrayRun | null {
  notes.length = 0;
  // Without its data a run is shorter than this: one check in place of one for each byte.
  if (end - start < MAX_RUN) return null;
  p = start;
  const cls = getFrom(bytes, view, memo);
  if (!(cls instanceof Token) || cls.kind !== "ndarray") return null;
  if (bytes[p] !== 0x4b || bytes[p + 1] !== 0 || bytes[p + 2] !== 0x85) return null;
  p += 3;
  put(bytes, view, notes, "zero");
  const letter = getFrom(bytes, view, memo);
  if (!(letter instanceof Uint8Array) || letter.length !== 1 || letter[0] !== 0x62) return null;
  if (bytes[p++] !== 0x87) return null;
  put(bytes, view, notes, "args");
  if (bytes[p++] !== 0x52) return null;
  put(bytes, view, notes, "array");
  if (bytes[p] !== 0x28 || bytes[p + 1] !== 0x4b || bytes[p + 2] !== 1) return null;
  p += 3;
  const shape = shapeAt(bytes, view);
  if (shape === null) return null;
  if (shape.length > 0) put(bytes, view, notes, "shape");
  const dtype = getFrom(bytes, view, memo);
  if (!(dtype instanceof PickledDType)) return null;
  const flag = bytes[p++];
  if (flag !== 0x88 && flag !== 0x89) return null;
  const opcode = bytes[p++];
  let length = 0;
  if (opcode === 0x43) length = bytes[p++];
  else if (opcode === 0x42) {
    length = view.getUint32(p, true);
    p += 4;
  } else return null;
  const dataStart = p, dataEnd = p + length;
  if (length >= BLOB_MIN || dataEnd + MAX_TAIL > end) return null;
  p = dataEnd;
  put(bytes, view, notes, "data");
  if (bytes[p++] !== 0x74) return null;
  put(bytes, view, notes, "state");
  if (bytes[p++] !== 0x62) return null;
  return { cls, dtype, shape, fortran: flag === 0x88, dataStart, dataEnd, end: p };
}

/** Most bytes of a run up to its data, and behind them. */
const MAX_RUN = 128;
const MAX_TAIL = 12;

function getFrom(bytes: Uint8Array, view: DataView, memo: Memo): unknown {
  if (bytes[p] === 0x68) {
    p += 2;
    return memo.get(bytes[p - 1]);
  }
  if (bytes[p] !== 0x6a) return undefined;
  p += 5;
  return memo.get(view.getUint32(p - 4, true));
}

function put(bytes: Uint8Array, view: DataView, notes: MemoNote[], part: RunPart): void {
  const opcode = bytes[p];
  if (opcode === 0x94) {
    notes.push({ index: -1, part });
    p += 1;
  } else if (opcode === 0x71) {
    notes.push({ index: bytes[p + 1], part });
    p += 2;
  } else if (opcode === 0x72) {
    notes.push({ index: view.getUint32(p + 1, true), part });
    p += 5;
  }
}

function shapeAt(bytes: Uint8Array, view: DataView): number[] | null {
  if (bytes[p] === 0x29) {
    p++;
    return [];
  }
  const isMarked = bytes[p] === 0x28;
  if (isMarked) p++;
  const shape: number[] = [];
  for (;;) {
    const opcode = bytes[p];
    if (opcode === 0x4b) {
      shape.push(bytes[p + 1]);
      p += 2;
    } else if (opcode === 0x4d) {
      shape.push(view.getUint16(p + 1, true));
      p += 3;
    } else if (opcode === 0x4a) {
      const dim = view.getInt32(p + 1, true);
      if (dim < 0) return null;
      shape.push(dim);
      p += 5;
    } else break;
    if (shape.length > MAX_AXES) return null;
  }
  const closing = isMarked ? 0x74 : 0x84 + shape.length;
  if (bytes[p++] !== closing || (!isMarked && (shape.length < 1 || shape.length > 3))) return null;
  return shape;
}
