/**
 * Quasi-Newton steps by the last gradients.
 *
 * @module
 */
import { UnsupportedError, ValueError } from "../errors.ts";
import { rememberFloat } from "../floats.ts";
import { NDArray } from "../ndarray.ts";
import { bind, type Call, type Signature } from "../nn/arguments.ts";
import { Parameter } from "../nn/parameter.ts";
import { Tensor } from "../tensor.ts";
import { Float, NumpyScalar, SelectedRows, type Value } from "../values.ts";
import { check, kindOf } from "./arguments.ts";

const f = Math.fround;

/** Arguments of {@linkcode LBFGS}. */
export interface LBFGSOptions {
  /** A factor for the direction. @default {1} */
  learningRate?: number;
  /** Most iterations of a step. @default {20} */
  maxIter?: number;
  /** Most calls of the closure in a step; null: 5/4 of `maxIter`. @default {null} */
  maxEval?: number | null;
  /** Stop where no gradient is greater. @default {1e-7} */
  toleranceGrad?: number;
  /** Stop where nothing changes by more. @default {1e-9} */
  toleranceChange?: number;
  /** How many gradients are kept. @default {100} */
  historySize?: number;
  /** The search along the direction: none. Paddle's `"strong_wolfe"` is refused. @default {null} */
  lineSearchFn?: null;
  /** What is trained. */
  parameters?: Iterable<Parameter> | null;
}

const ARGUMENTS: Signature<LBFGSOptions> = {
  name: "LBFGS",
  defaults: {
    learningRate: 1,
    maxIter: 20,
    maxEval: null,
    toleranceGrad: 1e-7,
    toleranceChange: 1e-9,
    historySize: 100,
    lineSearchFn: null,
    parameters: null,
  },
};

type Vector = Float32Array<ArrayBuffer>;

/** What is kept from step to step; the tensors of the state are these arrays. */
interface Memory {
  funcEvals: number;
  iterations: number;
  al: (number | null)[] | null;
  d: Vector;
  alpha: number;
  oldYk: Vector[];
  oldSk: Vector[];
  ro: number[];
  hDiag: number;
  previousGradient: Vector;
  previousLoss: number;
}

/**
 * L-BFGS: each step asks the caller's closure for the loss and the gradients as often as it needs.
 *
 * Mirrors `paddle.optimizer.LBFGS` (3.3) without a line search. Its sums are added in another order than Paddle's, so the numbers agree to some
 * last places, not to the bit. Unlike Paddle's, it takes its state back: `setStateDict` goes on where `stateDict` was taken.
 */
export class LBFGS {
  readonly #options: Required<LBFGSOptions>;
  readonly #parameters: readonly Parameter[];
  readonly #size: number;
  #memory: Memory | null = null;

  /**
   * Make one, with Paddle's arguments by position or by name.
   *
   * @throws {UnsupportedError} `UNSUPPORTED_FEATURE` for a line search
   */
  constructor(
    ...args: Call<
      LBFGSOptions,
      [
        "learningRate",
        "maxIter",
        "maxEval",
        "toleranceGrad",
        "toleranceChange",
        "historySize",
        "lineSearchFn",
        "parameters",
      ]
    >
  ) {
    const options = bind(ARGUMENTS, args);
    if (options.lineSearchFn !== null) {
      throw new UnsupportedError(
        "UNSUPPORTED_FEATURE",
        `LBFGS has no line search ${String(options.lineSearchFn)}: use null`,
      );
    }
    const { parameters, historySize, maxIter } = options;
    check(
      parameters !== null && !(parameters instanceof NDArray),
      "parameters argument given to the optimizer should be an iterable of Tensors",
    );
    check(
      Number.isInteger(historySize) && historySize > 0,
      `historySize is a whole number above 0: got ${historySize}`,
    );
    check(Number.isInteger(maxIter) && maxIter > 0, `maxIter is a whole number above 0: got ${maxIter}`);
    this.#options = options;
    this.#parameters = [...parameters!];
    for (const parameter of this.#parameters) {
      check(parameter instanceof Parameter, `parameters are Parameters: got ${kindOf(parameter)}`);
      check(parameter.dtype === "float32", `LBFGS computes in float32: ${parameter.name} is ${parameter.dtype}`);
    }
    this.#size = this.#parameters.reduce((sum, parameter) => sum + parameter.size, 0);
  }

