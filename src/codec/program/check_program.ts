/**
 * Walks a program once, without recursion, and checks that it is well formed before anything is decoded: RULES.md PB-1 to PB-5.
 * The result is an index of the offsets of each block's variables and operators.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import { Budget, type Limits, PRICES } from "../../limits.ts";
import { joinBytes } from "../../words/joined_bytes.ts";
import { atOnce, STEP } from "../../words/steps.ts";
import { textFromUtf8 } from "../../words/utf8.ts";
import { checkBlockGraph } from "./check_blocks.ts";
import { type FieldRule, type MessageRule, ruleOf } from "./schema.ts";
import { VarDesc } from "./var_desc.ts";
import { Wire } from "./wire.ts";
import {
  ATTR_BLOCK_IDX,
  ATTR_BLOCKS_IDX,
  ATTR_NAME,
  BLOCK_FORWARD_BLOCK_IDX,
  BLOCK_IDX,
  BLOCK_OPS,
  BLOCK_PARENT_IDX,
  BLOCK_VARS,
  PROGRAM_BLOCKS,
  TENSOR_DIMS,
} from "./field_numbers.ts";

/** Locations of the parts of one block; `vars` and `ops` hold pairs of start and end in the file. */
export interface BlockIndex {
  /** Start of the block's content, after its length. */
  readonly start: number;
  end: number;
  idx: number;
  parentIdx: number;
  forwardBlockIdx: number;
  readonly vars: number[];
  readonly ops: number[];
}

/** An operator of block `from` names block `to` in an attribute. */
export interface BlockUse {
  readonly from: number;
  readonly to: number;
  readonly at: number;
  /** Whether, by the attribute's name, the operator runs the block rather than just mentions it. */
  runs: boolean;
}

/** A message being read. */
interface Frame {
  rule: MessageRule;
  /** Start and end of its content. */
  start: number;
  end: number;
  /** Its field in the enclosing message. */
  field: FieldRule | null;
  /** Bits of the required fields seen so far. */
  seen: number;
  /** Bits, by field number, of fields whose occurrences were merged and are complete. */
  merged: number;
}

/** Check the program in `bytes`, which begin at offset 0 of the file, and return its index. */
export function* checkProgram(bytes: Uint8Array, limits: Readonly<Limits>): Generator<void, BlockIndex[]> {
  if (bytes.length === 0) throw new FormatError("EMPTY", "The program has no bytes", { offset: 0 });
  const budget = new Budget(limits);
  budget.check("maxProgramBytes", bytes.length, 0);
  const checker = new Checker(bytes, budget);
  yield* checker.message(ruleOf("ProgramDesc"), 0, bytes.length);
  checkBlockGraph(checker.blocks, checker.uses);
  for (const { at, start, end } of checker.oddAxes) {
    if (!new VarDesc(bytes.subarray(start, end)).persistable) continue;
    throw new FormatError("BAD_SHAPE", `An axis at byte ${at} is negative and not -1, which marks an unknown one`, {
      offset: at,
    });
  }
  return checker.blocks;
}

class Checker {
  readonly blocks: BlockIndex[] = [];
  readonly uses: BlockUse[] = [];
  /** For each variable that has one, the first axis that is negative but not -1. */
  readonly oddAxes: { at: number; start: number; end: number }[] = [];
  readonly #wire: Wire;
  readonly #partAt: number | undefined;
  readonly #budget: Budget;
  // Copies of the limits checked most often: looking them up by name each time takes a tenth of the total.
  readonly #maxVars: number;
  readonly #maxOps: number;
  readonly #maxNameBytes: number;
  #ops = 0;
  #vars = 0;
  /** Location of the name of the attribute being read. */
  #attributeStart = 0;
  #attributeEnd = 0;
  /** How many of the uses belong to complete attributes, so that `runs` is set. */
  #settled = 0;

  /** `partAt` is the offset in the file of the first incomplete part, if `bytes` are the parts of a message joined together. */
  constructor(bytes: Uint8Array, budget: Budget, partAt?: number) {
    this.#partAt = partAt;
    this.#wire = new Wire(bytes);
    this.#budget = budget;
    this.#maxVars = budget.limits.maxVars;
    this.#maxOps = budget.limits.maxOps;
    this.#maxNameBytes = budget.limits.maxNameBytes;
  }

