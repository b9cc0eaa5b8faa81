/**
 * Bookkeeping for the arrays of a pickle while it is read: which ones still await their state, which ones share bytes, and where in the
 * file their bytes are.
 *
 * @module
 */
import { type Budget, PRICES } from "../../limits.ts";
import { type Payload, Span } from "../cursor.ts";
import type { PickledArray } from "./pickled.ts";

/** Charge for the copy that an array gets of bytes that another array uses, too. */
export function chargeCopy(budget: Budget, { data, offset }: PickledArray): void {
  budget.charge(PRICES.bytes + (data?.length ?? 0), offset);
}

/** The ledger of one pickle. */
export class ArrayLedger {
  readonly #waiting = new Set<PickledArray>();
  /** Payloads that already belong to an array, and the first such array. */
  readonly #owners = new Map<Payload, PickledArray>();
  /** File offsets of bytes that were in the window when taken. */
  readonly #offsets: WeakMap<Uint8Array, number> | null;
  /** Whether arrays record the file offset of their bytes. */
  readonly locates: boolean;
  /** Arrays whose data were left in the file, as their dtype came after them: no tensor can have it, so there are no lazy bytes. */
  readonly opaque: PickledArray[] = [];
  readonly #budget: Budget;

  constructor(locates: boolean, budget: Budget) {
    this.locates = locates;
    this.#budget = budget;
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

  /** Whether an array still needs its state. */
  isWaiting(array: PickledArray): boolean {
    return this.#waiting.has(array);
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
    if (data instanceof Span && !array.dtype!.info) this.opaque.push(array);
    array.dataOffset = data instanceof Span ? data.offset : this.#offsets?.get(data) ?? -1;
    const owner = this.#owners.get(data);
    if (!owner) this.#owners.set(data, array);
    else {
      // If the first array swapped its bytes in place, the second would see them swapped.
      this.#share(owner);
      this.#share(array);
    }
  }

  /** Returns the array's bytes for reuse: from here on another array may get them too. */
  shareBytes(array: PickledArray): Payload {
    this.#owners.set(array.data!, array);
    return array.data!;
  }

  /** Note that `bytes` are themselves a value of the pickle: an array made of them gets a copy. */
  keep(bytes: Uint8Array): void {
    const owner = this.#owners.get(bytes);
    if (owner) this.#share(owner);
  }

  #share(array: PickledArray): void {
    if (array.sharesBytes) return;
    array.sharesBytes = true;
    chargeCopy(this.#budget, array);
  }
}
