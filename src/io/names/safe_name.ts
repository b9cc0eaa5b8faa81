/**
 * The only place where a name from a file becomes a path (RULES.md PATH-1 and PATH-3).
 *
 * @module
 */
import { checkedName } from "../folder.ts";
import { PathError, quote } from "../../errors.ts";

/** Maximum length of a part of a name, in UTF-8 bytes and in UTF-16 code units. */
const MAX_PART = 255;
/** Maximum length of a name, in UTF-8 bytes. */
const MAX_NAME = 1024;

/**
 * The parts of `name`, split at `/`, none of which can lead out of its folder. `offset` is that of the name in its file, for errors.
 *
 * @throws {PathError} `UNSAFE_PATH`: the name could lead elsewhere; `NAME_TOO_LONG`
 */
export function safeParts(name: string, offset?: number): string[] {
  const rule = brokenRule(checkedName(name));
  if (rule) {
    throw new PathError("UNSAFE_PATH", `The name ${quote(name)} cannot be used in a folder: ${rule}`, {
      path: name,
      offset,
    });
  }
  const parts = name.split("/");
  const encoder = new TextEncoder();
  for (const part of parts) checkLength(part, encoder.encode(part).length, MAX_PART, name, offset);
  checkLength("", encoder.encode(name).length, MAX_NAME, name, offset);
  return parts;
}

/** Device names on Windows, with or without an extension, before which spaces do not count. */
const DEVICE = /^(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9\u00b9\u00b2\u00b3])( *\..*)?$/i;

/**
 * The parts of `name`, each of which is a valid file name on every system (RULES.md PATH-2). `hint` tells how to allow other names.
 *
 * @throws {PathError} `UNSAFE_PATH`, `NAME_TOO_LONG`
 */
export function portableParts(
  name: string,
  hint = "new DirectoryFolder(path, { portable: false }) allows what this system allows",
): string[] {
  const parts = safeParts(name);
  for (const part of parts) checkPortable(part, name, hint);
  return parts;
}

/**
 * Check that `part` is a valid file name on every system; errors are about `name`.
 *
 * @throws {PathError} `UNSAFE_PATH`
 */
export function checkPortable(part: string, name: string, hint: string): void {
  const rule = /[:<>"|?*]/.test(part)
    ? 'it has one of : < > " | ? *'
    : part.endsWith(".") || part.endsWith(" ")
    ? "a part of it ends with a dot or a space"
    : DEVICE.test(part)
    ? "it is a device name on Windows"
    : null;
  if (!rule) return;
  throw new PathError("UNSAFE_PATH", `The name ${quote(name)} is not a valid file name on every system: ${rule}`, {
    path: name,
    hint,
  });
}

function brokenRule(name: string): string | null {
  if (name === "") return "it is empty";
  if (name.startsWith("/") || name.startsWith("~")) return "it is absolute";
  if (name.includes("\\")) return "it has a backslash";
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(name.slice(0, 64))) return "it starts with a drive or a scheme";
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name)) return "it has a control character";
  // It would be stored as another character.
  if (!name.isWellFormed()) return "it has a lone surrogate";
  for (const part of name.split("/")) {
    if (part === "") return "a part of it is empty";
    if (part === "." || part === "..") return `a part of it is ${JSON.stringify(part)}`;
  }
  return null;
}

function checkLength(part: string, bytes: number, most: number, name: string, offset?: number): void {
  if (bytes <= most && part.length <= most) return;
  throw new PathError(
    "NAME_TOO_LONG",
    `The name ${quote(name)} has more than ${most} bytes${part && " between two /"}`,
    {
      path: name.slice(0, MAX_NAME),
      offset,
      expected: most,
      actual: bytes,
    },
  );
}
