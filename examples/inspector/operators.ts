/** Operators of a program as text. */
import type { Operator, Program } from "../../mod.ts";
import type { OperatorRow, OperatorView } from "./protocol.ts";

/** Maximum length of an attribute's text. */
const LONGEST = 400;

/** A program's operators, and the names of its variables by the ids by which PIR's operators refer to them. */
export interface Operators {
  ops: Operator[];
  names: ReadonlyMap<string, string>;
}

/** The operators of a program. */
export function operatorsIn(program: Program): Operators {
  const names = program.vars().flatMap(({ id, name }): [string, string][] => id === undefined ? [] : [[id, name]]);
  return { ops: program.ops(), names: new Map(names) };
}

/** An operator as a row of the list. */
export function operatorRow({ type, inputs, outputs }: Operator, names: Operators["names"]): OperatorRow {
  const ports = (slots: Operator["inputs"]) => {
    return [...slots.values()].flat().map((port) => names.get(port) ?? port).join(", ");
  };
  return { type, inputs: ports(inputs), outputs: ports(outputs) };
}

/** An operator with its attributes. */
export function operatorView(operator: Operator, names: Operators["names"]): OperatorView {
  const attributes = [...operator.attributes].map(([name, value]): [string, string] => [name, text(value)]);
  return { ...operatorRow(operator, names), attributes };
}

function text(value: unknown): string {
  const json = JSON.stringify(value, (_, item) => {
    if (typeof item === "bigint") return String(item);
    return item instanceof Uint8Array ? `${item.length} bytes` : item;
  }) ?? String(value);
  return json.length > LONGEST ? json.slice(0, LONGEST) + "…" : json;
}
