/** CORS: which pages may read the responses. */

const EXPOSED = "Content-Range, ETag, Accept-Ranges, Content-Length";
/** The supported methods. */
export const METHODS = "GET, HEAD, OPTIONS";
/** A day, in seconds; browsers cap it at less. */
const MAX_AGE = "86400";

/** The headers of every response. Only pages of `origins` may read it, or all pages if there are none given. */
export function corsHeaders(request: Request, origins?: readonly string[]): Record<string, string> {
  const origin = request.headers.get("origin");
  if (!origins) return { "access-control-allow-origin": "*", "access-control-expose-headers": EXPOSED };
  if (origin === null || !origins.includes(origin)) return { "vary": "Origin" };
  return { "vary": "Origin", "access-control-allow-origin": origin, "access-control-expose-headers": EXPOSED };
}

/** The response to OPTIONS, whether it is a preflight or not. */
export function optionsAnswer(headers: Record<string, string>): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...headers,
      "allow": METHODS,
      "access-control-allow-methods": METHODS,
      "access-control-allow-headers": "Range, If-Range, If-Match, If-None-Match",
      "access-control-max-age": MAX_AGE,
    },
  });
}
