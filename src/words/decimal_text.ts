/**
 * Decimal digits as Python and nlohmann's JSON library print them.
 *
 * @module
 */

/** The shortest digits of a finite float that round-trip, always with a point or, below 1e-4 and from `big` on, an exponent. */
export function decimalText(value: number, big: number): string {
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= big)) {
    const [digits, exponent] = value.toExponential().split("e");
    return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
  }
  const text = String(value);
  return text.includes(".") ? text : text + ".0";
}
