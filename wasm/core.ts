/// <reference types="npm:assemblyscript@0.28.20/std/types/assembly/index" />
// The byte loops: `src/kernel.ts` calls them, and `src/kernel/twin.ts` has the same functions in TypeScript.
//
// The caller writes its input to IN (at most 256 KiB) and reads the result from OUT (at most 512 KiB). Every function checks its count
// against the size of these buffers. No state survives a call except the tables, which are filled once and never change.

const IN_BYTES: u32 = 0x40000;
const OUT_BYTES: u32 = 0x80000;
// 16 bytes of padding on either side: reads begin up to one byte before a buffer, and stores end up to 16 bytes after it.
const IN: usize = memory.data(0x40020, 16) + 16;
const OUT: usize = memory.data(0x80020, 16) + 16;
/** Shuffle indices: for each mask of the lead bytes among 8 bytes, the positions of the other bytes. */
const DROP_LEADS: usize = memory.data(256 * 8, 16);
/** Shuffle indices: for each mask of the bytes above 0x7f among 8, the positions in 8 pairs (first, second) that belong to the UTF-8. */
const KEEP_PAIRS: usize = memory.data(256 * 16, 16);
/** The float32 bits of all 256 values of an 8-bit format, written by the caller. */
const TABLE: usize = memory.data(1024, 16);
/** Results of `statistics*` and `difference*`. */
const RESULT: usize = memory.data(128, 16);

export function inAddress(): usize {
  return IN;
}
export function outAddress(): usize {
  return OUT;
}
export function tableAddress(): usize {
  return TABLE;
}
export function resultAddress(): usize {
  return RESULT;
}

for (let mask = 0; mask < 256; mask++) {
  let kept = DROP_LEADS + mask * 8;
  let pair = KEEP_PAIRS + mask * 16;
  for (let i = 0; i < 8; i++) {
    if (!((mask >> i) & 1)) store<u8>(kept++, <u8> i);
    store<u8>(pair++, <u8> (2 * i));
    if ((mask >> i) & 1) store<u8>(pair++, <u8> (2 * i + 1));
  }
}

// @ts-ignore: decorator
@inline
function fits(bytes: u32, room: u32): void {
  if (bytes > room) unreachable();
}

/** Always 0, which no compiler knows. */
const ZERO: usize = memory.data(4, 4);

// Constants that a loop holds in registers: V8 makes other ones anew at each use, which can take two thirds of the time.
/** Four times the same 32 bits. */
// @ts-ignore: decorator
@inline
function held(bits: i32): v128 {
  return i32x4.splat(bits + load<i32>(ZERO));
}
/** Sixteen times the same byte. */
// @ts-ignore: decorator
@inline
function heldByte(byte: i32): v128 {
  return i8x16.splat(<i8> (byte + load<i32>(ZERO)));
}

// @ts-ignore: decorator
@inline
function isLead(byte: u32): bool {
  return (byte & 0xfe) == 0xc2;
}

