/**
 * A model whose files are given one by one: bytes, Blobs, URLs, paths.
 *
 * @module
 */
import { SourceError } from "../../errors.ts";
import type { ModelFiles } from "./find_model.ts";
import type { Folder } from "../folder.ts";
import { type From, sourceOf, type SourceOfOptions } from "../open/open_source.ts";
import type { Sink } from "../sink.ts";
import { closeAll, type Source } from "../source.ts";
import { seekableSource } from "../sources/seekable_source.ts";

/** The files of one program. */
export interface ModelParts {
  /** `.pdmodel`, `__model__` or `.json`. */
  program: From;
  /** `.pdiparams`, or the file with all parameters of a 1.x model. */
  params?: From;
  /** `.pdiparams.info`. */
  info?: From;
}

/** Whether a value is {@linkcode ModelParts}. */
export function isModelParts(from: unknown): from is ModelParts {
  return typeof from === "object" && from !== null && "program" in from && !("read" in from);
}

/** Files that were given one by one: closing their folder closes them. */
export interface PartFiles extends ModelFiles {
  readonly folder: Folder & { close(): Promise<void> };
}

/** The given files, under fixed names. */
export async function filesOfParts(parts: ModelParts, most: number, options: SourceOfOptions): Promise<PartFiles> {
  const sources = new Map<string, Source>();
  const names: [string, From | undefined][] = [["program", parts.program], ["params", parts.params], [
    "info",
    parts.info,
  ]];
  try {
    for (const [name, from] of names) {
      if (from === undefined) continue;
      sources.set(name, await seekableSource(await sourceOf(from, options), most, options.signal));
    }
  } catch (error) {
    await closeAll(sources.values());
    throw error;
  }
  const methods = [{ method: "forward", programs: ["program"], params: "params" }];
  return { folder: new SourceFolder(sources), shown: "the model", methods, info: "info", versions: new Map() };
}

/** Sources by name; every `get` returns the same source. */
class SourceFolder implements Folder {
  readonly #sources: ReadonlyMap<string, Source>;

  constructor(sources: ReadonlyMap<string, Source>) {
    this.#sources = sources;
  }

  async close(): Promise<void> {
    await closeAll(this.#sources.values());
  }

  get(name: string): Promise<Source | null> {
    return Promise.resolve(this.#sources.get(name) ?? null);
  }

  list(prefix = ""): Promise<string[]> {
    return Promise.resolve([...this.#sources.keys()].filter((name) => name.startsWith(prefix)));
  }

  put(name: string): Promise<Sink> {
    return Promise.reject(new SourceError("PERMISSION", "These files can only be read", { path: name }));
  }

  delete(name: string): Promise<void> {
    return Promise.reject(new SourceError("PERMISSION", "These files can only be read", { path: name }));
  }
}
