/**
 * Block numbers refer to existing blocks and form no cycles (RULES.md PB-5).
 *
 * @module
 */
import { FormatError, ValueError } from "../../errors.ts";
import type { BlockIndex, BlockUse } from "./check_program.ts";

/** Check that, before any block number is followed. */
export function checkBlockGraph(blocks: readonly BlockIndex[], uses: readonly BlockUse[]): void {
  const n = blocks.length;
  if (n === 0) throw bad("The program has no block", 0);
  blocks.forEach(({ idx, parentIdx, forwardBlockIdx, start }, i) => {
    if (idx !== i) throw bad(`Block ${i} at byte ${start} says that it is block ${idx}`, start);
    if (parentIdx < -1 || parentIdx >= n || parentIdx === i || (i === 0) !== (parentIdx === -1)) {
      throw bad(`Block ${i} at byte ${start} has the parent ${parentIdx}`, start);
    }
    if (forwardBlockIdx < -1 || forwardBlockIdx >= n) {
      throw bad(`Block ${i} at byte ${start} has the forward block ${forwardBlockIdx}`, start);
    }
  });
  for (const { to, at } of uses) {
    if (to < 0 || to >= n) throw bad(`The attribute at byte ${at} names block ${to} of ${n}`, at);
  }
  checkChains(blocks, (block) => block.parentIdx);
  // The block in which a condition merges gradients or scales a loss is its own forward block.
  checkChains(blocks, ({ idx, forwardBlockIdx }) => forwardBlockIdx === idx ? -1 : forwardBlockIdx);
  checkUses(n, uses.filter((use) => use.runs));
}

/** Check that following `next` from any block ends at -1. */
function checkChains(blocks: readonly BlockIndex[], next: (block: BlockIndex) => number): void {
  const state = new Uint8Array(blocks.length);
  for (let i = 0; i < blocks.length; i++) {
    let at = i;
    for (; at >= 0 && state[at] === 0; at = next(blocks[at])) state[at] = 1;
    if (at >= 0 && state[at] === 1) throw cycle(blocks[at].start);
    for (at = i; at >= 0 && state[at] === 1; at = next(blocks[at])) state[at] = 2;
  }
}

/** Check that no block runs itself, directly or by way of others (Kahn's algorithm). */
function checkUses(n: number, uses: readonly BlockUse[]): void {
  const outgoing: BlockUse[][] = Array.from({ length: n }, () => []);
  const incoming = new Uint32Array(n);
  for (const use of uses) {
    outgoing[use.from].push(use);
    incoming[use.to]++;
  }
  const free: number[] = [];
  incoming.forEach((count, block) => count === 0 && free.push(block));
  let done = 0;
  while (free.length > 0) {
    done++;
    for (const { to } of outgoing[free.pop()!]) if (--incoming[to] === 0) free.push(to);
  }
  if (done < n) throw cycle(uses.find(({ to }) => incoming[to] > 0)!.at);
}

function bad(message: string, offset: number): FormatError {
  return new FormatError("BAD_FIELD", message, { offset });
}

function cycle(offset: number): ValueError {
  return new ValueError("CYCLE", `Blocks of the program contain each other (byte ${offset})`, { offset });
}
