/**
 * The WebAssembly core: a single instance, created for the first buffer that is large enough to benefit.
 *
 * @module
 */
import { CORE_WASM } from "../../wasm/core.wasm.ts";

/** The exports of `wasm/core.ts`, with views of its memory. */
export interface Core {
  /** Receives a piece of input. */
  readonly input: Uint8Array<ArrayBuffer>;
  /** Holds the result. */
  readonly output: Uint8Array<ArrayBuffer>;
  /** The float32 bit patterns of an 8-bit format. */
  readonly table: Uint32Array<ArrayBuffer>;
  /** The results of the statistics functions. */
  readonly result: Float64Array<ArrayBuffer>;
  /** The functions. */
  readonly call: CoreFunctions;
}

/** The functions of the core; `n` counts elements or bytes, see `wasm/core.ts`. */
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

/** Size of `input`, in bytes. */
const IN_BYTES = 0x40000;
/** Size of `output`, in bytes. */
const OUT_BYTES = 0x80000;
/** Size in bytes below which copying into and out of the core costs more than it saves. */
const WORTH = 1024;

/** `undefined`: not tried yet; `null`: the runtime cannot compile it, or a test turned it off. */
let core: Core | null | undefined;

/** `WebAssembly.Module`; any object if the project's `lib` does not declare it, as in projects for Node alone. */
export type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer M } } } ? M : object;

/**
 * Use a `core.wasm` that the host compiled. In environments that cannot compile WebAssembly from bytes (workerd, a strict Content Security
 * Policy), `import wasm from "@oarlock/paddle/core.wasm"` provides the module. Without it they use the TypeScript loops, which give the
 * same results more slowly.
 *
 * @throws {TypeError} it is no module, or a different one
 */
export function init(module: CompiledModule): void {
  try {
    core = instantiate(module as WebAssembly.Module);
  } catch (cause) {
    throw new TypeError("init takes the compiled core.wasm of this package, a WebAssembly.Module", { cause });
  }
}

/** The core for a job of `bytes` bytes; null if the TypeScript loops should do it. */
export function coreFor(bytes: number): Core | null {
  if (bytes < WORTH) return null;
  if (core === undefined) {
    try {
      core = instantiate(moduleOf(CORE_WASM));
    } catch {
      // No WebAssembly, compiling is not allowed, or no SIMD: the TypeScript twins give the same results.
      core = null;
    }
  }
  return core;
}

/** For tests: from now on use only the TypeScript loops (`true`), or whatever the runtime supports (`false`). */
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

/** The module of a committed build, given in hex; throws if the runtime cannot compile it. */
export function moduleOf(hex: string): WebAssembly.Module {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return new WebAssembly.Module(bytes);
}
