/** What a URL requests. */
import { Failure } from "./failure.ts";

/** A list of tensors, one tensor in either of two formats, or a whole checkpoint. */
export type Form = "tensors" | "raw" | "npy" | "safetensors";

/** A file in the bucket, and the requested form. */
export interface Route {
  readonly form: Form;
  readonly file: string;
  /** Name of the tensor; empty for the whole file, or for a file that is a single tensor without a name. */
  readonly tensor: string;
}

const PATH = /^\/(tensors|raw|npy|safetensors)\/(.+)$/s;

/** `/tensors/<file>`, `/raw/<file>?tensor=<name>`, `/npy/<file>?tensor=<name>`, `/safetensors/<file>`. */
export function routeOf({ pathname, searchParams }: URL): Route {
  const match = PATH.exec(pathname);
  if (!match) {
    throw new Failure(404, "NO_ROUTE", "There are /tensors/<file>, /raw/<file>, /npy/<file> and /safetensors/<file>");
  }
  const form = match[1] as Form, file = decoded(match[2]);
  const names = searchParams.getAll("tensor");
  if (form === "tensors" || form === "safetensors") return { form, file, tensor: "" };
  if (names.length !== 1) {
    throw new Failure(400, "BAD_QUERY", `/${form}/<file>?tensor=<name> gives one tensor: it must be named once`);
  }
  return { form, file, tensor: names[0] };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Failure(400, "BAD_URL", "The path is not well percent-encoded");
  }
}
