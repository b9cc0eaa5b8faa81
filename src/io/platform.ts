/**
 * The file system of Deno, Bun and Node, accessed without a static import, so that browsers and bundlers never see it.
 *
 * @module
 */
import { messageOf } from "./message_of.ts";
import { UnsupportedError } from "../errors.ts";
import { strayEncoded } from "../words/percent_decoded.ts";

/** The part of `node:fs` that is used. */
export type Fs = typeof import("node:fs");

/** A file that is open through `node:fs/promises`. */
export type DiskFile = Awaited<ReturnType<Fs["promises"]["open"]>>;

interface ProcessLike {
  getBuiltinModule?: (name: string) => unknown;
  platform?: string;
  versions?: { node?: string };
}

function builtin<T>(name: string): T | undefined {
  const { process } = globalThis as { process?: ProcessLike };
  return process?.getBuiltinModule?.(name) as T | undefined;
}

/** `node:fs`, if it gives access to files. */
function realFs(): Fs | null {
  const { navigator } = globalThis as { navigator?: { userAgent?: string } };
  // Edge workers have the module, but what is written through it is gone after the request.
  if (navigator?.userAgent === "Cloudflare-Workers") return null;
  const fs = builtin<Fs>("node:fs");
  // Does not test `fs.promises`: creating that takes Bun longer than reading a small file.
  return typeof fs?.openSync === "function" ? fs : null;
}

/** The `Deno` global, if this is Deno. */
export function denoHere(): typeof Deno | null {
  const { Deno: deno } = globalThis as { Deno?: typeof Deno };
  return typeof deno?.openSync === "function" ? deno : null;
}

/** Whether paths lead to files in this runtime. */
export function hasFileSystem(): boolean {
  return denoHere() !== null || realFs() !== null;
}

/** `node:fs`; throws an UnsupportedError if this runtime has no file system. */
export function fileSystem(path: string): Fs {
  const fs = realFs();
  if (!fs) throw noFileSystem(path);
  return fs;
}

/** The error for a path in a runtime without a file system. */
export function noFileSystem(path?: string): UnsupportedError {
  const { process } = globalThis as { process?: ProcessLike };
  const way = process?.versions?.node && !process.getBuiltinModule ? "update Node, Deno or Bun, or " : "";
  const which = path === undefined ? "" : ` for the path ${JSON.stringify(path)}`;
  return new UnsupportedError(
    "UNSUPPORTED_RUNTIME",
    `There is no file system here${which}: ${way}pass a Blob, a stream, bytes, or { folder }, or call setDefaultFolder(folder)`,
    { path },
  );
}

/** Whether `path` may be read, or written. Deno, at a terminal, asks the user for whatever was not granted. */
export function mayUse(path: string, name: "read" | "write"): boolean {
  return isGranted({ name, path });
}

function isGranted(what: Deno.PermissionDescriptor): boolean {
  return (denoHere()?.permissions?.querySync(what).state ?? "granted") === "granted";
}

