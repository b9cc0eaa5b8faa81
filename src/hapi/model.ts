/**
 * `paddle.Model`: a network and its optimizer, saved and loaded together.
 *
 * @module
 */
import { PathError, quote, ValueError, type Warning } from "../errors.ts";
import type { Folder } from "../io/folder.ts";
import { checkVersions, findManifest } from "../io/save/manifest.ts";
import { checkedPrefix } from "../io/argument_errors.ts";
import { gotInstead } from "../words/described.ts";
import { hasMethod } from "../words/plain_object.ts";
import { placeOf, placeOfPrefix } from "../io/open/place.ts";
import { splitQuery } from "../io/url_text.ts";
import { type OutFile, saveFiles } from "../io/save/save_files.ts";
import { save as saveExported } from "../jit/save.ts";
import type { Limits } from "../limits.ts";
import { loadDict, loadDictIfThere } from "../load_dict.ts";
import { NDArray } from "../ndarray.ts";
import { checkOptions } from "../options.ts";
import type { Program } from "../program.ts";
import { planSaving } from "../save.ts";
import type { Tensor } from "../tensor.ts";
import type { Value } from "../values.ts";

/** The part of a Layer that a Model needs. */
export interface StatefulNetwork {
  /** Its Tensors by structured name. */
  stateDict(): Map<string, Tensor>;
  /** Set Tensors by structured name. */
  setStateDict(state: ReadonlyMap<string, Value>, options?: { onWarning?: (warning: Warning) => void }): unknown;
}

/** The part of an optimizer that a Model needs. */
export interface StatefulOptimizer {
  /** Its state by key. */
  stateDict(): Map<string, Value>;
  /** Set its state. */
  setStateDict(state: ReadonlyMap<Value, Value>): void;
}

/** The part of a {@linkcode GradScaler} that a Model needs. */
export interface StatefulScaler {
  /** Its state by key; empty if it is disabled. */
  stateDict(): Map<string, Value>;
  /** Set its state. */
  loadStateDict(state: ReadonlyMap<Value, Value>): void;
}

/** Options of {@linkcode Model.save}. */
export interface ModelSaveOptions {
  /**
   * Write `path.pdparams` and `path.pdopt` for further training; if false, an inference model, which requires `program`. @default {true}
   */
  training?: boolean;
  /** The program of the network's forward pass: there is no tracing here. Only with `training: false`. */
  program?: Program;
  /**
   * Also write `path.pdsum`, last of all: sizes and SHA-256 of the files, by which every later load detects files from different saves.
   * Only in the file system. @default {false}
   */
  manifest?: boolean;
  /** The folder that names refer to. */
  folder?: Folder | undefined;
  /** Aborts the call. */
  signal?: AbortSignal | undefined;
  /** Receives a warning about what a save that succeeded could not remove (`LEFTOVER`). */
  onWarning?: ((warning: Warning) => void) | undefined;
}

/** Options of {@linkcode Model.load}. */
export interface ModelLoadOptions {
  /** Skip entries that are missing or have another shape, with a warning; if any is, leave the optimizer unchanged. @default {false} */
  skipMismatch?: boolean;
  /** Ignore `path.pdopt`, and leave the optimizer unchanged. @default {false} */
  resetOptimizer?: boolean;
  /** The folder that names refer to. */
  folder?: Folder | undefined;
  /** Limits on what the files may demand. */
  limits?: Partial<Limits> | undefined;
  /** Aborts the call. */
  signal?: AbortSignal | undefined;
  /** Called for every entry that is skipped. */
  onWarning?: ((warning: Warning) => void) | undefined;
}

const ENDINGS = [".pdparams", ".pdopt", ".pdmodel"];
/** Characters of a key in an optimizer's state in which a parameter's name is looked for. */
const LONGEST = 1024;

/**
 * A network with an optimizer. Mirrors the saving and loading of `paddle.Model` (2.0 and later); there is no training loop here.
 *
 * @example
 * ```ts
 * import * as paddle from "@oarlock/paddle";
 * const folder = new paddle.MemoryFolder();
 * const model = new paddle.Model(new paddle.nn.Linear(4, 2));
 * await model.save("net", { folder });
 * await model.load("net", { folder });
 * ```
 */
export class Model<Network extends StatefulNetwork = StatefulNetwork> {
  /** The network. */
  readonly network: Network;
  /** The optimizer, once it is set. */
  optimizer: StatefulOptimizer | null = null;
  /** The scaler of mixed precision training, once it is set. */
  scaler: StatefulScaler | null = null;

  /** A model of `network`. */
  constructor(network: Network) {
    if (!hasMethod(network, "stateDict")) {
      throw new TypeError(`A Model needs a network that has stateDict and setStateDict: ${gotInstead(network)}`);
    }
    this.network = network;
  }

  /** Set the model's optimizer, and the scaler that Paddle makes of its `amp_configs` (2.4 and later). */
  prepare(optimizer: StatefulOptimizer | null = null, scaler: StatefulScaler | null = null): void {
    this.optimizer = optimizer;
    this.scaler = scaler;
  }

