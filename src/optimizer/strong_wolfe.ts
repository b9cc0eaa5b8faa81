/**
 * The line search of L-BFGS for a step that satisfies the strong Wolfe conditions (Nocedal and Wright, Numerical Optimization, second
 * edition, algorithms 3.5 and 3.6), with Paddle's choices and roundings.
 *
 * @module
 */
import type { Lane } from "../kernel/lanes.ts";
import { type Arithmetic, float, type Scalar } from "./scalar.ts";

/** A point on the search line. */
export interface Place {
  /** The step length along the direction. */
  readonly alpha: Scalar;
  /** The loss there. */
  readonly loss: Scalar;
  /** The gradient there. */
  readonly gradient: Lane;
  /** The directional derivative, a tensor. */
  readonly slope: Scalar;
}

/** The line to search. */
export interface Line {
  /** Evaluates the point at `alpha`. */
  readonly visit: (alpha: Scalar) => Place;
  /** The starting point, with alpha 0. */
  readonly start: Place;
  /** The maximum magnitude of the direction's elements. */
  readonly length: number;
  /** The arithmetic of the parameters' dtype. */
  readonly math: Arithmetic;
}

const [DECREASE, CURVATURE, TOLERANCE, MOST] = [1e-4, 0.9, 1e-9, 25];

/** Searches the line, trying `first` first; returns the point found and the number of points evaluated. */
export function strongWolfe(line: Line, first: Scalar): { place: Place; visits: number } {
  const { place, ends, searches } = bracket(line, first);
  const found = ends ? zoom(line, ends, searches) : { place, searches };
  return { place: found.place, visits: found.searches + 1 };
}

/** Whether the loss does not decrease enough: the first condition. */
function isHigh({ math, start }: Line, { alpha, loss }: Place): boolean {
  const decrease = math.multiply(math.multiply(float(DECREASE), alpha), start.slope);
  return math.isAbove(loss, math.add(start.loss, decrease));
}

/** Whether the slope is small enough: the second condition. */
function isFlat({ math, start }: Line, { slope }: Place): boolean {
  return Math.abs(slope.value) <= math.multiply(float(-CURVATURE), start.slope).value;
}

/** Algorithm 3.5: step along the line to a point that satisfies both conditions, or to two `ends` with such a point between them. */
function bracket(line: Line, first: Scalar): { place: Place; ends: [Place, Place] | null; searches: number } {
  const { math, start, visit } = line;
  let last = start;
  let place = visit(first);
  for (let searches = 0; searches < MOST; searches++) {
    if (isHigh(line, place) || (searches > 1 && place.loss.value >= last.loss.value)) {
      return { place, ends: [last, place], searches };
    }
    if (isFlat(line, place)) return { place, ends: null, searches };
    if (place.slope.value >= 0) return { place, ends: [last, place], searches };
    const { alpha } = place;
    const least = math.add(alpha, math.multiply(float(0.01), math.subtract(alpha, last.alpha)));
    const next = interpolate(math, last, place, [least, math.multiply(alpha, float(10))]);
    last = place;
    place = visit(next);
  }
  return { place, ends: [start, place], searches: MOST };
}

/** Algorithm 3.6: narrow the interval between `ends` until the point with the lower loss satisfies both conditions. */
function zoom(line: Line, ends: [Place, Place], searches: number): { place: Place; searches: number } {
  const { math, visit } = line;
  const lower = () => ends[0].loss.value <= ends[1].loss.value ? 0 : 1;
  let low = lower();
  let isSlow = false;
  while (searches < MOST) {
    const width = math.subtract(ends[1].alpha, ends[0].alpha);
    const reach = math.multiply(absolute(width), math.tensor(line.length));
    if (math.isAbove(float(TOLERANCE), reach)) break;
    const trial = trialBetween(math, ends, isSlow);
    isSlow = trial.isSlow;
    const place = visit(trial.alpha);
    searches++;
    const high = 1 - low;
    if (isHigh(line, place) || place.loss.value >= ends[low].loss.value) {
      ends[high] = place;
      low = lower();
      continue;
    }
    const isDone = isFlat(line, place);
    const side = math.multiply(place.slope, math.subtract(ends[high].alpha, ends[low].alpha));
    if (!isDone && side.value >= 0) ends[high] = ends[low];
    ends[low] = place;
    if (isDone) break;
  }
  return { place: ends[low], searches };
}

/**
 * The next point to try, by interpolation. Twice in a row too close to an end (then `isSlow`), or beyond it: a tenth of the width from that
 * end.
 */
function trialBetween(
  math: Arithmetic,
  ends: readonly [Place, Place],
  isSlow: boolean,
): { alpha: Scalar; isSlow: boolean } {
  const alpha = interpolate(math, ends[0], ends[1]);
  const top = math.greater(ends[0].alpha, ends[1].alpha);
  const bottom = math.lesser(ends[0].alpha, ends[1].alpha);
  const tenth = math.multiply(float(0.1), math.subtract(top, bottom));
  const [above, below] = [math.subtract(top, alpha), math.subtract(alpha, bottom)];
  if (!math.isAbove(tenth, math.lesser(above, below))) return { alpha, isSlow: false };
  if (!isSlow && math.isAbove(top, alpha) && math.isAbove(alpha, bottom)) return { alpha, isSlow: true };
  const isNearTop = math.isAbove(absolute(below), absolute(above));
  return { alpha: isNearTop ? math.subtract(top, tenth) : math.add(bottom, tenth), isSlow: false };
}

function absolute({ value, kind }: Scalar): Scalar {
  return { value: Math.abs(value), kind };
}

/** The minimizer of the cubic through two points with their slopes, clamped to the bounds. */
function interpolate(math: Arithmetic, a: Place, b: Place, bounds?: readonly [low: Scalar, high: Scalar]): Scalar {
  const { add, subtract, multiply, divide } = math;
  const isOrdered = !math.isAbove(a.alpha, b.alpha);
  const [low, high] = bounds ?? (isOrdered ? [a.alpha, b.alpha] : [b.alpha, a.alpha]);
  const secant = divide(multiply(float(3), subtract(a.loss, b.loss)), subtract(a.alpha, b.alpha));
  const d1 = subtract(add(a.slope, b.slope), secant);
  const square = subtract(multiply(d1, d1), multiply(a.slope, b.slope));
  if (!(square.value >= 0)) return divide(add(low, high), float(2));
  const d2 = math.tensor(Math.sqrt(square.value));
  const [from, to] = isOrdered ? [a, b] : [b, a];
  const above = subtract(add(to.slope, d2), d1);
  const below = add(subtract(to.slope, from.slope), multiply(float(2), d2));
  const least = subtract(to.alpha, multiply(subtract(to.alpha, from.alpha), divide(above, below)));
  return math.lesser(math.greater(least, low), high);
}
