/**
 * Names of operators, types and attributes, in which the dialect is written as a number (FORMATS.md 10.3).
 *
 * @module
 */

const DIALECTS = ["builtin", "pd_op", "cf", "custom_op", "pd_dist"];

/** The full name of a parameter's operator, which files abbreviate to `p`. */
export const PARAMETER = "builtin.parameter";

/** `pd_op.conv2d` for `1.conv2d`, `builtin.parameter` for `p`; other names unchanged. */
export function fullName(name: string): string {
  if (name === "p") return PARAMETER;
  const dot = name.indexOf(".");
  const dialect = dot === 1 ? DIALECTS[name.charCodeAt(0) - 0x30] : undefined;
  return dialect === undefined ? name : dialect + name.slice(dot);
}

/** The inverse of {@linkcode fullName}, except for parameters. */
export function shortName(name: string): string {
  const dot = name.indexOf(".");
  const number = DIALECTS.indexOf(name.slice(0, dot));
  return dot < 0 || number < 0 ? name : number + name.slice(dot);
}
