import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { NDArray, Tensor } from "../../mod.ts";
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
    ["have the keys of the same names", { "linear_0.w_0": W, "linear_0.b_0": B }, [
      ["a.weight", "linear_0.w_0", W],
      ["a.bias", "linear_0.b_0", B],
    ], { "linear_0.w_0": "a.weight", "linear_0.b_0": "a.bias" }],
    ["of names without a layer have none but that of the same name and shape", { scale: W, shift: B }, [
      ["a", "scale", W],
      ["b", "shift", W],
    ], { scale: "a" }],
    ["are guessed where all numbers are off by one distance", { "linear_0.w_0": W, "linear_1.w_0": V }, [
      ["a", "linear_4.w_0", W],
      ["b", "linear_5.w_0", V],
    ], { "linear_0.w_0": "a?", "linear_1.w_0": "b?" }],
    ["are guessed where one distance fits, however many entries there are", { "linear_0.w_0": W, "linear_1.w_0": V }, [
      ["c", "linear_2.w_0", W],
      ["a", "linear_4.w_0", W],
      ["b", "linear_5.w_0", V],
    ], { "linear_0.w_0": "a?", "linear_1.w_0": "b?" }],
    ["are guessed by their order where several distances fit", { "linear_7.w_0": W, "linear_9.w_0": W }, [
      ["b", "linear_3.w_0", W],
      ["a", "linear_0.w_0", W],
    ], { "linear_7.w_0": "a?", "linear_9.w_0": "b?" }],
    ["are not guessed where several distances fit and there are more entries", { "linear_7.w_0": W }, [
      ["a", "linear_0.w_0", W],
      ["b", "linear_1.w_0", W],
    ], {}],
    ["are guessed by their order where no distance fits", { "linear_0.w_0": W, "linear_2.w_0": V }, [
      ["a", "linear_5.w_0", W],
      ["b", "linear_9.w_0", V],
    ], { "linear_0.w_0": "a?", "linear_2.w_0": "b?" }],
    ["are guessed by order for each role, and none of a role that has others", {
      "bn_0.w_0": B,
      "bn_0.b_0": B,
      "bn_2.w_0": V,
    }, [
      ["w", "bn_3.w_0", B],
      ["v", "bn_8.w_0", V],
      ["b", "bn_3.b_0", W],
    ], { "bn_0.w_0": "w?", "bn_2.w_0": "v?" }],
    ["have no key where a shape speaks against the order", { "linear_0.w_0": W, "linear_2.w_0": V }, [
      ["a", "linear_5.w_0", V],
      ["b", "linear_9.w_0", W],
    ], {}],
    [
      "keep those of the same name as guesses where others of the kind are missing",
      {
        "linear_0.w_0": W,
        "linear_1.w_0": V,
      },
      [["a", "linear_0.w_0", W]],
      { "linear_0.w_0": "a?" },
    ],
    ["keep none of the same names where one has another shape", {
      "linear_0.w_0": W,
      "linear_1.w_0": V,
      "linear_2.w_0": V,
    }, [
      ["a", "linear_0.w_0", W],
      ["b", "linear_1.w_0", W],
    ], {}],
    ["of one kind say nothing of another", { "linear_0.w_0": W, "conv2d_0.w_0": W }, [
      ["a", "linear_0.w_0", W],
      ["b", "conv2d_3.w_0", W],
    ], { "linear_0.w_0": "a", "conv2d_0.w_0": "b?" }],
  ];
  for (const [what, variables, like, expected] of CASES) {
    it(what, () => assert.deepEqual(matched(variables, like), expected));
    it(`${what}: by the name table beside plain arrays`, () =>
      assert.deepEqual(matched(variables, like, true), expected));
  }

  it("get no key from an entry of the name table that is no array", () => {
    const like = new Map<string, unknown>([["a", null], [
      "StructuredToParameterName@@",
      new Map<string, unknown>([["a", "scale"], ["b", 2]]),
    ]]);
    assert.deepEqual([...matchNames(new Map([["scale", W]]), like)], []);
  });
});
