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
  const { math, start, visit } = line;
  const isHigh = ({ alpha, loss }: Place) => {
    const decrease = math.multiply(math.multiply(float(DECREASE), alpha), start.slope);
    return math.isAbove(loss, math.add(start.loss, decrease));
  };
  const isFlat = ({ slope }: Place) => Math.abs(slope.value) <= math.multiply(float(-CURVATURE), start.slope).value;

  let last = start;
  let place = visit(first);
  let visits = 1;
  let searches = 0;
  let ends: Place[] = [];
  for (; searches < MOST; searches++) {
    if (isHigh(place) || (searches > 1 && place.loss.value >= last.loss.value)) {
      ends = [last, place];
      break;
    }
    if (isFlat(place)) return { place, visits };
    if (place.slope.value >= 0) {
      ends = [last, place];
      break;
    }
    const { alpha } = place;
    const least = math.add(alpha, math.multiply(float(0.01), math.subtract(alpha, last.alpha)));
    const next = interpolate(math, last, place, [least, math.multiply(alpha, float(10))]);
    last = place;
    place = visit(next);
    visits++;
  }
  if (searches === MOST) ends = [start, place];

  let low = ends[0].loss.value <= ends[1].loss.value ? 0 : 1;
  let isSlow = false;
  while (searches < MOST) {
    const width = math.subtract(ends[1].alpha, ends[0].alpha);
    const reach = math.multiply(absolute(width), math.tensor(line.length));
    if (math.isAbove(float(TOLERANCE), reach)) break;
    let alpha = interpolate(math, ends[0], ends[1]);
    // Twice in a row too close to an end, or beyond it: move to a tenth of the width from it.
    const top = math.greater(ends[0].alpha, ends[1].alpha);
    const bottom = math.lesser(ends[0].alpha, ends[1].alpha);
    const tenth = math.multiply(float(0.1), math.subtract(top, bottom));
    const [above, below] = [math.subtract(top, alpha), math.subtract(alpha, bottom)];
    if (math.isAbove(tenth, math.lesser(above, below))) {
      if (isSlow || !math.isAbove(top, alpha) || !math.isAbove(alpha, bottom)) {
        const isNearTop = math.isAbove(absolute(below), absolute(above));
        alpha = isNearTop ? math.subtract(top, tenth) : math.add(bottom, tenth);
        isSlow = false;
      } else isSlow = true;
    } else isSlow = false;
    place = visit(alpha);
    visits++;
    searches++;
    const high = 1 - low;
    if (isHigh(place) || place.loss.value >= ends[low].loss.value) {
      ends[high] = place;
      low = ends[0].loss.value <= ends[1].loss.value ? 0 : 1;
      continue;
    }
    const isDone = isFlat(place);
    const side = math.multiply(place.slope, math.subtract(ends[high].alpha, ends[low].alpha));
    if (!isDone && side.value >= 0) ends[high] = ends[low];
    ends[low] = place;
    if (isDone) break;
  }
  return { place: ends[low], visits };
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
