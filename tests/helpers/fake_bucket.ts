/** R2 in memory: ranges, conditions, paginated keys, and multipart uploads with parts of equal length. */
import type { Bucket, BucketCondition, BucketUpload } from "../../mod.ts";

interface Stored {
  bytes: Uint8Array;
  etag: string;
}

const LEAST_PART = 5 * 2 ** 20;

/** A bucket with these objects. */
export class FakeBucket implements Bucket {
  readonly objects = new Map<string, Stored>();
  /** Number of uploads that are neither complete nor aborted. */
  uploads = 0;
  /** The ranges that were requested. */
  readonly gets: { key: string; offset: number; length: number }[] = [];
  #versions = 0;

  constructor(files: Iterable<readonly [string, Uint8Array]> = []) {
    for (const [key, bytes] of files) this.#store(key, bytes);
  }

  head(key: string) {
    return Promise.resolve(this.#describe(key));
  }

  // deno-lint-ignore require-await
  async get(
    key: string,
    { range, onlyIf }: { range?: { offset: number; length: number }; onlyIf?: { etagMatches: string } } = {},
  ) {
    const stored = this.objects.get(key);
    if (!stored) return null;
    const object = this.#describe(key)!;
    if (onlyIf && onlyIf.etagMatches !== stored.etag) return object;
    const { offset = 0, length = stored.bytes.length } = range ?? {};
    if (offset >= stored.bytes.length) throw new Error("get: The requested range is not satisfiable (10039)");
    this.gets.push({ key, offset, length });
    const bytes = stored.bytes.slice(offset, offset + length);
    let at = 0;
    const source: UnderlyingByteSource = {
      // Like R2's bodies, which support BYOB readers.
      type: "bytes",
      pull(controller) {
        if (at < bytes.length) return controller.enqueue(bytes.slice(at, at += 50_000));
        controller.close();
        controller.byobRequest?.respond(0);
      },
    };
    const body: ReadableStream<Uint8Array> = new ReadableStream(source);
    return { ...object, body };
  }

  put(key: string, value: Uint8Array, { onlyIf }: { onlyIf?: BucketCondition } = {}) {
    const etag = this.objects.get(key)?.etag;
    if (onlyIf?.etagMatches !== undefined && onlyIf.etagMatches !== etag) return Promise.resolve(null);
    if (onlyIf?.etagDoesNotMatch === "*" && etag !== undefined) return Promise.resolve(null);
    this.#store(key, value.slice());
    return Promise.resolve(this.#describe(key));
  }

  createMultipartUpload(key: string): Promise<BucketUpload> {
    const parts = new Map<number, Uint8Array>();
    let open = true;
    this.uploads++;
    const end = () => {
      if (open) this.uploads--;
      open = false;
    };
    return Promise.resolve({
      uploadPart: (number: number, value: Uint8Array) => {
        parts.set(number, value.slice());
        return Promise.resolve({ partNumber: number, etag: `part-${number}` });
      },
      // deno-lint-ignore require-await
      complete: async (given: { partNumber: number; etag: string }[]) => {
        const all = given.map(({ partNumber }) => parts.get(partNumber)!);
        const [first] = all;
        all.forEach((part, i) => {
          const isLast = i === all.length - 1;
          if (!isLast && (part.length !== first.length || part.length < LEAST_PART)) {
            throw new Error("complete: All non-trailing parts must have the same length, of at least 5 MiB (10048)");
          }
        });
        const bytes = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
        let at = 0;
        for (const part of all) {
          bytes.set(part, at);
          at += part.length;
        }
        this.#store(key, bytes);
        end();
        return this.#describe(key);
      },
      abort: () => Promise.resolve(end()),
    });
  }

  delete(key: string) {
    this.objects.delete(key);
    return Promise.resolve();
  }

  /** Lists three keys per page. */
  list({ prefix = "", cursor }: { prefix?: string; cursor?: string }) {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    const from = cursor ? Number(cursor) : 0;
    const truncated = from + 3 < keys.length;
    return Promise.resolve({
      objects: keys.slice(from, from + 3).map((key) => ({ key })),
      truncated,
      cursor: truncated ? String(from + 3) : undefined,
    });
  }

  #store(key: string, bytes: Uint8Array) {
    this.objects.set(key, { bytes, etag: `v${++this.#versions}` });
  }

  #describe(key: string) {
    const stored = this.objects.get(key);
    return stored ? { key, size: stored.bytes.length, etag: stored.etag } : null;
  }
}
