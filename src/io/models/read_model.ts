/**
 * Reads a model's files into its programs and the values of their variables, which are read at once or (for `open`) left in the files.
 *
 * @module
 */
import { detectKind, foreignError, HEAD_BYTES } from "../../codec/detect_kind.ts";
import type { Cursor, Decoder } from "../../codec/cursor.ts";
import { type Pickle, readPickle } from "../../codec/pickle/read_pickle.ts";
import { readProgram } from "../../codec/program/read_program.ts";
import {
  checkTensor,
  type Expected,
  expectEnd,
  type RawVariable,
  readCombined,
  readVariable,
} from "../../codec/record/read_combined.ts";
import { readBinaryTensorFile } from "../../codec/record/read_record.ts";
import { isToldBySize } from "../../codec/record/stored_form.ts";
import { plainRecordHeadSize } from "../../codec/record/write_record.ts";
import { byCodePoint } from "../../words/code_point_order.ts";
import { dtypeInfo } from "../../dtype.ts";
import { FormatError, isPaddleError, PathError, quote, type Warning } from "../../errors.ts";
import { Budget, type Limits } from "../../limits.ts";
import { fromRecord, type FromRecordOptions, fromSelectedRows } from "../../model/from_record.ts";
import { plainFromPickle } from "../../model/plain_from_pickle.ts";
import { infoOf, type ModelInfo } from "../../model/model_info.ts";
import type { NDArray } from "../../ndarray.ts";
import type { Program } from "../../program.ts";
import type { SelectedRows } from "../../values.ts";
import { driveFrom } from "../drive/drive_from.ts";
import { exists, type MethodFiles, type ModelFiles, openPart } from "./find_model.ts";
import type { Folder } from "../folder.ts";
import { type ProgressEvent, progressOfFiles } from "../progress.ts";
import { RecordBytes } from "../lazy/record_bytes.ts";
import { checkVersions } from "../save/manifest.ts";
import { closeAll, type Source } from "../source.ts";
import { SpanBytes } from "../lazy/span_bytes.ts";
import { elementCount } from "../../words/element_count.ts";

/** The value of a variable: an array, selected rows, or the words of a vocabulary. */
export type VariableValue = NDArray | SelectedRows | Map<string, number>;

/** How a model is read. */
export interface ReadModelOptions extends Pick<FromRecordOptions, "returnNumpy" | "mode"> {
  limits: Readonly<Limits>;
  signal?: AbortSignal;
  onProgress?: (event: ProgressEvent) => void;
  onWarning?: (warning: Warning) => void;
  copy?: boolean;
  /** Leave values in their files: {@linkcode ReadModel.sources} then stay open. @default {false} */
  lazy?: boolean;
  /** Only `forward` is wanted; other methods matter only if their parameters share its file. @default {false} */
  onlyForward?: boolean;
}

/** A method of a model: its program, and the values of the program's variables by name. */
export interface ReadMethod {
  method: string;
  program: Program;
  variables: Map<string, VariableValue>;
  /** Whether its values are in the file of `forward`. */
  isShared: boolean;
}

/** A model that was read. */
export interface ReadModel {
  /** `forward` first. */
  methods: ReadMethod[];
  /** The content of `.pdiparams.info`, or null if there is none. */
  info: ModelInfo | null;
  /** Sources that are still open, with `lazy`. */
  sources: Pick<Source, "close">[];
  /** The location of each lazy value. */
  lazies: Map<NDArray, SpanBytes>;
}

/** Read a model. */
export async function readModel(files: ModelFiles, options: ReadModelOptions): Promise<ReadModel> {
  const progress = progressOfFiles(options.onProgress, "load");
  const reader = new ModelReader(files, { ...options, onProgress: progress?.onProgress });
  try {
    const model = await reader.read();
    await checkVersions(files.versions, options.signal);
    await progress?.end();
    return model;
  } catch (error) {
    await reader.closeAll().catch(() => {});
    // What does not fit may be of another save.
    if (isPaddleError(error)) await checkVersions(files.versions, options.signal);
    throw error;
  }
}

