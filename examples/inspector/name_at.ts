/** The name of the file at a URL. */
export function nameAt({ pathname }: URL): string {
  const name = pathname.slice(pathname.lastIndexOf("/") + 1);
  if (name === "") throw new TypeError("The URL of a file is needed: this one ends in a slash");
  try {
    // A stray percent sign stands for itself.
    return decodeURIComponent(name.replace(/%(?![0-9a-f]{2})/gi, "%25"));
  } catch {
    // The bytes are not UTF-8.
    return name;
  }
}
