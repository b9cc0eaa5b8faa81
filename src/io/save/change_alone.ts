/**
 * Changes one file of those that were saved together with a manifest.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import { pathCalls } from "../disk/path.ts";
import { saveError } from "../disk/save_error.ts";
import { withRetries } from "../disk/with_retries.ts";
import { DirectoryFolder } from "../folders/directory_folder.ts";
import { fileSystem, systemCode } from "../platform.ts";
import { tempName } from "../temp_name.ts";
import { filesOfManifest, prefixOfManifest } from "./manifest.ts";

/**
 * Change the file at `path` in place. Manifests beside it that list it no longer match and are removed, as by any other save without a
 * manifest. They are set aside first, so that no crash leaves a changed file that its manifest refuses, and put back if the change fails.
 */
export async function changeAlone(path: string, change: () => Promise<void>): Promise<void> {
  const { promises } = fileSystem(path), aside: Moved[] = [];
  try {
    await setAside(path, aside);
    await change();
  } catch (error) {
    for (const [from, to] of aside) await withRetries(() => promises.rename(to, from)).catch(() => {});
    throw error;
  }
  for (const [, to] of aside) await withRetries(() => promises.rm(to, { force: true })).catch(() => {});
}

type Moved = [from: string, to: string];

/** Give the manifests that list the file at `path` temporary names, and note each in `aside`. */
async function setAside(path: string, aside: Moved[]): Promise<void> {
  const { promises } = fileSystem(path), { basename, dirname, join } = pathCalls();
  const place = dirname(path), folder = new DirectoryFolder(place, { trusted: true });
  for (const name of await promises.readdir(place).catch((error) => unlisted(path, error))) {
    const prefix = prefixOfManifest(name);
    const listed = prefix === null ? null : await filesOfManifest(folder, prefix).catch(damaged);
    if (!listed?.has(basename(path))) continue;
    const from = join(place, name), to = join(place, tempName(name));
    await promises.rename(from, to).catch((error) => stuck(path, error));
    aside.push([from, to]);
  }
}

/** The runtime may not allow listing the folder, as in Deno without permission: then this process cannot know of manifests there. */
function unlisted(path: string, error: unknown): string[] {
  return systemCode(error) === undefined ? [] : stuck(path, error);
}

function stuck(path: string, error: unknown): never {
  throw saveError("WRITE_FAILED", path, "while putting its manifest aside", error);
}

/** A damaged manifest lists nothing. */
function damaged(error: unknown): null {
  if (error instanceof FormatError) return null;
  throw error;
}
