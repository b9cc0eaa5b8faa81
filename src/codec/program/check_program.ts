/**
 * Walks a program once, without recursion, and proves that it is well formed before anything is decoded: hardening H-PB-1 to H-PB-5.
 * What comes back is an index: where each block's variables and operators lie.
 *
 * @module
 */
import { FormatError } from "../../errors.ts";
import { Budget, type Limits, PRICES } from "../../limits.ts";
import { textFromUtf8 } from "../pickle/text.ts";
import { checkBlockGraph } from "./check_blocks.ts";
import { type FieldRule, type MessageRule, PROGRAM } from "./schema.ts";
import { Wire } from "./wire.ts";

/** Where the parts of one block lie, as pairs of start and end in the file. */
export interface BlockIndex {
  /** Behind the block's length. */
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
  /** By the attribute's name the operator runs the block, and does not just mention it. */
  runs: boolean;
}

/** A message that is being read. */
interface Frame {
  readonly rule: MessageRule;
  /** Where its content begins and ends. */
  readonly start: number;
  readonly end: number;
  /** Its field in the message around it. */
  readonly field: FieldRule | null;
  seen: number;
  /** Bits, by number, of fields whose occurrences were merged and are complete. */
  merged: number;
}

/** The index of the program in `bytes`, which begin at byte 0 of the file. */
export function checkProgram(bytes: Uint8Array, limits: Readonly<Limits>): BlockIndex[] {
  if (bytes.length === 0) throw new FormatError("EMPTY", "The program has no bytes", { offset: 0 });
  const budget = new Budget(limits);
  budget.check("maxProgramBytes", bytes.length, 0);
  const checker = new Checker(bytes, budget);
  checker.message(PROGRAM, 0, bytes.length);
  checkBlockGraph(checker.blocks, checker.uses);
  return checker.blocks;
}

class Checker {
  readonly blocks: BlockIndex[] = [];
  readonly uses: BlockUse[] = [];
  readonly #wire: Wire;
  readonly #budget: Budget;
  #ops = 0;
  #vars = 0;
  /** Where the name of the attribute lies that is being read. */
  #attribute: [number, number] = [0, 0];
  /** How many uses belong to attributes that are complete. */
  #settled = 0;

  constructor(bytes: Uint8Array, budget: Budget) {
    this.#wire = new Wire(bytes);
    this.#budget = budget;
  }

  /** Check the message at `[start, end)` and all that is in it. */
  message(rule: MessageRule, start: number, end: number): void {
    const wire = this.#wire;
    const { maxProtoDepth } = this.#budget.limits;
    const frames: Frame[] = [];
    let frame: Frame = { rule, start, end, field: null, seen: 0, merged: 0 };
    wire.pos = start;
    for (;;) {
      if (wire.pos >= frame.end) {
        this.#complete(frame, frames[frames.length - 1]);
        const above = frames.pop();
        if (!above) return;
        frame = above;
        continue;
      }
      const at = wire.pos;
      const tag = wire.tag(frame.end);
      const number = tag >>> 3, kind = tag & 7;
      const field = frame.rule.fields[number];
      if (!field) {
        wire.skip(kind, number, at, frame.end, maxProtoDepth - frames.length, this.#budget);
        continue;
      }
      frame.seen |= field.required;
      if (kind === 2 && (field.wire === 2 || field.packable)) {
        const length = wire.length(at, frame.end);
        if (field.message) {
          if (frames.length + 2 > maxProtoDepth) this.#budget.exceed("maxProtoDepth", frames.length + 2, at);
          this.#enter(frame, number, wire.pos, wire.pos + length, at);
          frames.push(frame);
          frame = { rule: field.message, start: wire.pos, end: wire.pos + length, field, seen: 0, merged: 0 };
        } else if (field.packable) this.#packed(frame, field, wire.pos + length, at);
        else this.#text(frame, field, length, at);
      } else if (kind !== field.wire || kind === 2) {
        const message = `Field ${frame.rule.name}.${field.name} at byte ${at} has wire type ${kind}`;
        throw new FormatError("BAD_WIRE", message, { offset: at });
      } else if (kind === 0) this.#number(frame, number, wire.varint(at, frame.end), at);
      else wire.advance(kind === 1 ? 8 : 4, at, frame.end);
    }
  }

  /** A message in a message begins. */
  #enter({ rule }: Frame, number: number, start: number, end: number, at: number): void {
    if (rule === PROGRAM && number === 1) {
      this.#budget.check("maxBlocks", this.blocks.length + 1, at);
      this.#budget.charge(PRICES.dict, at);
      this.blocks.push({ start, end, idx: 0, parentIdx: 0, forwardBlockIdx: -1, vars: [], ops: [] });
    } else if (rule.name === "BlockDesc" && this.blocks.length > 0) {
      this.#budget.charge(2 * PRICES.slot, at);
      const block = this.blocks[this.blocks.length - 1];
      if (number === 3) {
        this.#budget.check("maxVars", ++this.#vars, at);
        block.vars.push(start, end);
      } else if (number === 4) {
        this.#budget.check("maxOps", ++this.#ops, at);
        block.ops.push(start, end);
      }
    }
  }

