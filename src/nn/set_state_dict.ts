/**
 * Copies values from a state dict into the tensors of a layer.
 *
 * @module
 */
import { ValueError, type Warning } from "../errors.ts";
import { NDArray } from "../ndarray.ts";
import type { Tensor } from "../tensor.ts";
import { NumpyScalar, Tuple } from "../values.ts";

/** The keys that did not match when a state dict was set. */
export interface StateDictKeys {
  /** Keys of the layer for which there was no value, or only one of another shape. */
  missingKeys: string[];
  /** Keys of the state dict that were not used. */
  unexpectedKeys: string[];
}

interface Match {
  tensor: Tensor;
  bytes: Uint8Array;
}

/**
 * `Layer.set_state_dict` (TRAINING.md 6). Everything is checked before the first value is set, and `check` can still throw.
 */
export function setTensors(
  own: ReadonlyMap<string, Tensor>,
  given: ReadonlyMap<unknown, unknown>,
  useStructuredName: boolean,
  warn: (warning: Warning) => void,
  check: (keys: StateDictKeys) => void = () => {},
): StateDictKeys {
  const missingKeys: string[] = [], used = new Set<unknown>();
  const matches: Match[] = [], warnings: Warning[] = [];
  for (const [key, tensor] of own) {
    const name = useStructuredName ? key : tensor.name;
    const value = given.get(name);
    const why = reasonToSkip(name, tensor, value);
    if (why === null) {
      used.add(name);
      matches.push({ tensor, bytes: bytesFor(tensor, value, key) });
    } else {
      missingKeys.push(name);
      const code = value === null || value === undefined ? "MISSING_KEY" : "SHAPE_MISMATCH";
      warnings.push({ code, message: `Skip loading for ${key}. ${why}`, at: key });
    }
  }
  const unexpectedKeys = [...given.keys()].filter((key) => !used.has(key)).map(String);
  const keys = { missingKeys, unexpectedKeys };
  check(keys);
  for (const { tensor, bytes } of matches) tensor.bytes.set(bytes);
  warnings.forEach(warn);
  return keys;
}

/** Paddle's warning about a value that is skipped; null if the value can be set. */
function reasonToSkip(name: string, tensor: Tensor, value: unknown): string | null {
  if (value === null || value === undefined) return `${name} is not found in the provided dict.`;
  const shape = value instanceof NDArray ? value.shape : value instanceof NumpyScalar ? [] : null;
  if (shape !== null) {
    if (sameShape(shape, tensor.shape)) return null;
    return `${name} receives a shape [${shape.join(", ")}], but the expected shape is [${tensor.shape.join(", ")}].`;
  }
  const length = value instanceof Map
    ? value.size
    : Array.isArray(value) && !(value instanceof Tuple)
    ? value.length
    : null;
  if (length === null || tensor.shape.length === 0 || length === tensor.shape[0]) return null;
  return `${name} receives the length of ${length}, but the expected shape is ${tensor.shape[0]}`;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

/** The bytes to copy; nothing is cast. numpy's uint16 stands for bfloat16. */
function bytesFor(tensor: Tensor, value: unknown, key: string): Uint8Array {
  const expected = tensor.dtype;
  if (!(value instanceof NDArray)) {
    throw new ValueError("INVALID_VALUE", `Cannot set ${key}: the value is not an array; nothing was changed`, {
      at: key,
    });
  }
  const actual = value.dtype === "uint16" ? "bfloat16" : value.dtype;
  if (actual !== expected) {
    const message = `Cannot set ${key}: ${tensor.name} is ${expected}, the value is ${actual}; nothing was changed`;
    throw new ValueError("INVALID_VALUE", message, {
      at: key,
      expected,
      actual,
      hint: `astype("${expected}") casts it`,
    });
  }
  return value.bytes;
}
