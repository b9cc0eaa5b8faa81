/**
 * The forms in which a pickle can be written: its protocol, and whose module names it has for numpy.
 *
 * @module
 */
import { ValueError } from "../errors.ts";
import { shownValue } from "../words/described.ts";

/** The form of a pickle. */
export interface PickleFormat {
  /** 2, 3 or 4. */
  protocol: number;
  /** The version of numpy whose module names are used. */
  numpy: 1 | 2;
}

/**
 * The form that a caller's options ask for; by default protocol 4 with the names of numpy 1.
 *
 * @throws {ValueError} `INVALID_VALUE`: a protocol that is not written
 * @throws {TypeError} another numpy
 */
export function checkedPickleFormat({ protocol = 4, numpy = 1 }: Partial<PickleFormat>): PickleFormat {
  if (![2, 3, 4].includes(protocol)) {
    throw new ValueError("INVALID_VALUE", `protocol must be 2, 3 or 4: got ${shownValue(protocol)}`, {
      actual: protocol,
    });
  }
  if (numpy !== 1 && numpy !== 2) throw new TypeError(`Option numpy must be 1 or 2: got ${shownValue(numpy)}`);
  return { protocol, numpy };
}
