/**
 * The base of Paddle's own layers.
 *
 * @module
 */
import { bind, type Signature } from "../arguments.ts";
import { Layer } from "../layer.ts";

/** A layer that holds its arguments. */
export abstract class BuiltInLayer<A extends object> extends Layer {
  /**
   * The constructor's arguments by name, defaults filled in: for other software that runs the layer. Only those that are said to decide
   * about parameters do something here.
   */
  readonly config: Readonly<Required<A>>;

  /** Take the arguments. */
  constructor(signature: Signature<A>, args: readonly unknown[]) {
    const config = bind(signature, args);
    super();
    this.config = config;
  }
}