/** The program of a method. If both forms exist, they must have the same parameters. */
async function readPrograms(
  { folder, shown }: ModelFiles,
  { programs }: MethodFiles,
  options: Pick<ReadModelOptions, "limits" | "signal">,
): Promise<Program> {
  const read: Program[] = [];
  const foreign: { name: string; error: unknown }[] = [];
  for (const name of programs) {
    const source = await openPart(folder, name, shown, "the program", options.signal);
    try {
      read.push(
        await driveFrom(source, (cursor) => readProgram(cursor, options.limits), (program) => program, {
          signal: options.signal,
        }),
      );
    } catch (error) {
      if (!isPaddleError(error) || error.code !== "WRONG_FORMAT") throw error;
      foreign.push({ name, error });
    }
  }
  if (foreign.length > 0) {
    const [{ name, error }] = foreign;
    if (read.length === 0) throw error;
    throw new PathError("AMBIGUOUS_PATH", `${quote(name)} is no program, but ${quote(shown)} has it beside one`, {
      path: shown,
      names: [...programs],
      hint: `rename ${name} if it does not belong to the model`,
      cause: error,
    });
  }
  const others = read.slice(1);
  if (others.some((program) => parametersText(program) !== parametersText(read[0]))) {
    throw new PathError(
      "AMBIGUOUS_PATH",
      `The programs ${programs.join(" and ")} have different parameters: which one is meant?`,
      {
        path: shown,
        names: [...programs],
      },
    );
  }
  return read[0];
}

function parametersText(program: Program): string {
  return JSON.stringify(program.parameters().map(({ name, dtype, shape }) => [name, dtype, shape]));
}

class ModelReader {
  readonly #files: ModelFiles;
  readonly #options: ReadModelOptions;
  readonly #budget: Budget;
  readonly #sources: Source[] = [];
  readonly #lazies: ReadModel["lazies"] = new Map();
  /** Methods without a parameter file of their own. */
  readonly #shared = new Set<string>();
  /** Whether a file has the parameters of all methods: that of `forward` is read first. */
  #isUnion = false;
  /** Open parameter files, by name: methods may share them, so with `lazy` they stay open. */
  readonly #params = new Map<string, Source>();

  constructor(files: ModelFiles, options: ReadModelOptions) {
    this.#files = files;
    this.#options = options;
    this.#budget = new Budget(options.limits);
  }

