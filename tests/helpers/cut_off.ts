/** A file system that stops working. */
import * as fs from "node:fs";

/** A file system that is cut off before its nth call, as if the process were killed; every call counts. */
export function cutOff(after: number): { fs: typeof fs; calls: () => number } {
  let calls = 0;
  const counted = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(_, key) {
        const value = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        return async (...values: unknown[]) => {
          if (key !== "close" && ++calls > after) throw Object.assign(new Error("cut off"), { code: "EIO" });
          const result = await value.apply(target, values);
          return key === "open" ? counted(result) : result;
        };
      },
    });
  return { fs: { ...fs, promises: counted(fs.promises) } as typeof fs, calls: () => calls };
}
