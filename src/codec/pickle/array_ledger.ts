/**
 * The arrays of a pickle that is being read: which of them still wait for their state, which have the same bytes, and where these lie.
 *
 * @module
 */
import { type Payload, Span } from "../cursor.ts";
import type { PickledArray } from "./pickled.ts";

/** The book of one pickle. */
export class ArrayLedger {
  readonly #waiting = new Set<PickledArray>();
  /** Bytes objects that an array already has. */
  readonly #owned = new Set<Payload>();
  /** Where bytes that were taken from the window lay in the file. */
  readonly #offsets: WeakMap<Uint8Array, number> | null;
  /** Whether arrays note where their bytes lie. */
  readonly locates: boolean;

  constructor(locates: boolean) {
    this.locates = locates;
    this.#offsets = locates ? new WeakMap() : null;
  }

  /** Bytes that lay at `offset`. */
  lay(bytes: Uint8Array, offset: number): void {
    this.#offsets?.set(bytes, offset);
  }

  /** An array's shell that must get its state before STOP. */
  awaitState(array: PickledArray): void {
    this.#waiting.add(array);
  }

  /** Arrays that never got their state. */
  get waiting(): Iterable<PickledArray> {
    return this.#waiting;
  }

  /** An array that got its state. */
  complete(array: PickledArray): void {
    this.#waiting.delete(array);
    const { data } = array;
    if (data === null) return;
    array.dataOffset = data instanceof Span ? data.offset : this.#offsets?.get(data) ?? -1;
    if (this.#owned.has(data)) array.sharesBytes = true;
    else this.#owned.add(data);
  }

  /** From here on another array may get the same bytes. */
  shareBytes(array: PickledArray): Payload {
    this.#owned.add(array.data!);
    return array.data!;
  }
}
