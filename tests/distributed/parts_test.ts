import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { checkCover } from "../../src/distributed/assemble.ts";
import type { Part } from "../../src/distributed/metadata.ts";
import { takesLittle, timeOf } from "../helpers/soon.ts";

type Box = Pick<Part, "offset" | "shape" | "range">;

function partOf(offset: number[], shape: number[], range: [number, number] | null = null): Part {
  return { offset, shape, range } as Box as Part;
}

/** The parts of a grid, with every axis cut into pieces of these lengths. */
function grid(cuts: readonly number[][]): Part[] {
  let parts: Part[] = [partOf([], [])];
  for (const lengths of cuts) {
    const starts = lengths.map((_, i) => lengths.slice(0, i).reduce((a, b) => a + b, 0));
    parts = parts.flatMap(({ offset, shape }) =>
      lengths.map((length, i) => partOf([...offset, starts[i]], [...shape, length]))
    );
  }
  return parts;
}

function shapeOf(cuts: readonly number[][]): number[] {
  return cuts.map((lengths) => lengths.reduce((a, b) => a + b, 0));
}

/** Random cuts of one to three axes into up to four pieces each, some of length 0. */
function cutsOf(next: () => number): number[][] {
  return Array.from({ length: 1 + next() % 3 }, () => Array.from({ length: 1 + next() % 4 }, () => next() % 4));
}

function numbersFrom(seed: number): () => number {
  return () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16;
}

describe("the parts of a tensor in a distributed checkpoint", () => {
  it("are accepted when they cover it, in any order, even if some are empty", () => {
    for (let seed = 1; seed < 200; seed++) {
      const next = numbersFrom(seed), cuts = cutsOf(next);
      const parts = grid(cuts).sort(() => next() % 2 - 0.5);
      checkCover("w", shapeOf(cuts), parts);
    }
  });

  it("are refused when one is there twice in place of another of its size", () => {
    let refused = 0;
    for (let seed = 1; seed < 400; seed++) {
      const next = numbersFrom(seed), cuts = cutsOf(next), parts = grid(cuts);
      const [one, two] = [next() % parts.length, next() % parts.length];
      const size = ({ shape }: Part) => shape.reduce((a, b) => a * b, 1);
      if (one === two || size(parts[one]) !== size(parts[two]) || size(parts[one]) === 0) continue;
      parts[two] = partOf([...parts[one].offset], [...parts[one].shape]);
      assert.throws(() => checkCover("w", shapeOf(cuts), parts), { code: "BAD_FIELD", message: /same elements/ });
      refused++;
    }
    assert.ok(refused > 20, String(refused));
  });

  it("may be adjacent ranges of one flattened piece, but are refused when they overlap", () => {
    const ranges = (at: number) => [partOf([0, 0], [4, 5], [0, 7]), partOf([0, 0], [4, 5], [at, at + 13])];
    checkCover("w", [4, 5], ranges(7));
    for (const at of [0, 6]) {
      for (const parts of [ranges(at), ranges(at).reverse()]) {
        assert.throws(() => checkCover("w", [4, 5], parts), { code: "BAD_FIELD" }, String(at));
      }
    }
  });

  it("are refused when pieces overlap, whatever ranges of them there are", () => {
    const first = partOf([0, 0], [4, 5], [0, 10]), rest = partOf([0, 0], [4, 5], [5, 20]);
    const half = partOf([0, 0], [2, 5]), row = partOf([2, 0], [2, 5], [0, 5]);
    for (const parts of [[half, first], [rest, row]]) {
      assert.throws(() => checkCover("w", [4, 5], parts), { code: "BAD_FIELD", message: /same elements/ });
    }
  });

  it("are checked quickly at the largest number, 4096", async () => {
    const cuts = Array.from({ length: 12 }, () => [1, 1]), parts = grid(cuts);
    assert.equal(parts.length, 4096);
    await takesLittle("a tensor", () => timeOf(() => checkCover("w", shapeOf(cuts), parts)), 1000);
  });
});