  async read(): Promise<ReadModel> {
    const { methods: methodFiles, folder } = this.#files;
    const info = await this.#info();
    const programs: [MethodFiles, Program][] = [];
    for (const files of await this.#wanted(methodFiles)) {
      const program = await this.#program(files, info);
      if (program) programs.push([files, program]);
    }
    const methods: ReadMethod[] = [];
    for (const [files, program] of this.#options.onlyForward ? programs.slice(0, 1) : programs) {
      const expected = expectedOf(program);
      const all = programs.map(([, other]) => other);
      // Without the info it is unknown whether `net.v2` is a method of `net` or another model: Paddle reads no values for it.
      // A file of forward's that has the parameters of all of them tells.
      const isUnknown = files.method !== "forward" && info === null && program.form === "pdmodel" && !this.#isUnion;
      if (isUnknown) this.#tellLeftOut(files, expected, methods[0].variables);
      const variables = expected.length === 0 || isUnknown
        ? new Map()
        : files.params === null
        ? await this.#scattered(folder, expected)
        : await this.#combined(files, expected, all);
      methods.push({ method: files.method, program, variables, isShared: this.#shared.has(files.method) });
    }
    return { methods, info, sources: this.#sources, lazies: this.#lazies };
  }

  #tellLeftOut({ programs: [program] }: MethodFiles, own: readonly Expected[], read: ReadMethod["variables"]): void {
    if (own.every(({ name }) => read.has(name))) return;
    const { shown, info } = this.#files;
    const finding = `${program} may be a method of ${quote(shown)} or another model: without ${info} that is unknown`;
    const message = `${finding}, and its parameters are left out; its own prefix gives them`;
    this.#options.onWarning?.({ code: "OTHER_MODEL", message });
  }

  /** The methods whose programs are read: a parameter file larger than `forward` needs may have the parameters of all methods. */
  async #wanted(methods: readonly MethodFiles[]): Promise<readonly MethodFiles[]> {
    const [forward] = methods;
    if (!this.#options.onlyForward || methods.length === 1 || forward.params === null) return methods;
    const expected = (await readPrograms(this.#files, forward, this.#options)).parameters();
    const source = await this.#files.folder.get(forward.params, { signal: this.#options.signal });
    await source?.close?.();
    return source === null || sizeOf(expected) === source.size ? [forward] : methods;
  }

  /**
   * Whether a model without its parameter file is one that `static.save` wrote: its values are in `.pdparams`, and Paddle finds
   * nothing to load by the prefix.
   */
  async #isTraining({ method, params }: MethodFiles): Promise<boolean> {
    if (method !== "forward" || params === null || !params.endsWith(".pdiparams")) return false;
    const { folder, shown } = this.#files;
    const saved = params.slice(0, -".pdiparams".length) + ".pdparams";
    if (!await exists(folder, saved, this.#options.signal)) return false;
    this.#options.onWarning?.({
      code: "MISSING_PART",
      message: `${quote(shown)} has no .pdiparams: its parameters are in ${quote(saved)}`,
    });
    return true;
  }

  async closeAll(): Promise<void> {
    await closeAll(this.#sources);
  }

  /**
   * The program of a method; null if it belongs to another model: `net.v2.pdmodel` next to `net.pdmodel` may be one, if its
   * variables are not in the info.
   */
  async #program(files: MethodFiles, info: ModelInfo | null): Promise<Program | null> {
    const program = await readPrograms(this.#files, files, this.#options);
    if (files.method === "forward" || !info) return program;
    const isOurs = program.parameters().every(({ name }) => info.has(name));
    if (isOurs) return program;
    this.#options.onWarning?.({
      code: "OTHER_MODEL",
      message: `${
        files.programs[0]
      } has variables that ${this.#files.info} does not know: it is taken for another model`,
    });
    return null;
  }

  async #info(): Promise<ModelInfo | null> {
    const { folder, info } = this.#files, { limits, signal } = this.#options;
    const source = await folder.get(info, { signal });
    if (!source) return null;
    const read = function* (cursor: Cursor): Decoder<Pickle> {
      yield cursor.need(HEAD_BYTES);
      refuseForeign(cursor.bytes.slice(cursor.pos, Math.min(cursor.end, cursor.pos + HEAD_BYTES)));
      return yield* readPickle(cursor, { limits });
    };
    return await driveFrom(source, read, (pickle) => infoOf(plainFromPickle(pickle, { borrowed: false })), { signal });
  }

  /** Read one file per variable, named after it. */
  async #scattered(folder: Folder, expected: readonly Expected[]): Promise<Map<string, VariableValue>> {
    const values = new Map<string, VariableValue>();
    for (const variable of expected) {
      const { signal } = this.#options, what = "the value of that variable";
      const source = await openPart(folder, variable.name, this.#files.shown, what, signal);
      const budget = this.#budget;
      if (variable.kind === "selected_rows") {
        values.set(variable.name, await this.#rows(source, variable));
        continue;
      }
      const read = await this.#drive(source, function* (cursor) {
        const raw = yield* readVariable(cursor, variable, budget);
        yield* expectEnd(cursor, 1);
        return new Map([[variable.name, raw]]);
      }, variable.name);
      values.set(variable.name, read.get(variable.name)!);
    }
    return values;
  }

