/**
 * Names as case-insensitive file systems compare them (RULES.md PATH-4).
 *
 * @module
 */

/** A form that is the same for all names that are equal after NFC and simple case folding. */
export function foldedName(name: string): string {
  const text = name.normalize("NFC");
  // deno-lint-ignore no-control-regex
  return /^[\u0000-\u007f]*$/.test(text) ? text.toLowerCase() : Array.from(text, foldedCharacter).join("");
}

/** Some lowercase letters share one uppercase letter: σ and ς. The uppercase form of ß is two letters, and thus a different name. */
function foldedCharacter(character: string): string {
  const capital = character.toUpperCase();
  const isOne = capital.length === character.length && character !== "ı";
  return (isOne ? capital : character).toLowerCase();
}
