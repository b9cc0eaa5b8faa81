/** The model of the recordings: a Linear with two parameters, in its own name scope, and its optimizer. */
import { NDArray, nn, optimizer, Tensor, utils } from "../../mod.ts";
import { build, type Json, named } from "./recorded.ts";

export const NAMES = ["weight", "bias"];

export class Run {
  readonly parameters: Map<string, nn.Parameter>;
  readonly optimizer: Json;
  /** The scheduler, if the rate is not a number. */
  scheduler: Json;
  readonly scope = new utils.uniqueName.NameScope();

  /** `start` holds initial values by name; a Tensor's own name becomes the parameter's. */
  constructor(c: Json, start: Map<string, NDArray>, version: string) {
    const layer = c.layer_args ?? {};
    this.parameters = new Map(
      NAMES.filter((name) => start.has(name)).map((name) => {
        const given = start.get(name)!;
        const attr = layer[`${name}_attr`]?.attr ?? {};
        const parameter = nn.Parameter.from(given.clone(), {
          name: given instanceof Tensor ? given.name : name === "weight" ? "linear_0.w_0" : "linear_0.b_0",
          trainable: attr.trainable ?? true,
          optimizeAttr: { learningRate: attr.learning_rate ?? 1 },
          regularizer: attr.regularizer ? build(attr.regularizer) : null,
          needClip: attr.need_clip ?? true,
        });
        return [name, parameter];
      }),
    );
    this.optimizer = utils.uniqueName.guard(this.scope, () => {
      const { parameters: groups, ...args } = c.args;
      const parameters = groups
        ? groups.map(({ params, ...rest }: Json) => ({
          ...named(rest),
          params: params.map((name: string) => this.parameters.get(name)!),
        }))
        : [...this.parameters.values()];
      const options = named(args);
      if (typeof options.learningRate === "object") this.scheduler = options.learningRate;
      return new (optimizer as Json)[c.class]({ ...options, parameters, paddle: version });
    });
  }

  /** Take one step with these gradients, by name. */
  step(gradients: Map<string, NDArray>): void {
    for (const [name, parameter] of this.parameters) {
      if (parameter.trainable) parameter.grad = gradients.get(name)!;
    }
    this.optimizer.step();
    this.optimizer.clearGrad();
  }

  values(): Record<string, number[]> {
    return Object.fromEntries([...this.parameters].map(([name, p]) => [name, [...p.toFloat32Array()]]));
  }

  arrays(): Map<string, NDArray> {
    return new Map(
      [...this.parameters].map((
        [name, p],
      ) => [name, NDArray.fromArray([...p.toFloat32Array()], "float32").reshape(p.shape)]),
    );
  }
}
