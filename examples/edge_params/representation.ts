/** Representations of a checkpoint: their size is known before the first byte is read, and any byte can be produced without the others. */
import type { Checkpoint } from "@oarlock/paddle";
import { encodeChunks } from "@oarlock/paddle/npy";
import { Failure } from "./failure.ts";
import { type Part, sizeOf } from "./part.ts";
import type { Route } from "./route.ts";
import { safetensorsHeader, safetensorsParts } from "./safetensors_parts.ts";
import { standIn } from "./stand_in.ts";

/** A response body before it is read. */
export interface Representation {
  readonly type: string;
  readonly size: number;
  readonly parts: readonly Part[];
}

const BINARY = "application/octet-stream";

/** The checkpoint's tensors as JSON, or one of them. */
export function representationOf(checkpoint: Checkpoint, { form, tensor }: Route): Representation {
  if (form === "tensors") return of("application/json", [listed(checkpoint)]);
  throwUnreadable(checkpoint, (name) => name === tensor);
  if (!checkpoint.names().includes(tensor)) throw new Failure(404, "NO_TENSOR", "The file has no such tensor");
  const info = checkpoint.info(tensor);
  const part = { name: tensor, nbytes: info.nbytes };
  return of(BINARY, form === "raw" ? [part] : [encodeChunks(standIn(info)).next().value!, part]);
}

/** The header of the whole checkpoint as a safetensors file. */
export function headerOf(checkpoint: Checkpoint, metadata: ReadonlyMap<string, string>): Uint8Array<ArrayBuffer> {
  throwUnreadable(checkpoint, () => true);
  return safetensorsHeader(checkpoint, metadata);
}

/** The whole checkpoint as a safetensors file with this header. */
export function wholeOf(header: Uint8Array): Representation {
  return of(BINARY, safetensorsParts(header));
}

function throwUnreadable(checkpoint: Checkpoint, test: (name?: string) => boolean): void {
  const unreadable = checkpoint.warnings.find(({ code, at }) => code === "UNSUPPORTED_DTYPE" && test(at));
  if (unreadable) throw new Failure(422, unreadable.code, unreadable.message);
}

function of(type: string, parts: Part[]): Representation {
  return { type, size: parts.reduce((sum, part) => sum + sizeOf(part), 0), parts };
}

/** Names, Paddle's dtypes, shapes and sizes, in file order, as JSON. */
function listed(checkpoint: Checkpoint): Uint8Array {
  const tensors = checkpoint.names().map((name) => {
    const { dtype, shape, nbytes } = checkpoint.info(name);
    return { name, dtype, shape, nbytes };
  });
  return new TextEncoder().encode(JSON.stringify({ tensors }));
}
