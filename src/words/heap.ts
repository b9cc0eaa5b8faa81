/**
 * How much memory the engine gives to structure.
 *
 * @module
 */

const MiB = 2 ** 20;
/** What a page or worker is told to do with: engines there tell no limit. */
const WORKERD = 32 * MiB, SMALL_DEVICE = 256 * MiB;
/** Structure takes more while it is made, and part of what is told is the nursery, for what is new. */
const SHARE = 8;

let known: number | null = null;

/** Bytes of structure that fit into the heap as it was set up (`--max-old-space-size`), or that the platform has; Infinity where nobody knows. */
export function structureRoom(): number {
  return known ??= Math.min(ofHeap(), ofDevice());
}

function ofHeap(): number {
  type Statistics = { getHeapStatistics(): { heap_size_limit: number } };
  const scope = globalThis as {
    Bun?: unknown;
    process?: { getBuiltinModule?: (name: string) => Statistics | undefined };
  };
  // Bun's heap grows, whatever this says of it.
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
