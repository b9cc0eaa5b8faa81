/** Who may read the answers from a page. */

const EXPOSED = "Content-Range, ETag, Accept-Ranges, Content-Length";
/** What is answered. */
export const METHODS = "GET, HEAD, OPTIONS";
/** A day: browsers keep it for less. */
const MAX_AGE = "86400";

/** Headers of every answer. `origins`: pages of these alone; everyone's without it. */
export function corsHeaders(request: Request, origins?: readonly string[]): Record<string, string> {
  const origin = request.headers.get("origin");
  if (!origins) return { "access-control-allow-origin": "*", "access-control-expose-headers": EXPOSED };
  if (origin === null || !origins.includes(origin)) return { "vary": "Origin" };
  return { "vary": "Origin", "access-control-allow-origin": origin, "access-control-expose-headers": EXPOSED };
}

/** The answer to OPTIONS, be it a preflight or not. */
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
