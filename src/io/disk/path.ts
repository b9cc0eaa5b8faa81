/**
 * File system paths: through `node:path`, except for POSIX paths on Deno, where loading that module takes longer than opening a model.
 *
 * @module
 */
import { denoHere, nodePath } from "../platform.ts";

/** The part of `node:path` that is used. */
export interface PathCalls {
  readonly sep: string;
  dirname(path: string): string;
  basename(path: string): string;
  join(...parts: string[]): string;
  resolve(...paths: string[]): string;
}

/** The calls for this system. */
export function pathCalls(): PathCalls {
  const deno = denoHere();
  return deno && deno.build.os !== "windows" ? slashPaths(() => deno.cwd()) : nodePath();
}

/** Equivalent to `posix` of `node:path`; relative paths start at `cwd`. */
export function slashPaths(cwd: () => string): PathCalls {
  const resolve = (...paths: string[]) => {
    const first = paths.findLastIndex((path) => path[0] === "/");
    const whole = (first < 0 ? [cwd(), ...paths] : paths.slice(first)).join("/");
    return "/" + stepsOf(whole).join("/");
  };
  return { sep: "/", dirname, basename, join, resolve };
}

function dirname(path: string): string {
  const end = withoutSlashes(path);
  const slash = path.lastIndexOf("/", end - 1);
  if (slash < 0) return path[0] === "/" ? "/" : ".";
  // POSIX leaves the meaning of two leading slashes to the system.
  if (slash === 1 && path[0] === "/") return "//";
  return slash === 0 ? "/" : path.slice(0, slash);
}

function basename(path: string): string {
  const end = withoutSlashes(path);
  return path.slice(path.lastIndexOf("/", end - 1) + 1, end);
}

function join(...parts: string[]): string {
  const joined = parts.filter((part) => part !== "").join("/");
  const steps = stepsOf(joined).join("/");
  const end = joined.endsWith("/") && steps !== "" ? "/" : "";
  if (joined[0] === "/") return `/${steps}${end}`;
  return steps === "" ? joined.endsWith("/") ? "./" : "." : steps + end;
}

/** The end of the path without trailing slashes. */
function withoutSlashes(path: string): number {
  let end = path.length;
  while (end > 0 && path[end - 1] === "/") end--;
  return end;
}

/** The path's segments, with `.` and `..` resolved. */
function stepsOf(path: string): string[] {
  const isAbsolute = path[0] === "/";
  const steps: string[] = [];
  for (const step of path.split("/")) {
    if (step === "" || step === ".") continue;
    if (step !== "..") steps.push(step);
    else if (steps.length > 0 && steps[steps.length - 1] !== "..") steps.pop();
    else if (!isAbsolute) steps.push(step);
  }
  return steps;
}
