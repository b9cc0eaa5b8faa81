/**
 * Prunes a ProgramDesc to what its outputs need.
 *
 * @module
 */
import type { BlockDesc } from "../codec/program/block_desc.ts";
import type { OpDesc } from "../codec/program/op_desc.ts";
import type { ProgramDesc } from "../codec/program/program_desc.ts";
import { StepPace } from "../words/steps.ts";

/** Weight of one operator when pacing steps: its attributes are decoded. */
export const OP_WEIGHT = 64;

/** Bit of `op_role`: operators of the optimizer. */
export const OPTIMIZE = 2;

/**
 * Keep the operators that `targets` depend on, walking backwards and stopping at `feeds`; then the variables and blocks that these need.
 * Modifies `program`. Returns the names in `feeds` that nothing needs.
 *
 * As in Paddle's own prune, outputs do not depend on an optimizer's updates, even if they are computed after these. The blocks that are
 * kept are kept whole: Paddle 2.6 also removes operators inside a `recurrent` block that compute what nothing reads. It is done in steps,
 * between which other work may run.
 */
export function* pruneProgramInSteps(
  program: ProgramDesc,
  feeds: readonly string[],
  targets: readonly string[],
): Generator<void, string[]> {
  const [main] = program.blocks, pace = new StepPace();
  const fed = new Set(feeds), needed = new Set(targets), used = new Set<string>();
  const persistable = new Set<string>();
  for (const variable of program.vars()) {
    if (pace.isDue(OP_WEIGHT)) yield;
    if (variable.persistable) persistable.add(variable.name);
  }
  const reads = readsOf(program);
  const kept: OpDesc[] = [];
  for (let i = main.ops.length - 1; i >= 0; i--) {
    if (pace.isDue(OP_WEIGHT)) yield;
    const op = main.ops[i];
    // The producer of a fed variable is not needed, unless it updates an input, as a loop does: it reads it, or does not always write it.
    let read: Set<string> | null = null;
    const updates = (name: string) => op.blocks().length > 0 || (read ??= new Set(directReadsOf(op))).has(name);
    const isNeeded = (name: string) =>
      needed.has(name) && (!fed.has(name) || updates(name)) &&
      !(persistable.has(name) && (roleOf(op) & OPTIMIZE) !== 0);
    if (!namesOf(op.outputs).some(isNeeded)) continue;
    kept.push(op);
    for (const name of reads(op)) {
      needed.add(name);
      used.add(name);
    }
  }
  main.ops = kept.reverse();
  dropBlocks(program, []);
  yield* dropVariables(program, new Set([...feeds, ...targets]));
  return feeds.filter((name) => !used.has(name) && !targets.includes(name));
}

/** Bits that say to which part of training an operator belongs. */
export function roleOf(op: OpDesc): number {
  const role = op.attribute("op_role");
  return typeof role === "number" ? role : 0;
}

/** Remove the second of the blocks of each `pylayer`, which only its gradient runs. Modifies `program`. */
export function dropBackward(program: ProgramDesc): void {
  const layers = program.ops().filter((op) => op.type === "pylayer" && op.blocks().length > 1);
  if (layers.length === 0) return;
  const run = new Set([program.blocks[0], ...blocksBelow(program, program.blocks[0].ops)]);
  for (const op of layers) op.setAttribute("blocks", op.blocks().slice(0, 1), "BLOCKS");
  dropBlocks(program, program.blocks.filter((block) => !run.has(block)));
}

function namesOf(slots: ReadonlyMap<string, readonly string[]>): string[] {
  return [...slots.values()].flat();
}

function directReadsOf(op: OpDesc): string[] {
  return [...namesOf(op.inputs), ...op.readsInAttributes()];
}

/**
 * A function that returns what an operator reads; of the blocks that it runs, also what they write, but not of those that it was given
 * before.
 */
export function readsOf(program: ProgramDesc): (op: OpDesc) => string[] {
  const known = new Set<BlockDesc>();
  return (op) => {
    const inside = blocksBelow(program, [op], known).flatMap((block) => block.ops);
    return [...directReadsOf(op), ...inside.flatMap((inner) => [...directReadsOf(inner), ...namesOf(inner.outputs)])];
  };
}

/**
 * The blocks that operators run, directly or indirectly, except those in `known`, to which they are added. The checker has made sure that
 * there are no cycles.
 */
function blocksBelow(program: ProgramDesc, ops: readonly OpDesc[], known = new Set<BlockDesc>()): BlockDesc[] {
  const found: BlockDesc[] = [];
  const waiting = [ops];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const op of next) {
      for (const number of op.blocks()) {
        const block = program.blocks[number];
        if (known.has(block)) continue;
        known.add(block);
        found.push(block);
        waiting.push(block.ops);
      }
    }
  }
  return found;
}

/** Remove the blocks that no operator runs, except those in `keep`, and renumber the others. */
function dropBlocks(program: ProgramDesc, keep: readonly BlockDesc[]): void {
  const [main] = program.blocks;
  const alive = new Set([main, ...keep, ...blocksBelow(program, main.ops)]);
  const numbers = new Map<number, number>([[-1, -1]]);
  const blocks = program.blocks.filter((block) => alive.has(block));
  blocks.forEach((block, i) => numbers.set(block.idx, i));
  if (blocks.length === program.blocks.length) return;
  for (const block of blocks) {
    block.idx = numbers.get(block.idx)!;
    block.parentIdx = numbers.get(block.parentIdx) ?? 0;
    block.forwardBlockIdx = numbers.get(block.forwardBlockIdx) ?? -1;
    for (const op of block.ops) op.renumberBlocks(numbers);
  }
  program.blocks = blocks;
}

/** Remove the variables of block 0 that no operator mentions; inner blocks are kept whole. */
function* dropVariables(program: ProgramDesc, keep: ReadonlySet<string>): Generator<void, void> {
  const named = new Set(keep), pace = new StepPace();
  for (const op of program.ops()) {
    if (pace.isDue(OP_WEIGHT)) yield;
    for (const name of [...namesOf(op.inputs), ...namesOf(op.outputs), ...op.namesInAttributes()]) named.add(name);
  }
  const [main] = program.blocks;
  main.vars = main.vars.filter((variable) => named.has(variable.name));
}
