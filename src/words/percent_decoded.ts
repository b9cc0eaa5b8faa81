/**
 * Decodes parts of URLs leniently.
 *
 * @module
 */

const HEX = "0123456789abcdefABCDEF";

/** `text` with its percent-encoding decoded. A stray percent sign is kept, as in the URL standard. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(strayEncoded(text));
  } catch {
    // The bytes are not UTF-8.
    return text;
  }
}

/** `text` with every stray percent sign encoded. */
export function strayEncoded(text: string): string {
  const [first, ...rest] = text.split("%");
  const isCode = (part: string) => part.length >= 2 && HEX.includes(part[0]) && HEX.includes(part[1]);
  return first + rest.map((part) => (isCode(part) ? `%${part}` : `%25${part}`)).join("");
}
