/**
 * The ways to pass a hostile file to the library, for each kind of call: all ways of one call must give the same result, code and offset.
 */
import { type ArchiveFolder, crypto, decode, load, NDArray, open, openArchive } from "../../mod.ts";
import * as numpy from "../../src/npy.ts";
import * as safetensors from "../../src/safetensors.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** Reads the file or folder at `path`; `bytes` are those of a file, and empty for a folder or prefix. */
export type Way = (path: string, bytes: Uint8Array, options: Json) => Promise<unknown>;

/** A stream of the bytes in chunks, which are small unless that takes too long. */
function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const step = bytes.length > 20_000 ? 1000 : 1;
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += step));
    },
  });
}

/** The value of an opened file, with all arrays read. */
async function readAll(opened: ReturnType<typeof open>): Promise<unknown> {
  await using checkpoint = await opened;
  const value = await checkpoint.value();
  for (const item of value instanceof Map ? value.values() : [value]) if (item instanceof NDArray) await item.load();
  return value;
}

/** Every file of an archive. */
export class Files {
  readonly files = new Map<string, Uint8Array>();
}

async function filesOf(opened: Promise<ArchiveFolder>): Promise<Files> {
  await using folder = await opened;
  const found = new Files();
  for (const name of await folder.list()) {
    const source = (await folder.get(name))!;
    const bytes = new Uint8Array(source.size);
    for (let at = 0; at < bytes.length;) at += await source.read(at, bytes.subarray(at));
    found.files.set(name, bytes);
  }
  return found;
}

/** The options for `decode` of a subpath, which has no warnings. */
function plain({ onWarning: _, ...options }: Json): Json {
  return options;
}

/** Ways by call; a call that is missing has no verb yet. */
export const WAYS: Readonly<Record<string, Readonly<Record<string, Way>>>> = {
  load: {
    decode: (_path, bytes, options) => Promise.resolve().then(() => decode(bytes, options)),
    load: (path, _bytes, options) => load(path, options),
    "open and value": (path, _bytes, options) => readAll(open(path, options)),
    "a stream of small chunks": (_path, bytes, options) => load(streamOf(bytes), options),
  },
  archive: {
    "openArchive of a path": (path, _bytes, options) => filesOf(openArchive(path, options)),
    "openArchive of bytes": (_path, bytes, options) => filesOf(openArchive(bytes, options)),
    "openArchive of a stream": (_path, bytes, options) => filesOf(openArchive(streamOf(bytes), options)),
  },
  decrypt: {
    decrypt: (_path, bytes, { cipher, key, ivBits, tagBits }) =>
      crypto.decrypt(bytes, Uint8Array.from(key.hex.match(/../g), (hex: string) => parseInt(hex, 16)), {
        cipherName: cipher,
        ivSize: ivBits,
        tagSize: tagBits,
      }),
  },
  npy: {
    decode: (_path, bytes, options) => Promise.resolve().then(() => numpy.decode(bytes, plain(options))),
    load: (path, _bytes, options) => numpy.load(path, options),
    "a stream of small chunks": (_path, bytes, options) => numpy.load(streamOf(bytes), options),
  },
  npz: {
    decode: (_path, bytes, options) => numpy.decodeNpz(bytes, plain(options)),
    load: (path, _bytes, options) => numpy.loadNpz(path, options),
    "a stream of small chunks": (_path, bytes, options) => numpy.loadNpz(streamOf(bytes), options),
  },
  shards: { "open and value": (path, _bytes, options) => readAll(open(path, options)) },
  safetensors: {
    decode: (_path, bytes, options) => Promise.resolve().then(() => safetensors.decode(bytes, plain(options))),
    load: (path, _bytes, options) => safetensors.load(path, options),
    "open and value": (path, _bytes, options) => readAll(safetensors.open(path, options)),
    "a stream of small chunks": (_path, bytes, options) => safetensors.load(streamOf(bytes), options),
  },
};
