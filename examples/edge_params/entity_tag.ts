/** Entity tags (RFC 9110, section 8.8.3). */

/** The tag of one form of one version of a file; weak if the storage cannot guarantee that equal versions have equal bytes. */
export async function entityTag(version: string, isStrong: boolean, form: string, tensor: string): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify([version, form, tensor]));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", text)).subarray(0, 16);
  const tag = `"${[...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("")}"`;
  return isStrong ? tag : `W/${tag}`;
}

/** The tags in a list; null for `*`. Anything that is not a tag is skipped. */
export function tagsOf(header: string): string[] | null {
  return header.trim() === "*" ? null : header.match(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g) ?? [];
}

/** Strong comparison: equal, and both strong. */
export function isStronglyEqual(one: string, other: string): boolean {
  return one === other && !one.startsWith("W/");
}

/** Weak comparison: equal, whether weak or not. */
export function isWeaklyEqual(one: string, other: string): boolean {
  return one.replace(/^W\//, "") === other.replace(/^W\//, "");
}