/** Whether there is a directory at `path`, or behind a link there. */
export function isDirectory(path: string): boolean {
  try {
    const deno = denoHere();
    return deno ? deno.statSync(path).isDirectory : fileSystem(path).statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** `node:path`; throws an UnsupportedError if this runtime has no file system. */
export function nodePath(): typeof import("node:path") {
  const path = builtin<typeof import("node:path")>("node:path");
  if (!path) throw noFileSystem();
  return path;
}

/** Whether this is Windows, where a file cannot be renamed while it is open elsewhere. */
export function isWindows(): boolean {
  return (globalThis as { process?: ProcessLike }).process?.platform === "win32";
}

/**
 * The path of a `file:` URL.
 *
 * @throws {TypeError} if the URL has none
 * @throws {UnsupportedError} `UNSUPPORTED_RUNTIME` if this runtime has no file system
 */
export function pathOfUrl(url: URL): string {
  const calls = builtin<typeof import("node:url")>("node:url");
  if (!calls) throw noFileSystem(url.href);
  const plain = new URL(url);
  plain.pathname = strayEncoded(url.pathname);
  try {
    return calls.fileURLToPath(plain);
  } catch (cause) {
    throw new TypeError(`There is no path for ${url.href}: ${messageOf(cause)}`, { cause });
  }
}

/** Codes of system errors that a runtime may report only by number. */
const BY_NUMBER: ReadonlyMap<string, string> = new Map([
  ["27", "EFBIG"],
  ["28", "ENOSPC"],
  ["30", "EROFS"],
  ["36", "ENAMETOOLONG"],
  ["116", "ESTALE"],
  ["122", "EDQUOT"],
]);

/** The code of a system error, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, errno } = error as { code?: unknown; errno?: unknown };
  // What the user of Deno, or of Node's permission model, did not grant.
  if ((error as Error).name === "NotCapable" || code === "ERR_ACCESS_DENIED") return "EACCES";
  const name = typeof code === "string" && !code.includes(" ") ? code : undefined;
  if (name !== undefined && name !== "UNKNOWN") return name;
  // How Deno and Node put errors that they have no name for.
  const number = error instanceof Error ? /(?:os error |system error -)(\d+)/.exec(error.message)?.[1] : undefined;
  return BY_NUMBER.get(number ?? String(Math.abs(Number(errno)))) ?? name;
}

/** Bun does not notice by itself that buffers were dropped: hundreds of MiB of them pile up. The others collect at some 64 MiB. */
export function collectGarbage(): void {
  const { Bun: bun } = globalThis as { Bun?: { gc?: (force: boolean) => void } };
  bun?.gc?.(true);
}

/** A decompressor for gzip that takes several members and zeros after them, as not every DecompressionStream does; null in browsers. */
export function gunzipping(): ReadableWritablePair<Uint8Array, Uint8Array> | null {
  const zlib = hasFileSystem() && builtin<typeof import("node:zlib")>("node:zlib");
  const stream = builtin<typeof import("node:stream")>("node:stream");
  return zlib && stream
    ? stream.Duplex.toWeb(zlib.createGunzip()) as ReadableWritablePair<Uint8Array, Uint8Array>
    : null;
}

/** Whether {@linkcode hashing} is available here. */
export function canHash(): boolean {
  return typeof builtin<typeof import("node:crypto")>("node:crypto")?.createHash === "function";
}

/** Incremental SHA-256. */
export function hashing(): { update(bytes: Uint8Array): void; digest(): Uint8Array } {
  const hash = builtin<typeof import("node:crypto")>("node:crypto")!.createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}

/** Bytes as hexadecimal digits. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The id of this process. */
export function processId(): number {
  return (globalThis as { process?: { pid?: number } }).process?.pid ?? 0;
}

/** Whether a process with this id is running; undefined if this one may not look, as in Deno without `--allow-run`. */
export function processLives(pid: number): boolean | undefined {
  if (!isGranted({ name: "run" })) return undefined;
  try {
    (globalThis as unknown as { process: { kill(pid: number, signal: number): void } }).process.kill(pid, 0);
    return true;
  } catch (error) {
    const code = systemCode(error);
    // It may be running under another user.
    return code === "EPERM" ? true : code === "ESRCH" ? false : undefined;
  }
}

/** The path with all links resolved, and spelled as the system has it, where upper and lower case are the same to it. */
export function realPathBy(fs: Fs, path: string): string {
  try {
    return fs.realpathSync.native(path);
  } catch (error) {
    // Some drives on Windows, such as RAM disks, cannot tell the path of a file.
    if (!isWindows() || systemCode(error) === "ENOENT") throw error;
    return fs.realpathSync(path);
  }
}

/** The path with all links resolved, or the path itself if nothing is there. */
export function realPath(path: string | URL): string {
  const plain = path instanceof URL ? pathOfUrl(path) : path;
  try {
    return realPathBy(fileSystem(plain), plain);
  } catch {
    return plain;
  }
}
