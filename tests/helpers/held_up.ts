/** A file system whose calls can be held up. */
import * as fs from "node:fs";

/**
 * A file system in which every `call` of the files whose paths end in `path` waits for `go`; `reached` resolves when the first one waits.
 */
export function heldUp(path: string, go: Promise<void>, call = "write"): { fs: typeof fs; reached: Promise<void> } {
  let resolve = () => {};
  const reached = new Promise<void>((done) => resolve = done);
  const slow = <T extends object>(target: T, isFile: boolean): T =>
    new Proxy(target, {
      get(_, key) {
        const value = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        return async (...values: unknown[]) => {
          if (isFile && key === call) {
            resolve();
            await go;
          }
          const result = await value.apply(target, values);
          return key === "open" ? slow(result, String(values[0]).endsWith(path)) : result;
        };
      },
    });
  return { fs: { ...fs, promises: slow(fs.promises, false) } as typeof fs, reached };
}
