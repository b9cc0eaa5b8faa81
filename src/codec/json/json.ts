/**
 * JSON values as programs need them: they preserve the order of keys, integers of any size and the spelling of other numbers.
 *
 * @module
 */

/** A non-integer number, with its spelling in the file. */
export class JsonNumber {
  readonly value: number;
  readonly text: string;
  constructor(text: string) {
    this.text = text;
    this.value = Number(text);
  }
}

/** Up to this many members, a key is searched for linearly. */
const FEW = 8;

/** An object with keys in file order. Programs have many with few members each: Maps would take twice the memory. */
export class JsonObject {
  /** Keys and values alternately. */
  readonly #members: Json[];
  /** Index of each key in the list, once there are many. */
  #index: Map<string, number> | null = null;

  /** `members` holds keys and values alternately, without duplicate keys; the object takes ownership of the list. */
  constructor(members: Json[] = []) {
    this.#members = members;
  }

  /** Create an object with these members. */
  static of(entries: Iterable<readonly [string, Json]>): JsonObject {
    const object = new JsonObject();
    for (const [key, value] of entries) object.set(key, value);
    return object;
  }

  /** Keys and values alternately. */
  get members(): readonly Json[] {
    return this.#members;
  }

  get(key: string): Json | undefined {
    const at = this.#find(key);
    return at < 0 ? undefined : this.#members[at + 1];
  }

  /** Append a member, or replace the one with that key. */
  set(key: string, value: Json): void {
    const at = this.#find(key), members = this.#members;
    if (at >= 0) members[at + 1] = value;
    else {
      this.#index?.set(key, members.length);
      members.push(key, value);
    }
  }

  /** Remove a member. Returns whether there was one. */
  delete(key: string): boolean {
    const at = this.#find(key);
    if (at < 0) return false;
    this.#members.splice(at, 2);
    this.#index = null;
    return true;
  }

  *[Symbol.iterator](): Generator<[string, Json]> {
    const members = this.#members;
    for (let at = 0; at < members.length; at += 2) yield [members[at] as string, members[at + 1]];
  }

  #find(key: string): number {
    const members = this.#members;
    if (members.length > 2 * FEW) return (this.#index ??= indexOf(members)).get(key) ?? -1;
    for (let at = 0; at < members.length; at += 2) if (members[at] === key) return at;
    return -1;
  }
}

function indexOf(members: readonly Json[]): Map<string, number> {
  const index = new Map<string, number>();
  for (let at = 0; at < members.length; at += 2) index.set(members[at] as string, at);
  return index;
}

/** Any JSON value. An integer is a number if that is exact, else a bigint. */
export type Json = null | boolean | number | bigint | JsonNumber | string | Json[] | JsonObject;
