/**
 * Adam: adaptive moments.
 *
 * @module
 */
import { UnsupportedError } from "../errors.ts";
import { LANE, type Lane, type UpdateFunctions } from "../kernel/lanes.ts";
import { bind, type Call, type Signature } from "../nn/arguments.ts";
import type { Kind } from "./accumulators.ts";
import { check } from "./arguments.ts";
import { firstNotBelow, rowParts } from "./gradient.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import { checkBetas, signature } from "./signature.ts";
import type { Update } from "./update.ts";
import { isBefore } from "./version.ts";

/** Options of {@linkcode Adam} that a parameter group can override. */
export interface AdamRules {
  /** The decay rate of the first moment. @default {0.9} */
  beta1?: number;
  /** The decay rate of the second moment. @default {0.999} */
  beta2?: number;
  /** Keeps the denominator from being zero. @default {1e-8} */
  epsilon?: number;
  /** Update only the rows that a row-sparse gradient has. @default {false} */
  lazyMode?: boolean;
}

/** Options of {@linkcode Adam}. */
export interface AdamOptions extends OptimizerOptions<AdamRules>, AdamRules {
  /** Use Paddle's other kernel, which has no fused multiply-adds. @default {false} */
  useMultiTensor?: boolean;
  /** Divide by the maximum of the second moments so far; since Paddle 3.0. @default {false} */
  amsgrad?: boolean;
}

const ARGUMENTS: Signature<AdamOptions> = /* @__PURE__ */ signature("Adam", {
  learningRate: 0.001,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  parameters: null,
  weightDecay: null,
  gradClip: null,
  lazyMode: false,
  multiPrecision: false,
  useMultiTensor: false,
  amsgrad: false,
  name: null,
});

/** What Adam and AdamW share: the moments and the powers of the betas. */
export abstract class AdamLike<Rules extends AdamRules> extends Optimizer<Rules> {
  readonly #amsgrad: boolean;
  readonly #isMulti: boolean;
  readonly #fuses: boolean;

  /** For subclasses. */
  protected constructor(
    options: Required<OptimizerOptions<Rules>> & Rules,
    rules: readonly (keyof Rules & string)[],
    { amsgrad, useMultiTensor }: { amsgrad: boolean; useMultiTensor: boolean },
  ) {
    checkBetas(options as Required<AdamRules>);
    super(options, rules);
    check(!amsgrad || !isBefore(this.paddle, "3.0"), "amsgrad is there since Paddle 3.0");
    this.#amsgrad = amsgrad;
    this.#isMulti = useMultiTensor;
    // TRAINING.md 7: fused since 2.3
    this.#fuses = !useMultiTensor && !isBefore(this.paddle, "2.3");
  }

  /** `moment1`, `moment2`, `moment2_max` (with amsgrad), `beta1_pow_acc`, `beta2_pow_acc`. */
  protected override kinds({ beta1, beta2 }: Required<Rules>): readonly Kind[] {
    return [
      { kind: "moment1" },
      { kind: "moment2" },
      ...(this.#amsgrad ? [{ kind: "moment2_max" }] : []),
      { kind: "beta1_pow_acc", shape: [1], value: beta1 },
      { kind: "beta2_pow_acc", shape: [1], value: beta2 },
    ];
  }

  /** Only one of both is accepted. */
  protected override get refusesSparseDecay(): boolean {
    return true;
  }

  /**
   * The update; `rate` is the parameter's own. For a dense gradient, `before` changes the parameter after its own weight decay was added to
   * the gradient.
   */
  protected moments(
    update: Update<Rules>,
    rate: number,
    before: (call: UpdateFunctions, n: number) => void = () => {},
  ): void {
    const { gradient, rules, round, attribute } = update;
    if (this.#isMulti && gradient.precision === "float64") {
      const message = "use_multi_tensor only supports fp32, fp16 or bf16 parameters";
      throw new UnsupportedError("UNSUPPORTED_DTYPE", message, { expected: "float32", actual: "float64" });
    }
    const { beta1, beta2, epsilon, lazyMode } = rules as Required<AdamRules>;
    const [b1, b2, eps] = [attribute(beta1), attribute(beta2), attribute(epsilon)];
    const [c1, c2] = [round(1 - b1), round(1 - b2)];
    const [power1, power2] = [update.scalar("beta1_pow_acc"), update.scalar("beta2_pow_acc")];
    const states = [update.state("moment1"), update.state("moment2")];
    if (this.#amsgrad) states.push(update.state("moment2_max"));
    if (gradient.isEmpty) return;
    // The powers of Paddle's sparse kernel are one step ahead of the dense one's (TRAINING.md 3).
    const { isSparse } = gradient;
    if (isSparse) advance();
    const root = round(Math.sqrt(round(1 - power2[0])));
    const step = round(rate * round(root / round(1 - power1[0])));
    const scaled = round(eps * root);

    if (!isSparse && this.#fuses) {
      const name = this.#amsgrad ? "amsgrad" : "adam";
      update.pieces(states, (call, n) => {
        before(call, n);
        call[name](n, b1, c1, b2, c2, step, scaled);
      });
    } else {
      const name = this.#amsgrad ? "amsgradPlain" : "adamPlain";
      const rows = isSparse ? gradient.mergedRows : null;
      const parts = rows && lazyMode ? rowParts(rows) : undefined;
      update.pieces(states, (call, n, start, { lanes }) => {
        lanes[5].fill(rows && !lazyMode ? eps : scaled, 0, n);
        if (rows && !lazyMode) fillRows(lanes[5], rows, start, n, scaled);
        before(call, n);
        call[name](n, b1, c1, b2, c2, step);
      }, { parts });
    }
    if (!isSparse) advance();

    function advance(): void {
      power1[0] *= b1;
      power2[0] *= b2;
    }
  }
}

/** Fill the parts of `lane` that belong to the rows; the lane holds the `n` elements from `start`. */
function fillRows(
  lane: Lane,
  { rows, width }: { rows: readonly number[]; width: number },
  start: number,
  n: number,
  value: number,
): void {
  for (let k = firstNotBelow(rows, Math.floor(start / width)); k < rows.length && rows[k] * width < start + n; k++) {
    lane.fill(value, Math.max(rows[k] * width - start, 0), Math.min((rows[k] + 1) * width - start, n, LANE));
  }
}

/**
 * `m = beta1*m + (1-beta1)*g; v = beta2*v + (1-beta2)*(g*g); p - lr * (r / (1 - beta1^t)) * (m / (sqrt(v) + epsilon*r))` with `r = sqrt(1 -
 * beta2^t)`, with fused multiply-adds where Paddle has them. Row-sparse gradients go through Paddle's other kernel, whose powers are one
 * step ahead.
 *
 * Mirrors `paddle.optimizer.Adam` (3.3); before 2.3 there are no fused multiply-adds.
 */
export class Adam extends AdamLike<AdamRules> {
  /** The class name, which survives minification. */
  static readonly className = "Adam";

  /** Takes Paddle's arguments by position or by name. */
  constructor(
    ...args: Call<
      AdamOptions,
      [
        "learningRate",
        "beta1",
        "beta2",
        "epsilon",
        "parameters",
        "weightDecay",
        "gradClip",
        "lazyMode",
        "multiPrecision",
        "useMultiTensor",
        "amsgrad",
        "name",
      ]
    >
  ) {
    const options = bind(ARGUMENTS, args);
    super(options, ["beta1", "beta2", "epsilon", "lazyMode"], options);
  }

  /** Update one parameter. */
  protected override update(update: Update<AdamRules>): void {
    this.moments(update, update.rate);
  }
}
