/**
 * A file as a catalogue: names, dtypes, shapes and locations first, data on demand.
 *
 * @module
 */
import type { PickledArray } from "./codec/pickle/pickled.ts";
import type { DType } from "./dtype.ts";
import { quote, SourceError, UnsupportedError, ValueError, type Warning } from "./errors.ts";
import { eitherSignal } from "./io/waiting/either_signal.ts";
import { changeAlone } from "./io/save/change_alone.ts";
import { FileSource } from "./io/sources/file_source.ts";
import { closeAll, type Source } from "./io/source.ts";
import { deferValue } from "./io/lazy/deferred_value.ts";
import { InlineBytes } from "./io/lazy/inline_bytes.ts";
import { type ReadOptions, SpanBytes } from "./io/lazy/span_bytes.ts";
import { Copies } from "./io/streams/copies.ts";
import { streamOf } from "./io/streams/stream_of.ts";
import { inTurns } from "./io/waiting/turns.ts";
import { within } from "./io/waiting/within.ts";
import type { Disposed } from "./words/disposed.ts";
import { partLazily, piecesOf } from "./words/joined_bytes.ts";
import { namedArrays } from "./model/named_arrays.ts";
import { replaceLeavesInSteps, someInSteps } from "./model/walk.ts";
import { arrayGiven, type NDArray, sliceOf } from "./ndarray.ts";
import { checkOptions } from "./options.ts";
import { refusalOf } from "./words/refused_array.ts";
import { shownValue } from "./words/described.ts";
import { DenseTensor, remade, Tensor } from "./tensor.ts";
import type { Value } from "./values.ts";

/** What is known about an array without reading it. */
export interface ArrayInfo {
  /** Paddle's name for the element type. */
  dtype: DType;
  /** Lengths of the axes. */
  shape: readonly number[];
  /** Offset of its data in the file; -1 if the data comes from several places. */
  offset: number;
  /** Size of its data in bytes. In a protocol 2 pickle it takes up to twice as much space in the file. */
  nbytes: number;
  /** The class that {@linkcode Checkpoint.get} returns. */
  kind: "Tensor" | "DenseTensor" | "NDArray";
}

export type { ReadOptions } from "./io/lazy/span_bytes.ts";

/** Maximum bytes of a chunk that is copied for a stream: small chunks are collected before many pile up. */
const CHUNK = 2 ** 20;

/** Options of {@linkcode Checkpoint.stream}. */
export interface StreamOptions extends ReadOptions {
  /** The bytes `[start, end)` to stream. @default all of them */
  range?: readonly [number, number] | undefined;
}

/** Declares iteration, and closing by `await using`: the types of an npm package omit methods named by symbols. */
export interface Checkpoint extends AsyncIterable<[string, NDArray]>, Disposed {}

/**
 * An opened file. Made by {@linkcode open}.
 *
 * @example Change one tensor in place
 * ```ts
 * import { encode, fromArray, open, zeros } from "@oarlock/paddle";
 * const bytes = encode(new Map([["w", fromArray([[1, 2], [3, 4]], "float32")], ["b", fromArray([5, 6], "float32")]]));
 * const file = await open(bytes); // or a path
 * for (const name of file.names()) console.log(name, file.info(name).dtype, file.info(name).shape);
 * await file.write("b", zeros([2]));
 * if ((await file.get("b")).at(0) !== 0) throw new Error("not written");
 * await file.close();
 * ```
 */
export class Checkpoint {
  /** Warnings from opening the file. */
  readonly warnings: readonly Warning[];
  readonly #source: Source | null;
  readonly #sources: readonly Pick<Source, "close">[];
  #value: Value;
  readonly #arrays: ReadonlyMap<string, NDArray>;
  readonly #origins: ReadonlyMap<NDArray, PickledArray>;
  readonly #lazies: ReadonlyMap<NDArray, SpanBytes>;
  /** For each array that was written after it had been read: the array that `#value` has, and the one that is to replace it there. */
  readonly #written = new Map<NDArray, { shown: NDArray; now: NDArray }>();
  #closed = false;
  /** Settles once all writes begun so far are over; null if none is under way. */
  #writing: Promise<void> | null = null;
  readonly #reads = new Set<Promise<unknown>>();

  /** Made by {@linkcode open}, not by callers. */
  constructor(parts: CheckpointParts) {
    this.warnings = parts.warnings;
    this.#source = parts.source;
    this.#sources = parts.sources ?? [];
    this.#value = parts.value;
    this.#arrays = parts.arrays ?? namedArrays(parts.value);
    this.#origins = parts.origins;
    this.#lazies = parts.lazies;
    deferValue(this, ({ signal }) => this.value({ signal }));
  }

