/**
 * Formats numbers as Python does.
 *
 * @module
 */
import { decimalText } from "../words/decimal_text.ts";

/** `repr` of a Python float: `0.5`, `1.0`, `1e-05`, `1e+16`, `nan`. */
export function floatText(x: number): string {
  if (Number.isNaN(x)) return "nan";
  return Number.isFinite(x) ? decimalText(x, 1e16) : x > 0 ? "inf" : "-inf";
}
