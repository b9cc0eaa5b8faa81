/** The edge worker whose results and memory are checked by workerd.ts. */
import * as paddle from "../../mod.ts";
import { coreFor } from "../../src/kernel/core.ts";
import * as safetensors from "../../src/safetensors.ts";

/** The results of everything that uses the core, in abbreviated hex. */
export async function kernelResults(): Promise<string[]> {
  const length = 100_003;
  const floats = Float32Array.from({ length }, (_, i) => (i - 50_000) * 1.0001 ** (i % 1000));
  const array = new paddle.NDArray("float32", [length], floats);
  const narrow = (["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"] as const).map((dtype) => array.astype(dtype));
  const wide = narrow.map((made) => made.astype("float32"));
  const text = paddle.encode(new Map([["w", array]]), { protocol: 2 });
  const again = (paddle.decode(text) as Map<string, paddle.NDArray>).get("w")!;
  const { min, max, mean, nanCount, infCount } = paddle.statistics(array);
  const numbers = Float64Array.of(min, max, mean, nanCount, infCount, paddle.maxDifference(array, wide[0]));
  const all = [...narrow, ...wide, again].map((made) => made.bytes);
  return await Promise.all([...all, text, new Uint8Array(numbers.buffer)].map(hashOf));
}

async function hashOf(bytes: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A bucket that forgets what is stored, except for how much it was. */
class Forgetful implements paddle.Bucket {
  bytes = 0;
  head = () => Promise.resolve(null);
  get = () => Promise.resolve(null);
  delete = () => Promise.resolve();
  list = () => Promise.resolve({ objects: [], truncated: false });
  put = (_: string, value: Uint8Array) => Promise.resolve(this.bytes += value.length);
  createMultipartUpload(): Promise<paddle.BucketUpload> {
    return Promise.resolve({
      uploadPart: async (partNumber: number, value: Uint8Array) => {
        // As slow as a request.
        await new Promise((resolve) => setTimeout(resolve, 1));
        this.bytes += value.length;
        return { partNumber, etag: String(partNumber) };
      },
      complete: () => Promise.resolve(),
      abort: () => Promise.resolve(),
    });
  }
}

/** Answer `/kernel`, and `/open?url`, `/convert?url`, `/stream?url` and `/copy?url`. */
export async function answer(request: Request, core?: WebAssembly.Module): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const url = searchParams.get("url")!;
  if (pathname === "/kernel") {
    if (core) paddle.init(core);
    return Response.json({ isCompiled: coreFor(2 ** 20) !== null, results: await kernelResults() });
  }
  const checkpoint = await paddle.open(url);
  const names = checkpoint.names();
  if (pathname === "/open") {
    let nbytes = 0;
    for (const name of names.filter((_, i) => i % 20 === 0)) nbytes += (await checkpoint.get(name)).nbytes;
    await checkpoint.close();
    return Response.json({ count: names.length, nbytes });
  }
  if (pathname === "/stream") return new Response(checkpoint.stream(names[0]));
  if (pathname === "/copy") {
    const bucket = new Forgetful();
    const { bytes } = await paddle.save(checkpoint, "copy.pdparams", { folder: new paddle.BucketFolder(bucket) });
    await checkpoint.close();
    return Response.json({ bytes, stored: bucket.bytes });
  }
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  safetensors.save(checkpoint, writable).finally(() => checkpoint.close());
  return new Response(readable);
}