  /**
   * Identifies this version of the file, such as `etag:"5e1f"`; undefined if its location provides none, or if there are several files.
   * {@linkcode save} takes it as `ifUnchanged: { version }`.
   */
  get version(): string | undefined {
    return this.#source?.version;
  }

  /** Names of the arrays, in file order: the keys of a state dict, or `model.fc.weight` for arrays deeper inside. */
  names(): string[] {
    this.#alive();
    return [...this.#arrays.keys()];
  }

  /** What is known about the array `name` without reading it. */
  info(name: string): ArrayInfo {
    const array = this.#array(name);
    const kind = array instanceof Tensor ? "Tensor" : array instanceof DenseTensor ? "DenseTensor" : "NDArray";
    const offset = this.#lazies.get(array)?.span.offset ?? this.#origins.get(array)?.dataOffset ?? -1;
    return { dtype: array.dtype, shape: array.shape, offset, nbytes: array.nbytes, kind };
  }

  /** Read one array. Each call reads it again and returns a new array. */
  async get(name: string, options: ReadOptions = {}): Promise<NDArray> {
    checkRead(options);
    const array = this.#array(name);
    const bytes = await this.#inTurn(async () => {
      const lazy = this.#lazies.get(array) ?? array.unread;
      return lazy ? await lazy.read(options) : (await this.#loaded(array, options)).slice();
    }, options);
    return remade(array, array.dtype, array.shape, bytes);
  }

  /** Read after the writes begun before, and before those begun later: old and new bytes must not be mixed. */
  async #inTurn<T>(read: () => Promise<T>, { signal }: ReadOptions): Promise<T> {
    const earlier = this.#writing;
    const reading = earlier ? within(earlier, Infinity, signal).then(() => (this.#alive(), read())) : read();
    this.#reads.add(reading);
    try {
      return await reading;
    } finally {
      this.#reads.delete(reading);
    }
  }

  /**
   * Read the elements `[start, end)` along axis 0 of one array, with bounds as for {@linkcode NDArray.slice}. Only these are read from the
   * file, unless it has them in Fortran order; what protocol 2 wrote as text is read from its beginning, but not retained.
   *
   * @throws {ValueError} `INVALID_VALUE`: a bound is not an integer, or the array is 0-d
   */
  async getSlice(name: string, range: readonly [number, number], options: ReadOptions = {}): Promise<NDArray> {
    checkRead(options);
    const [start, end] = pairOf(range, "A slice is");
    const array = this.#array(name);
    const [shape, first, last] = sliceOf(array, start, end);
    const lazy = this.#lazies.get(array);
    const bytes = await this.#inTurn(async () => {
      if (lazy) return await lazy.readRange(first, last, options);
      return array.unread
        ? await partLazily(array.unread, first, last).read(options)
        : (await this.#loaded(array, options)).slice(first, last);
    }, options);
    const part = remade(array, array.dtype, shape, bytes);
    // As with slice(), only the whole array has the parameter's name.
    if (part instanceof Tensor && shape[0] !== array.shape[0]) part.name = "";
    return part;
  }

