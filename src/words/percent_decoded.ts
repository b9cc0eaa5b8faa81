/**
 * Decodes parts of URLs leniently.
 *
 * @module
 */

const HEX = "0123456789abcdefABCDEF";

/** `text` with its percent-encoding decoded. A percent sign that encodes nothing is kept, as the URL standard does. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(strayEncoded(text));
  } catch {
    // Not UTF-8: there is no text for these bytes.
    return text;
  }
}

/** `text` with each percent sign encoded that encodes nothing. */
export function strayEncoded(text: string): string {
  const [first, ...rest] = text.split("%");
  const isCode = (part: string) => part.length >= 2 && HEX.includes(part[0]) && HEX.includes(part[1]);
  return first + rest.map((part) => (isCode(part) ? `%${part}` : `%25${part}`)).join("");
}
