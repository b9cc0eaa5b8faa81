/** A checkpoint as a virtual safetensors file: the header is computed, the data is the checkpoint's. */
import type { Checkpoint } from "@oarlock/paddle";
import { encodeChunks } from "@oarlock/paddle/safetensors";
import type { Part } from "./part.ts";
import { standIn } from "./stand_in.ts";

/** The header, in which the tensors are arranged as by safetensors' own writer. */
export function safetensorsHeader(
  checkpoint: Checkpoint,
  metadata: ReadonlyMap<string, string>,
): Uint8Array<ArrayBuffer> {
  const arrays = new Map(checkpoint.names().map((name) => [name, standIn(checkpoint.info(name))]));
  return encodeChunks(arrays, { metadata }).next().value!;
}

/** The header and the tensors in file order. */
export function safetensorsParts(header: Uint8Array): Part[] {
  const { __metadata__: _, ...places } = JSON.parse(new TextDecoder().decode(header.subarray(8)));
  const tensors = Object.entries(places as Record<string, { data_offsets: [number, number] }>)
    .map(([name, { data_offsets: [begin, end] }]) => ({ name, begin, nbytes: end - begin }))
    .filter(({ nbytes }) => nbytes > 0)
    .sort((one, other) => one.begin - other.begin);
  return [header, ...tensors];
}
