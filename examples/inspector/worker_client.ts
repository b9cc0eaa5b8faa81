/** Calls the worker's methods from the page. */
import type { Failure, Methods, Reply, Request } from "./protocol.ts";

/** A failure reported by the worker. */
export class WorkerFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: unknown): void;
  onProgress?: (done: number) => void;
}

/** Options of a call. */
export interface CallOptions {
  signal?: AbortSignal;
  /** Called with the fraction that is done, 0 to 1. */
  onProgress?: (done: number) => void;
}

/** The page's end of the worker. */
export class WorkerClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  /** Starts a worker from its source: a worker created from a blob is subject to the page's own Content Security Policy. */
  constructor(source: string) {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    this.#worker = new Worker(url);
    this.#worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#heard(data);
    this.#worker.onerror = (event) => {
      const error = new Error(event.message || "The worker could not be started");
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
  }

  /** Call a method. Aborting the signal cancels the work and rejects with its reason. */
  call<M extends keyof Methods>(
    method: M,
    args: Parameters<Methods[M]>,
    { signal, onProgress }: CallOptions = {},
  ): Promise<ReturnType<Methods[M]>> {
    signal?.throwIfAborted();
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const cancel = () => {
        if (!this.#waiting.delete(id)) return;
        this.#worker.postMessage({ id, cancel: true } satisfies Request);
        reject(signal!.reason);
      };
      signal?.addEventListener("abort", cancel, { once: true });
      const settled = <T>(then: (value: T) => void) => (value: T) => {
        signal?.removeEventListener("abort", cancel);
        then(value);
      };
      this.#waiting.set(id, {
        resolve: settled(resolve as (value: unknown) => void),
        reject: settled(reject),
        onProgress,
      });
      this.#worker.postMessage({ id, method, args } satisfies Request);
    });
  }

  #heard(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (!waiting) return;
    if ("done" in reply) return waiting.onProgress?.(reply.done);
    this.#waiting.delete(reply.id);
    if ("failure" in reply) waiting.reject(new WorkerFailure(reply.failure));
    else waiting.resolve(reply.result);
  }
}
