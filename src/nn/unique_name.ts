/**
 * `paddle.utils.unique_name`: the counters behind names such as `linear_0.w_0`.
 *
 * A {@linkcode NameScope} holds the counters. One scope belongs to the whole program, as in Paddle: a script needs to know nothing of it.
 * A server that makes a network for each request wants the same names each time, whatever other requests run meanwhile:
 *
 * ```ts
 * import { nn, utils } from "@oarlock/paddle";
 * const make = () => utils.uniqueName.guard(() => new nn.Linear(2, 2));
 * if (make().weight.name !== "linear_0.w_0" || make().weight.name !== "linear_0.w_0") throw new Error("counters shared");
 * ```
 *
 * `guard` runs a synchronous function, so nothing else can run inside it, and an `await` can't carry its counters to another request. To go
 * on with the same counters later, keep the scope: `const scope = new NameScope()`, then `guard(scope, () => ...)` as often as needed. A
 * Layer and an optimizer remember the scope they were made in, so what they name after an `await` is counted there, too.
 *
 * A name that the caller chooses (`ParamAttr.name`) is held in the scope, too: there can't be a second parameter of that name.
 *
 * @module
 */
import { ValueError } from "../errors.ts";

/** Counters for names, one for each key. Mirrors `UniqueNameGenerator` and the set of parameter names beside it. */
export class NameScope {
  /** What every name begins with. */
  readonly prefix: string;
  readonly #next = new Map<string, number>();
  readonly #taken = new Set<string>();

  /** Make one whose counters are at 0. */
  constructor(prefix = "") {
    this.prefix = prefix;
  }

  /** `prefix + key + "_" + n`; n counts the calls with this key from 0. */
  generate(key: string): string {
    const n = this.#next.get(key) ?? 0;
    this.#next.set(key, n + 1);
    return `${this.prefix}${key}_${n}`;
  }

  /**
   * Take a name that the caller chose for a parameter (`ParamAttr.name`): two parameters of one scope can't both have it.
   *
   * @throws {ValueError} `NAME_COLLISION` where it is taken
   */
  claim(name: string): void {
    if (this.#taken.has(name)) {
      throw new ValueError("NAME_COLLISION", `The parameter name ${JSON.stringify(name)} is taken: give another`, {
        names: [name],
      });
    }
    this.#taken.add(name);
  }
}

let current: NameScope = /* @__PURE__ */ new NameScope();

/** The scope that names come from now. */
export function currentScope(): NameScope {
  return current;
}

/**
 * A name that no earlier call gave in this scope: `fc_0`, `fc_1`, ...
 *
 * Mirrors `paddle.utils.unique_name.generate` (3.3).
 */
export function generate(key: string): string {
  return current.generate(key);
}

/**
 * Run `body` with counters of their own, which start at 0; the counters of before go on after it, also when it throws. Given a string,
 * every name begins with it; given a scope, its counters go on.
 *
 * Mirrors `with paddle.utils.unique_name.guard(...)` (3.3).
 *
 * @throws {ValueError} `INVALID_VALUE` where `body` gives a promise: other code would run before it ends, with or without these counters.
 * Keep a {@linkcode NameScope} and guard each synchronous part
 *
 * @example
 * ```ts
 * import { utils } from "@oarlock/paddle";
 * const { generate, guard } = utils.uniqueName;
 * const names = guard("A_", () => [generate("fc"), generate("fc")]);
 * if (names.join() !== "A_fc_0,A_fc_1") throw new Error(names.join());
 * ```
 */
export function guard<T>(body: () => T): T;
/** With a prefix, or with counters that go on. */
export function guard<T>(scope: NameScope | string | null, body: () => T): T;
export function guard<T>(first: NameScope | string | null | (() => T), second?: () => T): T {
  const body = typeof first === "function" ? first : second!;
  const scope = first instanceof NameScope ? first : new NameScope(typeof first === "string" ? first : "");
  const before = current;
  current = scope;
  let result: T;
  try {
    result = body();
  } finally {
    current = before;
  }
  if (result instanceof Promise) {
    // What it rejects with is less than what is wrong here, and nobody else will see it.
    result.catch(() => {});
    throw new ValueError("INVALID_VALUE", "The function given to guard must be synchronous", {
      hint: "keep a NameScope and guard each synchronous part with it",
    });
  }
  return result;
}

/**
 * Take names from another scope from now on, or from a new one; gives the scope of before. It is for scripts: in a server, every request
 * would take its names there.
 *
 * Mirrors `paddle.utils.unique_name.switch` (3.3).
 */
function switchScope(scope: NameScope = new NameScope()): NameScope {
  const before = current;
  current = scope;
  return before;
}
export { switchScope as switch };
