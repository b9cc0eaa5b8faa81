/**
 * The base class of Paddle's own layers.
 *
 * @module
 */
import { bind, type Signature } from "../arguments.ts";
import { Layer } from "../layer.ts";

/** A layer that keeps its constructor's arguments. */
export abstract class BuiltInLayer<A extends object> extends Layer {
  /**
   * The constructor's arguments by name, with defaults filled in, for other software that runs the layer. Here only those that affect the
   * parameters are used.
   */
  readonly config: Readonly<Required<A>>;

  /** Binds the arguments. */
  constructor(signature: Signature<A>, args: readonly unknown[]) {
    const config = bind(signature, args);
    super();
    this.config = config;
  }
}
