/**
 * Finds structured names for variables, given a state dict of the same network.
 *
 * @module
 */
import { NDArray } from "../ndarray.ts";
import { Tensor } from "../tensor.ts";
import { NAME_TABLE } from "./keys.ts";

/** A key for a variable, and whether it is a guess. */
export interface MatchedName {
  key: string;
  isGuess: boolean;
}

/** A variable, or an entry of `like` with its key. */
interface Item {
  name: string;
  key: string;
  shape: string;
  /** For `linear_3.w_0`: `linear`, 3 and `w_0`. `eager_tmp_1` has no role; a name of any other form is all role. */
  layer: string;
  number: number;
  role: string;
}

/** Variable names with their keys. */
type Pairs = [name: string, key: string][];

/**
 * Keys of `like` for the variables. A name only matches if the shape does, too. Paddle numbers the layers of a kind in the order in which a
 * process creates them, so in another process `linear_3` may be a different layer: the numbers of a kind are trusted if every variable of
 * the kind is in `like`. Otherwise the keys are guesses, by the first of these rules that applies:
 *
 * - all numbers are off by the same distance, and no other distance fits
 * - the entries of the kind, ordered by number, have the variables' shapes
 * - entries with the same name, if no shape contradicts
 */
export function matchNames(
  variables: ReadonlyMap<string, readonly number[] | null>,
  like: ReadonlyMap<string, unknown>,
): Map<string, MatchedName> {
  const matched = new Map<string, MatchedName>();
  const offered = byLayer(
    [...namesOf(like)].map(([name, key]) => itemOf(name, (like.get(key) as NDArray).shape, key)),
  );
  for (const [layer, wanted] of byLayer([...variables].map(([name, shape]) => itemOf(name, shape)))) {
    const others = offered.get(layer) ?? [];
    const named = byName(wanted, others);
    const isGuess = layer !== "" && named.pairs.length < wanted.length;
    const pairs = isGuess
      ? atOneDistance(wanted, others) ?? inOrder(wanted, others) ?? (named.isContradicted ? [] : named.pairs)
      : named.pairs;
    for (const [name, key] of pairs) matched.set(name, { key, isGuess });
  }
  return matched;
}

/** Maps parameter names to keys: from the Tensors, or from the name table if there are arrays. */
function namesOf(like: ReadonlyMap<string, unknown>): Map<string, string> {
  return new Map(namedKeys(like));
}

function* namedKeys(like: ReadonlyMap<string, unknown>): Generator<[name: string, key: string]> {
  const table = like.get(NAME_TABLE);
  if (table instanceof Map) {
    for (const [key, name] of table) {
      if (typeof name === "string" && like.get(key) instanceof NDArray) yield [name, key];
    }
  }
  for (const [key, value] of like) if (value instanceof Tensor && value.name) yield [value.name, key];
}

/** Lists of keys under which `like` has the same parameter, such as those of two layers that share it. */
export function sharedKeys(like: ReadonlyMap<string, unknown>): string[][] {
  const shared = new Map<string, string[]>();
  for (const [name, key] of namedKeys(like)) {
    const word = `${(like.get(key) as NDArray).shape} ${name}`, keys = shared.get(word);
    if (keys) keys.push(key);
    else shared.set(word, [key]);
  }
  return [...shared.values()].filter((keys) => keys.length > 1);
}

function itemOf(name: string, shape: readonly number[] | null, key = name): Item {
  const parts = /^(.*?)_(\d+)(?:\.(.*))?$/.exec(name.slice(0, 1024));
  const [, layer, number, role = ""] = parts ?? [name, "", "0", name];
  return { name, key, shape: String(shape), layer, number: Number(number), role };
}

/** Items by kind of layer, which is `""` for names without one. */
function byLayer(items: readonly Item[]): Map<string, Item[]> {
  return grouped(items, ({ layer }) => layer);
}

function grouped(items: readonly Item[], wordOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(wordOf(item));
    if (group) group.push(item);
    else groups.set(wordOf(item), [item]);
  }
  return groups;
}

function byName(wanted: readonly Item[], others: readonly Item[]): { pairs: Pairs; isContradicted: boolean } {
  const found = new Map(others.map((other) => [other.name, other]));
  const common = wanted.filter(({ name }) => found.has(name));
  const same = common.filter(({ name, shape }) => found.get(name)!.shape === shape);
  return {
    pairs: same.map(({ name }) => [name, found.get(name)!.key]),
    isContradicted: same.length < common.length,
  };
}

/** The keys at the one distance of numbers at which every variable has an entry of its shape; null if there are none or several. */
function atOneDistance(wanted: readonly Item[], others: readonly Item[]): Pairs | null {
  const wordOf = ({ role, shape }: Item, number: number) => `${number} ${role} ${shape}`;
  const keys = new Map(others.map((other) => [wordOf(other, other.number), other.key]));
  const [first] = wanted;
  const distances = others.filter(({ role }) => role === first.role).map(({ number }) => number - first.number);
  const last = wanted.reduce((a, b) => b.number > a.number ? b : a);
  let found: number | null = null;
  for (const distance of distances) {
    const fits = (item: Item) => keys.has(wordOf(item, item.number + distance));
    // The last one is beyond the entries at nearly every distance.
    if (!fits(last) || !wanted.every(fits)) continue;
    if (found !== null) return null;
    found = distance;
  }
  if (found === null) return null;
  const distance = found;
  return wanted.map((item) => [item.name, keys.get(wordOf(item, item.number + distance))!]);
}

/** For each role with as many entries as variables and the same shapes in order of number, the keys of these; null if there is none. */
function inOrder(wanted: readonly Item[], others: readonly Item[]): Pairs | null {
  const offered = grouped(others, ({ role }) => role);
  const pairs: Pairs = [];
  for (const [role, items] of grouped(wanted, ({ role }) => role)) {
    const entries = offered.get(role) ?? [];
    for (const group of [items, entries]) group.sort((a, b) => a.number - b.number);
    const fits = items.length === entries.length && items.every((item, i) => item.shape === entries[i].shape);
    if (fits) items.forEach((item, i) => pairs.push([item.name, entries[i].key]));
  }
  return pairs.length > 0 ? pairs : null;
}
