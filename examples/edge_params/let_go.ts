/** Frees memory right away instead of waiting for the garbage collector: workers have little of it. */

/** Free the memory of bytes that are not needed any more, if nothing else is in it. Node 20 cannot. */
export function letGo({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer?.(0);
}
