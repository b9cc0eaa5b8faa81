/**
 * What the patterns of REDUCE, NEWOBJ and BUILD work with: the machine's state, and arguments that tell ints, floats and flags apart.
 *
 * @module
 */
import { FormatError, quote, UnsafeError } from "../../errors.ts";
import { isFloatByNature, wasFloat } from "../../words/floats.ts";
import { type Budget, PRICES } from "../../limits.ts";
import type { Tuple } from "../../values.ts";
import type { ArrayLedger } from "./array_ledger.ts";
import type { Containers } from "./containers.ts";
import type { Token } from "./pickled.ts";
import type { SymbolGuard } from "./symbol_guard.ts";
import { latin1FromText } from "../../words/latin1.ts";

/** What the patterns need from the machine that runs them. */
export interface CallContext {
  readonly budget: Budget;
  /** The highest protocol announced so far. */
  readonly protocol: number;
  readonly symbols: SymbolGuard;
  readonly containers: Containers;
  readonly arrays: ArrayLedger;
}

/** `callable(*args)`, as requested by the REDUCE at byte `at`. */
export interface Call {
  readonly context: CallContext;
  readonly callable: Token;
  readonly args: Tuple;
  readonly at: number;
}

/** A container made by a call, and its future contents: the machine adds them, with pauses, as there may be many. */
export class Unfilled {
  readonly container: unknown[] | Set<unknown> | Map<unknown, unknown>;
  /** Items; for a dict, lists of key and value. */
  readonly from: readonly unknown[] | ReadonlySet<unknown>;
  constructor(container: Unfilled["container"], from: Unfilled["from"]) {
    this.container = container;
    this.from = from;
  }
}

/** The error of a refused use, with its offset. */
export function forbiddenCall(what: string, at: number, symbol?: string): UnsafeError {
  return new UnsafeError(
    "FORBIDDEN_CALL",
    `Refused ${what} at byte ${at}: no pattern of a Paddle file allows it. Nothing was called.`,
    { offset: at, symbol },
  );
}

/** The error of a call whose arguments match no pattern. */
export function refusedCall({ callable: { symbol }, at }: Call): UnsafeError {
  return forbiddenCall(`${quote(symbol)} with these arguments`, at, symbol);
}

/** A tuple's item as a flag: False or 0, True or 1; undefined for anything else. */
export function flagAt(tuple: Tuple, index: number): boolean | undefined {
  const value = tuple[index];
  if (typeof value === "boolean") return value;
  return (value === 0 || value === 1) && isIntAt(tuple, index) ? value === 1 : undefined;
}

/** Whether an item of a list or tuple was an int in the file, not a float of the same value. */
export function isIntAt(list: readonly unknown[], index: number): boolean {
  const value = list[index];
  if (typeof value === "bigint") return true;
  return Number.isSafeInteger(value) && !isFloatByNature(value as number) && !wasFloat(list, index, value as number);
}

/** The bytes that a string encodes as latin-1. Charged on every call, since a memoized string may be encoded many times. */
export function bytesOfText({ budget }: CallContext, text: string, at: number): Uint8Array {
  budget.charge(PRICES.bytes + PRICES.unit * text.length, at);
  const bytes = latin1FromText(text);
  if (bytes) return bytes;
  throw new FormatError("BAD_TEXT", `Text at byte ${at} encodes bytes, but holds a character above U+00FF`, {
    offset: at,
  });
}
