/**
 * Error messages for unusable arguments, which say what to pass instead.
 *
 * @module
 */
import { described, gotInstead, promiseHint, shownValue } from "../words/described.ts";
import { hasMethod } from "../words/plain_object.ts";

/** The error for something that cannot be read from. */
export function notReadable(from: unknown): TypeError {
  const way = wayOfAny(from, "Readable") || wayToRead(from) ||
    "a path, URL, bytes, Blob, File, ReadableStream, Response, FileSystemFileHandle, Source or { folder, name } is expected";
  return new TypeError(`Cannot read from ${described(from)}: ${way}`);
}

/** The error for something that cannot be saved to. */
export function notWritable(to: unknown): TypeError {
  const way = wayOfAny(to, "Writable") || wayToWrite(to) ||
    "a path, file: URL, WritableStream, FileSystemFileHandle, Sink or { folder, name } is expected";
  return new TypeError(`Cannot save to ${described(to)}: ${way}`);
}

/** The error for something that is not the name of a model or folder; `wanted` says what would be. */
export function notAPlace(wanted: string, given: unknown): TypeError {
  return new TypeError(`${wanted}: ${gotInstead(given)}`);
}

/**
 * The prefix that the caller passed, as a string.
 *
 * @throws {TypeError} it is neither a string nor a URL
 */
export function checkedPrefix(given: unknown): string {
  if (typeof given === "string") return given;
  if (given instanceof URL) return given.href;
  throw notAPlace("A prefix must be a path or a URL", given);
}

/**
 * The list that the caller passed.
 *
 * @throws {TypeError} it is not a list; `wanted` says what would be
 */
export function checkedList<T>(given: Iterable<T>, wanted: string): Iterable<T> {
  if (typeof given === "object" && given !== null && Symbol.iterator in given) return given;
  throw new TypeError(`Expected ${wanted}: ${gotInstead(given)}`);
}

/**
 * A file that the caller passed as a pair.
 *
 * @throws {TypeError} it is not a pair; `wanted` says what would be
 */
export function checkedPair<T>(given: readonly [string, T], wanted: string): readonly [string, T] {
  if (Array.isArray(given)) return given;
  const way = promiseHint(given);
  throw new TypeError(`Expected ${wanted}: got ${shownValue(given)}${way && `: ${way}`}`);
}

/** Whether it is a Node stream: its writes would not be awaited, and its errors would go unnoticed. */
export function isNodeStream(given: unknown): boolean {
  return hasMethod(given, "pipe") && hasMethod(given, "on");
}

function wayOfAny(given: unknown, nodeClass: string): string {
  if (isNodeStream(given)) return `convert it with ${nodeClass}.toWeb(stream)`;
  const isFolder = hasMethod(given, "put") && hasMethod(given, "list");
  const isPart = typeof given === "object" && given !== null && "folder" in given;
  return isFolder || isPart ? "give { folder, name }" : promiseHint(given);
}

function wayToRead(given: unknown): string {
  // A request with a file, or an object of a bucket.
  if (has(given, "body") && (given as { body: unknown }).body instanceof ReadableStream) return "give its body";
  if (given instanceof Request) return "fetch it and pass the Response";
  if (isOpenFile(given)) return has(given, "readable") ? "give its path, or its readable" : "give its path";
  if (hasMethod(given, "getSlice")) return "give what it was opened from, or use its value()";
  if (has(given, Symbol.asyncIterator)) return "convert it with ReadableStream.from(iterable)";
  const first = (given as ArrayLike<unknown> | null | undefined)?.[0];
  if (first instanceof Blob) return "give { folder: new FileListFolder(files), name }";
  return typeof first === "number" ? "convert it with Uint8Array.from(array)" : "";
}

function wayToWrite(given: unknown): string {
  if (ArrayBuffer.isView(given)) return "encode(value) returns new bytes";
  if (given instanceof Map) return "the value comes first, save(value, to)";
  if (isOpenFile(given)) return has(given, "writable") ? "give its path, or its writable" : "give its path";
  if (given instanceof Blob) return "give the path of its file";
  return hasMethod(given, "write") ? "a sink has write, close and abort" : "";
}

/** Whether it is a file that the runtime has opened: Node's FileHandle or Deno's FsFile. */
function isOpenFile(given: unknown): boolean {
  return hasMethod(given, "stat") && hasMethod(given, "write") && hasMethod(given, "sync");
}

function has(given: unknown, key: string | symbol): boolean {
  return typeof given === "object" && given !== null && key in given;
}
