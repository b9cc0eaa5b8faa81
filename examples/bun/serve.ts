/**
 * Serves the tensors of one checkpoint: `/` lists them, `/<name>` returns the bytes of one, `/<name>?rows=0:2` those of some rows. Only
 * what is requested is read.
 *
 * Run: PORT=3000 bun serve.ts net.pdparams
 */
import process from "node:process";
import { isPaddleError, open } from "@oarlock/paddle";

const path = process.argv[2];
if (!path) {
  console.error("Usage: bun serve.ts FILE");
  process.exit(2);
}
const checkpoint = await open(path);

async function answer({ method, url, signal }: Request): Promise<Response> {
  if (method !== "GET") return new Response("Only GET is answered\n", { status: 405, headers: { allow: "GET" } });
  const { pathname, searchParams } = new URL(url);
  if (pathname === "/") {
    return Response.json(checkpoint.names().map((name) => ({ name, ...checkpoint.info(name) })));
  }
  const name = decodeURIComponent(pathname.slice(1)), rows = searchParams.get("rows");
  const { dtype, shape } = checkpoint.info(name);
  const headers = { "content-type": "application/octet-stream", "x-dtype": dtype };
  if (rows === null) {
    return new Response(checkpoint.stream(name, { signal }), { headers: { ...headers, "x-shape": String(shape) } });
  }
  const [start, end] = rows.split(":").map(Number);
  const slice = await checkpoint.getSlice(name, [start, end], { signal });
  return new Response(slice.bytes.slice(), { headers: { ...headers, "x-shape": String(slice.shape) } });
}

/** Bun starts a server from this default export. */
export default {
  hostname: "127.0.0.1",
  port: Number(process.env.PORT ?? 3000),
  /** Seconds, at most 255: after 10, its default, Bun drops clients that take a pause. */
  idleTimeout: 255,
  async fetch(request: Request): Promise<Response> {
    try {
      return await answer(request);
    } catch (error) {
      if (isPaddleError(error) && error.code === "NOT_FOUND") {
        return new Response(`${error.message}\n`, { status: 404 });
      }
      if (isPaddleError(error) && error.code === "UNSUPPORTED_DTYPE") {
        return new Response(`${error.message}\n`, { status: 422 });
      }
      if (error instanceof URIError || error instanceof TypeError) {
        return new Response(`${error.message}\n`, { status: 400 });
      }
      throw error;
    }
  },
};
