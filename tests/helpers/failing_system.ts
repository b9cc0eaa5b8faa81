/** A system whose nth call fails, whatever it is. */
import fs from "node:fs";
import process from "node:process";

// deno-lint-ignore no-explicit-any
type Any = any;

/** The result of an operation on such a system. */
export interface Outcome {
  value?: unknown;
  error?: unknown;
  /** Names of the system calls that were made. */
  calls: string[];
}

/** Calls that only check whether something exists: they cannot fail. */
const SILENT = new Set(["existsSync"]);

/**
 * Run `work` with system call number `at` failing with `code`, and if it `persists`, every later one of that name. With `isDone` the call
 * fails after it has done its work, as on a network that lost the answer.
 */
export async function withFault(
  at: number,
  code: string,
  work: () => Promise<unknown>,
  persists = false,
  isDone = false,
): Promise<Outcome> {
  const calls: string[] = [];
  let bad = "";
  const isHit = (name: string): boolean => {
    const isIt = calls.push(name) - 1 === at;
    if (isIt && persists) bad = name;
    return isIt || bad === name;
  };
  const failure = (name: string): Error =>
    Object.assign(new Error(`${code}: said by the test, ${name}`), { code, syscall: name });

  /** Closing a handle closes it even if the call fails: a handle that stays open would be another fault. */
  const promised = (target: Any, kind: string): Any =>
    new Proxy(target, {
      get(_, key) {
        const call = Reflect.get(target, key);
        if (typeof call !== "function") return call;
        return async (...values: unknown[]) => {
          const isFailing = isHit(kind + String(key));
          if (isFailing && (key === "close" || isDone)) {
            const done = await call.apply(target, values);
            if (key === "open") await done.close();
          }
          if (isFailing) throw failure(String(key));
          const result = await call.apply(target, values);
          return key === "open" ? promised(result, "handle.") : result;
        };
      },
    });
  const plain = (target: Any, name: string): Any => (...values: unknown[]) => {
    const isFailing = isHit(name), isAtOnce = name.endsWith("Sync");
    if (!isFailing) {
      const result = target[name](...values);
      return name === "openSync" && typeof result === "object" ? atOnce(result) : result;
    }
    if (name === "closeSync") target[name](...values);
    if (isAtOnce) throw failure(name);
    const done = values.at(-1);
    if (typeof done === "function") return void queueMicrotask(() => done(failure(name)));
    return Promise.reject(failure(name));
  };
  /** Deno's own handles. */
  const atOnce = (file: Any): Any =>
    new Proxy(file, {
      get(_, key) {
        const call = Reflect.get(file, key);
        if (typeof call !== "function" || key === "close") return typeof call === "function" ? call.bind(file) : call;
        return (...values: unknown[]) => {
          if (isHit("file." + String(key))) {
            if (String(key).endsWith("Sync")) throw failure(String(key));
            return Promise.reject(failure(String(key)));
          }
          return call.apply(file, values);
        };
      },
    });

  const failing = new Proxy(fs as Any, {
    get(target, key) {
      const name = String(key);
      if (name === "promises") return promised(fs.promises, "");
      const call = Reflect.get(target, key);
      if (typeof call !== "function" || !/^[a-z]/.test(name) || SILENT.has(name)) return call;
      if (name === "realpathSync") {
        return Object.assign(plain(target, name), { native: plain({ [name]: fs.realpathSync.native }, name) });
      }
      if (name !== "realpath") return plain(target, name);
      const native = (path: string, done: Any) =>
        isHit("realpath") ? queueMicrotask(() => done(failure(name))) : fs.realpath.native(path, done);
      return Object.assign((...values: Any[]) => (fs.realpath as Any)(...values), { native });
    },
  });
  const builtin = process.getBuiltinModule;
  (process as Any).getBuiltinModule = (name: string) => name === "node:fs" ? failing : (builtin as Any)(name);
  const deno = (globalThis as Any).Deno, own = ["openSync", "statSync", "realPathSync", "realPath", "lstat", "remove"];
  const kept = own.map((name) => deno?.[name]);
  if (deno) { for (const name of own) deno[name] = plain({ [name]: deno[name] }, name); }
  try {
    return { value: await work(), calls };
  } catch (error) {
    return { error, calls };
  } finally {
    process.getBuiltinModule = builtin;
    if (deno) own.forEach((name, i) => deno[name] = kept[i]);
  }
}
