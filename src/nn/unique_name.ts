/**
 * `paddle.utils.unique_name`: the counters behind names such as `linear_0.w_0`.
 *
 * A {@linkcode NameScope} holds the counters. As in Paddle, there is one scope for the whole program, and scripts need not care about it. A
 * server that creates a network for each request wants the same names each time, whatever other requests are running:
 *
 * ```ts
 * import { nn, utils } from "@oarlock/paddle";
 * const make = () => utils.uniqueName.guard(() => new nn.Linear(2, 2));
 * if (make().weight.name !== "linear_0.w_0" || make().weight.name !== "linear_0.w_0") throw new Error("counters shared");
 * ```
 *
 * `guard` runs a synchronous function, so nothing else can run inside it, and an `await` can't carry its counters over to another request.
 * To continue with the same counters later, keep the scope: `const scope = new NameScope()`, then `guard(scope, () => ...)` as often as
 * needed. Layers and optimizers remember the scope they were created in, so names they generate after an `await` are counted there, too.
 *
 * The scope also records names chosen by the caller (`ParamAttr.name`): there can't be a second parameter of that name.
 *
 * @module
 */
import { ValueError } from "../errors.ts";

/** Counters for names, one per key. Mirrors `UniqueNameGenerator` and the set of parameter names that goes with it. */
export class NameScope {
  /** The prefix of every name. */
  readonly prefix: string;
  readonly #next = new Map<string, number>();
  readonly #taken = new Set<string>();

  /** Creates a scope whose counters are at 0. */
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
   * Claim a name that the caller chose for a parameter (`ParamAttr.name`): no two parameters in a scope can have the same one.
   *
   * @throws {ValueError} `NAME_COLLISION` if it is taken
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

/** The scope that is currently in use. */
export function currentScope(): NameScope {
  return current;
}

/**
 * Generates a name that no earlier call returned in this scope: `fc_0`, `fc_1`, ...
 *
 * Mirrors `paddle.utils.unique_name.generate` (3.3).
 */
export function generate(key: string): string {
  return current.generate(key);
}

/**
 * Run `body` with counters of its own, which start at 0; afterwards the previous counters are restored, even if it throws. With a string,
 * every name has that prefix; with a scope, its counters continue.
 *
 * Mirrors `with paddle.utils.unique_name.guard(...)` (3.3).
 *
 * @throws {ValueError} `INVALID_VALUE` if `body` returns a promise: other code could run before it settles and mix up the counters. Keep a
 * {@linkcode NameScope} and guard each synchronous part instead
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
/** Run `body` with a prefix, or with the counters of a scope. */
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
    // Nobody else handles its rejection, and the error thrown here is more important.
    result.catch(() => {});
    throw new ValueError("INVALID_VALUE", "The function given to guard must be synchronous", {
      hint: "keep a NameScope and guard each synchronous part with it",
    });
  }
  return result;
}

/**
 * Use another scope, by default a new one, from now on; returns the previous one. This is for scripts: in a server, it would affect every
 * request.
 *
 * Mirrors `paddle.utils.unique_name.switch` (3.3).
 */
function switchScope(scope: NameScope = new NameScope()): NameScope {
  const before = current;
  current = scope;
  return before;
}
export { switchScope as switch };
