/**
 * Guards the symbols that a pickle names: they come from the closed table, are used only by the patterns of calls.ts and call_patterns.ts,
 * and never become values (RULES.md PKL-4). A refusal is thrown or, in an audit, listed.
 *
 * @module
 */
import { quote, UnsafeError } from "../../errors.ts";
import { DTypeValue } from "../../values.ts";
import { type Budget, PRICES } from "../../limits.ts";
import type { Here } from "./here.ts";
import type { Container } from "./nesting.ts";
import type { PickleAudit, PickleFinding, Wanted } from "./pickle_audit.ts";
import { Token, Unknown } from "./pickled.ts";
import { lookUpSymbol } from "./symbols.ts";

/** Maximum UTF-16 units reported of a module or name: a file may use a string of megabytes as a name many times. */
const MOST_UNITS = 200;

function shortened(name: string): string {
  return name.length > MOST_UNITS ? name.slice(0, MOST_UNITS) + "…" : name;
}

/** How the refusal of a symbol goes on. */
const NEVER_CALLED =
  "Nothing is ever imported or called. If the file is yours, save plain values in place of that object; " +
  'if not, do not load it in Python. audit(file, { unknown: "opaque" }) returns all the rest.';
/** The same if the name of the module ends in CR: the line feed after it ended the opcode's argument. */
const HAS_CR = "Lines of the file end in CR LF: it was transferred as text, which damaged it. Copy it as binary.";

/** Bytes charged for a refusal that a pattern throws during an audit: errors take time and memory, and a file may cause many. */
const THROWN = 65_536;

/** The symbols of one pickle. */
export class SymbolGuard {
  readonly #here: Here;
  readonly #budget: Budget;
  readonly #audit: PickleAudit | undefined;
  #hasError = false;
  /** Tuples that contain a symbol, and that symbol. */
  readonly #tainted = new Map<object, Token>();

  /** With `audit`, refusals are added to its findings, and an Unknown takes the place of what was refused. */
  constructor(here: Here, budget: Budget, audit: PickleAudit | undefined) {
    this.#here = here;
    this.#budget = budget;
    this.#audit = audit;
  }

  /** The stack item for a symbol. */
  lookUp(module: string, name: string): Token | DTypeValue | Unknown {
    const here = this.#here;
    const { at } = here;
    const kind = lookUpSymbol(module, name);
    const symbol = shortened(module) + "." + shortened(name);
    if (kind === undefined) {
      this.#refuseWith(
        () =>
          new UnsafeError(
            "FORBIDDEN_SYMBOL",
            `Refused symbol ${quote(symbol)} at byte ${at}. ${module.endsWith("\r") ? HAS_CR : NEVER_CALLED}`,
            { offset: at, symbol, opcode: here.name, at: here.path },
          ),
        symbol,
        at,
      );
      return this.#audit!.unknown(symbol, this.#budget, this.#here.at);
    }
    if (this.#audit) this.#list({ symbol, opcode: here.name, offset: at, at: here.path, verdict: "used-as-data" });
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
    this.#refuseWith(
      () =>
        new UnsafeError(
          "FORBIDDEN_CALL",
          `Refused ${quote(symbol)} at byte ${offset} as a value: a symbol is not data.`,
          { offset, symbol, opcode: this.#here.name, at: this.#here.path },
        ),
      symbol,
      offset,
    );
  }

  /** Execute a pattern; in an audit, a refusal leaves an Unknown and reading continues. */
  attempt<T>(subject: unknown, args: readonly unknown[], act: () => T): T | Unknown {
    if (!this.#audit) return act();
    try {
      if (!(subject instanceof Unknown || args[0] instanceof Unknown)) return act();
    } catch (error) {
      if (!(error instanceof UnsafeError)) throw error;
      this.refuse(error, error.symbol ?? "");
    }
    const symbol = subject instanceof Unknown || subject instanceof Token ? subject.symbol : "";
    return this.#audit.unknown(symbol, this.#budget, this.#here.at, args);
  }

  /** Throw `error` or, in an audit, list it. */
  refuse(error: UnsafeError, symbol: string): void {
    if (!this.#audit) throw error;
    const { offset, at = "" } = error;
    this.#budget.charge(THROWN, offset!);
    this.#list({ symbol, opcode: this.#here.name, offset: offset!, at, verdict: "refused", error });
  }

  /** The same, but the error is created only if it is thrown or is the first of an audit: a file may have a million refusals. */
  #refuseWith(make: () => UnsafeError, symbol: string, offset: number): void {
    const audit = this.#audit;
    if (!audit || !this.#hasError) return this.refuse(make(), symbol);
    this.#list({ symbol, opcode: this.#here.name, offset, at: this.#here.path, verdict: "refused" });
  }

  #list(finding: PickleFinding): void {
    this.#budget.charge(PRICES.tensor, this.#here.at);
    this.#hasError ||= finding.error !== undefined;
    this.#audit!.findings.push(finding);
  }

  /**
   * An opcode found `target` where it needs `wanted`: only an Unknown, left by an audit, is accepted. Returns the container which keeps
   * what is added to it, or null if nothing is kept.
   */
  itemsOf(target: unknown, wanted: Wanted): Container | null {
    if (target instanceof Unknown) return this.#audit!.itemsOf(target, wanted);
    if (!(target instanceof Token)) throw this.#here.badStack(`wants ${wanted}`);
    this.datum(target);
    return null;
  }

  /** The error of an opcode that needs something outside the file. */
  forbiddenOpcode(): UnsafeError {
    const { at, name } = this.#here;
    const hint = name === "PERSID" || name === "BINPERSID" ? "This looks like a PyTorch file." : undefined;
    return new UnsafeError(
      "FORBIDDEN_OPCODE",
      `Refused ${name} at byte ${at}: it refers to things outside the file.${hint ? " " + hint : ""}`,
      { offset: at, opcode: name, hint },
    );
  }
}

/** The dtype's name for `float32`, `bool_` or `Float32DType`. */
function dtypeName(name: string): string {
  if (name.endsWith("DType")) return name.slice(0, -"DType".length).toLowerCase();
  return name === "bool_" ? "bool" : name;
}
