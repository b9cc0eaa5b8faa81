/**
 * Paths with `..` after what may be a link.
 *
 * @module
 */
import { pathCalls } from "./path.ts";
import { realPath } from "../platform.ts";

/** The path in a form that stays the same when it is normalized: to the system, `..` after a link leads to the folder above its target. */
export function resolvedDots(path: string): string {
  if (!path.includes("..") || pathCalls().sep !== "/") return path;
  const steps = path.split("/"), last = steps.lastIndexOf("..");
  const isAfterName = steps.slice(0, Math.max(0, last)).some((step) => !["", ".", ".."].includes(step));
  if (!isAfterName) return path;
  return [realPath(steps.slice(0, last + 1).join("/")), ...steps.slice(last + 1)].join("/");
}
