/**
 * Converts variables by name to a state dict by structured name, as `paddle.load` of a prefix does (FORMATS.md 11).
 *
 * @module
 */
import { FormatError, quote, ValueError } from "../errors.ts";
import { isAddedByQuantiser, type ModelInfo } from "./model_info.ts";

/**
 * The values by structured name; without info, by variable name.
 *
 * @throws {FormatError} `BAD_KEY`: a variable is missing from the info
 * @throws {ValueError} `NAME_COLLISION`: two variables have the same structured name
 */
export function byStructuredName<T>(variables: ReadonlyMap<string, T>, info: ModelInfo | null): Map<string, T> {
  if (!info) return new Map(variables);
  const state = new Map<string, T>();
  for (const [name, value] of variables) {
    const entry = info.get(name);
    if (!entry && !isAddedByQuantiser(name)) {
      throw new FormatError("BAD_KEY", `The .pdiparams.info does not know the variable ${quote(name)}`, {
        at: name,
        hint: "if an earlier model left that file, remove it",
      });
    }
    // Constants of the program were in no state dict.
    const key = entry?.structuredName ?? name;
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
