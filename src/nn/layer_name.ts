/**
 * The prefix of the names of a layer's parameters.
 *
 * @module
 */

/** Tensor-parallel layers are named as those of a single process, in Paddle 2.6 and later, so that either takes the other's state. */
const SINGLE: Readonly<Record<string, string>> = {
  row_parallel_linear: "linear",
  column_parallel_linear: "linear",
  vocab_parallel_embedding: "embedding",
};

/**
 * A class's name in Paddle's snake case: `BatchNorm2D` gives `batch_norm2d`, `PReLU` gives `p_re_lu`. A class can override its name with a
 * static field `className` of its own, which minifiers leave alone.
 */
export function camelToSnake(layerClass: { readonly name: string }): string {
  const own = Object.hasOwn(layerClass, "className")
    ? (layerClass as unknown as { className: unknown }).className
    : null;
  const name = typeof own === "string" ? own : layerClass.name;
  const snake = name.replace(/(.)([A-Z][a-z]+)/g, "$1_$2").replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
  return Object.hasOwn(SINGLE, snake) ? SINGLE[snake] : snake;
}
