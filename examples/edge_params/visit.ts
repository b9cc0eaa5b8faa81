/** One request's look at the bucket: the files it met, and the end of all reads when it ends. */
import type { Folder } from "@oarlock/paddle";
import { entityTag } from "./entity_tag.ts";
import { PinnedFolder } from "./pinned_folder.ts";
import type { Route } from "./route.ts";

/** Made for one request; whoever makes it calls {@linkcode Visit.end}. */
export class Visit {
  readonly folder: PinnedFolder;
  readonly #asked: AbortSignal | undefined;
  readonly #stop = new AbortController();
  readonly #leave = () => this.#stop.abort(this.#asked?.reason);

  /** `asked` is the request's: some runtimes have none. */
  constructor(folder: Folder, asked: AbortSignal | undefined) {
    this.folder = new PinnedFolder(folder);
    this.#asked = asked;
    if (asked?.aborted) this.#leave();
    else asked?.addEventListener("abort", this.#leave, { once: true });
  }

  /** Ends all reads. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** The tag of what was met so far; null where a file has no version. */
  async etag({ form, tensor }: Route): Promise<string | null> {
    const version = this.folder.version();
    return version === null ? null : await entityTag(version, this.folder.isStrong, form, tensor);
  }

  /** Let go of everything; with a `reason`, also of what is still being read. */
  async end(reason?: unknown): Promise<void> {
    this.#asked?.removeEventListener("abort", this.#leave);
    if (reason !== undefined) this.#stop.abort(reason);
    await this.folder.close();
  }
}
