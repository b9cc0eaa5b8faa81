/**
 * Versions of Paddle, whose rules differ.
 *
 * @module
 */
import { ValueError } from "../errors.ts";

/** A version of Paddle, such as `"2.4"` or `"2.6.2"`: its rules are used. */
export type PaddleVersion = `${number}.${number}` | `${number}.${number}.${number}`;

/** The version whose rules hold where the caller names none. */
export const NEWEST: PaddleVersion = "3.3";

/** Whether `version` is older than `other` (major and minor count).
 *
 * @throws {ValueError} `INVALID_VALUE` where it is no version
 */
export function isBefore(version: PaddleVersion, other: PaddleVersion): boolean {
  const [major, minor] = numbers(version);
  const [otherMajor, otherMinor] = numbers(other);
  return major !== otherMajor ? major < otherMajor : minor < otherMinor;
}

function numbers(version: PaddleVersion): [number, number] {
  const match = /^(\d{1,4})\.(\d{1,4})(\.\d{1,4})?$/.exec(version);
  if (!match) {
    const message = `A version of Paddle is a text such as "2.4": got ${String(version)}`;
    throw new ValueError("INVALID_VALUE", message, { expected: "2.4", actual: version });
  }
  return [Number(match[1]), Number(match[2])];
}
