/**
 * Guards the symbols that a pickle names: they come from the closed table, are used only by the patterns of calls.ts, and never become
 * values (RULES.md PKL-4). A refusal is thrown or, in an audit, listed.
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
  /** The error of a refusal. */
  error?: PaddleError;
}

/** The symbols of one pickle. */
export class SymbolGuard {
  readonly #here: Here;
  readonly #audit: PickleFinding[] | undefined;
  /** Tuples that contain a symbol, and that symbol. */
  readonly #tainted = new Map<object, Token>();

  /** With `audit`, refusals are added to it, and an Unknown takes the place of what was refused. */
  constructor(here: Here, audit: PickleFinding[] | undefined) {
    this.#here = here;
    this.#audit = audit;
  }

  /** The stack item for a symbol. */
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

  /** The symbol that `value` is or contains. */
  tokenIn(value: object): Token | undefined {
    return value instanceof Token ? value : this.#tainted.size > 0 ? this.#tainted.get(value) : undefined;
  }

  /** Note that `tuple` contains `token`. */
  taint(tuple: object, token: Token): void {
    this.#tainted.set(tuple, token);
  }

  /** Refuse `value` if it is a symbol, or a tuple that contains one. */
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

  /** Execute a pattern; in an audit, a refusal leaves an Unknown and reading continues. */
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

  /** Throw `error` or, in an audit, list it. */
  refuse(error: UnsafeError, symbol: string): void {
    if (!this.#audit) throw error;
    const { offset, at = "" } = error;
    this.#audit.push({ symbol, opcode: this.#here.name, offset: offset!, at, verdict: "refused", error });
  }

  /** An opcode found `target` where it needs `wanted`: only an Unknown, left by an audit, is accepted. */
  mustBeUnknown(target: unknown, wanted: string): void {
    if (target instanceof Unknown) return;
    if (!(target instanceof Token)) throw this.#here.badStack(`wants ${wanted}`);
    this.datum(target);
  }

  /** The error of an opcode that needs something outside the file. */
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

/** The dtype's name for `float32`, `bool_` or `Float32DType`. */
function dtypeName(name: string): string {
  if (name.endsWith("DType")) return name.slice(0, -"DType".length).toLowerCase();
  return name === "bool_" ? "bool" : name;
}
