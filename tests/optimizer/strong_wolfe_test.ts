import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { arithmetic, float } from "../../src/optimizer/scalar.ts";
import { strongWolfe } from "../../src/optimizer/strong_wolfe.ts";

/** The answers of tests/oracle/make_line_search_fixture.py. */
function answers(seed: number): [loss: number, slope: number][] {
  const isCoarse = seed % 2 === 1;
  let state = seed + 1;
  return Array.from({ length: 30 }, (_, k) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    const slope = (state >>> 16) % 25 / 8 - 1.5;
    if (seed % 16 === 14) return [-(8 ** k), -1];
    if (seed % 16 === 15) return [4, slope];
    return [(state >>> 8) % (isCoarse ? 9 : 33) / 8 - (isCoarse ? 0.5 : 2), slope];
  });
}

describe("the line search of LBFGS", () => {
  it("finds what Paddle's finds, after as many evaluations, whatever the function answers", () => {
    const path = "tests/fixtures/training/paddle-3.3.1/line_search.json";
    const { found } = JSON.parse(readFileSync(path, "utf8"));
    const math = arithmetic(Math.fround);
    let searches = 0;
    for (const [seed, wanted] of found.entries()) {
      // Division by zero is an error in Python only.
      if (wanted === null) continue;
      const script = answers(seed);
      let calls = 0;
      const place = (alpha: ReturnType<typeof float>, loss: number, slope: number) => ({
        alpha,
        loss: float(loss),
        gradient: Float32Array.of(slope),
        slope: math.tensor(slope),
      });
      const start = place({ value: 0, kind: "int" }, 0.5, -0.25 - seed % 8 / 8);
      const visit = (alpha: ReturnType<typeof float>) => place(alpha, ...script[calls++]);
      const { place: { loss, slope, alpha }, visits } = strongWolfe(
        { visit, start, length: 1, math },
        float([1, 0.013, 0.5][seed % 3]),
      );
      const isTensor = alpha.kind === "tensor";
      const given = [loss.value, slope.value, alpha.value].map((x) => Number.isNaN(x) ? null : x);
      assert.deepEqual([...given, visits, isTensor], wanted, `seed ${seed}`);
      searches++;
    }
    assert.ok(searches > 100);
  });
});
