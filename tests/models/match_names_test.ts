import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { NDArray, Tensor } from "../../mod.ts";
import { takesLittle, timeOf } from "../helpers/soon.ts";
import { matchNames } from "../../src/model/match_names.ts";

type Shapes = Record<string, number[] | null>;

/** Keys for variables of these shapes, matched against entries of a state dict: key, parameter name, shape. Guesses end in `?`. */
function matched(variables: Shapes, like: [key: string, name: string, shape: number[]][], table = false) {
  const entries = like.map(([key, name, shape]): [string, unknown] => [
    key,
    table ? new NDArray("int8", shape) : new Tensor("int8", shape, undefined, { name }),
  ]);
  if (table) entries.push(["StructuredToParameterName@@", new Map(like.map(([key, name]) => [key, name]))]);
  const found = matchNames(new Map(Object.entries(variables)), new Map(entries));
  return Object.fromEntries([...found].map(([name, { key, isGuess }]) => [name, key + (isGuess ? "?" : "")]));
}

const W = [2, 3], V = [3, 4], B = [3];

describe("variables of a model, matched with a state dict of the same network", () => {
  const CASES: [what: string, Shapes, [string, string, number[]][], Record<string, string>][] = [
    ["get the keys of the entries with their names", { "linear_0.w_0": W, "linear_0.b_0": B }, [
      ["a.weight", "linear_0.w_0", W],
      ["a.bias", "linear_0.b_0", B],
    ], { "linear_0.w_0": "a.weight", "linear_0.b_0": "a.bias" }],
    ["whose names have no layer only get the key of an entry with their name and shape", { scale: W, shift: B }, [
      ["a", "scale", W],
      ["b", "shift", W],
    ], { scale: "a" }],
    ["are guessed when all numbers are off by the same distance", { "linear_0.w_0": W, "linear_1.w_0": V }, [
      ["a", "linear_4.w_0", W],
      ["b", "linear_5.w_0", V],
    ], { "linear_0.w_0": "a?", "linear_1.w_0": "b?" }],
    ["are guessed when one distance fits, however many entries there are", { "linear_0.w_0": W, "linear_1.w_0": V }, [
      ["c", "linear_2.w_0", W],
      ["a", "linear_4.w_0", W],
      ["b", "linear_5.w_0", V],
    ], { "linear_0.w_0": "a?", "linear_1.w_0": "b?" }],
    ["are guessed by their order when several distances fit", { "linear_7.w_0": W, "linear_9.w_0": W }, [
      ["b", "linear_3.w_0", W],
      ["a", "linear_0.w_0", W],
    ], { "linear_7.w_0": "a?", "linear_9.w_0": "b?" }],
    ["are not guessed when several distances fit and there are more entries", { "linear_7.w_0": W }, [
      ["a", "linear_0.w_0", W],
      ["b", "linear_1.w_0", W],
    ], {}],
    ["are guessed by their order when no distance fits", { "linear_0.w_0": W, "linear_2.w_0": V }, [
      ["a", "linear_5.w_0", W],
      ["b", "linear_9.w_0", V],
    ], { "linear_0.w_0": "a?", "linear_2.w_0": "b?" }],
    ["are guessed by their order within each role, but not in a role with other shapes", {
      "bn_0.w_0": B,
      "bn_0.b_0": B,
      "bn_2.w_0": V,
    }, [
      ["w", "bn_3.w_0", B],
      ["v", "bn_8.w_0", V],
      ["b", "bn_3.b_0", W],
    ], { "bn_0.w_0": "w?", "bn_2.w_0": "v?" }],
    ["get no key when a shape contradicts the order", { "linear_0.w_0": W, "linear_2.w_0": V }, [
      ["a", "linear_5.w_0", V],
      ["b", "linear_9.w_0", W],
    ], {}],
    [
      "get keys by name only as guesses when others of their kind are missing",
      {
        "linear_0.w_0": W,
        "linear_1.w_0": V,
      },
      [["a", "linear_0.w_0", W]],
      { "linear_0.w_0": "a?" },
    ],
    ["get no key by name when one of their kind has another shape", {
      "linear_0.w_0": W,
      "linear_1.w_0": V,
      "linear_2.w_0": V,
    }, [
      ["a", "linear_0.w_0", W],
      ["b", "linear_1.w_0", W],
    ], {}],
    ["of one kind do not affect those of another", { "linear_0.w_0": W, "conv2d_0.w_0": W }, [
      ["a", "linear_0.w_0", W],
      ["b", "conv2d_3.w_0", W],
    ], { "linear_0.w_0": "a", "conv2d_0.w_0": "b?" }],
  ];
  for (const [what, variables, like, expected] of CASES) {
    it(what, () => assert.deepEqual(matched(variables, like), expected));
    it(`${what}: with a name table beside plain arrays`, () =>
      assert.deepEqual(matched(variables, like, true), expected));
  }

  it("take no time even if there are thousands of layers, all with other numbers", async () => {
    const range = Array.from({ length: 5000 }, (_, i) => i);
    const variables = new Map(range.map((i) => [`linear_${i}.w_0`, B]));
    const like = new Map(
      range.map((i) => [`k${i}`, new Tensor("int8", B, undefined, { name: `linear_${i + 1}.w_0` })]),
    );
    assert.equal(matchNames(variables, like).get("linear_9.w_0")?.key, "k9");
    await takesLittle("matching 5000 names", () => timeOf(() => matchNames(variables, like)), 1000);
  });

  it("get no key from an entry of the name table that is no array", () => {
    const like = new Map<string, unknown>([["a", null], [
      "StructuredToParameterName@@",
      new Map<string, unknown>([["a", "scale"], ["b", 2]]),
    ]]);
    assert.deepEqual([...matchNames(new Map([["scale", W]]), like)], []);
  });
});