  /** Drop the gradients of all parameters, or make those that are there zeros. */
  clearGrad(setToZero = true): void {
    for (const parameter of this.#parameters) parameter.clearGrad(setToZero);
  }

  /**
   * One step. `closure` clears the gradients, computes loss and gradients for the parameters as they are, puts the gradients into
   * `parameter.grad`, and gives the loss. Gives the loss before the step.
   *
   * @throws {ValueError} `INVALID_VALUE` where the loss is no number, or a gradient is no dense float32 array of its parameter's shape
   */
  step(closure: () => number): number {
    const { learningRate, maxIter, toleranceGrad, toleranceChange, historySize } = this.#options;
    const maxEval = this.#options.maxEval ?? Math.floor(maxIter * 5 / 4);
    const firstLoss = lossOf(closure);
    let loss = firstLoss;
    let evaluations = 1;
    const memory = this.#memory ??= emptyMemory();
    memory.funcEvals++;
    let gradient = this.#gradient();
    if (greatest(gradient) <= toleranceGrad) return firstLoss;
    for (let iteration = 1;; iteration++) {
      memory.iterations++;
      if (memory.iterations === 1) memory.d = gradient.map((x) => -x);
      else this.#direct(memory, gradient, historySize);
      memory.previousGradient = gradient.slice();
      memory.previousLoss = loss;
      const start = memory.iterations === 1 ? Math.min(1, f(1 / sum(gradient.map(Math.abs)))) : 1;
      memory.alpha = start * learningRate;
      if (dot(gradient, memory.d) > -toleranceChange) break;
      this.#move(memory.alpha, memory.d);
      let isFlat = false;
      if (iteration !== maxIter) {
        loss = lossOf(closure);
        gradient = this.#gradient();
        isFlat = greatest(gradient) <= toleranceGrad;
        evaluations++;
        memory.funcEvals++;
      }
      if (isFlat || greatest(memory.d) * memory.alpha <= toleranceChange) break;
      if (Math.abs(loss - memory.previousLoss) < toleranceChange) break;
      if (evaluations >= maxEval || iteration === maxIter) break;
    }
    return firstLoss;
  }

  /** The next direction: the gradient through the two loops of L-BFGS. */
  #direct(memory: Memory, gradient: Vector, historySize: number): void {
    const y = gradient.map((x, i) => x - memory.previousGradient[i]);
    const s = memory.d.map((x) => x * f(memory.alpha));
    const ys = dot(y, s);
    if (ys > 1e-10) {
      if (memory.oldYk.length === historySize) [memory.oldYk, memory.oldSk, memory.ro].forEach((list) => list.shift());
      memory.oldYk.push(y);
      memory.oldSk.push(s);
      memory.ro.push(f(1 / ys));
      memory.hDiag = f(ys / dot(y, y));
    }
    const al = memory.al ??= new Array(historySize).fill(null);
    const q = gradient.map((x) => -x);
    for (let i = memory.oldYk.length - 1; i >= 0; i--) {
      const a = al[i] = f(dot(memory.oldSk[i], q) * memory.ro[i]);
      for (let k = 0; k < q.length; k++) q[k] += f(memory.oldYk[i][k] * -a);
    }
    for (let k = 0; k < q.length; k++) q[k] *= memory.hDiag;
    for (let i = 0; i < memory.oldYk.length; i++) {
      const b = f(al[i]! - f(dot(memory.oldYk[i], q) * memory.ro[i]));
      for (let k = 0; k < q.length; k++) q[k] += f(memory.oldSk[i][k] * b);
    }
    memory.d = q;
  }

  /** All gradients, one after the other; zeros where there is none. */
  #gradient(): Vector {
    const flat = new Float32Array(this.#size);
    let offset = 0;
    for (const { name, grad, shape, size } of this.#parameters) {
      if (grad !== null) {
        const isDense = !(grad instanceof SelectedRows) && grad.dtype === "float32" &&
          grad.shape.join() === shape.join();
        check(isDense, `The gradient of ${name} is a float32 array [${shape}]`);
        flat.set((grad as NDArray).data as Float32Array, offset);
      }
      offset += size;
    }
    return flat;
  }

