/**
 * The prefix of the names of a layer's parameters.
 *
 * @module
 */

/**
 * A class's name in Paddle's snake case: `BatchNorm2D` gives `batch_norm2d`, `PReLU` gives `p_re_lu`. A class can override its name with a
 * static field `className` of its own, which minifiers leave alone.
 */
export function camelToSnake(layerClass: { readonly name: string }): string {
  const own = Object.hasOwn(layerClass, "className")
    ? (layerClass as unknown as { className: unknown }).className
    : null;
  const name = typeof own === "string" ? own : layerClass.name;
  return name.replace(/(.)([A-Z][a-z]+)/g, "$1_$2").replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
}