  /**
   * The bytes of one array as a stream, little-endian in C order: a piece of 4 MiB is in memory while the next one is read. `range` selects
   * the bytes `[start, end)`. The chunks are the reader's; the engine may let some 100 MiB of dropped ones pile up before it frees them. An
   * array in Fortran order is held in memory as a whole; one that protocol 2 wrote as text is read from its beginning. If reading fails, the
   * stream errors with what {@linkcode Checkpoint.get} would reject with; with `SOURCE_CHANGED`, too, if the array is written meanwhile.
   *
   * @throws {SourceError} `NOT_FOUND`: there is no such array
   * @throws {TypeError} the range does not lie within the array
   */
  stream(name: string, options: StreamOptions = {}): ReadableStream<Uint8Array<ArrayBuffer>> {
    checkOptions(options, ["signal", "range"]);
    const array = this.#array(name);
    const [from, to] = pairOf(options.range ?? [0, array.nbytes], "Option range must be");
    if (!([from, to].every(Number.isInteger) && 0 <= from && from <= to && to <= array.nbytes)) {
      throw new TypeError(`Option range must lie in the ${array.nbytes} bytes of ${quote(name)}: got [${from}, ${to}]`);
    }
    return streamOf((cancelled) => this.#pieces(array, from, to, eitherSignal(cancelled, options.signal)));
  }

  /** Bytes `[from, to)` in pieces that the reader may keep and modify: in memory of their own. */
  async *#pieces(
    array: NDArray,
    from: number,
    to: number,
    { signal, release }: ReturnType<typeof eitherSignal>,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const scratch: Uint8Array[] = [], copies = new Copies();
    try {
      signal.throwIfAborted();
      if (this.#writing) await within(this.#writing, Infinity, signal);
      const lazy = this.#lazies.get(array) ?? array.unread;
      for await (
        const piece of piecesOf(lazy ?? await this.#loaded(array, { signal }), from, to, { signal, scratch })
      ) {
        // What a source streams is new memory.
        if (lazy && !scratch.some(({ buffer }) => buffer === piece.buffer)) yield piece as Uint8Array<ArrayBuffer>;
        else for (let at = 0; at < piece.length; at += CHUNK) yield copies.of(piece.subarray(at, at + CHUNK));
      }
    } finally {
      release();
    }
  }

  /** Iterates over names and arrays, with one array in memory at a time. */
  async *[Symbol.asyncIterator](): AsyncIterator<[string, NDArray]> {
    for (const name of this.names()) yield [name, await this.get(name)];
  }

  /**
   * Overwrite the data of one array in place: dtype and shape must be the same, and nothing else in the file changes. For a file given by
   * path, a crash at any moment leaves either the old data or the new; in a browser, too. An array that {@linkcode Checkpoint.value}
   * returned before keeps its old values if it was already read. A manifest (`.pdsum`) that lists the file no longer applies and is removed.
   * An abort stops the write until the first byte is changed; then it is completed.
   *
   * A process that opens the file meanwhile tells by the process id whether the writer is still alive; after ten minutes in which neither
   * the file nor the journal beside it changed, the id counts as another process's. In Deno without `--allow-run`, which may not look, a
   * minute without changes tells that the writer is dead. Where process ids are not comparable, as in several containers or hosts that
   * share a volume, a write must not overlap with other uses of the file: save a new one instead.
   *
   * @throws {ValueError} `INVALID_VALUE`: the dtype or shape differs
   * @throws {UnsupportedError} `UNSUPPORTED_FEATURE`: the location is not writable, or the array is not contiguous in the file
   * @throws {SaveError} writing failed; `committed` says which data is in the file; `CONFLICT`: another process is changing it
   * @throws {SourceError} `SOURCE_CHANGED`: the file was changed since it was opened
   */
  async write(name: string, array: NDArray, options: ReadOptions = {}): Promise<void> {
    checkRead(options);
    const old = this.#array(name);
    arrayGiven(array);
    checkFits(array, old, name);
    // An empty array may have no place in the file.
    if (old.nbytes === 0) return;
    const { lazy, edit } = this.#editable(old, name);
    await array.load(options);
    await lazy.prove(options);
    this.#alive();
    await this.#changeInTurn(() => edit(array.bytes, options), options);
    if (!old.isLoaded) return;
    const now = remade(old, old.dtype, old.shape, this.#lazies.get(old) ?? array.bytes.slice());
    this.#written.set(old, { shown: this.#written.get(old)?.shown ?? old, now });
  }

  /** The bytes of an array in the file, and how to overwrite them. */
  #editable(array: NDArray, name: string): { lazy: SpanBytes; edit: Edit } {
    const lazy = this.#lazies.get(array) ?? this.#inline(array, name);
    const offset = lazy?.plainOffset ?? null, source = lazy?.source;
    if (!lazy || !source?.edit || offset === null) {
      throw new UnsupportedError(
        "UNSUPPORTED_FEATURE",
        `${quote(name)} cannot be written in place: save writes a new file`,
        { at: name, path: (source ?? this.#source)?.name },
      );
    }
    const edit: Edit = (bytes, options) => {
      lazy.edits++;
      return source.edit!(offset, bytes, options);
    };
    if (!(source instanceof FileSource)) return { lazy, edit };
    return { lazy, edit: (bytes, options) => changeAlone(source.path, () => edit(bytes, options)) };
  }

  /** Change the file after all reads and writes begun before. If it fails, later ones go on. */
  async #changeInTurn(change: () => Promise<void>, { signal }: ReadOptions): Promise<void> {
    const earlier = [this.#writing, ...this.#reads];
    const writing = within(Promise.allSettled(earlier), Infinity, signal).then(change);
    const all: Promise<void> = Promise.allSettled([...earlier, writing]).then(() => {
      if (this.#writing === all) this.#writing = null;
    });
    this.#writing = all;
    await writing;
  }

  /**
   * The whole value, as {@linkcode load} returns it, but with lazy arrays: read them by `await array.load()`, or just access them if the
   * file can be read synchronously (files by path, bytes in memory). The parameters of a model are Tensors, bfloat16 included, where
   * {@linkcode load} returns arrays.
   */
  async value(options: ReadOptions = {}): Promise<Value> {
    checkRead(options);
    const { signal } = options, before = this.#value;
    this.#alive();
    // Bytes objects have no lazy form, so those left in the file are read now.
    const left: SpanBytes[] = [];
    const note = (item: unknown) => {
      if (item instanceof SpanBytes) left.push(item);
      return false;
    };
    await inTurns(someInSteps(before, note, () => true), signal);
    const read = new Map<unknown, Uint8Array | NDArray>();
    for (const bytes of left) read.set(bytes, await this.#inTurn(() => bytes.read({ signal }), options));
    // They may be written once more meanwhile.
    const written = [...this.#written].map(([array, { shown, now }]) => ({ array, shown, now }));
    for (const { shown, now } of written) if (shown !== now) read.set(shown, now);
    if (read.size === 0) return before;
    const value = await inTurns(replaceLeavesInSteps(before, (item) => read.get(item) ?? item), signal) as Value;
    // Another call was faster, and perhaps knows of more writes.
    if (this.#value !== before) return await this.value(options);
    for (const { array, now } of written) this.#written.get(array)!.shown = now;
    return this.#value = value;
  }

  /** Close the file. Closing twice is fine; any later use is a TypeError. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing;
    await closeAll([this.#source, ...this.#sources]);
  }

  /** Calls {@linkcode Checkpoint.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The bytes of an array that has already been read. */
  async #loaded(array: NDArray, options: ReadOptions): Promise<Uint8Array> {
    // Data read with the structure is only returned if the file is still the same version.
    const verifying = this.#source?.verify?.(), { signal } = options;
    await (signal && verifying ? within(verifying, Infinity, signal) : verifying);
    return (await this.#now(array).load(options)).bytes;
  }

  /** An array that was read with the structure, as it was last written. */
  #now(array: NDArray): NDArray {
    return this.#written.get(array)?.now ?? array;
  }

  #inline(array: NDArray, name: string): SpanBytes | null {
    const from = this.#origins.get(array);
    return from && this.#source ? InlineBytes.of(this.#source, from, array.nbytes, name) : null;
  }

  #alive(): void {
    if (this.#closed) throw new TypeError("This checkpoint was closed");
  }

  #array(name: string): NDArray {
    this.#alive();
    const array = this.#arrays.get(name);
    if (!array) {
      const refusal = refusalOf(this.#value, name);
      if (refusal) throw refusal;
      throw new SourceError("NOT_FOUND", `There is no array ${JSON.stringify(name)} in this file: names() lists them`, {
        at: name,
      });
    }
    return array;
  }
}

/** What a Checkpoint is made of. */
export interface CheckpointParts {
  /** Where the bytes are; null if all are in memory. */
  source: Source | null;
  /** Further open files, to be closed with it. */
  sources?: readonly Pick<Source, "close">[];
  /** The value with its lazy arrays. */
  value: Value;
  /** The arrays in it by name, if already collected. */
  arrays?: Map<string, NDArray>;
  /** Warnings from opening. */
  warnings: Warning[];
  /** Origins of the arrays that were read with the structure. */
  origins: Map<NDArray, PickledArray>;
  /** Arrays that were not read. */
  lazies: Map<NDArray, SpanBytes>;
}

/** Overwrites the bytes of an array in its file. */
type Edit = (bytes: Uint8Array, options: ReadOptions) => Promise<void>;

/** Refuse an array of another dtype or shape than the one that it is to replace. */
function checkFits(array: NDArray, old: NDArray, name: string): void {
  const isSame = array.dtype === old.dtype && array.shape.length === old.shape.length &&
    array.shape.every((length, axis) => length === old.shape[axis]);
  if (isSame) return;
  const expected = `${old.dtype} [${old.shape}]`, actual = `${array.dtype} [${array.shape}]`;
  const message = `${quote(name)} is ${expected}: only an array of that dtype and shape can be written in place`;
  throw new ValueError("INVALID_VALUE", message, { at: name, expected, actual });
}

function checkRead(options: ReadOptions): void {
  checkOptions(options, ["signal"]);
  options.signal?.throwIfAborted();
}

function pairOf(range: readonly [number, number], wanted: string): readonly [number, number] {
  if (!Array.isArray(range)) throw new TypeError(`${wanted} [start, end]: got ${shownValue(range)}`);
  return range;
}
