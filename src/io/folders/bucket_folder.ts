/**
 * A bucket of an edge runtime, through R2's interface, as a folder.
 *
 * @module
 */
import { byCodePoint } from "../../words/code_point_order.ts";
import { PaddleError, SaveError, SourceError } from "../../errors.ts";
import { type BytesReader, readerOf, readsOf } from "../streams/filling_reader.ts";
import { CoalescedSource } from "../sources/coalesced_source.ts";
import { conflict, expectedEtag, type Folder, type PutOptions, refuseDiskOptions } from "../folder.ts";
import { Rechunker } from "../streams/rechunker.ts";
import { checkNames } from "../../words/option_names.ts";
import { described } from "../../words/described.ts";
import { hasMethod } from "../../words/plain_object.ts";
import { checkNameCount } from "./check_name_count.ts";
import { isFileName, nextPage } from "./listed_pages.ts";
import { partSizeOf, PartsSink } from "../sinks/parts_sink.ts";
import { safeParts } from "../names/safe_name.ts";
import type { Sink } from "../sink.ts";
import type { Source } from "../source.ts";
import { streamOf } from "../streams/stream_of.ts";
import { Turns } from "../waiting/turns.ts";
import { within } from "../waiting/within.ts";
import { messageOf } from "../message_of.ts";

/** Bytes read at a time. */
const SCRATCH = 65_536;
/** Bytes per chunk of a range that is streamed. */
const PIECE = 2 ** 18;

/** What a bucket must provide: the part of `R2Bucket` that is used. */
export interface Bucket {
  /** The metadata of an object, or null if it does not exist. */
  head(key: string): Promise<BucketObject | null>;
  /** A range of an object; without a body if the condition does not hold. */
  get(
    key: string,
    options?: { range?: { offset: number; length: number }; onlyIf?: { etagMatches: string } },
  ): Promise<BucketObject | (BucketObject & { body: ReadableStream<Uint8Array> }) | null>;
  /** Store an object whole; resolves to null if the condition does not hold. */
  put(key: string, value: Uint8Array, options?: { onlyIf?: BucketCondition }): Promise<unknown>;
  /** Begin to store an object in parts. */
  createMultipartUpload(key: string): Promise<BucketUpload>;
  /** Remove objects. */
  delete(key: string): Promise<unknown>;
  /** Objects whose keys start with `prefix`. */
  list(options: { prefix?: string; cursor?: string }): Promise<{
    objects: readonly { key: string }[];
    truncated: boolean;
    cursor?: string;
  }>;
}

/** The condition under which an object is replaced. */
export interface BucketCondition {
  /** Its ETag is this one. */
  etagMatches?: string;
  /** `*`: it does not exist. */
  etagDoesNotMatch?: string;
}

/** An object's metadata. */
export interface BucketObject {
  /** Size of the whole object, in bytes. */
  size: number;
  /** Identifies its version. */
  etag: string;
}

/** A multipart upload. */
export interface BucketUpload {
  /** Upload part `number`, counted from 1. */
  uploadPart(number: number, value: Uint8Array): Promise<{ partNumber: number; etag: string }>;
  /** Assemble the object from its parts. */
  complete(parts: { partNumber: number; etag: string }[]): Promise<unknown>;
  /** Discard the parts. */
  abort(): Promise<unknown>;
}

/** How a BucketFolder behaves. */
export interface BucketFolderOptions {
  /** Prefix of all keys, such as `models/`. @default {""} */
  prefix?: string | undefined;
  /** Size in bytes of the parts of a large file, at least 5 MiB. One part is held in memory at a time. @default {8 MiB} */
  partSize?: number | undefined;
}

/**
 * A bucket. Reads are ranges of one version of an object; large files are uploaded in parts, and exist once the upload is complete.
 *
 * @example In an edge worker
 * ```ts
 * import { BucketFolder, open } from "@oarlock/paddle";
 * import type { Bucket } from "@oarlock/paddle";
 * async function names(env: { MODELS: Bucket }): Promise<string[]> {
 *   await using checkpoint = await open("resnet.pdparams", { folder: new BucketFolder(env.MODELS) });
 *   return checkpoint.names();
 * }
 * ```
 */
export class BucketFolder implements Folder {
  readonly #bucket: Bucket;
  readonly #prefix: string;
  readonly #partSize: number;

  /** Over `bucket`. */
  constructor(bucket: Bucket, options: BucketFolderOptions = {}) {
    checkNames(options, ["prefix", "partSize"]);
    if (!hasMethod(bucket, "head")) {
      throw new TypeError(`A bucket must have head, get, put, list and delete: got ${described(bucket)}`);
    }
    this.#bucket = bucket;
    this.#prefix = options.prefix ?? "";
    this.#partSize = partSizeOf(options.partSize);
  }

