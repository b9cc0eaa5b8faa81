/** What a file is read through, once it is opened: a source at any offset, or a stream once. */
import type { Source } from "../source.ts";

/** A stream that can be read once. */
export interface OpenedStream {
  readonly stream: ReadableStream<Uint8Array>;
  /** Its length in bytes, if known. */
  readonly size?: number;
  readonly name?: string;
}

/** What can be read. */
export type Opened = Source | OpenedStream;
