/**
 * How much memory the engine has for structure.
 *
 * @module
 */
import { type Limits, resolveLimits } from "../limits.ts";

const MiB = 2 ** 20;
/** Assumed for pages and workers, where engines report no limit. */
const WORKERD = 32 * MiB, SMALL_DEVICE = 256 * MiB;
/** The fraction of the heap for structure, which takes more while it is created; part of the reported size is the young generation. */
const SHARE = 8;

let known: number | null = null;

/** The limits of a call: the defaults, bounded by what the engine has room for, overridden by the caller's values. */
export function limitsOf(given: Partial<Limits> | undefined): Readonly<Limits> {
  return resolveLimits(given, structureRoom);
}

/** Bytes of structure that fit in the heap as configured (`--max-old-space-size`), or that the platform has; Infinity if unknown. */
function structureRoom(): number {
  return known ??= Math.min(ofHeap(), ofDevice());
}

function ofHeap(): number {
  type Statistics = { getHeapStatistics(): { heap_size_limit: number } };
  const scope = globalThis as {
    Bun?: unknown;
    process?: { getBuiltinModule?: (name: string) => Statistics | undefined };
  };
  // Bun's heap grows, whatever it reports here.
  if (scope.Bun !== undefined) return Infinity;
  try {
    const limit = scope.process?.getBuiltinModule?.("node:v8")?.getHeapStatistics().heap_size_limit;
    return limit && limit > 0 ? Math.floor(limit / SHARE) : Infinity;
  } catch {
    return Infinity;
  }
}

function ofDevice(): number {
  const { userAgent, deviceMemory } = (globalThis.navigator ?? {}) as { userAgent?: unknown; deviceMemory?: unknown };
  if (userAgent === "Cloudflare-Workers") return WORKERD;
  return typeof deviceMemory === "number" && deviceMemory <= 4 ? SMALL_DEVICE : Infinity;
}
