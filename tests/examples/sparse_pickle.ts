/** State dicts of any size that take no disk space: pickles like paddle.save's, with holes in place of the array data. */
import { open } from "node:fs/promises";

const text = new TextEncoder();

/** A little-endian integer in `bytes` bytes. */
function little(value: number, bytes: number): number[] {
  const out: number[] = [];
  for (let rest = value; out.length < bytes; rest = Math.floor(rest / 256)) out.push(rest % 256);
  return out;
}

function unicode(string: string): number[] {
  const bytes = text.encode(string);
  return [0x58, ...little(bytes.length, 4), ...bytes];
}

const ascii = (string: string) => [...text.encode(string)];

/** The pickle of a float32 array up to its bytes: `_reconstruct(ndarray, (0,), b"b")` and the start of its state. */
function before(shape: readonly number[], nbytes: number): number[] {
  return [
    ...ascii("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0"),
    ...[0x85, 0x43, 1, 0x62, 0x87, 0x52],
    ...ascii("(K\x01("),
    ...shape.flatMap((length) => [0x4a, ...little(length, 4)]),
    ...ascii("tcnumpy\ndtype\n"),
    ...unicode("f4"),
    ...[0x89, 0x88, 0x87, 0x52],
    ...ascii("(K\x03"),
    ...unicode("<"),
    ...ascii("NNN"),
    ...[0x4a, 255, 255, 255, 255, 0x4a, 255, 255, 255, 255],
    ...ascii("K\0tb"),
    ...[0x89, 0x8e, ...little(nbytes, 8)],
  ];
}

/** Write a state dict of float32 zeros; the last element of each array is 7. */
export async function sparsePickle(path: string, shapes: ReadonlyMap<string, readonly number[]>): Promise<number> {
  const file = await open(path, "w");
  try {
    let at = 0;
    const put = async (bytes: Uint8Array | number[]) => {
      const chunk = Uint8Array.from(bytes);
      await file.write(chunk, 0, chunk.length, at);
      at += chunk.length;
    };
    await put([0x80, 4, 0x7d, 0x28]);
    for (const [name, shape] of shapes) {
      const nbytes = shape.reduce((a, b) => a * b, 4);
      await put([...unicode(name), ...before(shape, nbytes)]);
      at += nbytes - 4;
      await put(new Uint8Array(Float32Array.of(7).buffer));
      await put([0x74, 0x62]);
    }
    await put([0x75, 0x2e]);
    return at;
  } finally {
    await file.close();
  }
}
