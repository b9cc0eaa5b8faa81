/** Elements as the inspector shows them. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { inMemory, ofCheckpoint, type OpenDocument } from "../../examples/inspector/document.ts";
import { elementText, originalText, parseElement, pieces } from "../../examples/inspector/elements.ts";
import * as paddle from "../../mod.ts";

const ROWS: [paddle.DType, number, string][] = [
  ["float32", 0.1, "0.1"],
  ["float32", -0.9589242935180664, "-0.9589243"],
  ["float32", 16777216, "16777216"],
  ["float32", 3.4028234663852886e38, "3.4028235e+38"],
  ["float32", 1e-45, "1e-45"],
  ["float32", -0, "-0"],
  ["float32", NaN, "NaN"],
  ["float32", -Infinity, "-Infinity"],
  ["float16", 0.1, "0.1"],
  ["float16", 65504, "65504"],
  ["bfloat16", 1 / 3, "0.334"],
  ["float64", 0.1 + 0.2, "0.30000000000000004"],
  ["float8_e4m3fn", 448, "448"],
  ["int32", -7, "-7"],
];

describe("an element in the inspector", () => {
  for (const [dtype, value, text] of ROWS) {
    it(`of ${dtype} with the value ${value} is shown as ${text}, which parses to the same value`, () => {
      const cell = paddle.zeros([1], dtype);
      cell.set(value, 0);
      equal(elementText(cell.at(0), dtype), text);
      const typed = paddle.zeros([1], dtype);
      typed.set(parseElement(text, dtype), 0);
      deepEqual(typed.bytes, cell.bytes);
    });
  }

  it("of a complex dtype has both parts in the digits of that dtype", () => {
    const cell = paddle.zeros([1], "complex64");
    cell.set(new paddle.Complex(0.1, -0.2), 0);
    equal(elementText(cell.at(0), "complex64"), "0.1-0.2j");
  });

  it("of a complex dtype is shown as it can be typed, whatever its parts", () => {
    const parts = [0, -0, 1.5, -1.5, Infinity, -Infinity, NaN];
    for (const value of parts.flatMap((re) => parts.map((im) => new paddle.Complex(re, im)))) {
      const text = elementText(value, "complex128");
      deepEqual(parseElement(text, "complex128"), value, text);
    }
  });

  it("of a complex dtype is read as Python writes it", () => {
    const rows: [string, number, number][] = [
      ["1.5", 1.5, 0],
      ["-2j", 0, -2],
      ["(1e-3+2.j)", 0.001, 2],
      ["NaN-Infinityj", NaN, -Infinity],
      ["12-infj", 12, -Infinity],
    ];
    for (const [text, re, im] of rows) deepEqual(parseElement(text, "complex128"), new paddle.Complex(re, im), text);
    for (const text of ["1.2.3", "1+2", "12j3", "1 2j", "12j+1", "j", "()", "", "0x10"]) {
      throws(() => parseElement(text, "complex128"), /is not a valid complex128/, text);
    }
  });

  it("of a float dtype is a decimal number, NaN or an infinity", () => {
    const rows: [string, number][] = [[" +1.e2 ", 100], [".5", 0.5], ["-Infinity", -Infinity], ["+inf", Infinity], [
      "nan",
      NaN,
    ]];
    for (const [text, value] of rows) equal(parseElement(text, "float32"), value, text);
    for (const text of ["0x10", "1_000", "1,5", ".", "e5", "infinite", "--1", "1e"]) {
      throws(() => parseElement(text, "float32"), /is not a valid float32/, text);
    }
  });
});

/** A safetensors file with one array of int32 that counts from 0 on; notes how much of it is read. */
function counting(shape: readonly number[]): paddle.Source & { given: number } {
  const nbytes = 4 * shape.reduce((product, length) => product * length);
  const header = JSON.stringify({ w: { dtype: "I32", shape, data_offsets: [0, nbytes] } });
  const start = new Uint8Array(8 + header.length);
  new DataView(start.buffer).setBigUint64(0, BigInt(header.length), true);
  start.set(new TextEncoder().encode(header), 8);
  return {
    size: start.length + nbytes,
    given: 0,
    read(offset, into) {
      const cell = new Int32Array(1), bytes = new Uint8Array(cell.buffer);
      const n = Math.min(into.length, this.size - offset);
      for (let i = 0; i < n; i++) {
        const at = offset + i - start.length;
        cell[0] = at >> 2;
        into[i] = at < 0 ? start[offset + i] : bytes[at & 3];
      }
      this.given += n;
      return Promise.resolve(n);
    },
  };
}

async function elements(document: OpenDocument, first: number, last: number): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const piece of pieces(document, "w", first, last)) {
    equal(piece.first, first + found.length);
    found.push(...piece.array.toArray() as unknown[]);
  }
  return found;
}

describe("the elements of a page in the inspector", () => {
  it("are read without the rest of their row, however long it is", async () => {
    const source = counting([1, 2 ** 28]);
    const document = await ofCheckpoint(await paddle.open(source), { label: "w" });
    const before = source.given, first = 2 ** 28 - 5;
    deepEqual(await elements(document, first, first + 9), [0, 1, 2, 3, 4].map((i) => first + i));
    equal(await originalText(document, "w", 200_000_001), "200000001");
    ok(source.given - before < 2 ** 16, `${source.given - before} bytes read`);
    await document.close();
  });

  it("have the edits of those before and after them elsewhere, in files and in memory", async () => {
    const array = paddle.fromArray([[0, 1, 2], [3, 4, 5]], "int32");
    const opened = await ofCheckpoint(await paddle.open(counting([2, 3])), { label: "w" });
    for (const document of [opened, inMemory("w", new Map([["w", array]]))]) {
      document.edits.set(document.arrays.get("w")!, new Map([[0, -1], [2, -2], [4, -4]]));
      deepEqual(await elements(document, 1, 5), [1, -2, 3, -4]);
      equal(await originalText(document, "w", 4), "4");
      deepEqual(await elements(document, 3, 3), []);
      await document.close();
    }
    deepEqual(array.toArray(), [[0, 1, 2], [3, 4, 5]]);
  });

  it("come in pieces when there are many", async () => {
    const document = await ofCheckpoint(await paddle.open(counting([2 ** 20 * 3])), { label: "w" });
    const sizes: number[] = [];
    let sum = 0;
    for await (const { array } of pieces(document, "w", 1, 2 ** 20 * 3)) {
      sizes.push(array.size);
      for (const value of array.data as Int32Array) sum += value;
    }
    deepEqual(sizes, [2 ** 21, 2 ** 20 - 1]);
    equal(sum, (2 ** 20 * 3) * (2 ** 20 * 3 - 1) / 2);
    await document.close();
  });
});
