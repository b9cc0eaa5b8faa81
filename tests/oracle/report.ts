/** Collects differences between a Paddle and us. */
import type { Value } from "../../mod.ts";
import { ANY, describe, expected, same } from "../real/describe.ts";
import type { Json } from "./paddles.ts";

/** How many differences are shown in full. */
const SHOWN = 20;

export class Report {
  /** Number of differences so far. */
  count = 0;

  /** Compare our value with Paddle's answer, `{ result }` or `{ error }`. */
  compare(name: string, value: Value, answer: Json): void {
    if (answer.error) return this.differs(name, `Paddle says ${answer.error}\n   it is ${show(describe(value))}`);
    const ours = unordered(describe(value)), theirs = unordered(expected(answer.result));
    if (!same(ours, theirs)) this.differs(name, `ours: ${show(ours)}\n   Paddle's: ${show(theirs)}`);
  }

  /** Compare two of Paddle's answers. */
  compareAnswers(name: string, answer: Json, wanted: Json): void {
    const both = [answer, wanted].map((said) => JSON.stringify(unordered(said)));
    if (both[0] !== both[1]) this.differs(name, `Paddle says ${show(answer)}\n   of the original ${show(wanted)}`);
  }

  /** Record a difference. */
  differs(name: string, what: string): void {
    this.count++;
    if (this.count <= SHOWN) console.log(`${name}: DIFFERENT: ${what}`);
  }
}

function show(json: Json): string {
  return JSON.stringify(json).slice(0, 400);
}

/** Sorts the members of sets, which have no order. */
function unordered(json: Json): Json {
  if (Array.isArray(json)) return json.map(unordered);
  if (typeof json !== "object" || json === null || json === ANY) return json;
  const made: Json = {};
  for (const [tag, value] of Object.entries(json)) {
    const inner = unordered(value);
    made[tag] = tag === "set"
      ? inner.sort((a: Json, b: Json) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
      : inner;
  }
  return made;
}
