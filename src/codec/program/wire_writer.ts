/**
 * Writes protobuf's wire format.
 *
 * @module
 */

/** A growing buffer of protobuf bytes. */
export class WireWriter {
  // Most operators fit, so that they need no larger buffer.
  #bytes = new Uint8Array(1024);
  #length = 0;

  /** A field's number and wire type. */
  tag(number: number, wire: number): this {
    return this.varint(number * 8 + wire);
  }

  /** An integer; a negative one is written as a 64-bit number in ten bytes. */
  varint(value: number | bigint): this {
    const start = this.#room(10);
    let end = start;
    let rest = typeof value === "bigint" || value < 0 ? BigInt.asUintN(64, BigInt(value)) : value;
    if (typeof rest === "bigint") {
      for (; rest >= 0x80n; rest >>= 7n) this.#bytes[end++] = Number(rest & 0x7fn) | 0x80;
      rest = Number(rest);
    }
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[end++] = (rest & 0x7f) | 0x80;
    this.#bytes[end++] = rest;
    this.#length = end;
    return this;
  }

  /** Four bytes. */
  float(value: number): this {
    return this.raw(new Uint8Array(Float32Array.of(value).buffer));
  }

  /** Eight bytes. */
  double(value: number): this {
    return this.raw(new Uint8Array(Float64Array.of(value).buffer));
  }

  /** A length followed by the bytes. */
  bytes(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes);
  }

  /** The output of `write`, preceded by its length. */
  nested(write: () => void): this {
    const start = this.#room(1);
    this.#length = start + 1;
    write();
    const length = this.#length - start - 1;
    this.#bytes[start] = length;
    if (length < 0x80) return this;
    // The length takes more than the one byte left for it.
    const written = this.#bytes.slice(start + 1, this.#length);
    this.#length = start;
    return this.bytes(written);
  }

  /** The bytes only, without a length. */
  raw(bytes: Uint8Array): this {
    const start = this.#room(bytes.length);
    this.#bytes.set(bytes, start);
    this.#length += bytes.length;
    return this;
  }

  /** Everything written so far. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** Make room for `n` more bytes. Returns the index where they go. */
  #room(n: number): number {
    const end = this.#length + n;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    return this.#length;
  }
}
