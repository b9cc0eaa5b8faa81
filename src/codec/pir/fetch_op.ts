/**
 * The operator that makes a value an output of a PIR module (FORMATS.md 9.3).
 *
 * @module
 */
import { type Json, JsonObject } from "../json/json.ts";
import { StepPace } from "../../words/steps.ts";
import { asObject, At, badField } from "./fields.ts";
import type { PirOp } from "./pir_op.ts";

/** A value that becomes an output. */
export interface Fetched {
  /** Name of the output. */
  readonly name: string;
  /** Id of the value. */
  readonly id: number;
}

/** Operators that fetch values made by `ops` as outputs 0, 1 and so on, made in steps. */
export function* fetchOpsInSteps(
  ops: readonly PirOp[],
  fetched: readonly Fetched[],
  trainable: boolean,
): Generator<void, JsonObject[]> {
  const makers = new Map<number, PirOp>(), pace = new StepPace();
  let last = 0;
  for (const op of ops) {
    if (pace.isDue(1)) yield;
    for (const { id } of op.results) {
      if (!makers.has(id)) makers.set(id, op);
      last = Math.max(last, id);
    }
  }
  return fetched.map(({ name, id }, column) => {
    const maker = makers.get(id);
    if (!maker) throw badField(new At(null, "I"), `uses the value ${id}, which no operator defines`);
    return fetchOp(maker, { name, id }, { column, result: ++last, trainable });
  });
}

/** The operator that fetches a result of `maker`. */
function fetchOp(
  maker: PirOp,
  { name, id }: Fetched,
  { column, result: own, trainable }: { column: number; result: number; trainable: boolean },
): JsonObject {
  const results = maker.json.get("O");
  const index = maker.results.findIndex((result) => result.id === id);
  const result = asObject(Array.isArray(results) ? results[index] : results, null, "O");
  const op: JsonObject = JsonObject.of([
    ["#", "1.fetch"],
    ["A", [attribute("name", "0.a_str", name), attribute("col", "0.a_i32", column)]],
    ["I", [JsonObject.of([["%", id]])]],
    ["O", [JsonObject.of([["%", own], ["TT", result.get("TT")!]])]],
  ]);
  if (trainable) {
    op.set("OA", [
      attribute("persistable", "0.a_array", flags(true)),
      attribute("stop_gradient", "0.a_array", flags(maker.stopGradientAt(index) ?? false)),
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