  /** The current version of the file `name`. */
  async get(name: string): Promise<Source | null> {
    const key = this.#key(name);
    try {
      const object = await this.#bucket.head(key);
      return object && new CoalescedSource(new BucketSource(this.#bucket, key, object, name));
    } catch (error) {
      throw readError(error, name);
    }
  }

  /** A sink whose bytes become the file `name` when it is closed. */
  // deno-lint-ignore require-await
  async put(name: string, options?: PutOptions): Promise<Sink> {
    const key = this.#key(name);
    refuseDiskOptions(options, "a bucket", { hasVersions: true });
    const wished = expectedEtag(options);
    return new PartsSink(
      {
        put: async (bytes) => {
          if (wished === undefined) return await this.#bucket.put(key, bytes);
          const onlyIf = wished === null ? { etagDoesNotMatch: "*" } : { etagMatches: wished };
          if (await this.#bucket.put(key, bytes, { onlyIf }) === null) throw conflict(name);
        },
        begin: async () => {
          const upload = await this.#bucket.createMultipartUpload(key);
          const parts: { partNumber: number; etag: string }[] = [];
          return {
            part: async (number, bytes) => void parts.push(await upload.uploadPart(number, bytes)),
            complete: async () => {
              // Multipart uploads have no conditions.
              if (wished !== undefined && ((await this.#bucket.head(key))?.etag ?? null) !== wished) {
                throw conflict(name);
              }
              await upload.complete(parts);
            },
            abort: () => upload.abort(),
          };
        },
      },
      name,
      this.#partSize,
    );
  }

  /** Names that start with `prefix`, in code point order. */
  async list(prefix = ""): Promise<string[]> {
    const names: string[] = [];
    let cursor: string | undefined;
    try {
      do {
        const page = await this.#bucket.list({ prefix: this.#prefix + prefix, cursor });
        for (const { key } of page.objects) {
          const name = key.slice(this.#prefix.length);
          if (isFileName(name)) names.push(name);
        }
        cursor = nextPage(cursor, page.cursor, page.truncated, prefix);
        checkNameCount(names.length, prefix);
      } while (cursor !== undefined);
    } catch (error) {
      throw readError(error, prefix);
    }
    return names.sort(byCodePoint);
  }

  /** Remove a file, if it exists. */
  async delete(name: string): Promise<void> {
    const key = this.#key(name);
    try {
      await this.#bucket.delete(key);
    } catch (cause) {
      throw new SaveError("WRITE_FAILED", `Cannot remove ${JSON.stringify(name)}`, {
        path: name,
        committed: "unknown",
        cause,
      });
    }
  }

  #key(name: string): string {
    return this.#prefix + safeParts(name).join("/");
  }
}

/** One version of an object. */
class BucketSource implements Source {
  readonly size: number;
  readonly name: string;
  readonly costly = true;
  readonly version?: string;
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #etag: string;
  #closed = false;

  constructor(bucket: Bucket, key: string, object: BucketObject, name: string) {
    this.#bucket = bucket;
    this.#key = key;
    this.#etag = object.etag;
    // Some imitations of R2 have none.
    if (object.etag !== undefined) this.version = `etag:${object.etag}`;
    this.size = object.size;
    this.name = name;
  }

  async read(offset: number, into: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<number> {
    if (this.#closed) throw new TypeError(`${JSON.stringify(this.name)} was closed`);
    signal?.throwIfAborted();
    // For some buckets a range past the end is an error.
    const length = Math.min(into.length, this.size - offset);
    if (length <= 0) return 0;
    let filled = 0;
    for await (const chunk of this.#chunks(offset, length, signal)) {
      into.set(chunk, filled);
      filled += chunk.length;
    }
    return filled;
  }

  /** A long range in one request: an edge worker may make only so many of them. */
  streamRange(start: number, end: number): ReadableStream<Uint8Array> {
    return streamOf((signal) => this.#pieces(start, end, signal));
  }

  async *#pieces(start: number, end: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const gathered = new Rechunker(PIECE);
    for await (const chunk of this.#chunks(start, end - start, signal)) yield* gathered.add(chunk);
    const rest = gathered.rest();
    if (rest.length > 0) yield rest;
  }

  /** The bytes of a range as they arrive; each chunk is valid until the next one. */
  async *#chunks(offset: number, length: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    let reader: BytesReader | null = null;
    try {
      const asked = this.#bucket.get(this.#key, { range: { offset, length }, onlyIf: { etagMatches: this.#etag } });
      const object = await within(asked, Infinity, signal).catch((error) => {
        // Release a response that arrives too late.
        asked.then(async (late) => late && "body" in late && await late.body?.cancel()).catch(() => {});
        throw error;
      });
      if (!object || !("body" in object) || !object.body || object.etag !== this.#etag) {
        throw new SourceError("SOURCE_CHANGED", `${JSON.stringify(this.name)} was replaced while being read`, {
          path: this.name,
          expected: this.#etag,
          actual: object?.etag,
        });
      }
      reader = readerOf(object.body);
      const next = readsOf(reader, Math.min(length, SCRATCH));
      const turns = new Turns(signal);
      let given = 0;
      for (let step; !(step = await within(next(), Infinity, signal)).done;) {
        given += step.value.length;
        if (given > length) {
          throw new SourceError("READ_FAILED", `The bucket gave more bytes than requested`, {
            path: this.name,
            offset,
          });
        }
        yield step.value;
        if (turns.due()) await turns.take();
      }
      reader = null;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw readError(error, this.name);
    } finally {
      reader?.cancel().catch(() => {});
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}

function readError(cause: unknown, path: string): unknown {
  if (cause instanceof PaddleError || cause instanceof TypeError && /was closed$/.test(cause.message)) return cause;
  const what = messageOf(cause);
  return new SourceError("READ_FAILED", `The bucket failed for ${JSON.stringify(path)}: ${what}`, { path, cause });
}
