/** Responses to requests for files that exist. */
import type { Checkpoint } from "@oarlock/paddle";
import { bodyOf } from "./body_of.ts";
import { byteRange } from "./byte_range.ts";
import { Failure } from "./failure.ts";
import type { KeptBytes } from "./kept_bytes.ts";
import { keptHeader } from "./kept_header.ts";
import { isOneFile, openCheckpoint } from "./open_checkpoint.ts";
import { stretchesOf } from "./part.ts";
import { failedPrecondition, rangeCounts } from "./preconditions.ts";
import { representationOf, wholeOf } from "./representation.ts";
import type { Route } from "./route.ts";
import { stretchBytes } from "./stretch_bytes.ts";
import type { Visit } from "./visit.ts";

/**
 * Check the preconditions, open the file if it is needed, select the range. `common` are the headers of every response; the end of the body
 * ends the visit.
 */
export async function answer(
  visit: Visit,
  request: Request,
  route: Route,
  kept: KeptBytes,
  common: Readonly<Record<string, string>>,
): Promise<Response> {
  const { folder, signal } = visit;
  signal.throwIfAborted();
  const { file, form } = route;
  // `*` names no version: it depends on whether the file has the tensor.
  if (request.headers.get("if-none-match")?.trim() !== "*" && await isOneFile(folder, file, signal)) {
    const etag = await visit.etag(route);
    // The client already has this version: no need to open the file.
    if (failedPrecondition(request.headers, etag) === 304) return await unchanged(visit, etag, common);
  }
  let opening: Promise<Checkpoint> | undefined;
  const opened = () => opening ??= openCheckpoint(folder, file, kept, signal);
  const { type, size, parts } = form === "safetensors"
    ? wholeOf(await keptHeader(folder, file, kept, opened, signal))
    : representationOf(await opened(), route);

  const etag = await visit.etag(route);
  const status = failedPrecondition(request.headers, etag);
  if (status === 304) return await unchanged(visit, etag, common);
  if (status === 412) throw new Failure(412, "NOT_THIS_VERSION", "The file is there in another version");

  const headers = new Headers({ ...withTag(etag, common), "content-type": type, "accept-ranges": "bytes" });
  const counts = request.method === "GET" && rangeCounts(request.headers, etag);
  const range = counts ? byteRange(request.headers.get("range"), size) : null;
  if (range === "unsatisfiable") {
    throw new Failure(416, "NO_SUCH_RANGE", `There are ${size} bytes`, { "content-range": `bytes */${size}` });
  }
  const [start, end] = range ?? [0, size];
  headers.set("content-length", String(end - start));
  if (range) headers.set("content-range", `bytes ${start}-${end - 1}/${size}`);
  if (request.method === "HEAD") {
    await visit.end();
    return new Response(null, { headers });
  }
  const pieces = stretchBytes(opened, stretchesOf(parts, start, end), () => visit.sending(), signal);
  const body = await bodyOf(pieces, end - start, (reason) => visit.end(reason));
  return new Response(body, { status: range ? 206 : 200, headers });
}

async function unchanged(
  visit: Visit,
  etag: string | null,
  common: Readonly<Record<string, string>>,
): Promise<Response> {
  await visit.end();
  return new Response(null, { status: 304, headers: withTag(etag, common) });
}

function withTag(etag: string | null, common: Readonly<Record<string, string>>): Record<string, string> {
  return etag === null ? common : { ...common, etag };
}
