/**
 * Puts arrays with another axis order in memory, column-major (Fortran) or any, into row-major (C) order, whole or piece by piece as they
 * arrive. Moves elements as integers, so that no NaN changes.
 *
 * @module
 */
import { allocate } from "../words/allocate.ts";
import { joinBytes } from "../words/joined_bytes.ts";
import { viewOf } from "../words/typed_view.ts";
import { elementCount } from "../words/element_count.ts";

/** How an array's bytes are laid out. */
export interface Layout {
  readonly shape: readonly number[];
  /** Bytes of an element. */
  readonly itemsize: number;
  /** For each axis its position in memory order; 0 has the largest stride. Null for column-major order. */
  readonly axes: readonly number[] | null;
}

/** Copy an array to row-major order; takes hardly more memory than the result. */
export function rowMajor(stored: Uint8Array, layout: Layout): Uint8Array<ArrayBuffer> {
  const into = allocate(stored.length);
  const turned = new RowMajor(into, layout);
  // Misaligned bytes are copied to be viewed as integers, so they are taken a piece at a time.
  const size = stored.byteOffset % 4 === 0 ? Math.max(1, stored.length) : PIECE;
  for (let at = 0; at < stored.length; at += size) turned.push(stored.subarray(at, at + size));
  return into;
}

/** Bytes of a piece. */
const PIECE = 2 ** 22;
/** Elements per side of a tile, small enough that its reads and writes stay in the cache. */
const TILE = 32;
const UNITS = { 1: "uint8", 2: "uint16", 4: "uint32" } as const;

type Units = Uint8Array | Uint16Array | Uint32Array;

/** An axis, in memory order. */
interface Axis {
  readonly length: number;
  /** Stride in row-major order, in elements. */
  readonly step: number;
  /** Whether it is the first axis of the shape. */
  readonly isFirst: boolean;
}

/** Stands in for a missing axis. */
const NONE: Axis = { length: 1, step: 0, isFirst: false };

/** Takes the bytes of an array in memory order, piece by piece, and puts all or some of its rows in row-major order. */
export class RowMajor {
  readonly #itemsize: number;
  /** Bytes of the integers that are moved, and how many of them make up an element. */
  readonly #unit: 1 | 2 | 4;
  readonly #parts: number;
  readonly #to: Units;
  /** The requested rows `[first, last)` of axis 0. */
  readonly #first: number;
  readonly #last: number;
  /** The axis with the smallest stride in memory, those between, and the one with the largest. */
  readonly #inner: Axis;
  readonly #middle: readonly Axis[];
  readonly #outer: Axis;
  /** Elements per index of the outermost axis. */
  readonly #slab: number;
  /** Elements before the requested rows, in row-major order. */
  readonly #before: number;
  #done = 0;
  /** Bytes of an element that continues in the next piece. */
  #rest: Uint8Array = new Uint8Array(0);

  /** `into` has the size of the rows `[first, last)` of axis 0. */
  constructor(
    into: Uint8Array,
    { shape, itemsize, axes }: Layout,
    [first, last]: readonly [number, number] = [0, shape[0] ?? 1],
  ) {
    this.#itemsize = itemsize;
    this.#unit = unitOf(itemsize, into.byteOffset);
    this.#parts = itemsize / this.#unit;
    this.#to = viewOf(UNITS[this.#unit], into);
    this.#first = first;
    this.#last = last;
    const [inner = NONE, ...others] = axesInMemory(shape, axes);
    this.#outer = others.pop() ?? NONE;
    this.#inner = inner;
    this.#middle = others;
    this.#slab = others.reduce((size, { length }) => size * length, inner.length);
    this.#before = first * elementCount(shape.slice(1));
  }

