/**
 * What an audit makes of a pickle: a list of its symbols and refusals and, if wanted, what was refused as data (RULES.md PKL-10, PKL-11).
 *
 * @module
 */
import type { PaddleError } from "../../errors.ts";
import { type Budget, PRICES } from "../../limits.ts";
import { Tuple } from "../../values.ts";
import type { ArrayLedger } from "./array_ledger.ts";
import type { Container } from "./nesting.ts";
import { PickledArray, Unknown } from "./pickled.ts";

/** A symbol or refusal that an audit met. */
export interface PickleFinding {
  /** Such as `os.system`; empty if the refusal concerns no symbol. */
  symbol: string;
  /** Name of the opcode. */
  opcode: string;
  /** Offset of the opcode. */
  offset: number;
  /** Path within the object, as far as it is known at that point. */
  at: string;
  /** Whether it is allowed. */
  verdict: "used-as-data" | "refused";
  /** The error of a refusal: the first has one, later ones only if a pattern threw it. */
  error?: PaddleError;
}

/** What an opcode adds to. */
export type Wanted = "a list" | "a dict" | "a set";

/** An audit of one pickle. */
export class PickleAudit {
  /** Every symbol and refusal, in file order. */
  readonly findings: PickleFinding[] = [];
  readonly #keepsUnknown: boolean;

  /** With `keepsUnknown`, an Unknown keeps what it was made from. */
  constructor(keepsUnknown = false) {
    this.#keepsUnknown = keepsUnknown;
  }

  /** The stack item that takes the place of a symbol, or of what `args` (the arguments and perhaps keywords) would have made. */
  unknown(symbol: string, budget: Budget, at: number, args: readonly unknown[] = [null]): Unknown {
    if (!this.#keepsUnknown) return new Unknown(symbol, null);
    budget.charge(PRICES.dict, at);
    const [first, keywords] = args;
    const all = keywords !== undefined && first instanceof Tuple ? Tuple.of<unknown>(...first, keywords) : first;
    return new Unknown(symbol, [all, null, null]);
  }

  /** The container of the items that are added to `target`; null if they are not kept, or are of another kind than those before. */
  itemsOf({ parts }: Unknown, wanted: Wanted): Container | null {
    if (!parts) return null;
    const empty = wanted === "a list" ? [] : wanted === "a dict" ? new Map() : new Set();
    const items = parts[2] ??= empty;
    return items.constructor === empty.constructor ? items : null;
  }

  /** Keep the state that `target` did not take: `left` was made of it. */
  keepState(target: unknown, { parts: left }: Unknown, arrays: ArrayLedger): void {
    if (!left) return;
    if (target instanceof Unknown) target.parts![1] = left[0];
    else if (target instanceof PickledArray && arrays.isWaiting(target)) {
      // Of an array without a dtype, the items are the parts of the object that is made of it.
      target.dtype = null;
      target.items = [null, left[0], null];
    }
  }
}
