/** An error as the page shows it: class, code, place and the way out. */
import { isPaddleError } from "../../mod.ts";
import type { Failure } from "./protocol.ts";

/** What is known of an error. */
export function failureOf(error: unknown): Failure {
  if (!isPaddleError(error)) {
    const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
    return { name, code: "", message, place: "", hint: "" };
  }
  const place = [
    error.path === undefined ? "" : error.path,
    error.at === undefined ? "" : `at ${error.at}`,
    error.offset === undefined ? "" : `byte ${error.offset.toLocaleString("en")}`,
    error.symbol === undefined ? "" : `symbol ${error.symbol}`,
    error.limit === undefined ? "" : `limit ${error.limit} = ${error.max}`,
    error.status === undefined ? "" : `HTTP status ${error.status}`,
  ].filter((part) => part !== "").join(" · ");
  return { name: error.name, code: error.code, message: error.message, place, hint: error.hint ?? "" };
}
