/**
 * Names of a save's temporary files: unguessable, and never taken for a model's files.
 *
 * @module
 */
import { hexOf } from "./platform.ts";

/** Suffix of temporary names. */
const TEMP = ".pdtmp";

/** An unguessable temporary name for what will be named `base` once complete. */
export function tempName(base: string): string {
  return `.${shortName(base)}.${hexOf(crypto.getRandomValues(new Uint8Array(8)))}${TEMP}`;
}

/** Whether a name is one of our temporary names: `.name.0123456789abcdef.pdtmp`. */
export function isTemp(name: string): boolean {
  if (!name.startsWith(".") || !name.endsWith(TEMP)) return false;
  const hex = name.slice(-TEMP.length - 16, -TEMP.length);
  return hex.length === 16 && [...hex].every((c) => "0123456789abcdef".includes(c)) &&
    name[name.length - TEMP.length - 17] === ".";
}

/** Whether a name is a temporary name for `base`. */
export function isTempOf(name: string, base: string): boolean {
  return isTemp(name) && name.slice(1, -TEMP.length - 17) === shortName(base);
}

/** The unique part of a temporary name. */
export function idOfTemp(name: string): string {
  return name.slice(-TEMP.length - 16, -TEMP.length);
}

/** A name truncated to at most 64 bytes. */
function shortName(name: string): string {
  const bytes = new TextEncoder().encode(name);
  return bytes.length <= 64 ? name : new TextDecoder().decode(bytes.subarray(0, 60)).replaceAll("\ufffd", "");
}
