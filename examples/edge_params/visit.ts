/** One request's use of the bucket: the files it accessed, and a way to stop all reads when it ends. */
import type { Folder } from "@oarlock/paddle";
import { entityTag } from "./entity_tag.ts";
import { PinnedFolder } from "./pinned_folder.ts";
import type { Route } from "./route.ts";

/** Milliseconds after which a body that asks for nothing is not counted: workerd does not tell when its client has left. */
const GONE = 60_000;

/** Created for one request; its creator must call {@linkcode Visit.end}. */
export class Visit {
  /** When each body that is being sent last asked for bytes: all requests to a worker share its memory. */
  static readonly #sending = new Map<symbol, number>();
  readonly #body = Symbol();
  readonly folder: PinnedFolder;
  readonly #asked: AbortSignal | undefined;
  readonly #stop = new AbortController();
  readonly #leave = () => this.#stop.abort(this.#asked?.reason);

  /** `asked` is the request's signal, which some runtimes do not have. */
  constructor(folder: Folder, asked: AbortSignal | undefined) {
    this.folder = new PinnedFolder(folder);
    this.#asked = asked;
    if (asked?.aborted) this.#leave();
    else asked?.addEventListener("abort", this.#leave, { once: true });
  }

  /** Aborts all reads. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** The entity tag of the files accessed so far; null if a file has no version. */
  async etag({ form, tensor }: Route): Promise<string | null> {
    const version = this.folder.version();
    return version === null ? null : await entityTag(version, this.folder.isStrong, form, tensor);
  }

  /** Number of bodies that are being sent, with this visit's, which asks for bytes now. */
  sending(): number {
    const now = Date.now(), sending = Visit.#sending.set(this.#body, now);
    for (const [body, asked] of sending) if (now - asked > GONE) sending.delete(body);
    return sending.size;
  }

  /** Release everything; with a `reason`, also abort pending reads. */
  async end(reason?: unknown): Promise<void> {
    this.#asked?.removeEventListener("abort", this.#leave);
    Visit.#sending.delete(this.#body);
    if (reason !== undefined) this.#stop.abort(reason);
    await this.folder.close();
  }
}
