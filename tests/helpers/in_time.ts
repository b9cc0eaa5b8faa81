/** Checks that something ends at all. */

/** Milliseconds after which it counts as endless, even on a busy machine. */
const ENDLESS = 20_000;

/** What `work` gives; an error if it takes for ever. */
export async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => timer = setTimeout(() => reject(new Error("it never ends")), ENDLESS));
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
