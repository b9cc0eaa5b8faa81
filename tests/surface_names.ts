/** The exported names of the package at run time. */
import * as main from "../mod.ts";
import * as cli from "../src/cli/mod.ts";
import * as codec from "../src/codec.ts";
import * as npy from "../src/npy.ts";
import * as pickle from "../src/pickle.ts";
import * as safetensors from "../src/safetensors.ts";

/** Every entry point in deno.json that is a module. */
export const ENTRIES: Readonly<Record<string, object>> = {
  ".": main,
  "./cli": cli,
  "./codec": codec,
  "./npy": npy,
  "./pickle": pickle,
  "./safetensors": safetensors,
};

/** `<entry> <dotted name>: <kind>` of all names; in a bundle, nothing distinguishes a namespace from another object. */
export function namesAtRunTime(isNamespace: (name: string, value: object) => boolean): string[] {
  const names: string[] = [];
  const visit = (prefix: string, module: object): void => {
    for (const [key, value] of Object.entries(module)) {
      const name = prefix + key;
      if (typeof value === "object" && value !== null && isNamespace(name, value)) {
        names.push(`${name}: namespace`);
        visit(name + ".", value);
      } else names.push(`${name}: ${kindOf(value)}`);
    }
  };
  for (const [entry, module] of Object.entries(ENTRIES)) visit(entry + " ", module);
  return names.sort();
}

function kindOf(value: unknown): string {
  if (typeof value !== "function") return "value";
  return Function.prototype.toString.call(value).startsWith("class") ? "class" : "function";
}
