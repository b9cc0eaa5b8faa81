/**
 * L-BFGS: quasi-Newton steps from the most recent gradients.
 *
 * @module
 */
import { ValueError, type Warning } from "../errors.ts";
import type { Lane, Precision } from "../kernel/lanes.ts";
import { NDArray } from "../ndarray.ts";
import { bind, type Call, type Signature } from "../nn/arguments.ts";
import { type GradClip, isGradClip } from "../nn/clip.ts";
import { Parameter } from "../nn/parameter.ts";
import { L1Decay, L2Decay, type Regularizer } from "../regularizer/mod.ts";
import { SelectedRows, type Value } from "../values.ts";
import { check, kindOf } from "./arguments.ts";
import { emptyMemory, type Memory, memoryOf, stateOf, vector } from "./lbfgs_memory.ts";
import { precisionOf, roundingOf } from "./numbers.ts";
import { type Arithmetic, arithmetic, float, type Scalar, ZERO } from "./scalar.ts";
import { type Place, strongWolfe } from "./strong_wolfe.ts";
import { sumOf } from "./tree_sum.ts";

/** Arguments of {@linkcode LBFGS}. */
export interface LBFGSOptions {
  /** The step length along the direction. @default {1} */
  learningRate?: number;
  /** Maximum number of iterations per step. @default {20} */
  maxIter?: number;
  /** Maximum number of closure calls per step; null: 5/4 of `maxIter`. @default {null} */
  maxEval?: number | null;
  /** Stop when no element of the gradient exceeds this in magnitude. @default {1e-7} */
  toleranceGrad?: number;
  /** Stop when neither the loss nor any parameter changes by more than this. @default {1e-9} */
  toleranceChange?: number;
  /** How many past updates are kept. @default {100} */
  historySize?: number;
  /** The line search; null: a fixed step of `learningRate`. @default {null} */
  lineSearchFn?: "strong_wolfe" | null;
  /** The parameters to train. */
  parameters?: Iterable<Parameter> | null;
  /** Accepted but ignored, as in Paddle, with a warning: apply the decay in the closure instead. @default {null} */
  weightDecay?: number | Regularizer | null;
  /** Accepted but ignored, as in Paddle, with a warning: clip in the closure instead. @default {null} */
  gradClip?: GradClip | null;
  /** Accepted as in Paddle; no name in the state of LBFGS contains it. @default {null} */
  name?: string | null;
  /** Called with a warning about each argument that has no effect. */
  onWarning?: (warning: Warning) => void;
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
    weightDecay: null,
    gradClip: null,
    name: null,
    onWarning: () => {},
  },
  positional: 11,
  typed: ["maxIter", "toleranceGrad", "toleranceChange", "historySize"],
};

/**
 * L-BFGS: each step calls the caller's closure for the loss and the gradients as often as needed.
 *
 * Mirrors `paddle.optimizer.LBFGS` (3.3) on the CPU to the bit, including sums and line search, if the closure gives the same losses and
 * gradients. Unlike Paddle's, it restores its state: after `setStateDict` it continues where `stateDict` was called. Parameters must be all
 * float32 or all float64.
 */
export class LBFGS {
  readonly #options: Required<LBFGSOptions>;
  readonly #parameters: readonly Parameter[];
  readonly #size: number;
  readonly #precision: Precision;
  readonly #math: Arithmetic;
  #memory: Memory | null = null;

