/** What differs on Windows: no file can be replaced while it is open, inode numbers are large, and the case of names does not matter. */
import fs from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import process from "node:process";

// deno-lint-ignore no-explicit-any
type Any = any;

/** Added to inode numbers: on NTFS the upper 16 bits of a file's number count how often it was given. */
export const GIVEN = 0xc6n << 48n;

function large(stat: Any): Any {
  const ino = BigInt(stat.ino) + GIVEN, rounded = Number(ino);
  // In Deno they are never exact.
  const bigint = "Deno" in globalThis ? BigInt(rounded) : ino;
  stat.ino = typeof stat.ino === "bigint" ? bigint : rounded;
  return stat;
}

/** Run `work` as if on Windows, as far as files are concerned. */
export async function asOnWindows(work: () => Promise<void>): Promise<void> {
  const open = new Map<unknown, string>();
  const deno = (globalThis as Any).Deno;
  const check = (to: string) => {
    const isOpen = [...open.values()].some((path) => path === to || path.startsWith(to + sep));
    if (isOpen) throw Object.assign(new Error(`EPERM: operation not permitted, rename to ${to}`), { code: "EPERM" });
  };
  const handle = (file: Any): Any =>
    new Proxy(file, {
      get(_, key) {
        if (key === "stat") return async (...options: Any[]) => large(await file.stat(...options));
        const value = Reflect.get(file, key);
        return typeof value === "function" ? value.bind(file) : value;
      },
    });
  const promises = {
    __proto__: fs.promises,
    open: async (...values: Any[]) => handle(await (fs.promises as Any).open(...values)),
    stat: async (...values: Any[]) => large(await (fs.promises as Any).stat(...values)),
    lstat: async (...values: Any[]) => large(await (fs.promises as Any).lstat(...values)),
    rename: async (from: string, to: string) => {
      check(from);
      check(to);
      await fs.promises.rename(from, to);
    },
  };
  /** As the folder spells the name. */
  const native = (path: string) => {
    const folder = fs.realpathSync(dirname(path)), name = basename(path).toLowerCase();
    return fs.realpathSync(join(folder, fs.readdirSync(folder).find((other) => other.toLowerCase() === name) ?? name));
  };
  const windows = {
    __proto__: fs,
    promises,
    realpathSync: Object.assign((path: string) => fs.realpathSync(path), { native }),
    openSync: (path: string, ...values: Any[]) => {
      const file = (fs as Any).openSync(path, ...values);
      open.set(file, fs.realpathSync(path));
      return file;
    },
    closeSync: (file: number) => {
      open.delete(file);
      fs.closeSync(file);
    },
    fstatSync: (...values: Any[]) => large((fs as Any).fstatSync(...values)),
    statSync: (...values: Any[]) => large((fs as Any).statSync(...values)),
  };
  const builtin = process.getBuiltinModule, { openSync, statSync } = deno ?? {};
  const platform = Object.getOwnPropertyDescriptor(process, "platform")!;
  (process as Any).getBuiltinModule = (name: string) => name === "node:fs" ? windows : (builtin as Any)(name);
  Object.defineProperty(process, "platform", { value: "win32", configurable: true, writable: true });
  if (deno) {
    deno.openSync = (path: string) => {
      const file = openSync(path), { close, statSync: stat } = file;
      open.set(file, fs.realpathSync(path));
      file.close = () => {
        open.delete(file);
        close.call(file);
      };
      file.statSync = () => large(stat.call(file));
      return file;
    };
    deno.statSync = (path: string) => large(statSync(path));
  }
  try {
    await work();
  } finally {
    process.getBuiltinModule = builtin;
    Object.defineProperty(process, "platform", platform);
    if (deno) Object.assign(deno, { openSync, statSync });
  }
}
