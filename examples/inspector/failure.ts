/** Errors as the page shows them: class, code, location and hint. */
import { isPaddleError } from "../../mod.ts";
import type { Found } from "./find_documents.ts";
import type { Failure } from "./protocol.ts";

/** The description of an error. */
export function failureOf(error: unknown): Failure {
  if (!isPaddleError(error)) {
    const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
    return { name, code: "", message, place: "", hint: "" };
  }
  const place = [
    error.path === undefined ? "" : error.path,
    error.at === undefined || error.at === "" ? "" : `at ${error.at}`,
    error.offset === undefined ? "" : `byte ${error.offset.toLocaleString("en")}`,
    error.symbol === undefined ? "" : `symbol ${error.symbol}`,
    error.limit === undefined ? "" : `limit ${error.limit} = ${error.max}`,
    error.status === undefined ? "" : `HTTP status ${error.status}`,
  ].filter((part) => part !== "").join(" · ");
  const { name, code, message, hint = "" } = error;
  // Many messages already include the hint.
  return { name, code, message, place, hint: message.includes(hint) ? "" : hint };
}

/** The same error, with a hint on what to do about it on this page if the library gave none. */
export function explained(error: unknown, { name, program }: Pick<Found, "name" | "program">): unknown {
  if (!isPaddleError(error) || error.hint !== undefined) return error;
  let hint: string | undefined;
  if (/\.pdiparams$|(^|\/)(__params__|params)$/.test(name) && program === null) {
    hint = "open the model's program (.pdmodel, .json or __model__) together with it";
  } else if (error.code === "UNKNOWN_FORMAT") {
    hint = "an encrypted file is decrypted first, by the command oarlock decrypt or crypto of the library";
  }
  if (hint !== undefined) Object.defineProperty(error, "hint", { value: hint });
  return error;
}
