/**
 * Names as file systems have them that do not tell cases apart (RULES.md PATH-4).
 *
 * @module
 */

/** A form that is equal for names that are one after NFC and simple case folding. */
export function foldedName(name: string): string {
  const text = name.normalize("NFC");
  // deno-lint-ignore no-control-regex
  return /^[\u0000-\u007f]*$/.test(text) ? text.toLowerCase() : Array.from(text, foldedCharacter).join("");
}

/** Some small letters have one capital letter in common: σ and ς. The capital of ß is two letters: that is another name. */
function foldedCharacter(character: string): string {
  const capital = character.toUpperCase();
  const isOne = capital.length === character.length && character !== "ı";
  return (isOne ? capital : character).toLowerCase();
}
