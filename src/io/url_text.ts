/**
 * Tells strings that are URLs from paths.
 *
 * @module
 */

import { PathError, quote } from "../errors.ts";
import { shownValue } from "../words/described.ts";
import { isWindows, pathOfUrl } from "./platform.ts";

/** Schemes that can be read. */
const READ: readonly string[] = ["file", "http", "https", "blob", "data"];

/** Whether a URL's scheme can be read. */
export function isReadable(url: URL): boolean {
  return READ.includes(url.protocol.slice(0, -1));
}

/**
 * `text` as a URL, if it has a scheme that can be read, or any other scheme followed by `//`; null for a path. `C:` is a drive.
 *
 * @throws {TypeError} it begins like a URL but is not valid
 * @throws {PathError} `UNSAFE_PATH`: a path with half a surrogate pair, which systems would replace by another character
 */
export function urlOf(text: string): URL | null {
  const colon = text.indexOf(":");
  if (colon >= 2) {
    if (READ.includes(text.slice(0, colon).toLowerCase())) return new URL(text);
    if (text.startsWith("//", colon + 1) && URL.canParse(text)) return new URL(text);
  }
  if (text.isWellFormed()) return null;
  throw new PathError("UNSAFE_PATH", `The path ${quote(text)} has half a surrogate pair`, { path: text });
}

/** Whether a path ends in no name but in what separates names. */
export function endsInSlash(path: string): boolean {
  return path.endsWith("/") || (isWindows() && path.endsWith("\\"));
}

/** A path or URL in two: up to the end of its name, and the query and fragment of an http URL, which every file of a model gets. */
export function splitQuery(text: string): [named: string, query: string] {
  const at = /^https?:/i.test(text) ? text.search(/[?#]/) : -1;
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at)];
}

/**
 * The path that the caller passed, as a string or `file:` URL.
 *
 * @throws {TypeError} it is neither
 */
export function checkedPath(given: unknown): string {
  const url = typeof given === "string" ? urlOf(given) : given instanceof URL ? given : null;
  if (url?.protocol === "file:") return pathOfUrl(url);
  if (typeof given === "string" && !url) return given;
  throw new TypeError(`Expected a path or file: URL: got ${shownValue(url?.href ?? given)}`);
}
