/**
 * Checks of layer arguments.
 *
 * @module
 */
import { ValueError } from "../../errors.ts";

/** Throw INVALID_VALUE unless `holds`. */
export function need(holds: boolean, message: string, actual?: unknown): void {
  if (!holds) throw new ValueError("INVALID_VALUE", message, actual === undefined ? {} : { actual });
}

/** Throw INVALID_VALUE unless `value` is an integer of at least `least`. */
export function needSize(layer: string, name: string, value: unknown, least = 1): void {
  const isSize = Number.isSafeInteger(value) && (value as number) >= least;
  need(isSize, `${layer}: ${name} must be an integer of ${least} or more: got ${String(value)}`, value);
}
