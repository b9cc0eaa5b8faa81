/**
 * JSON values as programs need them: the order of keys, integers of any size and the text of other numbers are kept.
 *
 * @module
 */

/** A number that is no integer, with its text in the file. */
export class JsonNumber {
  readonly value: number;
  readonly text: string;
  constructor(text: string) {
    this.text = text;
    this.value = Number(text);
  }
}

/** An object: keys in file order, `__proto__` a key like any other. */
export type JsonObject = Map<string, Json>;

/** Any JSON value. An integer is a number where that is exact, else a bigint. */
export type Json = null | boolean | number | bigint | JsonNumber | string | Json[] | JsonObject;
