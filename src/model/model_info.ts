/**
 * `.pdiparams.info`: what jit.save in the legacy form records about the variables (FORMATS.md 10.2).
 *
 * @module
 */
import { FormatError, quote } from "../errors.ts";

/** What is recorded about one variable. */
export interface VariableInfo {
  /** Its key in the network's state dict, if it was in it. */
  readonly structuredName?: string;
  /** Whether no gradient is computed for it. */
  readonly stopGradient: boolean;
  /** Whether it is trained; only Parameters have this. */
  readonly trainable?: boolean;
}

/** Variables by name. */
export type ModelInfo = ReadonlyMap<string, VariableInfo>;

/** The checked entries of a decoded `.info`. */
export function infoOf(value: unknown): ModelInfo {
  if (!(value instanceof Map)) throw bad("it is not a dict");
  const info = new Map<string, VariableInfo>();
  for (const [name, entry] of value) {
    if (typeof name !== "string") throw bad("a key is not a string");
    if (!(entry instanceof Map)) throw bad(`the entry of ${quote(name)} is not a dict`, name);
    const structuredName = entry.get("structured_name");
    const stopGradient = entry.get("stop_gradient") ?? false;
    const trainable = entry.get("trainable");
    if (structuredName !== undefined && typeof structuredName !== "string") {
      throw bad(`the structured name of ${quote(name)} is not a string`, name);
    }
    if (typeof stopGradient !== "boolean" || (trainable !== undefined && typeof trainable !== "boolean")) {
      throw bad(`a flag of ${quote(name)} is not a bool`, name);
    }
    info.set(name, { structuredName, stopGradient, trainable });
  }
  return info;
}

function bad(finding: string, at?: string): FormatError {
  return new FormatError("BAD_FIELD", `This is not a Paddle .pdiparams.info file: ${finding}`, { at });
}

/**
 * Whether a variable may be missing from the info: with `onnx_format`, Paddle's quantisers add scales and zero points to the program after
 * the info was written. Paddle's own loaders refuse such models, except for inference.
 */
export function isAddedByQuantiser(name: string): boolean {
  return /@(scale|zero_point)$/.test(name);
}

/** Check that the info lists every variable of the network: `jit.load` refuses otherwise. */
export function checkInfo(perMethod: readonly ReadonlyMap<string, unknown>[], info: ModelInfo | null): void {
  if (!info) return;
  for (const variables of perMethod) {
    for (const name of variables.keys()) {
      if (info.has(name) || isAddedByQuantiser(name)) continue;
      throw new FormatError("BAD_KEY", `The .pdiparams.info does not know the variable ${quote(name)}`, { at: name });
    }
  }
}
