/**
 * The compiled core: one instance, made when the first buffer comes that is worth it.
 *
 * @module
 */
import { CORE_WASM } from "../../wasm/core.wasm.ts";

/** What `wasm/core.ts` exports, with views of its window. */
export interface Core {
  /** Where a piece goes in. */
  readonly input: Uint8Array<ArrayBuffer>;
  /** Where its result lies. */
  readonly output: Uint8Array<ArrayBuffer>;
  /** float32 patterns of an 8-bit format. */
  readonly table: Uint32Array<ArrayBuffer>;
  /** Numbers that a statistic gives. */
  readonly result: Float64Array<ArrayBuffer>;
  /** The functions. */
  readonly call: CoreFunctions;
}

/** The functions of the core; counts are of elements where they are not of bytes (see `wasm/core.ts`). */
export interface CoreFunctions {
  inAddress(): number;
  outAddress(): number;
  tableAddress(): number;
  resultAddress(): number;
  latin1FromUtf8(n: number): number;
  utf8FromLatin1(n: number): number;
  countBelow(n: number, limit: number): number;
  swap2(n: number): void;
  swap4(n: number): void;
  swap8(n: number): void;
  float32FromFloat16(n: number): void;
  float32FromBfloat16(n: number): void;
  float32FromTable(n: number): void;
  float16FromFloat32(n: number): void;
  bfloat16FromFloat32(n: number): void;
  e4m3FromFloat32(n: number): void;
  e5m2FromFloat32(n: number): void;
  statistics32(n: number): void;
  statistics64(n: number): void;
  difference64(n: number): number;
}

/** Bytes that the window takes. */
export const IN_BYTES = 0x40000;
/** Bytes that the window gives. */
export const OUT_BYTES = 0x80000;
/** Bytes below which the way into the window and out of it costs more than it saves. */
const WORTH = 1024;

/** `null`: the runtime can't compile it, or a test said so. */
let core: Core | null | undefined;

/**
 * Use a `core.wasm` that the host compiled: where code can't be compiled from bytes (workerd, a strict content security policy),
 * `import wasm from "@oarlock/paddle/core.wasm"` gives the module. Without it such places use the TypeScript loops, which give the
 * same results more slowly.
 *
 * @throws {WebAssembly.LinkError} where the module is another one
 */
export function init(module: WebAssembly.Module): void {
  core = instantiate(module);
}

/** The core for a job of `bytes` bytes; null where the TypeScript loops do it. */
export function coreFor(bytes: number): Core | null {
  if (bytes < WORTH) return null;
  if (core === undefined) {
    try {
      core = instantiate(moduleOf(CORE_WASM));
    } catch {
      // No WebAssembly, no compiling here, or no SIMD: the twins give the same results.
      core = null;
    }
  }
  return core;
}

/** For tests: from now on the TypeScript loops alone (`true`), or what the runtime can (`false`). */
export function useTwins(only: boolean): void {
  core = only ? null : undefined;
}

function instantiate(module: WebAssembly.Module): Core {
  const { exports } = new WebAssembly.Instance(module);
  const call = exports as unknown as CoreFunctions;
  const { buffer } = exports.memory as WebAssembly.Memory;
  return {
    input: new Uint8Array(buffer as ArrayBuffer, call.inAddress(), IN_BYTES),
    output: new Uint8Array(buffer as ArrayBuffer, call.outAddress(), OUT_BYTES),
    table: new Uint32Array(buffer as ArrayBuffer, call.tableAddress(), 256),
    result: new Float64Array(buffer as ArrayBuffer, call.resultAddress(), 5),
    call,
  };
}

/** The module of a committed build; throws where the runtime can't compile it. */
export function moduleOf(hex: string): WebAssembly.Module {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return new WebAssembly.Module(bytes);
}
