/** Answers requests from a folder of checkpoints. */
import type { Folder } from "@oarlock/paddle";
import { answer } from "./answer.ts";
import { corsHeaders, METHODS, optionsAnswer } from "./cors.ts";
import { Failure, failureOf } from "./failure.ts";
import type { KeptBytes } from "./kept_bytes.ts";
import { type Route, routeOf } from "./route.ts";
import { Visit } from "./visit.ts";

/** Settings of the server. */
export interface Settings {
  /** The folder with the checkpoints; everything in it can be read by anyone. */
  folder: Folder;
  /** What is kept from earlier requests. */
  kept: KeptBytes;
  /** The origins whose pages may read the responses. @default all */
  origins?: readonly string[];
  /** The Cache-Control header. @default revalidate each time, which takes one lookup in the bucket */
  cacheControl?: string;
}

type Headers = Readonly<Record<string, string>>;

/** `no-transform`, since a compressed body would have no ranges. */
const CACHE = "public, no-cache, no-transform";

/** Answer one request. It never rejects. */
export async function serveParams(request: Request, settings: Settings): Promise<Response> {
  const headers = { ...corsHeaders(request, settings.origins), "x-content-type-options": "nosniff" };
  if (request.method === "OPTIONS") return optionsAnswer(headers);
  try {
    if (request.method !== "GET" && request.method !== "HEAD") {
      throw new Failure(405, "BAD_METHOD", `Only ${METHODS} are answered`, { allow: METHODS });
    }
    const route = routeOf(new URL(request.url));
    const common = { "cache-control": settings.cacheControl ?? CACHE, ...headers };
    try {
      return await visited(request, route, settings, common);
    } catch (error) {
      // If a file was replaced in the meantime, try once more.
      if (failureOf(error).status !== 503) throw error;
      return await visited(request, route, settings, common);
    }
  } catch (error) {
    return failed(request, failureOf(error), headers);
  }
}

async function visited(request: Request, route: Route, { folder, kept }: Settings, common: Headers): Promise<Response> {
  const visit = new Visit(folder, request.signal);
  try {
    return await answer(visit, request, route, kept, common);
  } catch (error) {
    await visit.end(error);
    throw error;
  }
}

function failed(request: Request, { status, code, message, headers }: Failure, common: Headers): Response {
  const body = new TextEncoder().encode(JSON.stringify({ code, message }));
  return new Response(request.method === "HEAD" ? null : body, {
    status,
    headers: {
      ...common,
      ...headers,
      "cache-control": "no-store",
      "content-type": "application/json",
      "content-length": String(body.length),
    },
  });
}
