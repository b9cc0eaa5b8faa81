/**
 * Names of operators, types and attributes: dialects are written as numbers (FORMATS.md 10.3).
 *
 * @module
 */

const DIALECTS = ["builtin", "pd_op", "cf", "custom_op", "pd_dist"];

/** The name of the compressed operator of a parameter. */
export const PARAMETER = "builtin.parameter";

/** `pd_op.conv2d` for `1.conv2d`, `builtin.parameter` for `p`; other names as they are. */
export function fullName(name: string): string {
  if (name === "p") return PARAMETER;
  const dot = name.indexOf(".");
  const dialect = dot === 1 ? DIALECTS[name.charCodeAt(0) - 0x30] : undefined;
  return dialect === undefined ? name : dialect + name.slice(dot);
}

/** The way back of {@linkcode fullName}, but for parameters. */
export function shortName(name: string): string {
  const dot = name.indexOf(".");
  const number = DIALECTS.indexOf(name.slice(0, dot));
  return dot < 0 || number < 0 ? name : number + name.slice(dot);
}
