/**
 * Writes all bytes of a buffer to a file.
 *
 * @module
 */

/** What of a file is needed to write to it. */
interface Writable {
  write(bytes: Uint8Array, start: number, length: number, position: number): Promise<{ bytesWritten: number }>;
}

/** Bytes written at a time: Node, Deno and Bun refuse 2 GiB or more. */
const MOST = 2 ** 30;

/** Write `bytes` at `position`, even if the system takes less of them at a time. */
export async function writeFully(handle: Writable, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(MOST, bytes.length - done), position + done);
    if (bytesWritten <= 0) throw new Error("no byte was taken");
    done += bytesWritten;
  }
}