  #move(alpha: number, d: Vector): void {
    let offset = 0;
    for (const parameter of this.#parameters) {
      const data = parameter.data as Float32Array;
      for (let i = 0; i < data.length; i++) data[i] += f(d[offset + i] * f(alpha));
      offset += parameter.size;
    }
  }

  /** The state with Paddle's keys: `{"state": {...}}`, which is empty before the first step. */
  stateDict(): Map<string, Value> {
    const state = new Map<string, Value>();
    const memory = this.#memory;
    if (memory) state.set("func_evals", memory.funcEvals).set("n_iter", memory.iterations);
    if (memory && memory.iterations > 0) {
      if (memory.al) state.set("al", memory.al.map((x) => x === null ? null : scalar(x)));
      state.set("d", vector(memory.d)).set("alpha", memory.alpha);
      rememberFloat(state, "alpha", memory.alpha);
      state.set("old_yk", memory.oldYk.map(vector)).set("old_sk", memory.oldSk.map(vector));
      state.set("ro", memory.ro.map(scalar)).set("H_diag", scalar(memory.hDiag));
      state.set("prev_flat_grad", vector(memory.previousGradient)).set("prev_loss", memory.previousLoss);
      rememberFloat(state, "prev_loss", memory.previousLoss);
    }
    return new Map([["state", state]]);
  }

  /**
   * Go on where `state` was taken. Paddle's own LBFGS ignores what it is given.
   *
   * @throws {ValueError} `INVALID_VALUE` where a key is missing, or of another kind or size; nothing is changed then
   */
  setStateDict(state: ReadonlyMap<Value, Value>): void {
    const inner = state instanceof Map ? state.get("state") : undefined;
    if (!(inner instanceof Map)) {
      throw new ValueError("INVALID_VALUE", `LBFGS's state is {"state": {...}}: got ${kindOf(inner)}`);
    }
    if (inner.size === 0) {
      this.#memory = null;
      return;
    }
    const take = (key: string): Value => {
      if (!inner.has(key)) {
        throw new ValueError("INVALID_VALUE", `LBFGS's state has no ${key}`, { at: `["state"]["${key}"]` });
      }
      return inner.get(key);
    };
    const list = (key: string): Value[] => {
      const value = take(key);
      check(Array.isArray(value), `${key} of LBFGS's state is a list: got ${kindOf(value)}`);
      return value as Value[];
    };
    const [funcEvals, iterations] = [numberOf("func_evals", take("func_evals")), numberOf("n_iter", take("n_iter"))];
    if (iterations === 0) {
      this.#memory = { ...emptyMemory(), funcEvals };
      return;
    }
    const al = inner.has("al") ? list("al").map((x) => x === null ? null : numberOf("al", x)) : null;
    this.#memory = {
      funcEvals,
      iterations,
      al,
      d: this.#vectorOf("d", take("d")),
      alpha: numberOf("alpha", take("alpha")),
      oldYk: list("old_yk").map((x) => this.#vectorOf("old_yk", x)),
      oldSk: list("old_sk").map((x) => this.#vectorOf("old_sk", x)),
      ro: list("ro").map((x) => numberOf("ro", x)),
      hDiag: numberOf("H_diag", take("H_diag")),
      previousGradient: this.#vectorOf("prev_flat_grad", take("prev_flat_grad")),
      previousLoss: numberOf("prev_loss", take("prev_loss")),
    };
  }

  #vectorOf(key: string, value: Value): Vector {
    const fits = value instanceof NDArray && value.dtype === "float32" && value.size === this.#size;
    check(fits, `${key} of LBFGS's state is a float32 array of ${this.#size} numbers`);
    return Float32Array.from((value as NDArray).data as Float32Array);
  }
}

/** Before the first iteration. */
function emptyMemory(): Memory {
  const none = new Float32Array(0);
  return {
    funcEvals: 0,
    iterations: 0,
    al: null,
    d: none,
    alpha: 0,
    oldYk: [],
    oldSk: [],
    ro: [],
    hDiag: 1,
    previousGradient: none,
    previousLoss: 0,
  };
}

function lossOf(closure: () => number): number {
  const loss: unknown = closure();
  if (typeof loss === "number") return f(loss);
  throw new ValueError("INVALID_VALUE", `The closure gives the loss, a number: got ${kindOf(loss)}`);
}

function sum(numbers: Vector): number {
  return f(numbers.reduce((total, x) => total + x, 0));
}

function dot(a: Vector, b: Vector): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return f(total);
}

function greatest(numbers: Vector): number {
  let most = 0;
  for (const x of numbers) if (!(Math.abs(x) <= most)) most = Math.abs(x);
  return most;
}

function vector(numbers: Vector): Tensor {
  return new Tensor("float32", [numbers.length], numbers.slice());
}

function scalar(x: number): Tensor {
  return new Tensor("float32", [], new Float32Array([x]));
}

function numberOf(key: string, value: Value): number {
  if (value instanceof NDArray && value.size === 1) value = value.reshape([1]).at(0);
  if (value instanceof Float || value instanceof NumpyScalar) value = value.value;
  if (typeof value === "number") return value;
  throw new ValueError("INVALID_VALUE", `${key} of LBFGS's state is a number: got ${kindOf(value)}`);
}
