/**
 * Integers as numbers and bigints (RULES.md VAL-8).
 *
 * @module
 */

/** An integer as a number if that is exact, else as the bigint it is. */
export function integerOf(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

/** Whether a value is an integer of at most `bits` bits in two's complement. */
export function isIntegerOf(bits: number, value: unknown): value is number | bigint {
  const isWhole = typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value));
  return isWhole && BigInt.asIntN(bits, BigInt(value)) === BigInt(value);
}
