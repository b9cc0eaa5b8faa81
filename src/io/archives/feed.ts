/**
 * Feeds a decompressor as its output is asked for.
 *
 * @module
 */

/** Writes pieces to a stream, at most one ahead of what is wanted: a pipe would have more read than may ever be used. */
export class Feed {
  /** Why there are no more pieces, if they failed. */
  failure: unknown;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #isWanted = false;
  #isOver = false;
  #resume = () => {};

  /** Begins at once. Errors of the pieces and of the stream are those that the reader of its output fails with. */
  constructor(pieces: AsyncGenerator<Uint8Array>, into: WritableStream<Uint8Array>) {
    this.#writer = into.getWriter();
    this.#writeAll(this.#noting(pieces)).catch((error) => this.#writer.abort(error)).catch(() => {});
  }

  /** Let pieces through while `read` waits for output. */
  async during<T>(read: () => Promise<T>): Promise<T> {
    this.#isWanted = true;
    this.#resume();
    const result = await read();
    this.#isWanted = false;
    return result;
  }

  /** Write nothing more. */
  end(): void {
    this.#isOver = true;
    this.#resume();
  }

  async #writeAll(pieces: AsyncGenerator<Uint8Array>): Promise<void> {
    for await (const piece of pieces) {
      await this.#writer.write(piece);
      if (!this.#isWanted) await new Promise<void>((resolve) => this.#resume = resolve);
      if (this.#isOver) return;
    }
    await this.#writer.close();
  }

  async *#noting(pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* pieces;
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }
}