/** IN: n bytes of UTF-8, of code points up to U+00FF. OUT: one byte for each. Returns their number, or -1 - i if byte i is invalid. */
export function latin1FromUtf8(n: u32): i32 {
  fits(n, IN_BYTES);
  let p = IN;
  let o = OUT;
  const end = IN + n;
  store<u8>(IN - 1, 0);
  const even = heldByte(0xfe), c2 = heldByte(0xc2), c3 = heldByte(0xc3), bit6 = heldByte(0x40);
  const least = heldByte(-64), eight = heldByte(8);
  while (p + 16 <= end) {
    const v = v128.load(p);
    if (!i8x16.bitmask(v)) {
      if (isLead(load<u8>(p - 1))) break;
      v128.store(o, v);
      p += 16;
      o += 16;
      continue;
    }
    const before = v128.load(p - 1);
    const lead = i8x16.eq(v128.and(v, even), c2);
    const afterLead = i8x16.eq(v128.and(before, even), c2);
    const tail = i8x16.lt_s(v, least);
    const high = i8x16.lt_s(v, i8x16.splat(0));
    if (v128.any_true(v128.or(v128.xor(tail, afterLead), v128.andnot(high, v128.or(tail, lead))))) break;
    const six = v128.and(i8x16.eq(before, c3), bit6);
    const bytes = v128.or(v, v128.and(tail, six));
    const mask = i8x16.bitmask(lead);
    const low = mask & 0xff;
    const top = mask >> 8;
    v128.store(o, i8x16.swizzle(bytes, v128.load64_zero(DROP_LEADS + (low << 3))));
    o += 8 - popcnt(low);
    v128.store(o, i8x16.swizzle(bytes, i8x16.add(v128.load64_zero(DROP_LEADS + (top << 3)), eight)));
    o += 8 - popcnt(top);
    p += 16;
  }
  if (isLead(load<u8>(p - 1))) p--;
  while (p < end) {
    const b = <u32> load<u8>(p);
    if (b < 0x80) {
      store<u8>(o++, <u8> b);
      p++;
    } else if (isLead(b) && p + 1 < end && (load<u8>(p + 1) & 0xc0) == 0x80) {
      store<u8>(o++, <u8> (((b & 3) << 6) | (load<u8>(p + 1) & 0x3f)));
      p += 2;
    } else return -1 - <i32> (p - IN);
  }
  return <i32> (o - OUT);
}

