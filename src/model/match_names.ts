/**
 * Structured names for variables, from a state dict of the same network.
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

interface Candidate {
  key: string;
  shape: string;
  kind: string;
  number: number;
}

/**
 * Keys of `like` for the variables: where a Tensor of `like` has the variable's name, that key; else, for a variable such as
 * `linear_3.w_0`, the entry in the same place among the layers of that kind, if all of that kind fit by shape.
 */
export function matchNames(
  variables: ReadonlyMap<string, readonly number[] | null>,
  like: ReadonlyMap<string, unknown>,
): Map<string, MatchedName> {
  const matched = new Map<string, MatchedName>();
  const byName = namesOf(like);
  for (const name of variables.keys()) {
    const key = byName.get(name);
    if (key !== undefined) matched.set(name, { key, isGuess: false });
  }
  const left = [...variables].filter(([name]) => !matched.has(name));
  const taken = new Set([...matched.values()].map(({ key }) => key));
  const wanted = groupsOf(left.map(([name, shape]) => ({ name, shape: String(shape) })));
  const offered = groupsOf(
    [...byName].filter(([, key]) => !taken.has(key)).map(([name, key]) => {
      return { name, key, shape: String((like.get(key) as NDArray).shape) };
    }),
  );
  for (const [kind, items] of wanted) {
    const others = offered.get(kind) ?? [];
    const fits = items.length === others.length && items.every((item, i) => item.shape === others[i].shape);
    if (fits) items.forEach((item, i) => matched.set(item.key, { key: others[i].key, isGuess: true }));
  }
  return matched;
}

/** Parameter names to keys: of the Tensors, or of the name table beside arrays. */
function namesOf(like: ReadonlyMap<string, unknown>): Map<string, string> {
  const names = new Map<string, string>();
  const table = like.get(NAME_TABLE);
  if (table instanceof Map) {
    for (const [key, name] of table) {
      if (typeof name === "string" && like.get(key) instanceof NDArray) names.set(name, key);
    }
  }
  for (const [key, value] of like) if (value instanceof Tensor && value.name) names.set(value.name, key);
  return names;
}

/** Variables by kind of layer and role (`linear .w_0`), in the order of their numbers. */
function groupsOf(items: readonly { name: string; key?: string; shape: string }[]): Map<string, Candidate[]> {
  const groups = new Map<string, Candidate[]>();
  for (const { name, key = name, shape } of items) {
    const parts = /^(.*?)_(\d+)\.(.*)$/.exec(name.slice(0, 1024));
    if (!parts) continue;
    const kind = `${parts[1]} .${parts[3]}`;
    const group = groups.get(kind) ?? [];
    group.push({ key, shape, kind, number: Number(parts[2]) });
    groups.set(kind, group);
  }
  for (const group of groups.values()) group.sort((a, b) => a.number - b.number);
  return groups;
}
