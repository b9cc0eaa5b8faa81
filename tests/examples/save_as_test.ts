/** Documents as the inspector saves them, and what it says about their arrays. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { arrayStatistics } from "../../examples/inspector/array_statistics.ts";
import { inMemory, ofCheckpoint, openDocument } from "../../examples/inspector/document.ts";
import { viewOf } from "../../examples/inspector/document_view.ts";
import { isolated, numberText } from "../../examples/inspector/format.ts";
import { saveAs } from "../../examples/inspector/save_as.ts";
import * as paddle from "../../mod.ts";
import { planZip, type ZipMember } from "../../src/codec/zip/write_zip.ts";
import { encode, loadNpz } from "../../src/npy.ts";
import { encode as encodeSafetensors, load as loadSafetensors } from "../../src/safetensors.ts";
import { joinBytes } from "../../src/words/joined_bytes.ts";
import { atOnce } from "../../src/words/steps.ts";

const latin1 = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

function opened(name: string, bytes: Uint8Array<ArrayBuffer>) {
  const folder = new paddle.FileListFolder([[name, new Blob([bytes]) as File]]);
  return openDocument({ label: name, folder, name, program: null });
}

describe("a document saved by the inspector", () => {
  it("is refused if the file would lack a tensor that cannot be read", async () => {
    const file = encodeSafetensors(new Map(["q", "w"].map((name) => [name, paddle.zeros([2], "uint8")])));
    const text = String.fromCharCode(...file).replace('"U8","shape":[2]', '"F4","shape":[4]');
    const document = await opened("m.safetensors", latin1(text));
    deepEqual([...document.arrays.keys()], ["w"]);
    for (const form of ["safetensors", "npz", "pdparams"] as const) {
      await rejects(saveAs(document, form, null, new AbortController().signal), /"q" cannot be read/, form);
    }
  });

  it("tells what a .pdparams does not hold as it is, such as float8", async () => {
    const document = inMemory("m", new Map([["w", paddle.fromArray([0.5], "float8_e4m3fn")]]));
    const { signal } = new AbortController();
    const [pdparams, safe] = [
      await saveAs(document, "pdparams", null, signal),
      await saveAs(document, "safetensors", null, signal),
    ];
    equal(pdparams.warnings.length, 1);
    equal(/^float8_e4m3fn is written as int8, as Paddle does/.test(pdparams.warnings[0]), true, pdparams.warnings[0]);
    deepEqual(safe.warnings, []);
  });

  it("may be an .npz file of any size: its arrays are not held in memory", async () => {
    const large = new paddle.NDArray("uint8", [2 ** 29 + 1], { read: () => Promise.reject(new Error("read")) });
    const document = inMemory("m", new Map([["w", large]]));
    await rejects(saveAs(document, "npz", null, new AbortController().signal), { message: "read" });
  });

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

describe("a document in the inspector", () => {
  it("is an .npz file even if it has an array of strings, which is refused alone", async () => {
    const members = [["names", "<U1"], ["w", "<i4"]].map(([name, descr]): ZipMember => {
      const text = String.fromCharCode(...encode(paddle.fromArray([1, 2], "int32"))).replace("<i4", descr);
      return {
        name: `${name}.npy`,
        method: 0,
        size: text.length,
        compressed: text.length,
        chunks: () => [latin1(text)],
      };
    });
    const archive = joinBytes([...atOnce(planZip(members)).chunks()] as Uint8Array[]);
    const document = await opened("m.npz", archive);
    deepEqual([[...document.arrays.keys()], document.notes.length], [["w"], 1]);
    const bytes = await new Response(document.bytes("w", 4, 8) as BodyInit).arrayBuffer();
    deepEqual([...new Int32Array(bytes)], [2]);
  });

  it("is shown, and saved again, with arrays that no Tensor can hold", async () => {
    const names = new paddle.OpaqueArray("<U1", [1], new Uint8Array([97, 0, 0, 0]));
    const bytes = paddle.encode(new Map<string, paddle.Value>([["w", paddle.fromArray([1], "float32")], ["x", names]]));
    const folder = new paddle.FileListFolder([["m", new Blob([bytes]) as File]]);
    const document = await openDocument({ label: "m", folder, name: "m", program: null });
    const { arrays, others, notes } = viewOf(1, document);
    deepEqual([arrays.map(({ name }) => name), others, notes.length], [["w"], [["x", "array of <U1, 1"]], 1]);
    const { blob } = await saveAs(document, "pdparams", null, new AbortController().signal);
    deepEqual(new Uint8Array(await blob!.arrayBuffer()), bytes);
  });
});

describe("statistics in the inspector", () => {
  const statisticsOf = (array: paddle.NDArray) =>
    arrayStatistics(inMemory("x", new Map([["a", array]])), "a", new AbortController().signal, () => {});

  it("count every element in the histogram of numbers that float64 can hardly divide", async () => {
    for (const values of [[0, 5e-324, 1e-323], [-1.7e308, 0, 1, 1.7e308]]) {
      const { bins } = await statisticsOf(paddle.fromArray(values, "float64"));
      equal(bins.length, 48);
      equal(bins.reduce((a, b) => a + b, 0), values.length);
      equal(bins[0] >= 1 && bins[47] >= 1, true, String(bins));
    }
  });

  it("have a mean and a deviation of numbers whose squares or sums are infinite in float64", async () => {
    const { mean, std } = await statisticsOf(paddle.fromArray([1.5e308, 1.5e308, 0.5e308, 0.5e308], "float64"));
    equal(Math.abs(mean / 1e308 - 1) < 1e-12 && Math.abs(std / 0.5e308 - 1) < 1e-12, true, `${mean} ${std}`);
  });

  it("have all digits of the extremes of 64-bit integers", async () => {
    const { exact } = await statisticsOf(paddle.fromArray([9007199254740993n, -5n, -(2n ** 63n)], "int64"));
    deepEqual(exact, [-(2n ** 63n), 9007199254740993n]);
    equal((await statisticsOf(paddle.fromArray([1, 2], "int32"))).exact, null);
  });
});

describe("a name in a sentence", () => {
  it("does not turn the sentence around", () => {
    equal(isolated("linear.weight"), "linear.weight");
    equal(isolated("a\u202egnp.exe"), "\u2068a\u202egnp.exe\u2069");
  });
});

describe("a statistic in the inspector", () => {
  it("is shown with all digits if it is an integer, otherwise with seven", () => {
    const shown = [1234567891, -9007199254740991, 0.123456789, 3.4028234663852886e38, NaN].map(numberText);
    deepEqual(shown, ["1234567891", "-9007199254740991", "0.1234568", "3.402823e+38", "NaN"]);
  });
});
