/**
 * Converts bytes to values and back, without file access: `@oarlock/paddle/codec`.
 *
 * @example What is it, and what is in it?
 * ```ts
 * import { decode, detectKind, encode } from "@oarlock/paddle/codec";
 * const bytes = encode(new Map([["epoch", 3]]));
 * if (detectKind(bytes, bytes.length) !== "pickle") throw new Error("not seen");
 * if ((decode(bytes) as Map<string, number>).get("epoch") !== 3) throw new Error("lost");
 * ```
 *
 * @module
 */
export { detectKind, type FileKind } from "./codec/detect_kind.ts";
export { decode } from "./decode.ts";
export { encode } from "./encode.ts";
export type { DecodeOptions, EncodeOptions, Float8 } from "./options.ts";
export type { Warning } from "./errors.ts";
export type { Limits } from "./limits.ts";
