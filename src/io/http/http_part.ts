/**
 * A part of a file as a response brings it, and how its body may fail.
 *
 * @module
 */
import { HttpError } from "../../errors.ts";
import type { HttpBody } from "./http_body.ts";
import { markRetryable } from "./http_retries.ts";

/** A response that was checked: its body holds the bytes `[start, end)`. */
export interface HttpPart {
  readonly body: HttpBody;
  /** The URL for messages. */
  readonly shown: string;
  readonly start: number;
  /** Undefined if the server does not announce the length. */
  readonly end: number | undefined;
  /** Whether the body is the whole file, requested or not. */
  readonly whole: boolean;
  /** Whether the body is decoded in transit: then its announced length is meaningless. */
  readonly encoded: boolean;
}

/** The error for a body that is longer than its part. */
export function tooMuch({ shown, start, end }: HttpPart): HttpError {
  return new HttpError("HTTP_BAD_RANGE", `${shown} sends more bytes than it announced`, {
    path: shown,
    expected: end! - start,
  });
}

/** The error for a body that ends at `at`, before the end of its part. */
export function truncated({ shown, start, end }: HttpPart, at: number, cause?: unknown): HttpError {
  const error = new HttpError("HTTP_TRUNCATED", `${shown} sends fewer bytes than it announced`, {
    path: shown,
    offset: at,
    expected: end! - start,
    actual: at - start,
    cause,
  });
  return markRetryable(error);
}

/** The error for a body that failed at `at`: a connection that breaks within a body of known length has truncated it. */
export function cutOff(error: unknown, part: HttpPart, at: number): unknown {
  const broke = error instanceof HttpError && error.code === "HTTP_NETWORK";
  return broke && part.end !== undefined ? truncated(part, at, error.cause) : error;
}
