import type { Source } from "../../mod.ts";

/** A source whose reads are asynchronous. */
export function slowly(bytes: Uint8Array): Source {
  return {
    size: bytes.length,
    read(offset, into) {
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      return Promise.resolve(part.length);
    },
  };
}
