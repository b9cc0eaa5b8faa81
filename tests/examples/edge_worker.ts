/** The edge function in workerd, over R2 or, for files too large for a local bucket, over a server with Range requests. */
import main from "../../examples/edge_params/main.ts";
import type { Env } from "../../examples/edge_params/folder_of_env.ts";
import type { Bucket, BucketObject } from "../../mod.ts";

/** A bucket behind a URL that supports Range requests. */
class FetchedBucket implements Bucket {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async head(key: string): Promise<BucketObject | null> {
    const { ok, headers } = await fetch(`${this.#url}/${key}`, { method: "HEAD" });
    return ok ? { size: Number(headers.get("x-size")), etag: headers.get("etag")! } : null;
  }

  async get(key: string, options: { range?: { offset: number; length: number } } = {}) {
    const { offset, length } = options.range!;
    const { body, headers } = await fetch(`${this.#url}/${key}`, {
      headers: { range: `bytes=${offset}-${offset + length - 1}` },
    });
    return { size: length, etag: headers.get("etag")!, body: body! };
  }

  list() {
    return Promise.resolve({ objects: [], truncated: false });
  }

  put = () => Promise.reject(new Error("read only"));
  delete = () => Promise.reject(new Error("read only"));
  createMultipartUpload = () => Promise.reject(new Error("read only"));
}

export default {
  fetch(request: Request, env: Env & { URL?: string }): Promise<Response> {
    return main.fetch(request, env.URL ? { MODELS: new FetchedBucket(env.URL) } : env);
  },
};