  /** Check the message at `[start, end)` and everything in it. */
  *message(rule: MessageRule, start: number, end: number): Generator<void, void> {
    // Frames are reused: a program may have millions of messages, but only a handful are open at a time.
    const frames: Frame[] = [{ rule, start, end, field: null, seen: 0, merged: 0 }];
    this.#wire.pos = start;
    for (let depth = this.#some(frames, 0); depth >= 0; depth = this.#some(frames, depth)) yield;
  }

  /** Read a step's worth of fields from the message at `depth` on. Returns the depth reached, -1 at the end. Not a generator, for speed. */
  #some(frames: Frame[], depth: number): number {
    const wire = this.#wire;
    const { maxProtoDepth } = this.#budget.limits;
    let frame = frames[depth];
    for (let read = 0; read < STEP; read++) {
      if (wire.pos >= frame.end) {
        this.#complete(frames, depth);
        if (depth === 0) return -1;
        frame = frames[--depth];
        continue;
      }
      const at = wire.pos;
      const tag = wire.tag(frame.end);
      const number = tag >>> 3, kind = tag & 7;
      const field = frame.rule.fields[number];
      if (!field) {
        wire.skip(kind, number, at, frame.end, maxProtoDepth - depth, this.#budget);
        continue;
      }
      frame.seen |= field.required;
      if (kind === 2 && (field.wire === 2 || field.packable)) {
        const length = wire.length(at, frame.end);
        if (field.message) {
          if (depth + 2 > maxProtoDepth) this.#budget.exceed("maxProtoDepth", depth + 2, at);
          const { pos } = wire;
          if (frame.rule.watched !== null) this.#enter(frame.rule, number, pos, pos + length, at);
          frame = frames[++depth] ??= { rule: field.message, start: 0, end: 0, field, seen: 0, merged: 0 };
          frame.rule = field.message;
          frame.start = pos;
          frame.end = pos + length;
          frame.field = field;
          frame.seen = frame.merged = 0;
        } else if (field.packable) this.#packed(frame.rule, field, wire.pos + length, at);
        else this.#text(frame.rule, field, length, at);
      } else if (kind !== field.wire || kind === 2) {
        const message = `Field ${frame.rule.name}.${field.name} at byte ${at} has wire type ${kind}`;
        throw new FormatError("BAD_WIRE", message, { offset: at });
      } else if (kind === 0) {
        const value = wire.varint(at, frame.end);
        if (frame.rule.watched !== null) this.#number(frame.rule, number, value, at);
      } else wire.advance(kind === 1 ? 8 : 4, at, frame.end);
    }
    return depth;
  }

  /** A nested message begins. */
  #enter({ watched }: MessageRule, number: number, start: number, end: number, at: number): void {
    if (watched === "program" && number === PROGRAM_BLOCKS) {
      this.#budget.check("maxBlocks", this.blocks.length + 1, at);
      this.#budget.charge(PRICES.dict, at);
      this.blocks.push({ start, end, idx: 0, parentIdx: 0, forwardBlockIdx: -1, vars: [], ops: [] });
    } else if (watched === "block" && this.blocks.length > 0) {
      this.#budget.charge(2 * PRICES.slot, at);
      const block = this.blocks[this.blocks.length - 1];
      if (number === BLOCK_VARS) {
        if (++this.#vars > this.#maxVars) this.#budget.exceed("maxVars", this.#vars, at);
        block.vars.push(start, end);
      } else if (number === BLOCK_OPS) {
        if (++this.#ops > this.#maxOps) this.#budget.exceed("maxOps", this.#ops, at);
        block.ops.push(start, end);
      }
    }
  }

  /** A varint whose value matters: block numbers and axes. */
  #number({ watched }: MessageRule, field: number, value: number, at: number): void {
    if (watched === "block") {
      const block = this.blocks[this.blocks.length - 1];
      if (field === BLOCK_IDX) block.idx = value | 0;
      else if (field === BLOCK_PARENT_IDX) block.parentIdx = value | 0;
      else if (field === BLOCK_FORWARD_BLOCK_IDX) block.forwardBlockIdx = value | 0;
    } else if (watched === "tensor" && field === TENSOR_DIMS) this.#dim(at);
    else if (watched === "attribute" && (field === ATTR_BLOCK_IDX || field === ATTR_BLOCKS_IDX)) {
      this.#budget.charge(PRICES.entry, at);
      this.uses.push({ from: this.blocks.length - 1, to: value | 0, at, runs: false });
    }
  }

  /** Note an odd axis. Paddle computes with the -1 of an unknown axis and writes the result, such as -7; no value has such a shape. */
  #dim(at: number): void {
    const { lastIsNegative, lastIsMinusOne } = this.#wire;
    if (!lastIsNegative || lastIsMinusOne) return;
    const [start, end] = this.blocks.at(-1)?.vars.slice(-2) ?? [];
    if (start !== undefined && this.oddAxes.at(-1)?.start !== start) this.oddAxes.push({ at, start, end });
  }