  /**
   * Takes Paddle's arguments by position or by name.
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
        "weightDecay",
        "gradClip",
        "name",
      ]
    >
  ) {
    const options = bind(ARGUMENTS, args);
    const { parameters, historySize, maxIter, lineSearchFn } = options;
    check(lineSearchFn === null || lineSearchFn === "strong_wolfe", "only 'strong_wolfe' is supported");
    check(
      parameters !== null && !(parameters instanceof NDArray),
      "parameters argument given to the optimizer should be an iterable of Tensors",
    );
    check(
      Number.isInteger(historySize) && historySize > 0,
      `historySize is a whole number above 0: got ${historySize}`,
    );
    check(Number.isInteger(maxIter) && maxIter > 0, `maxIter is a whole number above 0: got ${maxIter}`);
    for (const warning of unused(options)) options.onWarning(warning);
    this.#options = options;
    this.#parameters = [...parameters!];
    for (const parameter of this.#parameters) {
      // Groups are refused: Paddle's steps would update only the last one.
      check(parameter instanceof Parameter, `parameters of LBFGS are Parameters: got ${kindOf(parameter)}`);
      const { dtype, name } = parameter;
      const fits = (dtype === "float32" || dtype === "float64") && dtype === this.#parameters[0].dtype;
      check(fits, `LBFGS takes parameters that are all float32 or all float64: ${name} is ${dtype}`);
    }
    this.#precision = precisionOf(this.#parameters[0]?.dtype ?? "float32");
    this.#math = arithmetic(roundingOf(this.#precision));
    this.#size = this.#parameters.reduce((sum, parameter) => sum + parameter.size, 0);
  }

  /** Set the existing gradients of all parameters to zeros, or drop them if `setToZero` is false. */
  clearGrad(setToZero = true): void {
    for (const parameter of this.#parameters) parameter.clearGrad(setToZero);
  }

  /**
   * Take one step. `closure` clears the gradients, computes loss and gradients at the current parameters, puts the gradients into
   * `parameter.grad`, and returns the loss. Returns the loss before the step.
   *
   * @throws {ValueError} `INVALID_VALUE` if the loss is not a number, or a gradient is not a dense array of its parameter's dtype and shape
   */
  step(closure: () => number): number {
    const { learningRate, maxIter, toleranceGrad, toleranceChange, historySize, lineSearchFn } = this.#options;
    const { round } = this.#math;
    const maxEval = this.#options.maxEval ?? Math.floor(maxIter * 5 / 4);
    const firstLoss = this.#loss(closure);
    let loss = firstLoss;
    let evaluations = 1;
    const memory = this.#memory ??= emptyMemory(this.#precision);
    if (memory.al === null) memory.isAlLast = memory.iterations > 0;
    memory.funcEvals++;
    let gradient = this.#gradient();
    if (greatest(gradient) <= round(toleranceGrad)) return firstLoss;
    for (let iteration = 1;; iteration++) {
      memory.iterations++;
      if (memory.iterations === 1) memory.d = gradient.map((x) => -x);
      else this.#direct(memory, gradient, historySize);
      memory.previousGradient = gradient.slice();
      memory.previousLoss = loss;
      memory.alpha = memory.iterations === 1 ? this.#firstAlpha(gradient) : float(learningRate);
      const slope = this.#dot(gradient, memory.d);
      if (slope > round(-toleranceChange)) break;
      let calls = 0;
      let isFlat = false;
      if (lineSearchFn !== null) {
        const found = this.#search(closure, memory, loss, gradient, slope);
        ({ gradient, alpha: memory.alpha } = found.place);
        loss = found.place.loss.value;
        calls = found.visits;
        this.#move(memory.alpha, memory.d);
        isFlat = greatest(gradient) <= round(toleranceGrad);
      } else {
        this.#move(memory.alpha, memory.d);
        if (iteration !== maxIter) {
          loss = this.#loss(closure);
          gradient = this.#gradient();
          isFlat = greatest(gradient) <= round(toleranceGrad);
          calls = 1;
        }
      }
      evaluations += calls;
      memory.funcEvals += calls;
      const alpha = round(memory.alpha.value);
      if (isFlat || greatest(memory.d.map((x) => x * alpha)) <= round(toleranceChange)) break;
      if (Math.abs(loss - memory.previousLoss) < toleranceChange) break;
      if (evaluations >= maxEval || iteration === maxIter) break;
    }
    return firstLoss;
  }

  /** `min(1.0, 1.0 / sum(abs(gradient))) * learningRate`; as in Python, the minimum is a float or a tensor. */
  #firstAlpha(gradient: Lane): Scalar {
    const { divide, lesser, multiply, tensor } = this.#math;
    const sum = sumOf(gradient.length, this.#precision, (i) => Math.abs(gradient[i]));
    return multiply(lesser(float(1), divide(float(1), tensor(sum))), float(this.#options.learningRate));
  }

  #search(
    closure: () => number,
    memory: Memory,
    loss: number,
    gradient: Lane,
    slope: number,
  ): { place: Place; visits: number } {
    const { d } = memory;
    const math = this.#math;
    const before = this.#parameters.map((parameter) => parameter.bytes.slice());
    const visit = (alpha: Scalar): Place => {
      try {
        this.#move(alpha, d);
        const loss = float(this.#loss(closure));
        const gradient = this.#gradient();
        return { alpha, loss, gradient, slope: math.tensor(this.#dot(gradient, d)) };
      } finally {
        this.#parameters.forEach((parameter, i) => parameter.bytes.set(before[i]));
      }
    };
    const start = { alpha: ZERO, loss: float(loss), gradient, slope: math.tensor(slope) };
    return strongWolfe({ visit, start, length: greatest(d), math }, memory.alpha);
  }

  /** Compute the next direction with the two-loop recursion of L-BFGS. */
  #direct(memory: Memory, gradient: Lane, historySize: number): void {
    const { round } = this.#math;
    const alpha = round(memory.alpha.value);
    const y = gradient.map((x, i) => x - memory.previousGradient[i]);
    const s = memory.d.map((x) => x * alpha);
    const ys = this.#dot(y, s);
    if (ys > round(1e-10)) {
      if (memory.oldYk.length === historySize) [memory.oldYk, memory.oldSk, memory.ro].forEach((list) => list.shift());
      memory.oldYk.push(y);
      memory.oldSk.push(s);
      memory.ro.push(round(1 / ys));
      memory.hDiag = round(ys / this.#dot(y, y));
    }
    const al = memory.al ??= new Array(historySize).fill(null);
    const q = gradient.map((x) => -x);
    for (let i = memory.oldYk.length - 1; i >= 0; i--) {
      const a = al[i] = round(this.#dot(memory.oldSk[i], q) * memory.ro[i]);
      for (let k = 0; k < q.length; k++) q[k] += round(memory.oldYk[i][k] * -a);
    }
    for (let k = 0; k < q.length; k++) q[k] *= memory.hDiag;
    for (let i = 0; i < memory.oldYk.length; i++) {
      const b = round(al[i]! - round(this.#dot(memory.oldYk[i], q) * memory.ro[i]));
      for (let k = 0; k < q.length; k++) q[k] += round(memory.oldSk[i][k] * b);
    }
    memory.d = q;
  }

  /** The loss, rounded to the parameters' dtype. */
  #loss(closure: () => number): number {
    const loss: unknown = closure();
    if (typeof loss === "number") return this.#math.round(loss);
    throw new ValueError("INVALID_VALUE", `The closure gives the loss, a number: got ${kindOf(loss)}`);
  }

  #dot(a: Lane, b: Lane): number {
    const { round } = this.#math;
    return sumOf(a.length, this.#precision, (i) => round(a[i] * b[i]));
  }

  /** All gradients concatenated, with zeros for parameters that have none. */
  #gradient(): Lane {
    const flat = vector(this.#precision, { length: this.#size });
    let offset = 0;
    for (const { name, grad, shape, size, dtype } of this.#parameters) {
      if (grad !== null) {
        const isDense = !(grad instanceof SelectedRows) && grad.dtype === dtype && grad.shape.join() === shape.join();
        check(isDense, `The gradient of ${name} is a ${dtype} array [${shape}]`);
        flat.set((grad as NDArray).data as Lane, offset);
      }
      offset += size;
    }
    return flat;
  }

  #move({ value }: Scalar, d: Lane): void {
    const { round } = this.#math;
    const alpha = round(value);
    let offset = 0;
    for (const parameter of this.#parameters) {
      const data = parameter.data as Lane;
      for (let i = 0; i < data.length; i++) data[i] += round(d[offset + i] * alpha);
      offset += parameter.size;
    }
  }

  /** The state with Paddle's keys: `{"state": {...}}`, which is empty before the first step. */
  stateDict(): Map<string, Value> {
    return new Map([["state", stateOf(this.#memory, this.#precision)]]);
  }

  /**
   * Resume from `state`. Paddle's own LBFGS ignores the state passed to it.
   *
   * @throws {ValueError} `INVALID_VALUE` if a key is missing, or its value has another type or size; then nothing is changed
   */
  setStateDict(state: ReadonlyMap<Value, Value>): void {
    const inner = state instanceof Map ? state.get("state") : undefined;
    if (!(inner instanceof Map)) {
      throw new ValueError("INVALID_VALUE", `LBFGS's state is {"state": {...}}: got ${kindOf(inner)}`);
    }
    this.#memory = memoryOf(inner, this.#precision, this.#size);
  }
}

/** Checks the arguments that Paddle checks and then ignores; returns a warning for each one given. */
function unused({ weightDecay, gradClip, name }: Required<LBFGSOptions>): Warning[] {
  const isDecay = weightDecay === null || typeof weightDecay === "number" || weightDecay instanceof L1Decay ||
    weightDecay instanceof L2Decay;
  check(isDecay, `weight_decay is a number or a regularizer: got ${kindOf(weightDecay)}`);
  check(
    gradClip === null || isGradClip(gradClip),
    "'grad_clip' should be an instance of GradientClipBase's derived class",
  );
  check(name === null || typeof name === "string", `name must be a string: got ${kindOf(name)}`);
  return Object.entries({ weightDecay, gradClip }).filter(([, value]) => value !== null).map(([option]) => ({
    code: "UNUSED_OPTION",
    message: `${option} changes nothing in LBFGS, as in Paddle: its steps take the closure's gradients as they are`,
  }));
}

function greatest(numbers: Lane): number {
  let most = 0;
  for (const x of numbers) if (!(Math.abs(x) <= most)) most = Math.abs(x);
  return most;
}
