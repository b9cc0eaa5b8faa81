/**
 * A block of a ProgramDesc.
 *
 * @module
 */
import type { Block } from "../../program.ts";
import type { BlockIndex } from "./check_program.ts";
import { makeMessage, writeMessage } from "./message.ts";
import { OpDesc } from "./op_desc.ts";
import { VarDesc } from "./var_desc.ts";
import { Wire } from "./wire.ts";
import { WireWriter } from "./wire_writer.ts";
import { BLOCK_FORWARD_BLOCK_IDX, BLOCK_OPS, BLOCK_VARS } from "./field_numbers.ts";

/** A block; its lists may be modified in place. */
export class BlockDesc implements Block {
  idx: number;
  parentIdx: number;
  /** The block whose gradients this one computes; -1 if none. */
  forwardBlockIdx: number;
  readonly #raw: Uint8Array | null;
  readonly #file: Uint8Array | null;
  readonly #index: BlockIndex | null;
  #vars: VarDesc[] | null;
  #ops: OpDesc[] | null;
  /** Index of each variable by name, as of when it was made. */
  #places: Map<string, number> | null = null;

  private constructor(
    file: Uint8Array | null,
    index: BlockIndex | null,
    idx: number,
    parentIdx: number,
    forwardBlockIdx: number,
  ) {
    this.#file = file;
    this.#index = index;
    this.#raw = index && file!.subarray(index.start, index.end);
    this.#vars = index ? null : [];
    this.#ops = index ? null : [];
    this.idx = idx;
    this.parentIdx = parentIdx;
    this.forwardBlockIdx = forwardBlockIdx;
  }

  /** A block of a file that was checked. */
  static read(file: Uint8Array, index: BlockIndex): BlockDesc {
    return new BlockDesc(file, index, index.idx, index.parentIdx, index.forwardBlockIdx);
  }

  /** A new, empty block. */
  static of(idx: number, parentIdx: number): BlockDesc {
    return new BlockDesc(null, null, idx, parentIdx, -1);
  }

  get vars(): VarDesc[] {
    return this.#vars ??= pieces(this.#file!, this.#index!.vars).map((bytes) => new VarDesc(bytes));
  }

  set vars(vars: VarDesc[]) {
    this.#vars = vars;
    this.#places = null;
  }

  /** The variable `name`. */
  variable(name: string): VarDesc | undefined {
    const { vars } = this;
    // Reversed: of several variables of one name, the first counts.
    this.#places ??= new Map(vars.map((variable, i): [string, number] => [variable.name, i]).reverse());
    const found = vars[this.#places.get(name) ?? -1];
    // The list or a name may have been changed since.
    return found?.name === name ? found : vars.find((variable) => variable.name === name);
  }

  get ops(): OpDesc[] {
    return this.#ops ??= pieces(this.#file!, this.#index!.ops).map((bytes) => new OpDesc(bytes));
  }

  set ops(ops: OpDesc[]) {
    this.#ops = ops;
  }

  /** Whether its lists may differ from what was read. */
  get isDecoded(): boolean {
    return this.#vars !== null || this.#ops !== null;
  }

  /** An independent copy. */
  clone(): BlockDesc {
    const copy = new BlockDesc(this.#file, this.#index, this.idx, this.parentIdx, this.forwardBlockIdx);
    if (this.#vars) copy.#vars = this.#vars.map((variable) => variable.clone());
    if (this.#ops) copy.#ops = this.#ops.map((op) => op.clone());
    return copy;
  }

  /** The bytes of its message: those that were read, if nothing changed. */
  serialize(): Uint8Array {
    if (this.#raw && this.#isUntouched()) return this.#raw;
    const writer = new WireWriter();
    writer.raw(writeMessage("BlockDesc", makeMessage("BlockDesc", { idx: this.idx, parentIdx: this.parentIdx })));
    for (const variable of this.vars) writer.tag(BLOCK_VARS, 2).bytes(variable.serialize());
    for (const op of this.ops) writer.tag(BLOCK_OPS, 2).bytes(op.serialize());
    if (this.forwardBlockIdx !== -1 || this.#hasForwardBlock()) {
      writer.tag(BLOCK_FORWARD_BLOCK_IDX, 0).varint(this.forwardBlockIdx);
    }
    writer.raw(this.#unknown());
    return writer.finish();
  }

  /** Whether this is, unchanged, the block whose content begins at `start` in `file`. */
  isAt(file: Uint8Array, start: number): boolean {
    return this.#raw !== null && this.#file === file && this.#index!.start === start && this.#isUntouched();
  }

  #isUntouched(): boolean {
    const { idx, parentIdx, forwardBlockIdx, vars, ops } = this.#index!;
    if (this.idx !== idx || this.parentIdx !== parentIdx || this.forwardBlockIdx !== forwardBlockIdx) return false;
    return isSame(this.#vars, this.#file!, vars) && isSame(this.#ops, this.#file!, ops);
  }

  #hasForwardBlock(): boolean {
    return this.#raw !== null &&
      new Wire(this.#raw).fields((number) => number === BLOCK_FORWARD_BLOCK_IDX, 0, this.#raw.length).length > 0;
  }

  /** Fields that our framework.proto does not have. */
  #unknown(): Uint8Array {
    return this.#raw
      ? new Wire(this.#raw).fields((number) => number > BLOCK_FORWARD_BLOCK_IDX, 0, this.#raw.length)
      : NOTHING;
  }
}

const NOTHING = new Uint8Array(0);

/** Whether a list is unchanged from the file; `ranges` are pairs of start and end there. */
function isSame(items: readonly (VarDesc | OpDesc)[] | null, file: Uint8Array, ranges: readonly number[]): boolean {
  if (items === null) return true;
  return 2 * items.length === ranges.length && items.every((item, i) => {
    const { buffer, byteOffset } = item.serialize();
    return byteOffset === file.byteOffset + ranges[2 * i] && buffer === file.buffer;
  });
}

function pieces(file: Uint8Array, ranges: readonly number[]): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let i = 0; i < ranges.length; i += 2) found.push(file.subarray(ranges[i], ranges[i + 1]));
  return found;
}
