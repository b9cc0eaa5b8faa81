/**
 * The operator that makes a value an output of a PIR module (FORMATS.md 9.3).
 *
 * @module
 */
import { type Json, JsonObject } from "../json/json.ts";
import { asObject, At, badField } from "./fields.ts";
import type { PirProgram } from "./pir_program.ts";

/** An operator that fetches value `id` as output `column`, called `name`. */
export function fetchOp(program: PirProgram, name: string, id: number, column: number): JsonObject {
  const ops = program.ops();
  const maker = ops.find((op) => op.results.some((result) => result.id === id));
  if (!maker) throw badField(new At(null, "I"), `names the value ${id}, which nobody makes`);
  const results = maker.json.get("O");
  const index = maker.results.findIndex((result) => result.id === id);
  const result = asObject(Array.isArray(results) ? results[index] : results, null, "O");
  let last = 0;
  for (const { results } of ops) for (const { id } of results) last = Math.max(last, id);
  const op: JsonObject = JsonObject.of([
    ["#", "1.fetch"],
    ["A", [attribute("name", "0.a_str", name), attribute("col", "0.a_i32", column)]],
    ["I", [JsonObject.of([["%", id]])]],
    ["O", [JsonObject.of([["%", last + 1], ["TT", result.get("TT")!]])]],
  ]);
  if (program.trainable) {
    op.set("OA", [
      attribute("persistable", "0.a_array", flags(true)),
      attribute("stop_gradient", "0.a_array", flags(maker.stopGradient ?? false)),
    ]);
  }
  return op;
}

function attribute(name: string, kind: string, data: Json): Json {
  return JsonObject.of([["AT", JsonObject.of([["#", kind], ["D", data]])], ["N", name]]);
}

function flags(on: boolean): Json[] {
  return [JsonObject.of([["#", "0.a_bool"], ["D", on]])];
}
