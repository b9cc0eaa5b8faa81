/**
 * The numpy dtypes of a pickle: created from a code, completed by a state (FORMATS.md 3.4).
 *
 * @module
 */
import { dtypeOfNumpy } from "../../dtype.ts";
import { quote, UnsupportedError } from "../../errors.ts";
import { Tuple } from "../../values.ts";
import { textFromLatin1 } from "../../words/latin1.ts";
import { forbiddenCall, isIntAt } from "./call.ts";
import { PickledDType } from "./pickled.ts";

/** Letters of numpy kinds that tensors cannot have, each optionally followed by a decimal size. */
const OPAQUE_KINDS = "OSUVMm";
const MAX_CODE = 16;

/** P2: the dtype that `dtype(code, ...)` creates. */
export function dtypeFromCode(code: string, at: number): PickledDType {
  const info = dtypeOfNumpy(code);
  if (info) return new PickledDType(code, info, info.itemsize);
  const bare = code[0] === "<" || code[0] === "=" ? code.slice(1) : code;
  const spelled = dtypeOfNumpy(bare);
  if (spelled) return new PickledDType(bare, spelled, spelled.itemsize);
  const size = Number(code.slice(1));
  const isOpaque = code === "f16" || code === "c32" ||
    (code.length > 0 && OPAQUE_KINDS.includes(code[0]) && isDigits(code, 1));
  if (isOpaque && code.length <= MAX_CODE) return new PickledDType(code, undefined, code[0] === "U" ? 4 * size : size);
  throw new UnsupportedError("UNSUPPORTED_DTYPE", `Unknown numpy dtype ${quote(code)} at byte ${at}`, {
    offset: at,
    actual: code,
  });
}

function isDigits(text: string, start: number): boolean {
  for (let i = start; i < text.length; i++) if (text[i] < "0" || text[i] > "9") return false;
  return true;
}

/** The BUILD of a dtype: (3, byteorder, subarray, names, fields, elsize, alignment, flags[, metadata]) */
export function setDTypeState(dtype: PickledDType, state: unknown, at: number): void {
  const refuse = () => forbiddenCall("a dtype's state", at);
  if (dtype.built || !(state instanceof Tuple) || (state.length !== 8 && state.length !== 9)) throw refuse();
  const [version, order, subarray, names, fields, elsize, alignment, flags] = state;
  const areInts = [0, 5, 6, 7].every((index) => isIntAt(state, index));
  if ((version !== 3 && version !== 4) || typeof order !== "string" || !areInts) throw refuse();
  if (!["<", ">", "|", "="].includes(order)) {
    throw new UnsupportedError("UNSUPPORTED_DTYPE", `Unknown byte order ${quote(order)} at byte ${at}`, {
      offset: at,
      actual: order,
    });
  }
  if (dtype.info) {
    if (version !== 3 || state.length !== 8 || subarray !== null || names !== null || fields !== null) throw refuse();
    if (elsize !== -1 || alignment !== -1 || flags !== 0) throw refuse();
  } else {
    if (typeof elsize === "number" && elsize >= 0) dtype.itemsize = elsize;
    if (state.length === 9 && (dtype.code[0] === "M" || dtype.code[0] === "m")) {
      const unit = dateUnit(state[8]);
      if (unit === null) throw refuse();
      dtype.unit = unit;
    }
    const isPlain = isPlainState(state);
    if (subarray !== null && !(isPlain && isSubarray(subarray))) throw refuse();
    if (isPlain) dtype.state = state;
  }
  dtype.bigEndian = order === ">";
  dtype.built = true;
}

/** Of a field: the dtype and the shape that each of its elements has. An array has its shape itself. */
function isSubarray(value: unknown): boolean {
  return value instanceof Tuple && value.length === 2 && value[0] instanceof PickledDType && value[1] instanceof Tuple;
}

/** Whether a dtype's state holds only strings, numbers, bytes and dtypes, possibly in tuples and dicts: numpy writes nothing else. */
function isPlainState(state: Tuple): boolean {
  const seen = new Set<unknown>(), todo: unknown[] = [state];
  while (todo.length > 0) {
    const value = todo.pop();
    if (typeof value !== "object" || value === null || value instanceof Uint8Array || seen.has(value)) continue;
    if (value instanceof PickledDType) continue;
    seen.add(value);
    if (value instanceof Tuple) { for (const item of value) todo.push(item); }
    else if (value instanceof Map) { for (const [key, item] of value) todo.push(key, item); }
    else return false;
  }
  return true;
}

/**
 * The unit of a date dtype, such as `[D]`, from its metadata `({}, (b'D', 1, 1, 1))`, in which Python 2 wrote a string; null if that is
 * malformed.
 */
function dateUnit(metadata: unknown): string | null {
  const unit = metadata instanceof Tuple ? metadata[1] : null;
  if (!(unit instanceof Tuple) || !isIntAt(unit, 1)) return null;
  const [code, count] = unit as unknown[];
  const name = code instanceof Uint8Array && code.length <= 8 ? textFromLatin1(code) : code;
  if (typeof name !== "string" || name.length > 8) return null;
  return name === "generic" ? "" : `[${count === 1 ? "" : count}${name}]`;
}
