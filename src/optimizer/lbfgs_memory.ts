/**
 * What L-BFGS remembers from step to step, and the state dict that it is saved as.
 *
 * @module
 */
import { ValueError } from "../errors.ts";
import type { Lane, Precision } from "../kernel/lanes.ts";
import { NDArray } from "../ndarray.ts";
import { Tensor } from "../tensor.ts";
import { Float, NumpyScalar, type Value } from "../values.ts";
import { rememberFloat } from "../words/floats.ts";
import { check, kindOf } from "./arguments.ts";
import { float, type Scalar, ZERO } from "./scalar.ts";

/** What is kept from step to step, and saved in the state. */
export interface Memory {
  funcEvals: number;
  iterations: number;
  al: (number | null)[] | null;
  /** Whether `al` was created in a later step than the first, which makes it the last key of the state. */
  isAlLast: boolean;
  d: Lane;
  alpha: Scalar;
  oldYk: Lane[];
  oldSk: Lane[];
  ro: number[];
  hDiag: number;
  previousGradient: Lane;
  previousLoss: number;
}

/** The memory before the first iteration. */
export function emptyMemory(precision: Precision): Memory {
  const none = vector(precision, []);
  return {
    funcEvals: 0,
    iterations: 0,
    al: null,
    isAlLast: false,
    d: none,
    alpha: ZERO,
    oldYk: [],
    oldSk: [],
    ro: [],
    hDiag: 1,
    previousGradient: none,
    previousLoss: 0,
  };
}

/** A copy of numbers, in the precision of the parameters. */
export function vector(precision: Precision, numbers: ArrayLike<number>): Lane {
  return precision === "float64" ? new Float64Array(numbers) : new Float32Array(numbers);
}

/** The state with Paddle's keys; it is empty before the first step. */
export function stateOf(memory: Memory | null, precision: Precision): Map<string, Value> {
  const state = new Map<string, Value>();
  if (memory) state.set("func_evals", memory.funcEvals).set("n_iter", memory.iterations);
  if (!memory || memory.iterations === 0) return state;
  const saved = (numbers: Lane) => new Tensor(precision, [numbers.length], numbers.slice());
  const scalar = (x: number) => new Tensor(precision, [], vector(precision, [x]));
  const al = memory.al?.map((x) => x === null ? null : scalar(x));
  if (al && !memory.isAlLast) state.set("al", al);
  const { value, kind } = memory.alpha;
  state.set("d", saved(memory.d)).set("alpha", kind === "tensor" ? scalar(value) : value);
  if (kind === "float") rememberFloat(state, "alpha", value);
  state.set("old_yk", memory.oldYk.map(saved)).set("old_sk", memory.oldSk.map(saved));
  state.set("ro", memory.ro.map(scalar)).set("H_diag", scalar(memory.hDiag));
  state.set("prev_flat_grad", saved(memory.previousGradient)).set("prev_loss", memory.previousLoss);
  rememberFloat(state, "prev_loss", memory.previousLoss);
  if (al && memory.isAlLast) state.set("al", al);
  return state;
}

/**
 * The memory that a state was made of, for parameters with `size` elements in all.
 *
 * @throws {ValueError} `INVALID_VALUE` if a key is missing, or its value has another type or size
 */
export function memoryOf(state: ReadonlyMap<Value, Value>, precision: Precision, size: number): Memory | null {
  if (state.size === 0) return null;
  const take = (key: string): Value => {
    if (!state.has(key)) {
      throw new ValueError("INVALID_VALUE", `LBFGS's state has no ${key}`, { at: `["state"]["${key}"]` });
    }
    return state.get(key);
  };
  const list = (key: string): Value[] => {
    const value = take(key);
    check(Array.isArray(value), `${key} of LBFGS's state is a list: got ${kindOf(value)}`);
    return value as Value[];
  };
  const vectorOf = (key: string, value: Value): Lane => {
    const fits = value instanceof NDArray && value.dtype === precision && value.size === size;
    check(fits, `${key} of LBFGS's state is a ${precision} array of ${size} numbers`);
    return vector(precision, (value as NDArray).data as Lane);
  };
  const [funcEvals, iterations] = [numberOf("func_evals", take("func_evals")), numberOf("n_iter", take("n_iter"))];
  if (iterations === 0) return { ...emptyMemory(precision), funcEvals };
  return {
    funcEvals,
    iterations,
    al: state.has("al") ? list("al").map((x) => x === null ? null : numberOf("al", x)) : null,
    isAlLast: [...state.keys()].at(-1) === "al",
    d: vectorOf("d", take("d")),
    alpha: alphaOf(take("alpha")),
    oldYk: list("old_yk").map((x) => vectorOf("old_yk", x)),
    oldSk: list("old_sk").map((x) => vectorOf("old_sk", x)),
    ro: list("ro").map((x) => numberOf("ro", x)),
    hDiag: numberOf("H_diag", take("H_diag")),
    previousGradient: vectorOf("prev_flat_grad", take("prev_flat_grad")),
    previousLoss: numberOf("prev_loss", take("prev_loss")),
  };
}

/** A tensor or a float; the int 0 only if the line search found no point. */
function alphaOf(given: Value): Scalar {
  const value = numberOf("alpha", given);
  if (given instanceof NDArray) return { value, kind: "tensor" };
  return value === 0 && !(given instanceof Float) ? ZERO : float(value);
}

function numberOf(key: string, value: Value): number {
  if (value instanceof NDArray && value.size === 1) value = value.reshape([1]).at(0);
  if (value instanceof Float || value instanceof NumpyScalar) value = value.value;
  if (typeof value === "number") return value;
  throw new ValueError("INVALID_VALUE", `${key} of LBFGS's state is a number: got ${kindOf(value)}`);
}