  /** Read selected rows, which always have a file of their own (FORMATS.md 7.2) and are read at once. */
  async #rows(source: Source, { name, kind, dtype }: Expected): Promise<VariableValue> {
    const { signal, copy, onProgress } = this.#options;
    return await driveFrom(
      source,
      (cursor) => readBinaryTensorFile(cursor, { budget: this.#budget }),
      (raw, borrowed) => {
        if (!("rows" in raw)) {
          throw new FormatError(
            "WRONG_FORMAT",
            `${quote(name)} is SelectedRows in the program, but its file holds a dense tensor`,
            {
              offset: 0,
            },
          );
        }
        checkTensor({ name, kind, dtype, shape: null }, raw.value.dtype, raw.value.shape, 0);
        return fromSelectedRows(raw, { borrowed });
      },
      { signal, copy, onProgress, name },
    );
  }

  /** Read one file for all variables: those of this method, or of all methods together (`combine_params`). */
  async #combined(
    files: MethodFiles,
    own: readonly Expected[],
    programs: readonly Program[],
  ): Promise<Map<string, VariableValue>> {
    const { folder, shown, methods } = this.#files;
    const mine = await this.#paramsOf(files.params!);
    if (!mine && await this.#isTraining(files)) return new Map();
    const isShared = files.method !== "forward" && !mine;
    if (isShared) this.#shared.add(files.method);
    const name = isShared ? methods[0].params! : files.params!;
    const source = mine ?? await this.#paramsOf(name) ??
      await openPart(folder, name, shown, `${own.length} parameters are in it`, this.#options.signal);
    const union = programs.length === 1 ? own : unionOf(programs);
    const isUnion = union.length > own.length && (isShared || sizeOf(union) === source.size);
    this.#isUnion ||= isUnion;
    const expected = isUnion ? union : own;
    const layout = this.#options.lazy ? layoutOf(expected, source.size) : null;
    const values = layout
      ? this.#placed(source, expected, layout)
      : await this.#drive(source, (cursor) => readCombined(cursor, expected, this.#budget));
    const names = new Set(own.map((variable) => variable.name));
    return new Map([...values].filter(([name]) => names.has(name)));
  }

  async #paramsOf(name: string): Promise<Source | null> {
    const { lazy, signal } = this.#options;
    const source = this.#params.get(name) ?? await this.#files.folder.get(name, { signal });
    if (source && lazy) this.#params.set(name, source);
    return source;
  }

  /** Values whose locations follow from the program: nothing is read now. */
  #placed(source: Source, expected: readonly Expected[], layout: readonly number[]): Map<string, VariableValue> {
    if (!this.#sources.includes(source)) {
      this.#sources.push(source);
      this.#options.onProgress?.({ phase: "load", loaded: source.size, total: source.size });
    }
    const values = new Map<string, VariableValue>();
    expected.forEach(({ name, dtype, shape }, i) => {
      const bytes = new RecordBytes(source, layout[i], dtype!, shape!, name);
      const raw = { dtype: dtype!, shape: [...shape!], data: bytes.span, lod: [], offset: bytes.span.offset };
      const array = fromRecord(raw, { ...this.#options, borrowed: false, lazy: () => bytes }, name);
      this.#lazies.set(array, bytes);
      values.set(name, array);
    });
    return values;
  }

  async #drive(
    source: Source,
    make: (cursor: Parameters<typeof readCombined>[0]) => ReturnType<typeof readCombined>,
    name?: string,
  ): Promise<Map<string, VariableValue>> {
    const { lazy, signal, copy, onProgress } = this.#options;
    if (lazy && !this.#sources.includes(source)) this.#sources.push(source);
    return await driveFrom(source, make, (raws, borrowed) => {
      const values = new Map<string, VariableValue>();
      for (const [name, raw] of raws) values.set(name, this.#value(name, raw, source, borrowed));
      return values;
    }, { signal, copy, lazy, onProgress, name });
  }

  #value(name: string, raw: RawVariable, source: Source, borrowed: boolean): VariableValue {
    if ("words" in raw) return raw.words;
    let left: SpanBytes | null = null;
    const array = fromRecord(raw, {
      ...this.#options,
      borrowed,
      lazy: (span, finish, from) => left = new SpanBytes(source, span, finish, from),
    }, name);
    if (!left && this.#options.lazy && source.edit) left = SpanBytes.at(source, raw.offset, array.nbytes);
    if (left) this.#lazies.set(array, left);
    return array;
  }
}

/** The variables of a program whose values are to be read. */
function expectedOf(program: Program): Expected[] {
  return program.parameters().map(({ name, kind, dtype, shape }) => ({ name, kind, dtype, shape }));
}

/** The variables of several programs, sorted by name. */
function unionOf(programs: readonly Program[]): Expected[] {
  const all = new Map<string, Expected>();
  for (const program of programs) for (const variable of expectedOf(program)) all.set(variable.name, variable);
  return [...all.values()].sort((a, b) => byCodePoint(a.name, b.name));
}

/** The offset of each record, if the program says enough and the file has exactly that many bytes; otherwise null. */
function layoutOf(expected: readonly Expected[], size: number): number[] | null {
  const starts: number[] = [];
  let at = 0;
  for (const variable of expected) {
    starts.push(at);
    const length = recordSizeOf(variable);
    if (length === null || !isToldBySize(variable.dtype!)) return null;
    at += length;
  }
  return at === size ? starts : null;
}

function sizeOf(expected: readonly Expected[]): number | null {
  let size = 0;
  for (const variable of expected) {
    const length = recordSizeOf(variable);
    if (length === null) return null;
    size += length;
  }
  return size;
}

/** Size in bytes of the record of a plain tensor of known shape. */
function recordSizeOf({ kind, dtype, shape }: Expected): number | null {
  if (kind !== "dense_tensor" || dtype === null || shape === null || shape.includes(-1)) return null;
  return plainRecordHeadSize(dtype, shape) + elementCount(shape) * dtypeInfo(dtype).itemsize;
}

/** Throws a more specific error for a file that another program is known to write. */
function refuseForeign(head: Uint8Array): void {
  if (detectKind(head) !== "unknown") return;
  const error = foreignError(head);
  if (error.code === "WRONG_FORMAT") throw error;
}
