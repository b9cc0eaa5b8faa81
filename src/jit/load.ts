/**
 * `paddle.jit.load`.
 *
 * @module
 */
import { readProperties } from "../codec/program/properties.ts";
import type { Warning } from "../errors.ts";
import { type FileNames, findModel, notFound } from "../io/models/find_model.ts";
import type { Folder } from "../io/folder.ts";
import type { FolderEntry } from "../io/open/open_source.ts";
import { notAPlace } from "../io/argument_errors.ts";
import { placeOf } from "../io/open/place.ts";
import type { ProgressEvent } from "../io/progress.ts";
import { readWhole } from "../io/open/read_whole.ts";
import { readModel } from "../io/models/read_model.ts";
import type { Limits } from "../limits.ts";
import { limitsOf } from "../io/limits_of.ts";
import { checkInfo } from "../model/model_info.ts";
import { checkOptions } from "../options.ts";
import { Tensor } from "../tensor.ts";
import { TranslatedLayer } from "./translated_layer.ts";

/** Options of {@linkcode load}. */
export interface LoadOptions extends FileNames {
  /** The folder that names refer to. @default where this runtime keeps files */
  folder?: Folder | undefined;
  /** Limits on what the files may demand. */
  limits?: Partial<Limits> | undefined;
  /** Aborts the call; the rejection is `signal.reason`. */
  signal?: AbortSignal | undefined;
  /** Called as the bytes of each file are read. */
  onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Called for every irregularity that does not stop the call. */
  onWarning?: ((warning: Warning) => void) | undefined;
}

const OPTIONS = ["modelFilename", "paramsFilename", "folder", "limits", "signal", "onProgress", "onWarning"];

/**
 * An exported Layer: the programs of its methods, and its parameters.
 *
 * Mirrors `paddle.jit.load` (2.0 and later). `path` is the prefix that `jit.save` was given, or a folder of Paddle 1.x.
 *
 * @throws {SourceError} `NOT_FOUND`
 * @throws {PathError} `MISSING_PART`, `AMBIGUOUS_PATH`
 * @throws {FormatError} a file is damaged, or the files are from two models
 */
export async function load(path: string | URL | FolderEntry, options: LoadOptions = {}): Promise<TranslatedLayer> {
  checkOptions(options, OPTIONS);
  options.signal?.throwIfAborted();
  const place = await placeOf(path, options);
  if (!place) throw notAPlace("A model is given by a path, a file: URL or { folder, name }", path);
  const files = await findModel(place, options);
  if (!files) throw await notFound(place, options.signal);
  const limits = limitsOf(options.limits), { signal } = options;
  const { methods, info } = await readModel(files, { ...options, limits });
  const programs = new Map(methods.map(({ method, program }) => [method, program]));
  const forward = methods[0].variables;
  const perMethod = methods.map(({ program, variables, isShared }) => {
    const tensors = new Map<string, Tensor>();
    const described = new Map(program.parameters().map((variable) => [variable.name, variable]));
    for (const [name, value] of variables) {
      // Paddle loads files, not methods: what is in the file of `forward` is loaded once.
      if (!(value instanceof Tensor) || (isShared && forward.has(name))) continue;
      value.stopGradient = info?.get(name)?.stopGradient ?? described.get(name)?.stopGradient ?? false;
      value.persistable = true;
      tensors.set(name, value);
    }
    return tensors;
  });
  checkInfo(perMethod, info);
  const ending = ".pdiparams.info";
  const meta = files.info.endsWith(ending)
    ? await files.folder.get(files.info.slice(0, -ending.length) + ".meta", { signal })
    : null;
  const properties = meta && readProperties(await readWhole(meta, limits.maxStructureBytes, { signal }));
  return new TranslatedLayer({ programs, perMethod, info, properties: properties ?? undefined });
}
