/** Representations of a checkpoint: their size is known before the first byte is read, and any byte can be produced without the others. */
import type { Checkpoint } from "@oarlock/paddle";
import { encodeChunks } from "@oarlock/paddle/npy";
import { Failure } from "./failure.ts";
import { type Part, sizeOf } from "./part.ts";
import type { Route } from "./route.ts";
import { safetensorsLayout } from "./safetensors_layout.ts";
import { standIn } from "./stand_in.ts";

/** A response body before it is read. */
export interface Representation {
  readonly type: string;
  readonly size: number;
  readonly parts: readonly Part[];
}

const BINARY = "application/octet-stream";

/** The checkpoint in the requested form; `metadata` is that of a safetensors file. */
export function representationOf(
  checkpoint: Checkpoint,
  { form, tensor }: Route,
  metadata: ReadonlyMap<string, string>,
): Representation {
  if (form === "tensors") return of("application/json", [listed(checkpoint)]);
  const unreadable = checkpoint.warnings.find(({ code, at }) =>
    code === "UNSUPPORTED_DTYPE" && (form === "safetensors" || at === tensor)
  );
  if (unreadable) throw new Failure(422, unreadable.code, unreadable.message);
  if (form === "safetensors") return of(BINARY, safetensorsLayout(checkpoint, metadata));
  if (!checkpoint.names().includes(tensor)) throw new Failure(404, "NO_TENSOR", "The file has no such tensor");
  const info = checkpoint.info(tensor);
  const part = { name: tensor, nbytes: info.nbytes };
  return of(BINARY, form === "raw" ? [part] : [encodeChunks(standIn(info)).next().value!, part]);
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
