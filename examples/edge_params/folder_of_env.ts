/** Where the checkpoints are. */
import { type Bucket, BucketFolder, DirectoryFolder, type Folder, HttpFolder } from "@oarlock/paddle";

/** What Workers pass along with the request. Deno and Bun pass something else. */
export interface Env {
  /** A bucket with R2's API. */
  MODELS?: Bucket;
  /** Only keys with this prefix are served. */
  MODELS_PREFIX?: string;
}

/** The bucket bound as `MODELS`; otherwise the folder at `MODELS_URL`, a URL or a directory. */
export function folderOf(env?: Env): Folder {
  if (env?.MODELS) return new BucketFolder(env.MODELS, { prefix: env.MODELS_PREFIX });
  const base = globalThis.process?.env?.MODELS_URL;
  if (!base) throw new TypeError("There is no bucket: bind one as MODELS, or set the variable MODELS_URL");
  return /^https?:/.test(base) ? new HttpFolder(base) : new DirectoryFolder(base);
}
