/**
 * From variables by name to a state dict by structured name, as `paddle.load` of a prefix does it (FORMATS.md 11).
 *
 * @module
 */
import { FormatError, quote, ValueError } from "../errors.ts";
import type { ModelInfo } from "./model_info.ts";

/**
 * The same values under their structured names; without info, under the variables' names.
 *
 * @throws {FormatError} `BAD_KEY`: the info does not know a variable
 * @throws {ValueError} `NAME_COLLISION`: two variables have one structured name
 */
export function byStructuredName<T>(variables: ReadonlyMap<string, T>, info: ModelInfo | null): Map<string, T> {
  if (!info) return new Map(variables);
  const state = new Map<string, T>();
  for (const [name, value] of variables) {
    const entry = info.get(name);
    if (!entry) {
      throw new FormatError("BAD_KEY", `The .pdiparams.info does not know the variable ${quote(name)}`, { at: name });
    }
    // Constants of the program were in no state dict.
    const key = entry.structuredName ?? name;
    if (state.has(key)) {
      throw new ValueError("NAME_COLLISION", `Two variables have the structured name ${quote(key)}`, {
        at: key,
        names: [key, name],
      });
    }
    state.set(key, value);
  }
  return state;
}
