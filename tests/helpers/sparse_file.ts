/** Large files of which only the structure is kept: the array data is zeros that take up neither memory nor disk space. */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { save, type SaveOptions, Tensor, type Value } from "../../mod.ts";
import { ProgramDesc } from "../../src/codec/program/program_desc.ts";
import { VarDesc } from "../../src/codec/program/var_desc.ts";
import { plainRecordHead } from "../../src/codec/record/write_record.ts";

/** Size in bytes from which a tensor's data is left out. */
const LARGE = 65_536;

/** A file. */
export class SparseFile {
  size = 0;
  readonly #parts: { offset: number; bytes: Uint8Array }[] = [];

  /** What `save` writes for a state dict whose large tensors are all zeros. */
  static async of(state: ReadonlyMap<string, Tensor>, options?: SaveOptions): Promise<SparseFile> {
    const file = new SparseFile();
    const large = [...state.values()].filter((tensor) => tensor.nbytes >= LARGE);
    const zeros = new Set<ArrayBufferLike>(large.map((tensor) => tensor.bytes.buffer));
    const write = (chunk: Uint8Array) => zeros.has(chunk.buffer) ? file.skip(chunk.length) : file.add(chunk);
    await save(state as Value, { write, close: () => {}, abort: () => {} }, options);
    return file;
  }

  /** Append `bytes`. */
  add(bytes: Uint8Array): void {
    this.#parts.push({ offset: this.size, bytes: bytes.slice() });
    this.size += bytes.length;
  }

  /** Append `length` zeros. */
  skip(length: number): void {
    this.size += length;
  }

  /** The bytes `[start, end)`. */
  slice(start: number, end: number): Uint8Array {
    const into = new Uint8Array(Math.max(0, Math.min(end, this.size) - start));
    for (const { offset, bytes } of this.#parts) {
      const from = Math.max(start, offset), to = Math.min(end, offset + bytes.length);
      if (from < to) into.set(bytes.subarray(from - offset, to - offset), from - start);
    }
    return into;
  }

  /** Write it to disk, with holes in place of zeros. */
  write(path: string): void {
    const file = openSync(path, "w");
    try {
      ftruncateSync(file, this.size);
      for (const { offset, bytes } of this.#parts) writeSync(file, bytes, 0, bytes.length, offset);
    } finally {
      closeSync(file);
    }
  }
}

/** A state dict of `count` tensors of `nbytes` bytes, each followed by a small one of `bias` bytes, if any. All share their zeros. */
export function stateOf(count: number, nbytes: number, bias = 0): Map<string, Tensor> {
  const zeros = new Float32Array(nbytes / 4), small = new Float32Array(bias / 4);
  const state = new Map<string, Tensor>();
  for (let k = 0; k < count; k++) {
    const name = `blocks.${k >> 3}.attention.${k & 7}`;
    state.set(`${name}.weight`, new Tensor("float32", [nbytes / 1024, 256], zeros, { name: `linear_${k}.w_0` }));
    if (bias > 0) {
      state.set(`${name}.bias`, new Tensor("float32", [bias / 4], small, { name: `linear_${k}.b_0` }));
    }
  }
  return state;
}

/** A `.pdmodel` with `count` float32 parameters of shape `[rows, 256]`, and its `.pdiparams`. */
export function modelOf(count: number, rows: number): { program: Uint8Array; params: SparseFile } {
  const program = ProgramDesc.of(0), params = new SparseFile();
  for (let k = 0; k < count; k++) {
    const name = `linear_${String(k).padStart(4, "0")}.w_0`, shape = [rows, 256];
    program.blocks[0].vars.push(VarDesc.of(name, { shape, persistable: true, isParameter: true }));
    params.add(plainRecordHead("float32", shape));
    params.skip(rows * 1024);
  }
  return { program: program.serialize(), params };
}
