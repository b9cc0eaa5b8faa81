/**
 * Watches over the symbols that a pickle names: they come from the closed table, are used by the patterns of calls.ts alone, and never
 * become a value (RULES.md PKL-4). A refusal is thrown, or, in an audit, listed.
 *
 * @module
 */
import { type PaddleError, quote, UnsafeError } from "../../errors.ts";
import { DTypeValue } from "../../values.ts";
import type { Here } from "./here.ts";
import { Token, Unknown } from "./pickled.ts";
import { lookUpSymbol } from "./symbols.ts";

/** A symbol or refusal that an audit met. */
export interface PickleFinding {
  /** `os.system`; empty for an opcode that never runs. */
  symbol: string;
  /** Name of the opcode. */
  opcode: string;
  /** Byte of the opcode. */
  offset: number;
  /** The place in the object, as far as it is known there. */
  at: string;
  /** Whether the file may hold it. */
  verdict: "used-as-data" | "refused";
  /** The refusal. */
  error?: PaddleError;
}

/** The symbols of one pickle. */
export class SymbolGuard {
  readonly #here: Here;
  readonly #audit: PickleFinding[] | undefined;
  /** Tuples that hold a symbol, and the symbol. */
  readonly #tainted = new Map<object, Token>();

  /** With `audit` refusals go there, and an unknown value stands for what was refused. */
  constructor(here: Here, audit: PickleFinding[] | undefined) {
    this.#here = here;
    this.#audit = audit;
  }

  /** What the stack gets for a symbol. */
  lookUp(module: string, name: string): Token | DTypeValue | Unknown {
    const here = this.#here;
    const { at } = here;
    const kind = lookUpSymbol(module, name);
    const symbol = module + "." + name;
    if (kind === undefined) {
      this.refuse(
        new UnsafeError(
          "FORBIDDEN_SYMBOL",
          `Refused symbol ${
            quote(symbol)
          } at byte ${at}. This library never imports or calls anything; the file is not a plain checkpoint. Do not load it in Python. audit(file) lists everything it names.`,
          { offset: at, symbol, opcode: here.name, at: here.place },
        ),
        symbol,
      );
      return new Unknown();
    }
    this.#audit?.push({ symbol, opcode: here.name, offset: at, at: here.place, verdict: "used-as-data" });
    return kind === "numpyType" ? new DTypeValue(dtypeName(name), true) : new Token(module, name, kind, at);
  }

  /** The symbol that `value` is, or that is in it. */
  tokenIn(value: object): Token | undefined {
    return value instanceof Token ? value : this.#tainted.size > 0 ? this.#tainted.get(value) : undefined;
  }

  /** Note that `tuple` holds `token`. */
  taint(tuple: object, token: Token): void {
    this.#tainted.set(tuple, token);
  }

  /** Throw if `value` is a symbol, or a tuple that holds one. */
  datum(value: unknown): void {
    const token = typeof value === "object" && value !== null ? this.tokenIn(value) : undefined;
    if (!token) return;
    const { symbol, offset } = token;
    this.refuse(
      new UnsafeError(
        "FORBIDDEN_CALL",
        `Refused ${quote(symbol)} of byte ${offset} as a value: a symbol is no data.`,
        { offset, symbol, opcode: this.#here.name, at: this.#here.place },
      ),
      symbol,
    );
  }

  /** Carry out a pattern; in an audit a refusal leaves an unknown value and the walk goes on. */
  attempt<T>(subject: unknown, argument: unknown, act: () => T): T | Unknown {
    if (subject instanceof Unknown || argument instanceof Unknown) return new Unknown();
    if (!this.#audit) return act();
    try {
      return act();
    } catch (error) {
      if (!(error instanceof UnsafeError)) throw error;
      this.refuse(error, error.symbol ?? "");
      return new Unknown();
    }
  }

  /** Throw `error`, or list it in an audit. */
  refuse(error: UnsafeError, symbol: string): void {
    if (!this.#audit) throw error;
    const { offset, at = "" } = error;
    this.#audit.push({ symbol, opcode: this.#here.name, offset: offset!, at, verdict: "refused", error });
  }

  /** An opcode met `target` where it wants `wanted`: only what an audit left unknown may stand there. */
  mustBeUnknown(target: unknown, wanted: string): void {
    if (target instanceof Unknown) return;
    if (!(target instanceof Token)) throw this.#here.badStack(`wants ${wanted}`);
    this.datum(target);
  }

  /** What is wrong with an opcode that asks for things outside the file. */
  forbiddenOpcode(): UnsafeError {
    const { at, name } = this.#here;
    const hint = name === "PERSID" || name === "BINPERSID" ? "This looks like a PyTorch file." : undefined;
    return new UnsafeError(
      "FORBIDDEN_OPCODE",
      `Refused ${name} at byte ${at}: it asks for things outside the file.${hint ? " " + hint : ""}`,
      { offset: at, opcode: name, hint },
    );
  }
}

/** What `numpy.float32`, `numpy.bool_` and `numpy.dtypes.Float32DType` are called. */
function dtypeName(name: string): string {
  if (name.endsWith("DType")) return name.slice(0, -"DType".length).toLowerCase();
  return name === "bool_" ? "bool" : name;
}
