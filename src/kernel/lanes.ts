/**
 * The buffers in which optimizers update parameters, piece by piece: in WebAssembly memory if the runtime can compile it, else for the
 * TypeScript twin. A piece is at most one lane, so no update needs memory proportional to the size of a parameter.
 *
 * @module
 */
import { FUSED_WASM } from "../../wasm/fused.wasm.ts";
import { UPDATE_WASM } from "../../wasm/update.wasm.ts";
import { moduleOf } from "./core.ts";
import { LANE, LANES, type UpdateFunctions } from "./update_functions.ts";
import { updateTwin } from "./update_twin.ts";
import { updateWide } from "./update_wide.ts";

export { LANE, type UpdateFunctions } from "./update_functions.ts";

/** The precision in which an update is computed. */
export type Precision = "float32" | "float64";

/** A buffer for some elements of a tensor. */
export type Lane = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** Lanes and the functions that work on them. */
export interface Window {
  /** Each holds up to `LANE` elements. */
  readonly lanes: readonly Lane[];
  /** The update rules. */
  readonly call: UpdateFunctions;
}

/** `"fused"`: uses the processor's fused multiply-add; `"plain"`: emulates it with float64 operations; `"twin"`: TypeScript. */
export type Build = "fused" | "plain" | "twin";

const windows = new Map<Build, Window | null>();
let only: Build | null = null;
let wide: Window | null = null;

/** The window for a parameter of `count` elements. For float64 there is only one build. */
export function windowFor(count: number, precision: Precision = "float32"): Window {
  if (precision === "float64") return wide ??= openWide();
  const builds: readonly Build[] = only ? [only] : count * 4 < WORTH ? ["twin"] : ["fused", "plain", "twin"];
  for (const build of builds) {
    let window = windows.get(build);
    if (window === undefined) windows.set(build, window = open(build));
    if (window) return window;
  }
  throw new Error(`No window of the build ${only}`);
}

/** Size in bytes below which the twin is as fast. */
const WORTH = 1024;

/** For tests: use one build only, or with null the best one. Returns whether the runtime supports it. */
export function useBuild(build: Build | null): boolean {
  only = build;
  windows.clear();
  if (build === null) return true;
  const window = open(build);
  windows.set(build, window);
  return window !== null;
}

function open(build: Build): Window | null {
  if (build === "twin") {
    const lanes = views(new ArrayBuffer(LANES * LANE * 4), 0);
    return { lanes, call: updateTwin(lanes) };
  }
  try {
    const { exports } = new WebAssembly.Instance(moduleOf(build === "fused" ? FUSED_WASM : UPDATE_WASM));
    const call = exports as unknown as Exports;
    if (build === "fused" && !call.isFused()) return null;
    return { lanes: views((exports.memory as WebAssembly.Memory).buffer as ArrayBuffer, call.lanesAddress()), call };
  } catch {
    // No WebAssembly, compiling is not allowed, or the SIMD instructions are missing: the next build gives the same bits.
    return null;
  }
}

function openWide(): Window {
  const lanes = Array.from({ length: LANES }, () => new Float64Array(LANE));
  return { lanes, call: updateWide(lanes) };
}

interface Exports extends UpdateFunctions {
  lanesAddress(): number;
  isFused(): number;
}

function views(buffer: ArrayBuffer, address: number): Float32Array<ArrayBuffer>[] {
  return Array.from({ length: LANES }, (_, i) => new Float32Array(buffer, address + i * LANE * 4, LANE));
}