  /** A varint whose value matters: block numbers and axes. */
  #number({ rule }: Frame, field: number, value: number, at: number): void {
    if (rule.name === "BlockDesc") {
      const block = this.blocks[this.blocks.length - 1];
      if (field === 1) block.idx = value | 0;
      else if (field === 2) block.parentIdx = value | 0;
      else if (field === 5) block.forwardBlockIdx = value | 0;
    } else if (rule.name === "VarType.TensorDesc" && field === 2) this.#dim(at);
    else if (rule.name === "OpDesc.Attr" && (field === 12 || field === 14)) {
      this.#budget.charge(PRICES.entry, at);
      this.uses.push({ from: this.blocks.length - 1, to: value | 0, at, runs: false });
    }
  }

  #dim(at: number): void {
    const { lastIsNegative, lastIsMinusOne } = this.#wire;
    if (lastIsNegative && !lastIsMinusOne) {
      throw new FormatError("BAD_SHAPE", `An axis at byte ${at} is negative, and not the -1 of an unknown one`, {
        offset: at,
      });
    }
  }

  #packed(frame: Frame, field: FieldRule, end: number, at: number): void {
    const wire = this.#wire;
    if (field.wire === 0) {
      const number = frame.rule.fields.indexOf(field);
      while (wire.pos < end) this.#number(frame, number, wire.varint(at, end), at);
    } else {
      const size = field.wire === 1 ? 8 : 4;
      if ((end - wire.pos) % size !== 0) {
        throw new FormatError("BAD_LENGTH", `The packed numbers at byte ${at} end inside one`, { offset: at });
      }
      wire.pos = end;
    }
  }

  #text({ rule }: Frame, field: FieldRule, length: number, at: number): void {
    const wire = this.#wire;
    if (field.isText) {
      this.#budget.check("maxNameBytes", length, at);
      if (textIsBroken(wire.bytes, wire.pos, wire.pos + length)) {
        const message = `${rule.name}.${field.name} at byte ${at} is no UTF-8 text`;
        throw new FormatError("BAD_TEXT", message, { offset: at });
      }
    }
    if (rule.name === "OpDesc.Attr" && field.name === "name") this.#attribute = [wire.pos, wire.pos + length];
    wire.pos += length;
  }

  /** All required fields are there. A message field that comes twice is one message, in parts (proto2's merging). */
  #complete(frame: Frame, above: Frame | undefined): void {
    const { rule } = frame;
    if (rule.name === "OpDesc.Attr" && this.#settled < this.uses.length) this.#settleUses();
    const missing = rule.required & ~frame.seen;
    if (missing === 0 || this.#isCompleteWhenMerged(frame, above)) return;
    const field = rule.fields.find((f) => f && (f.required & missing) !== 0)!;
    throw new FormatError("BAD_FIELD", `The ${rule.name} at byte ${frame.start} has no ${field.name}`, {
      offset: frame.start,
      at: `${rule.name}.${field.name}`,
    });
  }

  #settleUses(): void {
    const name = textFromUtf8(this.#wire.bytes, ...this.#attribute) ?? "";
    while (this.#settled < this.uses.length) this.uses[this.#settled++].runs = runsBlock(name);
  }

  #isCompleteWhenMerged(frame: Frame, above: Frame | undefined): boolean {
    if (!above || !frame.field || frame.field.isList) return false;
    const number = above.rule.fields.indexOf(frame.field), bit = 1 << number;
    if ((above.merged & bit) !== 0) return true;
    const parts = this.#wire.payloadsOf(number, above.start, above.end);
    if (parts.length < 2) return false;
    above.merged |= bit;
    const whole = new Uint8Array(parts.reduce((n, [from, to]) => n + to - from, 0));
    let at = 0;
    for (const [from, to] of parts) {
      whole.set(this.#wire.bytes.subarray(from, to), at);
      at += to - from;
    }
    // Known messages are nested a handful of levels, so this cannot go deep.
    new Checker(whole, this.#budget).message(frame.rule, 0, whole.length);
    return true;
  }
}

/** Whether an operator runs the blocks that an attribute of this name has: `sub_block`, `optimize_blocks`, ... */
export function runsBlock(attribute: string): boolean {
  return attribute.endsWith("block") || attribute.endsWith("blocks");
}

function textIsBroken(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (bytes[i] >= 0x80) return !isUtf8(bytes, start, end);
  }
  return false;
}

/** Strict UTF-8: unlike a pickle's text it has no surrogates. */
function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  const text = textFromUtf8(bytes, start, end);
  return text !== null && text.isWellFormed();
}
