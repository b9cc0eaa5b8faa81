/**
 * Collects warnings while passing them on.
 *
 * @module
 */
import type { Warning } from "../errors.ts";

interface WarningOptions {
  onWarning?: (warning: Warning) => void;
}

/** The same options, and a list that receives every warning reported to them from now on. */
export function collecting<T extends WarningOptions>(
  options: T,
): { options: T & Required<WarningOptions>; warnings: Warning[] } {
  const warnings: Warning[] = [];
  const onWarning = (warning: Warning) => {
    warnings.push(warning);
    options.onWarning?.(warning);
  };
  return { options: { ...options, onWarning }, warnings };
}