  /**
   * Write `path.pdparams`, and `path.pdopt` and `path.pdscaler` if there are an optimizer and a scaler that have state; with
   * `training: false`, the inference model of `program`.
   *
   * Mirrors `paddle.Model.save`.
   */
  async save(path: string | URL, options: ModelSaveOptions = {}): Promise<void> {
    checkOptions(options, ["training", "program", "manifest", "folder", "signal", "onWarning"]);
    const { training = true, program, manifest, folder, signal, onWarning } = options;
    const state = this.network.stateDict();
    if (!training) {
      if (!program) throw new TypeError("Saving for inference needs { program }: there is no tracing here");
      await saveExported({ programs: { forward: program }, stateDict: state }, path, {
        manifest,
        folder,
        signal,
        onWarning,
      });
      return;
    }
    if (program) throw new TypeError("Option program belongs to { training: false }");
    const place = await placeOfPrefix("path", path, { folder, signal });
    const file = async (ending: string, state: Value): Promise<OutFile> => {
      const { size, chunks } = await planSaving(state, { signal });
      return { name: place.name + ending, size, chunks };
    };
    const files = [await file(".pdparams", state)];
    for (const [ending, part] of [[".pdopt", this.optimizer], [".pdscaler", this.scaler]] as const) {
      const own = part?.stateDict();
      if (own && own.size > 0) files.push(await file(ending, own));
    }
    await saveFiles(place.folder, files, { manifest, signal, onWarning }, place.name);
  }

  /**
   * Load parameters, and the states of the optimizer and the scaler if there are a `path.pdopt` and a `path.pdscaler`. `path` may end in
   * `.pdparams`, `.pdopt` or `.pdmodel`. Every entry of the network is checked before anything is set; a scaler and an optimizer refuse what
   * does not fit after that.
   *
   * Mirrors `paddle.Model.load`.
   *
   * @throws {SourceError} `NOT_FOUND`: there is no `path.pdparams`
   * @throws {PathError} `UNSAFE_PATH`: `path` has another ending
   * @throws {FormatError} `WRONG_FORMAT`: a file holds no dict; then nothing is changed
   * @throws {ValueError} `INVALID_VALUE`: an entry is missing or has another shape, and `skipMismatch` is not set
   */
  async load(path: string | URL, options: ModelLoadOptions = {}): Promise<void> {
    checkOptions(options, ["skipMismatch", "resetOptimizer", "folder", "limits", "signal", "onWarning"]);
    const { skipMismatch = false, resetOptimizer = false, folder, limits, signal, onWarning } = options;
    signal?.throwIfAborted();
    const [named, query] = splitQuery(checkedPrefix(path)), base = prefixOf(named);
    const read = { folder, limits, signal };
    const place = await placeOf(base + query, { folder, signal });
    const versions = place && await findManifest(place.folder, place.name, { signal, having: ".pdparams" });
    const state = await loadDict(base + ".pdparams" + query, read);
    const fitting = new Map<string, Value>();
    const mismatches: string[] = [];
    for (const [key, tensor] of this.network.stateDict()) {
      const found = state.get(key);
      if (!(found instanceof NDArray)) mismatches.push(`${quote(key)} is not in the file`);
      else if (String(found.shape) !== String(tensor.shape)) {
        mismatches.push(`${quote(key)} is [${found.shape}] in the file, [${tensor.shape}] in the network`);
      } else fitting.set(key, found);
    }
    if (mismatches.length > 0 && !skipMismatch) {
      throw new ValueError("INVALID_VALUE", `Cannot load ${quote(base)}: ${mismatches.join("; ")}`, {
        path: base,
        names: mismatches,
      });
    }
    const warn = (warning: Warning) => onWarning?.(warning);
    for (const message of mismatches) warn({ code: "SKIPPED", message: `Skipped: ${message}` });
    const optimizer = resetOptimizer || mismatches.length > 0
      ? null
      : await loadDictIfThere(base + ".pdopt" + query, read);
    const scaler = this.scaler && await loadDictIfThere(base + ".pdscaler" + query, read);
    if (versions) await checkVersions(versions, signal);
    this.network.setStateDict(fitting, { onWarning: (warning) => !skipMismatch && warn(warning) });
    if (scaler && scaler.size > 0) this.scaler!.loadStateDict(scaler);
    if (optimizer && optimizer.size > 0 && this.optimizer) this.optimizer.setStateDict(this.#converted(optimizer));
  }

  /** Convert the keys of a static graph's state to those of dynamic graph mode. */
  #converted(state: ReadonlyMap<string, Value>): Map<string, Value> {
    const converted = new Map(state);
    const counter = state.get("@LR_DECAY_COUNTER@");
    if (counter instanceof NDArray) {
      converted.delete("@LR_DECAY_COUNTER@");
      // The static graph starts counting one step earlier.
      converted.set("global_step", Number(counter.at(...counter.shape.map(() => 0))) + 1);
    }
    const names = new Set([...this.network.stateDict().values()].map((tensor) => tensor.name).filter((name) => name));
    for (const [key, value] of state) {
      // Whichever name the key begins with, only its number differs. Not by trying each name, as there may be thousands of both.
      const zeroth = key.replace(/_\d+$/, "_0"), last = Math.min(LONGEST, key.lastIndexOf("_"));
      for (let at = key.indexOf("_"); at < last && !converted.has(zeroth); at = key.indexOf("_", at + 1)) {
        if (names.has(key.slice(0, at))) converted.set(zeroth, value);
      }
    }
    return converted;
  }
}

function prefixOf(path: string): string {
  const ending = ENDINGS.find((end) => path.endsWith(end));
  if (ending) return path.slice(0, -ending.length);
  const last = path.slice(path.lastIndexOf("/") + 1);
  if (/\.pd\w*$/.test(last.slice(-32))) {
    throw new PathError("UNSAFE_PATH", `${quote(path)} ends in none of ${ENDINGS.join(", ")}`, { path });
  }
  return path;
}
