import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterAll, describe, it } from "@std/testing/bdd";
import { type Build, LANE, type UpdateFunctions, useBuild, type Window, windowFor } from "../../src/kernel/lanes.ts";
import { LANES } from "../../src/kernel/update_functions.ts";
import { FUSED_WASM } from "../../wasm/fused.wasm.ts";
import { UPDATE_WASM } from "../../wasm/update.wasm.ts";

const f = Math.fround;

/** The arguments after the count, with rates and factors as optimizers use them. */
const CALLS: { [Name in keyof UpdateFunctions]: number[] } = {
  scale: [0.37],
  clamp: [-0.3, 0.5],
  decayL2: [0.02],
  decayL1: [0.02],
  squares: [],
  sgd: [0.1],
  momentum: [0.9, 0.1],
  nesterov: [0.9, 0.1],
  adagrad: [0.1, 1e-6],
  shrink: [0.003],
  shrinkPlain: [0.003],
  shrinkTo: [0.997],
  adam: [0.9, 0.1, 0.999, 0.001, 0.03, 1e-8],
  amsgrad: [0.9, 0.1, 0.5, 0.5, 0.03, 1e-8],
  adamPlain: [0.9, 0.1, 0.999, 0.001, 0.03],
  amsgradPlain: [0.9, 0.1, 0.5, 0.5, 0.03],
  adamax: [0.9, 0.1, 0.999, 1e-8, 0.03],
  adadelta: [0.95, 0.05, 1e-6, 0.1],
  adadeltaOld: [0.95, 0.05, 1e-6],
  rmsprop: [0.95, 0.05, 1e-6, 0.9, 0.1],
  rmspropCentered: [0.95, 0.05, 1e-6, 0.9, 0.1],
  moments: [0.9, 0.1, 0.999, 0.001],
  lambDirection: [0.19, 0.002, 1e-6, 0.01],
  nadam: [0.9, 0.1, 0.999, 0.001, 0.99983, 0.1, 1e-8],
  radam: [0.9, 0.1, 0.999, 0.001, 1999, 0.1, 1e-8],
  asgd: [0.05],
  rprop: [0.5, 1.2, 1e-5, 50],
};

/** Fill the lanes with values of all magnitudes, zeros of both signs, and some NaNs and infinities. */
function fill({ lanes }: Window, seed: number): void {
  let x = seed * 2654435761 | 1;
  const next = () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
  for (const [k, lane] of lanes.entries()) {
    for (let i = 0; i < lane.length; i++) {
      const size = next() < 0.1 ? 10 ** (next() * 60 - 40) : 1;
      const value = next() * size;
      // State of squares and powers is not negative.
      lane[i] = k < 3 && next() < 0.5 ? -value : value;
      if (next() < 0.02) lane[i] = k < 2 && next() < 0.5 ? -0 : 0;
      if (next() < 0.001) lane[i] = k === 1 ? NaN : Infinity;
    }
  }
}

/** All bits, with NaNs normalized. */
function bits(window: Window, n: number): Uint32Array[] {
  return window.lanes.map((lane) => {
    const part = lane.slice(0, n);
    for (let i = 0; i < n; i++) if (part[i] !== part[i]) part[i] = NaN;
    return new Uint32Array(part.buffer);
  });
}

describe("the WebAssembly update rules and their TypeScript twin", () => {
  afterAll(() => void useBuild(null));
  const builds: Build[] = (["fused", "plain"] as const).filter((build) => useBuild(build));

  it("include the compiled builds, with the bytes of the .wasm files", () => {
    assert.ok(builds.includes("plain"));
    assert.equal(FUSED_WASM, readFileSync("wasm/fused.wasm").toString("hex"));
    assert.equal(UPDATE_WASM, readFileSync("wasm/update.wasm").toString("hex"));
  });

  for (const [name, args] of Object.entries(CALLS) as [keyof UpdateFunctions, number[]][]) {
    it(`give for ${name} the same bits from each build, at every length`, () => {
      for (const n of [0, 1, 3, 4, 7, 8, 15, 16, 17, 33, 1000, LANE]) {
        const run = (build: Build): [unknown, Uint32Array[]] => {
          useBuild(build);
          const window = windowFor(n);
          fill(window, n + 7);
          const call = window.call[name] as (...args: number[]) => unknown;
          const result = name === "squares" ? call(1, n) : call(n, ...args.map(f));
          return [result, bits(window, n)];
        };
        const [wanted, lanes] = run("twin");
        for (const build of builds) {
          const [actual, others] = run(build);
          assert.equal(actual, wanted, `${build} ${n}`);
          for (let k = 0; k < lanes.length; k++) assert.deepEqual(others[k], lanes[k], `${build} ${n}, lane ${k}`);
        }
      }
    });
  }

  it("round once where rounding twice would give another value", () => {
    // p - f*p is 2^-70 above the midpoint of 1 and its neighbour: rounded to float64 it is the midpoint, which then rounds to 1.
    const telling: [number, number] = [1 + 2 ** -23, 2 ** -24 * (1 - 2 ** -23)];
    assert.equal(f(telling[0] - telling[1] * telling[0]), 1);
    const cases: [number, number][] = [telling, [1, 2 ** -25 + 2 ** -48], [1 + 2 ** -12, 2 ** -12]];
    for (const build of ["twin" as const, ...builds]) {
      useBuild(build);
      const { lanes, call } = windowFor(cases.length);
      cases.forEach(([p, factor], i) => {
        lanes[0][0] = p;
        call.shrink(1, f(factor));
        // The exact value in units of 2^-76, rounded to float32 by hand.
        const unit = 2n ** 76n;
        const exact = BigInt(p * 2 ** 28) * (unit - BigInt(f(factor) * 2 ** 76)) / 2n ** 28n;
        const q = exact >= unit ? 53n : 52n;
        const step = 1n << q;
        let rounded = exact / step;
        const rest = exact % step;
        if (rest * 2n > step || (rest * 2n === step && rounded % 2n === 1n)) rounded++;
        assert.equal(lanes[0][0], Number(rounded) * 2 ** (Number(q) - 76), `${build} ${i}`);
      });
    }
  });

  it("refuse more elements than a lane has", () => {
    for (const build of builds) {
      useBuild(build);
      const { call } = windowFor(1);
      for (const [name, values] of Object.entries(CALLS)) {
        for (const n of [LANE + 1, 2 ** 30 + 1, 2 ** 32 - 1]) {
          const counts = name === "squares" ? [0, n] : [n];
          const run = call[name as keyof UpdateFunctions] as (...values: number[]) => unknown;
          assert.throws(() => run(...counts, ...values), WebAssembly.RuntimeError, `${name}(${n})`);
        }
      }
      for (const lane of [LANES, -1, 2 ** 31]) assert.throws(() => call.squares(lane, 1), WebAssembly.RuntimeError);
      assert.equal(call.squares(LANES - 1, 1), 0);
    }
  });
});