/** IN: n bytes. OUT: each as the UTF-8 of its code point. Returns the length of the UTF-8. */
export function utf8FromLatin1(n: u32): i32 {
  fits(n, IN_BYTES);
  let p = IN;
  let o = OUT;
  const end = IN + n;
  while (p + 16 <= end) {
    const v = v128.load(p);
    const mask = i8x16.bitmask(v);
    if (!mask) {
      v128.store(o, v);
      p += 16;
      o += 16;
      continue;
    }
    const ascii = i8x16.ge_s(v, i8x16.splat(0));
    // The lead byte is c2 for 0x80 to 0xbf, whose second byte is the byte itself, and c3 for 0xc0 to 0xff.
    const c3 = i8x16.ge_u(v, i8x16.splat(<i8> 0xc0));
    const first = v128.bitselect(v, i8x16.sub(i8x16.splat(<i8> 0xc2), c3), ascii);
    const second = v128.and(v, i8x16.splat(<i8> 0xbf));
    const low = mask & 0xff;
    const top = mask >> 8;
    const lowPairs = v128.shuffle<i8>(first, second, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    v128.store(o, i8x16.swizzle(lowPairs, v128.load(KEEP_PAIRS + (low << 4))));
    o += 8 + popcnt(low);
    const topPairs = v128.shuffle<i8>(first, second, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    v128.store(o, i8x16.swizzle(topPairs, v128.load(KEEP_PAIRS + (top << 4))));
    o += 8 + popcnt(top);
    p += 16;
  }
  while (p < end) {
    const b = <u32> load<u8>(p++);
    if (b < 0x80) store<u8>(o++, <u8> b);
    else {
      store<u8>(o++, <u8> (0xc0 | (b >> 6)));
      store<u8>(o++, <u8> (0x80 | (b & 0x3f)));
    }
  }
  return <i32> (o - OUT);
}

/** Counts the bytes of IN that are below `limit` as signed integers: 0 counts bytes above 0x7f, -64 continuation bytes of UTF-8. */
export function countBelow(n: u32, limit: i32): i32 {
  fits(n, IN_BYTES);
  let p = IN;
  const end = IN + n;
  const limits = i8x16.splat(<i8> limit);
  let count = 0;
  for (; p + 16 <= end; p += 16) count += popcnt(i8x16.bitmask(i8x16.lt_s(v128.load(p), limits)));
  for (; p < end; p++) count += i32(<i32> load<i8>(p) < limit);
  return count;
}

/** Reverses the byte order of 2-byte elements in IN, in place. n is in bytes and a multiple of 16: the caller pads its input. */
export function swap2(n: u32): void {
  fits(n, IN_BYTES);
  const end = IN + n;
  for (let p = IN; p < end; p += 16) {
    const v = v128.load(p);
    v128.store(p, v128.shuffle<i8>(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
  }
}
/** The same for 4-byte elements. */
export function swap4(n: u32): void {
  fits(n, IN_BYTES);
  const end = IN + n;
  for (let p = IN; p < end; p += 16) {
    const v = v128.load(p);
    v128.store(p, v128.shuffle<i8>(v, v, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
  }
}
/** The same for 8-byte elements. */
export function swap8(n: u32): void {
  fits(n, IN_BYTES);
  const end = IN + n;
  for (let p = IN; p < end; p += 16) {
    const v = v128.load(p);
    v128.store(p, v128.shuffle<i8>(v, v, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8));
  }
}

/**
 * The float32 bits of four float16 values, given sign-extended to 32 bits. NaNs keep their payload, as in numpy.
 * Shifted to float32's position, exponent and mantissa represent exactly the value times 2^-112, even if it is subnormal, so one
 * multiplication gives the result; infinities and NaNs have their exponent set instead.
 */
// @ts-ignore: decorator
@inline
function widenHalf(h: v128, kept: v128, scale: v128, top: v128, beyond: v128): v128 {
  const bits = v128.and(i32x4.shl(h, 13), kept);
  const isBeyond = i32x4.eq(v128.and(bits, top), top);
  return v128.or(f32x4.mul(bits, scale), v128.and(isBeyond, beyond));
}

/** IN: n float16. OUT: n float32. Works in blocks of 8 elements. */
export function float32FromFloat16(n: u32): void {
  fits(n, IN_BYTES >> 1);
  const kept = held(0x8fffe000), scale = held(0x77800000), top = held(0x0f800000), beyond = held(0x7f800000);
  let o = OUT;
  const end = IN + 2 * n;
  for (let p = IN; p < end; p += 16) {
    const v = v128.load(p);
    v128.store(o, widenHalf(i32x4.extend_low_i16x8_s(v), kept, scale, top, beyond));
    v128.store(o, widenHalf(i32x4.extend_high_i16x8_s(v), kept, scale, top, beyond), 16);
    o += 32;
  }
}

/** IN: n bfloat16. OUT: n float32. */
export function float32FromBfloat16(n: u32): void {
  fits(n, IN_BYTES >> 1);
  let o = OUT;
  const end = IN + 2 * n;
  for (let p = IN; p < end; p += 16) {
    const v = v128.load(p);
    v128.store(o, i32x4.shl(i32x4.extend_low_i16x8_u(v), 16));
    v128.store(o, i32x4.shl(i32x4.extend_high_i16x8_u(v), 16), 16);
    o += 32;
  }
}

/** IN: n 8-bit floats. OUT: n float32, looked up in TABLE. */
export function float32FromTable(n: u32): void {
  fits(n, OUT_BYTES >> 2);
  let o = OUT;
  const end = IN + n;
  for (let p = IN; p < end; p++) {
    store<u32>(o, load<u32>(TABLE + (<usize> load<u8>(p) << 2)));
    o += 4;
  }
}

/**
 * IN: n float32. OUT: their bits in a narrower format, rounded to nearest even.
 *
 * `shift`: mantissa bits that are dropped; `rebias`: difference between the exponent biases; `least`: float32 bits of the format's
 * minimum normal number; `under`: float32 bits of the power of two whose ulp is the format's minimum step; `most`: what larger results
 * become; `sign`: how far the sign bit moves down; `nan`: what NaNs become, if the format has no payload.
 */
// @ts-ignore: decorator
@inline
function narrow(n: u32, shift: i32, rebias: i32, least: i32, under: i32, most: i32, sign: i32, nan: i32): void {
  fits(n, IN_BYTES >> 2);
  const magnitude = held(0x7fffffff), half = held((1 << (shift - 1)) - 1 - (rebias << 23)), top = held(most);
  const step = held(under), normal = held(least), noNumber = held(nan);
  let o = OUT;
  const end = IN + 4 * n;
  for (let p = IN; p < end; p += 16) {
    const v = v128.load(p);
    const abs = v128.and(v, magnitude);
    const odd = i32x4.shr_u(i32x4.shl(abs, 31 - shift), 31);
    let out = i32x4.min_s(i32x4.shr_s(i32x4.add(i32x4.add(abs, half), odd), shift), top);
    const tiny = i32x4.sub(f32x4.add(abs, step), step);
    out = v128.bitselect(tiny, out, i32x4.lt_s(abs, normal));
    out = v128.bitselect(sign == 16 ? halfNaN(v, top) : noNumber, out, f32x4.ne(v, v));
    out = v128.or(out, i32x4.shl(i32x4.shr_u(v, 31), 31 - sign));
    const words = i16x8.narrow_i32x4_u(out, out);
    v128.store(o, sign == 16 ? words : i8x16.narrow_i16x8_u(words, words));
    o += sign == 16 ? 8 : 4;
  }
}

/** A NaN keeps as much of its payload as fits; an empty payload would make it an infinity. */
// @ts-ignore: decorator
@inline
function halfNaN(v: v128, infinity: v128): v128 {
  const payload = i32x4.shr_u(i32x4.shl(v, 9), 22);
  return i32x4.sub(v128.or(payload, infinity), i32x4.eq(payload, i32x4.splat(0)));
}

/** IN: n float32. OUT: n float16. Works in blocks of 4 elements, as do the others. */
export function float16FromFloat32(n: u32): void {
  narrow(n, 13, 112, 0x38800000, 126 << 23, 0x7c00, 16, 0);
}

/** IN: n float32. OUT: n float8_e4m3fn. */
export function e4m3FromFloat32(n: u32): void {
  narrow(n, 20, 120, 0x3c800000, 141 << 23, 0x7f, 24, 0x7f);
}

/** IN: n float32. OUT: n float8_e5m2. */
export function e5m2FromFloat32(n: u32): void {
  narrow(n, 21, 112, 0x38800000, 134 << 23, 0x7c, 24, 0x7e);
}

/** IN: n float32. OUT: n bfloat16. */
export function bfloat16FromFloat32(n: u32): void {
  fits(n, IN_BYTES >> 2);
  const one = held(1), half = held(0x7fff), sign = held(0x8000), quiet = held(0x7fc0);
  let o = OUT;
  const end = IN + 4 * n;
  for (let p = IN; p < end; p += 16) {
    const v = v128.load(p), top = i32x4.shr_u(v, 16);
    const out = i32x4.shr_u(i32x4.add(i32x4.add(v, half), v128.and(top, one)), 16);
    const nan = v128.or(v128.and(top, sign), quiet);
    const bits = v128.bitselect(nan, out, f32x4.ne(v, v));
    v128.store(o, i16x8.narrow_i32x4_u(bits, bits));
    o += 8;
  }
}

/** Writes to RESULT, as f64: min, max and sum of the elements that are not NaN, the number of NaNs, the number of infinities. */
// @ts-ignore: decorator
@inline
function statistics(n: u32, wide: bool): void {
  let min0 = f64x2.splat(Infinity);
  let min1 = min0;
  let max0 = f64x2.splat(-Infinity);
  let max1 = max0;
  let sum0 = f64x2.splat(0);
  let sum1 = sum0;
  let nan = i64x2.splat(0);
  let inf = i64x2.splat(0);
  const top = f64x2.splat(Infinity);
  const whole = n & ~3;
  for (let i: u32 = 0; i < whole; i += 4) {
    let a: v128;
    let b: v128;
    if (wide) {
      a = v128.load(IN + 8 * i);
      b = v128.load(IN + 8 * i, 16);
    } else {
      const v = v128.load(IN + 4 * i);
      a = f64x2.promote_low_f32x4(v);
      b = f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1));
    }
    const aIs = f64x2.eq(a, a);
    const bIs = f64x2.eq(b, b);
    min0 = f64x2.pmin(min0, a);
    min1 = f64x2.pmin(min1, b);
    max0 = f64x2.pmax(max0, a);
    max1 = f64x2.pmax(max1, b);
    sum0 = f64x2.add(sum0, v128.and(a, aIs));
    sum1 = f64x2.add(sum1, v128.and(b, bIs));
    nan = i64x2.sub(nan, i64x2.add(v128.not(aIs), v128.not(bIs)));
    inf = i64x2.sub(inf, i64x2.add(f64x2.eq(f64x2.abs(a), top), f64x2.eq(f64x2.abs(b), top)));
  }
  let min = f64x2.pmin(min0, min1);
  let max = f64x2.pmax(max0, max1);
  const sums = f64x2.add(sum0, sum1);
  let low = f64x2.extract_lane(min, 0);
  if (f64x2.extract_lane(min, 1) < low) low = f64x2.extract_lane(min, 1);
  let high = f64x2.extract_lane(max, 0);
  if (f64x2.extract_lane(max, 1) > high) high = f64x2.extract_lane(max, 1);
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  let nans = <f64> (i64x2.extract_lane(nan, 0) + i64x2.extract_lane(nan, 1));
  let infs = <f64> (i64x2.extract_lane(inf, 0) + i64x2.extract_lane(inf, 1));
  for (let i = whole; i < n; i++) {
    const x: f64 = wide ? load<f64>(IN + 8 * i) : <f64> load<f32>(IN + 4 * i);
    if (x != x) nans++;
    else {
      if (x < low) low = x;
      if (x > high) high = x;
      sum += x;
      if (abs<f64>(x) == Infinity) infs++;
    }
  }
  store<f64>(RESULT, low);
  store<f64>(RESULT, high, 8);
  store<f64>(RESULT, sum, 16);
  store<f64>(RESULT, nans, 24);
  store<f64>(RESULT, infs, 32);
}

/** IN: n float32. RESULT: their statistics. */
export function statistics32(n: u32): void {
  fits(n, IN_BYTES >> 2);
  statistics(n, false);
}

/** IN: n float64. RESULT: their statistics. */
export function statistics64(n: u32): void {
  fits(n, IN_BYTES >> 3);
  statistics(n, true);
}

/**
 * The maximum absolute difference between the n float64 in IN and those in OUT. Two NaNs, or two equal infinities, do not differ; a NaN
 * paired with a number makes the result NaN.
 */
export function difference64(n: u32): f64 {
  fits(n, IN_BYTES >> 3);
  let most = f64x2.splat(0);
  let bad = i64x2.splat(0);
  const whole = n & ~1;
  for (let i: u32 = 0; i < whole; i += 2) {
    const a = v128.load(IN + 8 * i);
    const b = v128.load(OUT + 8 * i);
    const both = v128.and(f64x2.ne(a, a), f64x2.ne(b, b));
    const far = v128.andnot(f64x2.abs(f64x2.sub(a, b)), v128.or(f64x2.eq(a, b), both));
    bad = v128.or(bad, f64x2.ne(far, far));
    most = f64x2.pmax(most, far);
  }
  if (v128.any_true(bad)) return NaN;
  let far = f64x2.extract_lane(most, 0);
  if (f64x2.extract_lane(most, 1) > far) far = f64x2.extract_lane(most, 1);
  if (whole < n) {
    const a = load<f64>(IN + 8 * whole);
    const b = load<f64>(OUT + 8 * whole);
    if (a != b && (a == a || b == b)) {
      const d = abs<f64>(a - b);
      if (d != d) return NaN;
      if (d > far) far = d;
    }
  }
  return far;
}
