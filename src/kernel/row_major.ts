/**
 * Arrays whose axes lie in another order in memory, column-major (Fortran) or any, put into row-major (C) order, whole or piece by piece as
 * they come. Works on bytes as integers, so that no NaN changes.
 *
 * @module
 */
import { joinBytes } from "../words/joined_bytes.ts";
import { viewOf } from "../words/typed_view.ts";

/** What is known of an array's bytes. */
export interface Layout {
  readonly shape: readonly number[];
  /** Bytes of an element. */
  readonly itemsize: number;
  /** For each axis its place in memory, 0 where its steps are the longest; null for column-major order. */
  readonly axes: readonly number[] | null;
}

/** Copy an array to row-major order; the result is all the memory it takes. */
export function rowMajor(stored: Uint8Array, layout: Layout): Uint8Array<ArrayBuffer> {
  const into = new Uint8Array(stored.length);
  const turned = new RowMajor(into, layout);
  // Bytes that lie askew are copied, to be looked at as numbers: a piece at a time.
  const size = stored.byteOffset % 4 === 0 ? Math.max(1, stored.length) : PIECE;
  for (let at = 0; at < stored.length; at += size) turned.push(stored.subarray(at, at + size));
  return into;
}

/** Bytes of a piece. */
const PIECE = 2 ** 22;
/** Elements of a side of a tile, whose reads and writes stay in the cache. */
const TILE = 32;
const UNITS = { 1: "uint8", 2: "uint16", 4: "uint32" } as const;

type Units = Uint8Array | Uint16Array | Uint32Array;

/** An axis as it lies in memory. */
interface Axis {
  readonly length: number;
  /** Elements from one index to the next in row-major order. */
  readonly step: number;
  /** Whether it is the first axis of the shape. */
  readonly isFirst: boolean;
}

/** Axes of length 1 are nowhere. */
const NONE: Axis = { length: 1, step: 0, isFirst: false };

/** Takes the bytes of an array in memory's order, piece by piece, and puts some of its rows, or all, in row-major order. */
export class RowMajor {
  readonly #itemsize: number;
  /** Bytes of the numbers that are moved, and how many of them an element has. */
  readonly #unit: 1 | 2 | 4;
  readonly #parts: number;
  readonly #to: Units;
  /** The rows wanted. */
  readonly #first: number;
  readonly #last: number;
  /** The axis with the shortest steps, those between, and the one with the longest. */
  readonly #inner: Axis;
  readonly #middle: readonly Axis[];
  readonly #outer: Axis;
  /** Elements of one index of the outermost axis. */
  readonly #slab: number;
  /** Elements before the rows wanted, in row-major order. */
  readonly #before: number;
  #done = 0;
  /** Bytes of an element that goes on in the next piece. */
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
    this.#before = first * shape.slice(1).reduce((a, b) => a * b, 1);
  }

  /** Take the next bytes. They are not kept. */
  push(piece: Uint8Array): void {
    if (this.#first >= this.#last) return;
    if (this.#rest.length > 0) piece = joinBytes([this.#rest, piece]);
    const whole = piece.length - piece.length % this.#itemsize;
    this.#rest = piece.slice(whole);
    const elements = whole / this.#itemsize;
    const from = unitsOf(piece.subarray(0, whole), this.#unit);
    const { step, isFirst } = this.#outer;
    // Only where the longest steps of memory become the shortest are many indices moved together.
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
   * `count` elements from element `at` of the piece on, which is `within` elements from the start of its slab, the one of number `outer`; and
   * the same of the slabs behind it, `columns` in all.
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

  /** Indices `[start, end)` of the innermost axis, in the run of number `run` of its slab. */
  #put(from: Units, at: number, outer: number, columns: number, run: number, start: number, end: number): void {
    const place = this.#placeOf(outer, run);
    if (place < 0) return;
    const { step, isFirst } = this.#inner;
    const top = isFirst ? Math.max(start, this.#first) : start;
    const bottom = isFirst ? Math.min(end, this.#last) : end;
    if (top >= bottom) return;
    const parts = this.#parts;
    const fromStart = (at + top - start) * parts;
    const toStart = (place + top * step - this.#before) * parts;
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

  /** Elements before the run of number `run` in row-major order, from the array's start; -1 where it lies in no row that is wanted. */
  #placeOf(outer: number, run: number): number {
    let place = outer * this.#outer.step;
    if (this.#outer.isFirst && !this.#isWanted(outer)) return -1;
    for (const { length, step, isFirst } of this.#middle) {
      const index = run % length;
      if (isFirst && !this.#isWanted(index)) return -1;
      place += index * step;
      run = Math.floor(run / length);
    }
    return place;
  }

  #isWanted(row: number): boolean {
    return row >= this.#first && row < this.#last;
  }
}

/** The axes by their steps in memory, the shortest first. */
function axesInMemory(shape: readonly number[], axes: readonly number[] | null): Axis[] {
  const inMemory: Axis[] = [];
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis];
    const place = axes ? axes[axis] : shape.length - 1 - axis;
    inMemory[shape.length - 1 - place] = { length, step, isFirst: axis === 0 };
    step *= length;
  }
  return inMemory.filter(({ length }) => length !== 1);
}

/** The most bytes that are moved as one number. */
function unitOf(itemsize: number, offset: number): 1 | 2 | 4 {
  if (itemsize % 4 === 0 && offset % 4 === 0) return 4;
  return itemsize % 2 === 0 && offset % 2 === 0 ? 2 : 1;
}

/** Bytes as numbers: of a copy, where they lie askew. */
function unitsOf(bytes: Uint8Array, unit: 1 | 2 | 4): Units {
  return viewOf(UNITS[unit], bytes.byteOffset % unit === 0 ? bytes : bytes.slice());
}

/** Where rows and columns lie on both sides, in units. */
interface Transposition {
  from: Units;
  fromStart: number;
  /** From one column to the next; rows lie side by side. */
  fromStep: number;
  to: Units;
  toStart: number;
  /** From one row to the next; columns lie side by side. */
  toStep: number;
  rows: number;
  columns: number;
  /** Units of an element. */
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
