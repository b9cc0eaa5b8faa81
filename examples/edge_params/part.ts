/** Pieces that a representation is made of. */

/** Bytes that were made here, or a tensor of the checkpoint. */
export type Part = Uint8Array | { readonly name: string; readonly nbytes: number };

/** How many bytes a part has. */
export function sizeOf(part: Part): number {
  return part instanceof Uint8Array ? part.length : part.nbytes;
}

/** A part, and the bytes `[from, to)` of it. */
export interface Stretch {
  readonly part: Part;
  readonly from: number;
  readonly to: number;
}

/** What the bytes `[start, end)` of the joined parts consist of. */
export function stretchesOf(parts: readonly Part[], start: number, end: number): Stretch[] {
  const found: Stretch[] = [];
  let at = 0;
  for (const part of parts) {
    const from = Math.max(0, start - at), to = Math.min(sizeOf(part), end - at);
    if (from < to) found.push({ part, from, to });
    at += sizeOf(part);
  }
  return found;
}
