/**
 * Changes one file of those that were saved together with a manifest.
 *
 * @module
 */
import { PathError, SourceError } from "../../errors.ts";
import { pathCalls } from "../disk/path.ts";
import { saveError } from "../disk/save_error.ts";
import { withRetries } from "../disk/with_retries.ts";
import { DirectoryFolder } from "../folders/directory_folder.ts";
import { fileSystem, type Fs, mayUse, realPath } from "../platform.ts";
import { rename } from "../disk/rename.ts";
import { tempName } from "../temp_name.ts";
import { filesOfManifest, isDamagedManifest, manifestName, prefixOfManifest } from "./manifest.ts";

/**
 * Change the file at `path` in place. Manifests that list it, under this path or the one behind links, no longer match and are removed, as by
 * any other save without a manifest. They are set aside first, so that no crash leaves a changed file that its manifest refuses, and put back
 * if the change fails.
 */
export async function changeAlone(path: string, change: () => Promise<void>): Promise<void> {
  const fs = fileSystem(path), aside: Moved[] = [];
  try {
    for (const name of new Set([path, realPath(path)])) {
      await setAsideBeside(name, aside);
      await setAsideAbove(name, aside);
    }
    await change();
  } catch (error) {
    for (const [from, to] of aside) await putBack(fs, from, to).catch(() => {});
    throw error;
  }
  for (const [, to] of aside) await withRetries(() => fs.promises.rm(to, { force: true })).catch(() => {});
}

/** Put a manifest back, unless there is a newer one by now. */
async function putBack(fs: Fs, from: string, to: string): Promise<void> {
  const isThere = await fs.promises.lstat(from).then(() => true, () => false);
  await withRetries(() => isThere ? fs.promises.rm(to, { force: true }) : rename(fs, to, from));
}

type Moved = [from: string, to: string];

/**
 * Give the manifests in the folder of the file at `path` that list it temporary names, and note each in `aside`. Folders that this process
 * has no permission for are passed over, here and below: nobody wants to be asked about each folder up to the root.
 */
async function setAsideBeside(path: string, aside: Moved[]): Promise<void> {
  const { basename, dirname } = pathCalls();
  const place = dirname(path), folder = new DirectoryFolder(place, { trusted: true });
  if (!mayUse(place, "read")) return;
  for (const name of await fileSystem(path).promises.readdir(place).catch((error) => stuck(path, error))) {
    const prefix = prefixOfManifest(name);
    const listed = prefix === null ? null : await filesOfManifest(folder, prefix).catch(damaged);
    if (listed?.has(basename(path))) await setAside(path, place, name, aside);
  }
}

/** The same for the folders above: a manifest of a folder as a whole lists the files in folders below, too. */
async function setAsideAbove(path: string, aside: Moved[]): Promise<void> {
  const { basename, dirname } = pathCalls();
  let place = dirname(path), name = basename(path);
  while (dirname(place) !== place) {
    name = `${basename(place)}/${name}`;
    place = dirname(place);
    if (!mayUse(place, "read")) continue;
    const listed = await filesOfManifest(new DirectoryFolder(place, { trusted: true }), "").catch(unseen);
    if (listed?.has(name)) await setAside(path, place, manifestName(""), aside);
  }
}

async function setAside(path: string, place: string, manifest: string, aside: Moved[]): Promise<void> {
  const { join } = pathCalls();
  const from = join(place, manifest), to = join(place, tempName(manifest));
  // It may be renamed although that was reported as failed.
  aside.push([from, to]);
  await rename(fileSystem(path), from, to).catch((error) => stuck(path, error));
}

function stuck(path: string, error: unknown): never {
  throw saveError("WRITE_FAILED", path, "while putting its manifest aside", error);
}

/** This process may not be allowed to read what is above, or there is something else of that name. */
function unseen(error: unknown): null {
  return error instanceof SourceError || error instanceof PathError ? null : damaged(error);
}

/** A damaged manifest lists nothing. */
function damaged(error: unknown): null {
  if (isDamagedManifest(error)) return null;
  throw error;
}
