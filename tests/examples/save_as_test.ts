/** Documents as the inspector saves them. */
import { deepEqual } from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { ofCheckpoint } from "../../examples/inspector/document.ts";
import { numberText } from "../../examples/inspector/format.ts";
import { saveAs } from "../../examples/inspector/save_as.ts";
import * as paddle from "../../mod.ts";
import { loadNpz } from "../../src/npy.ts";
import { load as loadSafetensors } from "../../src/safetensors.ts";

describe("a document saved by the inspector", () => {
  it("keeps an array without a name beside one called array", async () => {
    const value = new Map([["", paddle.fromArray([1], "float32")], ["array", paddle.fromArray([2], "float32")]]);
    const document = await ofCheckpoint(await paddle.open(paddle.encode(value)), { label: "m" });
    const { signal } = new AbortController();
    for (const [form, load] of [["safetensors", loadSafetensors], ["npz", loadNpz]] as const) {
      const { blob } = await saveAs(document, form, null, signal);
      const arrays: [string, unknown][] = [...await load(blob!)].map(([name, array]) => [name, array.toArray()]);
      deepEqual(arrays.sort(), [["array", [2]], ["array_", [1]]], form);
    }
  });
});

describe("a statistic in the inspector", () => {
  it("is shown with all digits if it is an integer, otherwise with seven", () => {
    const shown = [1234567891, -9007199254740991, 0.123456789, 3.4028234663852886e38, NaN].map(numberText);
    deepEqual(shown, ["1234567891", "-9007199254740991", "0.1234568", "3.402823e+38", "NaN"]);
  });
});
