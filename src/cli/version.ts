/**
 * The version of this package.
 *
 * @module
 */

/** As in deno.json. */
export const VERSION = "0.1.0";
