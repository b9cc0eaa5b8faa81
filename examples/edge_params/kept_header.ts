/** The headers of checkpoints as safetensors files, kept between requests. */
import type { Checkpoint } from "@oarlock/paddle";
import { type KeptBytes, TOO_LARGE } from "./kept_bytes.ts";
import { isOneFile, metadataOf } from "./open_checkpoint.ts";
import type { PinnedFolder } from "./pinned_folder.ts";
import { headerOf } from "./representation.ts";

/** The header of `name`. The checkpoint is opened only if the header of this version is not kept. */
export async function keptHeader(
  folder: PinnedFolder,
  name: string,
  kept: KeptBytes,
  opened: () => Promise<Checkpoint>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const key = `header of ${name}`;
  // A model has several files, any of which may change.
  const version = await isOneFile(folder, name, signal) ? (await folder.get(name, { signal }))?.version : undefined;
  const found = version === undefined ? null : kept.get(key, version);
  if (found && found !== TOO_LARGE) return found;
  const checkpoint = await opened();
  const header = headerOf(checkpoint, await metadataOf(checkpoint, folder, name, signal));
  if (version !== undefined) kept.set(key, version, header);
  return header;
}
