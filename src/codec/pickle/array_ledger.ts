/**
 * Bookkeeping for the arrays of a pickle while it is read: which ones still await their state, which ones share bytes, and where in the
 * file their bytes are.
 *
 * @module
 */
import { type Payload, Span } from "../cursor.ts";
import type { PickledArray } from "./pickled.ts";

/** The ledger of one pickle. */
export class ArrayLedger {
  readonly #waiting = new Set<PickledArray>();
  /** Payloads that already belong to an array. */
  readonly #owned = new Set<Payload>();
  /** File offsets of bytes taken from the window. */
  readonly #offsets: WeakMap<Uint8Array, number> | null;
  /** Whether arrays record the file offset of their bytes. */
  readonly locates: boolean;

  constructor(locates: boolean) {
    this.locates = locates;
    this.#offsets = locates ? new WeakMap() : null;
  }

  /** Record that `bytes` came from `offset` in the file. */
  lay(bytes: Uint8Array, offset: number): void {
    this.#offsets?.set(bytes, offset);
  }

  /** Register an array shell, which must get its state before STOP. */
  awaitState(array: PickledArray): void {
    this.#waiting.add(array);
  }

  /** Arrays that never got their state. */
  get waiting(): Iterable<PickledArray> {
    return this.#waiting;
  }

  /** Note that an array got its state. */
  complete(array: PickledArray): void {
    this.#waiting.delete(array);
    const { data } = array;
    if (data === null) return;
    array.dataOffset = data instanceof Span ? data.offset : this.#offsets?.get(data) ?? -1;
    if (this.#owned.has(data)) array.sharesBytes = true;
    else this.#owned.add(data);
  }

  /** Returns the array's bytes for reuse: from here on another array may get them too. */
  shareBytes(array: PickledArray): Payload {
    this.#owned.add(array.data!);
    return array.data!;
  }
}
