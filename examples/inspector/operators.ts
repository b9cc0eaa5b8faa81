/** Operators of a program as text. */
import type { Operator } from "../../mod.ts";
import type { OperatorRow, OperatorView } from "./protocol.ts";

/** Maximum length of an attribute's text. */
const LONGEST = 400;

function ports(slots: Operator["inputs"]): string {
  return [...slots.values()].flat().join(", ");
}

/** An operator as a row of the list. */
export function operatorRow({ type, inputs, outputs }: Operator): OperatorRow {
  return { type, inputs: ports(inputs), outputs: ports(outputs) };
}

/** An operator with its attributes. */
export function operatorView(operator: Operator): OperatorView {
  const attributes = [...operator.attributes].map(([name, value]): [string, string] => [name, text(value)]);
  return { ...operatorRow(operator), attributes };
}

function text(value: unknown): string {
  const json = JSON.stringify(value, (_, item) => {
    if (typeof item === "bigint") return String(item);
    return item instanceof Uint8Array ? `${item.length} bytes` : item;
  }) ?? String(value);
  return json.length > LONGEST ? json.slice(0, LONGEST) + "…" : json;
}