  /** Take the next bytes; the piece is not retained. */
  push(piece: Uint8Array): void {
    if (this.#first >= this.#last) return;
    if (this.#rest.length > 0) piece = joinBytes([this.#rest, piece]);
    const whole = piece.length - piece.length % this.#itemsize;
    this.#rest = piece.slice(whole);
    const elements = whole / this.#itemsize;
    const from = unitsOf(piece.subarray(0, whole), this.#unit);
    const { step, isFirst } = this.#outer;
    // Slabs are moved together only if the outermost axis in memory is the innermost in row-major order.
    const isTiled = step === 1 && !isFirst;
    for (let at = 0; at < elements;) {
      const within = this.#done % this.#slab, outer = Math.floor(this.#done / this.#slab);
      const columns = within === 0 && isTiled ? Math.floor((elements - at) / this.#slab) : 0;
      const taken = columns > 0 ? columns * this.#slab : Math.min(elements - at, this.#slab - within);
      this.#putRuns(from, at, outer, Math.max(1, columns), within, columns > 0 ? this.#slab : taken);
      at += taken;
      this.#done += taken;
    }
  }

  /**
   * Move `count` elements, from element `at` of the piece on, which is element `within` of slab `outer`; and the same elements of the slabs
   * after it, `columns` slabs in all.
   */
  #putRuns(from: Units, at: number, outer: number, columns: number, within: number, count: number): void {
    const { length } = this.#inner;
    let index = within % length;
    let run = Math.floor(within / length);
    for (let done = 0; done < count;) {
      const n = Math.min(length - index, count - done);
      this.#put(from, at + done, outer, columns, run++, index, index + n);
      done += n;
      index = 0;
    }
  }

  /** Move indices `[start, end)` of the innermost axis, in run `run` of slab `outer`, and the same in the slabs after it. */
  #put(from: Units, at: number, outer: number, columns: number, run: number, start: number, end: number): void {
    const offset = this.#offsetOf(outer, run);
    if (offset < 0) return;
    const { step, isFirst } = this.#inner;
    const top = isFirst ? Math.max(start, this.#first) : start;
    const bottom = isFirst ? Math.min(end, this.#last) : end;
    if (top >= bottom) return;
    const parts = this.#parts;
    const fromStart = (at + top - start) * parts;
    const toStart = (offset + top * step - this.#before) * parts;
    if (step === 1) return this.#to.set(from.subarray(fromStart, fromStart + (bottom - top) * parts), toStart);
    const fromStep = this.#slab * parts, toStep = step * parts;
    transpose({
      from,
      fromStart,
      fromStep,
      to: this.#to,
      toStart,
      toStep,
      rows: bottom - top,
      columns,
      parts,
    });
  }

  /** Where run `run` of a slab starts in row-major order, in elements from the array's start; -1 if it is in no requested row. */
  #offsetOf(outer: number, run: number): number {
    let offset = outer * this.#outer.step;
    if (this.#outer.isFirst && !this.#isWanted(outer)) return -1;
    for (const { length, step, isFirst } of this.#middle) {
      const index = run % length;
      if (isFirst && !this.#isWanted(index)) return -1;
      offset += index * step;
      run = Math.floor(run / length);
    }
    return offset;
  }

  #isWanted(row: number): boolean {
    return row >= this.#first && row < this.#last;
  }
}

/** The axes in memory order, smallest stride first, without those of length 1. */
function axesInMemory(shape: readonly number[], axes: readonly number[] | null): Axis[] {
  const inMemory: Axis[] = [];
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis];
    const position = axes ? axes[axis] : shape.length - 1 - axis;
    inMemory[shape.length - 1 - position] = { length, step, isFirst: axis === 0 };
    step *= length;
  }
  return inMemory.filter(({ length }) => length !== 1);
}

/** Maximum bytes that can be moved as one integer. */
function unitOf(itemsize: number, offset: number): 1 | 2 | 4 {
  if (itemsize % 4 === 0 && offset % 4 === 0) return 4;
  return itemsize % 2 === 0 && offset % 2 === 0 ? 2 : 1;
}

/** View bytes as integers; a view of a copy if they are misaligned. */
function unitsOf(bytes: Uint8Array, unit: 1 | 2 | 4): Units {
  return viewOf(UNITS[unit], bytes.byteOffset % unit === 0 ? bytes : bytes.slice());
}

/** Positions of rows and columns on both sides, in units. */
interface Transposition {
  from: Units;
  fromStart: number;
  /** Distance between columns; rows are adjacent. */
  fromStep: number;
  to: Units;
  toStart: number;
  /** Distance between rows; columns are adjacent. */
  toStep: number;
  rows: number;
  columns: number;
  /** Units per element. */
  parts: number;
}

function transpose({ from, fromStart, fromStep, to, toStart, toStep, rows, columns, parts }: Transposition): void {
  for (let top = 0; top < rows; top += TILE) {
    const bottom = Math.min(rows, top + TILE);
    for (let left = 0; left < columns; left += TILE) {
      const right = Math.min(columns, left + TILE);
      for (let r = top; r < bottom; r++) {
        let f = fromStart + r * parts + left * fromStep;
        let t = toStart + r * toStep + left * parts;
        for (let c = left; c < right; c++) {
          to[t] = from[f];
          for (let k = 1; k < parts; k++) to[t + k] = from[f + k];
          f += fromStep;
          t += parts;
        }
      }
    }
  }
}
