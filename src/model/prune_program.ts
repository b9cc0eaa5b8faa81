/**
 * Prunes a ProgramDesc to what its outputs need.
 *
 * @module
 */
import type { BlockDesc } from "../codec/program/block_desc.ts";
import type { OpDesc } from "../codec/program/op_desc.ts";
import type { ProgramDesc } from "../codec/program/program_desc.ts";

/** Bit of `op_role`: operators of the optimizer. */
export const OPTIMIZE = 2;

/**
 * Keep the operators that `targets` depend on, walking backwards and stopping at `feeds`; then the variables and blocks that these need.
 * Modifies `program`. Returns the names in `feeds` that nothing needs.
 *
 * As in Paddle's own prune, outputs do not depend on an optimizer's updates, even if they are computed after these, and a `pylayer` loses
 * the block with its backward pass.
 */
export function pruneProgram(program: ProgramDesc, feeds: readonly string[], targets: readonly string[]): string[] {
  const [main] = program.blocks;
  dropBackward(program);
  const fed = new Set(feeds), needed = new Set(targets), used = new Set<string>();
  const persistable = new Set(program.vars().filter((variable) => variable.persistable).map(({ name }) => name));
  const kept: OpDesc[] = [];
  for (let i = main.ops.length - 1; i >= 0; i--) {
    const op = main.ops[i];
    const reads = readsOf(program, op);
    // The producer of a fed variable is not needed, unless it also reads it, as a loop that updates an input does.
    const isNeeded = (name: string) =>
      needed.has(name) && (!fed.has(name) || reads.includes(name)) &&
      !(persistable.has(name) && (roleOf(op) & OPTIMIZE) !== 0);
    if (!namesOf(op.outputs).some(isNeeded)) continue;
    kept.push(op);
    for (const name of reads) {
      needed.add(name);
      used.add(name);
    }
  }
  main.ops = kept.reverse();
  dropBlocks(program);
  dropVariables(program, new Set([...feeds, ...targets]));
  return feeds.filter((name) => !used.has(name) && !targets.includes(name));
}

/** Bits that say to which part of training an operator belongs. */
export function roleOf(op: OpDesc): number {
  const role = op.attributes.get("op_role");
  return typeof role === "number" ? role : 0;
}

/** Remove the second of the blocks of each `pylayer`, which only its gradient runs. */
function dropBackward(program: ProgramDesc): void {
  for (const op of program.ops()) {
    if (op.type === "pylayer") op.setAttribute("blocks", op.blocks().slice(0, 1), "BLOCKS");
  }
}

function namesOf(slots: ReadonlyMap<string, readonly string[]>): string[] {
  return [...slots.values()].flat();
}

/** What an operator reads; of the blocks that it runs, also what they write. */
export function readsOf(program: ProgramDesc, op: OpDesc): string[] {
  const inside = blocksBelow(program, op).flatMap((block) => block.ops);
  return [
    ...namesOf(op.inputs),
    ...op.readsInAttributes(),
    ...inside.flatMap((inner) => [...namesOf(inner.inputs), ...namesOf(inner.outputs), ...inner.readsInAttributes()]),
  ];
}

/** The blocks that an operator runs, directly or indirectly. The checker has made sure that there are no cycles. */
function blocksBelow(program: ProgramDesc, op: OpDesc): BlockDesc[] {
  const found = new Set<BlockDesc>();
  const waiting = op.blocks();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const block = program.blocks[next];
    if (found.has(block)) continue;
    found.add(block);
    for (const inner of block.ops) for (const below of inner.blocks()) waiting.push(below);
  }
  return [...found];
}

/** Remove the blocks that no operator runs, and renumber the others. */
function dropBlocks(program: ProgramDesc): void {
  const [main] = program.blocks;
  const alive = new Set<BlockDesc>([main]);
  for (const op of main.ops) for (const block of blocksBelow(program, op)) alive.add(block);
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
function dropVariables(program: ProgramDesc, keep: ReadonlySet<string>): void {
  const named = new Set(keep);
  for (const op of program.ops()) {
    for (const name of [...namesOf(op.inputs), ...namesOf(op.outputs), ...op.namesInAttributes()]) named.add(name);
  }
  const [main] = program.blocks;
  main.vars = main.vars.filter((variable) => named.has(variable.name));
}
