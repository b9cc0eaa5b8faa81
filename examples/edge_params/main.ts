/**
 * Serves the checkpoints of a bucket: their tensors as JSON, as raw bytes and as `.npy`, and whole checkpoints as safetensors.
 *
 * Workers get the bucket as a binding; Deno and Bun take a base URL or a directory from the environment:
 *
 * Run: MODELS_URL=https://example.com/models/ deno serve --allow-net --allow-env examples/edge_params/main.ts
 */
import { type Env, folderOf } from "./folder_of_env.ts";
import { KeptBytes } from "./kept_bytes.ts";
import { serveParams } from "./serve_params.ts";

/** Outlives requests: it holds only plain bytes, nothing that belongs to a request. */
const kept = new KeptBytes();

export default {
  /** For Bun, in seconds, at most 255: after 10, its default, it drops clients that take a pause, and requests that wait for the bucket. */
  idleTimeout: 255,
  fetch(request: Request, env?: Env): Promise<Response> {
    return serveParams(request, { folder: folderOf(env), kept });
  },
};
