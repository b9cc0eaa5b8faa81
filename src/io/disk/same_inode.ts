/**
 * Compares inode numbers.
 *
 * @module
 */

/** Whether two numbers are of the same inode. Those above 2^53, as on Windows and some network file systems, Deno rounds. */
export function isSameInode(a: bigint, b: bigint): boolean {
  return a === b || BigInt(Number(a)) === b || a === BigInt(Number(b));
}
