/** What clients learn of a failure: a status, a code and a sentence, but no internals. */
import { isPaddleError } from "@oarlock/paddle";

/** A failure and its response. */
export class Failure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** Error codes that are not caused by the contents of the file. */
const OTHERS: ReadonlyMap<string, readonly [number, string]> = new Map([
  ["NOT_FOUND", [404, "There is no such file"]],
  ["NOT_A_FILE", [404, "There is no such file"]],
  ["UNSAFE_PATH", [400, "This is no name of a file"]],
  ["NAME_TOO_LONG", [400, "The name of the file is too long"]],
  ["SOURCE_CHANGED", [503, "The file was replaced while it was read: ask again"]],
  ["HTTP_CHANGED", [503, "The file was replaced while it was read: ask again"]],
  ["UNSUPPORTED_DTYPE", [422, "The file has a dtype that this form has no word for: /npy may give single tensors"]],
  ["LIMIT", [422, "The file asks for more than is served"]],
  ["MISSING_PART", [422, "A file that belongs to this one is missing"]],
]);

/** The failure to report for an error. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (!isPaddleError(error)) return new Failure(500, "INTERNAL", "Something went wrong here");
  const other = OTHERS.get(error.code);
  if (other) return new Failure(other[0], error.code, other[1], other[0] === 503 ? { "retry-after": "1" } : {});
  if (error.name === "SourceError" || error.name === "HttpError") {
    return new Failure(502, error.code, "The bucket cannot be read now");
  }
  return new Failure(422, error.code, "The file is no checkpoint that can be served");
}
