/**
 * Versions of Paddle.
 *
 * @module
 */
import { ValueError } from "../errors.ts";

/** A version of Paddle whose rules to follow, such as `"2.4"` or `"2.6.2"`. */
export type PaddleVersion = `${number}.${number}` | `${number}.${number}.${number}`;

/** The version whose rules apply by default. */
export const NEWEST: PaddleVersion = "3.3";

/**
 * Whether `version` is older than `other`; only major and minor numbers are compared.
 *
 * @throws {ValueError} `INVALID_VALUE` if either is not a version
 */
export function isBefore(version: PaddleVersion, other: PaddleVersion): boolean {
  const [major, minor] = numbers(version);
  const [otherMajor, otherMinor] = numbers(other);
  return major !== otherMajor ? major < otherMajor : minor < otherMinor;
}

/**
 * Check that `version` is one.
 *
 * @throws {ValueError} `INVALID_VALUE`
 */
export function checkVersion(version: PaddleVersion): void {
  numbers(version);
}

function numbers(version: PaddleVersion): [number, number] {
  const match = /^(\d{1,4})\.(\d{1,4})(\.\d{1,4})?$/.exec(version);
  if (!match) {
    const message = `A Paddle version must be a string such as "2.4": got ${String(version)}`;
    throw new ValueError("INVALID_VALUE", message, { expected: "2.4", actual: version });
  }
  return [Number(match[1]), Number(match[2])];
}
