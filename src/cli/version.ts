/**
 * The version of this package.
 *
 * @module
 */

/** As deno.json has it. */
export const VERSION = "0.1.0";
