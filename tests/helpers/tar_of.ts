import { Buffer } from "node:buffer";

/** A tar archive of these headers and their contents, terminated by two zero blocks. */
export function tarOf(
  ...members: (Partial<Record<"name" | "size" | "kind" | "prefix" | "magic", string>> & {
    data?: string | Uint8Array;
    late?: number[];
  })[]
) {
  const blocks: Uint8Array[] = [];
  const utf8 = (text: string) => new TextEncoder().encode(text);
  for (const { name = "a", kind = "0", prefix = "", magic = "ustar\x0000", data = "", size, late } of members) {
    const content = typeof data === "string" ? utf8(data) : data, block = new Uint8Array(512);
    block.set(utf8(name));
    block.set(utf8(size ?? content.length.toString(8).padStart(11, "0")), 124);
    block.set(utf8(kind), 156);
    block.set(utf8(magic), 257);
    block.set(utf8(prefix), 345);
    if (late) block.set(late.slice(1), late[0]);
    block.fill(0x20, 148, 156);
    block.set(utf8(block.reduce((a, b) => a + b).toString(8).padStart(6, "0") + "\0"), 148);
    const filled = new Uint8Array(Math.ceil(content.length / 512) * 512);
    filled.set(content);
    blocks.push(block, filled);
  }
  return new Uint8Array(Buffer.concat([...blocks, new Uint8Array(1024)]));
}