  #packed(rule: MessageRule, field: FieldRule, end: number, at: number): void {
    const wire = this.#wire;
    if (field.wire === 0) {
      while (wire.pos < end) this.#number(rule, field.number, wire.varint(at, end), at);
    } else {
      const size = field.wire === 1 ? 8 : 4;
      if ((end - wire.pos) % size !== 0) {
        throw new FormatError("BAD_LENGTH", `The packed numbers at byte ${at} end inside a number`, { offset: at });
      }
      wire.pos = end;
    }
  }

  #text(rule: MessageRule, field: FieldRule, length: number, at: number): void {
    const wire = this.#wire;
    if (field.isText) {
      if (length > this.#maxNameBytes) this.#budget.exceed("maxNameBytes", length, at);
      if (textIsBroken(wire.bytes, wire.pos, wire.pos + length)) {
        const message = `${rule.name}.${field.name} at byte ${at} is not valid UTF-8`;
        throw new FormatError("BAD_TEXT", message, { offset: at });
      }
    }
    if (rule.watched === "attribute" && field.number === ATTR_NAME) {
      this.#attributeStart = wire.pos;
      this.#attributeEnd = wire.pos + length;
    }
    wire.pos += length;
  }

  /** Check that all required fields are there. A message field that occurs twice is one message in parts (proto2's merging). */
  #complete(frames: readonly Frame[], depth: number): void {
    const frame = frames[depth], { rule } = frame;
    if (rule.watched === "attribute" && this.#settled < this.uses.length) this.#settleUses();
    const missing = rule.required & ~frame.seen;
    if (missing === 0 || this.#isCompleteWhenMerged(frames, depth)) return;
    const field = rule.fields.find((f) => f && (f.required & missing) !== 0)!;
    const offset = this.#partAt ?? frame.start;
    throw new FormatError("BAD_FIELD", `The ${rule.name} at byte ${offset} has no ${field.name}`, {
      offset,
      at: `${rule.name}.${field.name}`,
    });
  }

  #settleUses(): void {
    const name = textFromUtf8(this.#wire.bytes, this.#attributeStart, this.#attributeEnd) ?? "";
    while (this.#settled < this.uses.length) this.uses[this.#settled++].runs = runsBlock(name);
  }

  /** Whether the message at `depth` has all required fields once every enclosing message that occurs several times is merged. */
  #isCompleteWhenMerged(frames: readonly Frame[], depth: number): boolean {
    let whole: { above: Frame; field: FieldRule; parts: [number, number][] } | null = null;
    for (let inner = depth; inner > 0; inner--) {
      const { field } = frames[inner], above = frames[inner - 1];
      // List members are never merged with each other, nor are messages inside different members.
      if (!field || field.isList) break;
      if ((above.merged & (1 << field.number)) !== 0) return true;
      const parts = this.#wire.payloadsOf(field.number, above.start, above.end);
      if (parts.length > 1) whole = { above, field, parts };
    }
    if (!whole) return false;
    const { above, field, parts } = whole;
    above.merged |= 1 << field.number;
    const merged = joinBytes(parts.map(([from, to]) => this.#wire.bytes.subarray(from, to)));
    // Known messages nest only a few levels, so this recursion is shallow.
    const checker = new Checker(merged, this.#budget, this.#partAt ?? frames[depth].start);
    atOnce(checker.message(field.message!, 0, merged.length));
    return true;
  }
}

/** Whether an operator runs the blocks in an attribute of this name: `sub_block`, `optimize_blocks`, ... */
export function runsBlock(attribute: string): boolean {
  return attribute.endsWith("block") || attribute.endsWith("blocks");
}

function textIsBroken(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (bytes[i] >= 0x80) return !isUtf8(bytes, start, end);
  }
  return false;
}

/** Strict UTF-8: unlike a pickle's strings, without surrogates. */
function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  const text = textFromUtf8(bytes, start, end);
  return text !== null && text.isWellFormed();
}
