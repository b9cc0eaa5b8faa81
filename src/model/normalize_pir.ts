/**
 * Prepares a PIR module for inference: pruned to what its outputs need, with fetch operators (FORMATS.md 9.3).
 *
 * @module
 */
import { type Fetched, fetchOpsInSteps } from "../codec/pir/fetch_op.ts";
import type { PirOp } from "../codec/pir/pir_op.ts";
import type { PirProgram } from "../codec/pir/pir_program.ts";
import { quote, quoteSome, SourceError, ValueError } from "../errors.ts";
import { StepPace } from "../words/steps.ts";
import type { NormalizeOptions } from "./normalize_program.ts";

/** How much an operator counts towards a step, relative to a member of a dict. */
const OP_WEIGHT = 4;

/**
 * A new module with the inputs `feeds` and the outputs `fetches`, made in steps between which other work may run. An output is given by the
 * name of its `fetch` operator, or by the name or id (`%12`) of a value.
 */
export function* normalizePirInSteps(
  program: PirProgram,
  feeds: readonly string[],
  fetches: readonly string[],
  { skipPruneProgram = false }: NormalizeOptions,
): Generator<void, PirProgram> {
  const made = yield* program.cloneInSteps();
  const [main, ...others] = yield* made.blocksInSteps();
  const outputs = yield* valuesOf(main.ops, fetches);
  // A persistable input is only fed if the caller lists it; otherwise its value is among the parameters.
  const inputs = new Set(main.ops.filter(isInput).map(nameOf));
  for (const name of feeds) {
    if (!inputs.has(name)) {
      throw new SourceError("NOT_FOUND", `The program has no input ${quote(name)}`, { at: name });
    }
  }
  const needed = yield* neededOps(made, outputs.map(({ id }) => id));
  if (!skipPruneProgram) checkFeeds(feeds, needed);
  const kept = new Set(needed.map((op) => op.json));
  yield;
  const inner = new Set(others.flatMap((block) => block.ops).map((op) => op.json));
  yield* made.filterOpsInSteps((op) => {
    if (op.type === "pd_op.fetch") return inner.has(op.json);
    return skipPruneProgram || kept.has(op.json) || inner.has(op.json);
  });
  const remaining = (yield* made.blocksInSteps()).flatMap((block) => block.ops);
  yield* setTestMode(remaining);
  made.append(yield* fetchOpsInSteps(remaining, outputs, made.trainable));
  yield* made.blocksInSteps();
  return made;
}

function* setTestMode(ops: readonly PirOp[]): Generator<void, void> {
  const pace = new StepPace();
  for (const op of ops) {
    if (pace.isDue(OP_WEIGHT)) yield;
    if (op.attributeType("is_test") === "a_bool" && op.attributes.get("is_test") === false) {
      op.setAttribute("is_test", true);
    }
  }
}

/** Check that the inputs the caller lists are just those that the outputs need. */
function checkFeeds(feeds: readonly string[], needed: readonly PirOp[]): void {
  const used = needed.filter(isInput), usedNames = new Set(used.map(nameOf)), listed = new Set(feeds);
  const unused = feeds.filter((name) => !usedNames.has(name));
  const others = used.filter((op) => !op.persistable && !listed.has(nameOf(op)));
  if (unused.length > 0) {
    throw new ValueError("INVALID_VALUE", `No output needs the inputs ${quoteSome(unused)}`, {
      names: unused,
    });
  }
  if (others.length > 0) {
    const names = others.map(nameOf);
    throw new ValueError("INVALID_VALUE", `The outputs need other inputs as well: ${quoteSome(names)}`, {
      names,
    });
  }
}

function isInput(op: PirOp): boolean {
  return op.type === "pd_op.data" || op.type === "pd_op.feed";
}

/** The name of an input, as {@linkcode PirProgram.feeds} has it. */
function nameOf(op: PirOp): string {
  return op.name ?? "";
}

/** The values that names refer to, and the names of the outputs. */
function* valuesOf(ops: readonly PirOp[], names: readonly string[]): Generator<void, Fetched[]> {
  const wanted = new Set(names), fetched = new Map<string, number>(), made = new Map<string, number>();
  const note = (values: Map<string, number>, name: string, id: number) => {
    if (wanted.has(name) && !values.has(name)) values.set(name, id);
  };
  const pace = new StepPace();
  for (const op of ops) {
    if (pace.isDue(OP_WEIGHT)) yield;
    if (op.type === "pd_op.fetch" && op.name !== undefined) note(fetched, op.name, op.operands[0]);
    if (op.name !== undefined && op.results.length > 0) note(made, op.name, op.results[0].id);
    for (const { id } of op.results) note(made, `%${id}`, id);
  }
  return names.map((name, column) => {
    const id = fetched.get(name) ?? made.get(name);
    if (id === undefined) throw new SourceError("NOT_FOUND", `The program has no value ${quote(name)}`, { at: name });
    return { name: name.startsWith("%") ? `fetch_name_${column}` : name, id };
  });
}

/**
 * The operators of block 0 that produce these values, and those that these depend on, including through their regions. An operator that
 * modifies a value in place, such as a tensor array that it appends to, is one of them if the value is used after it.
 */
function* neededOps(program: PirProgram, targets: readonly number[]): Generator<void, PirOp[]> {
  const { ops } = program.blocks[0], pace = new StepPace();
  const persistable = new Set<number>();
  // What an operator modifies in place is also its first result: both are known by the id that the value had at first.
  const firstIds = new Map<number, number>();
  const firstId = (id: number) => firstIds.get(id) ?? id;
  for (const op of ops) {
    if (pace.isDue(OP_WEIGHT)) yield;
    const [result] = op.results;
    if (result === undefined) continue;
    if (op.persistable && op.name !== undefined) persistable.add(result.id);
    const [written] = writtenBy(op);
    if (written !== undefined) firstIds.set(result.id, firstId(written));
  }
  const needed = new Set(targets), usedLater = new Set(targets.map(firstId));
  // The optimizer updates parameters and its own state in place: outputs do not depend on that.
  const isNeeded = (op: PirOp) =>
    op.results.some(({ id }) => needed.has(id)) ||
    [op, ...program.inside(op)].some((each) =>
      writtenBy(each).some((id) => {
        const first = firstId(id);
        return usedLater.has(first) && (ASSIGNS.has(each.type) || !persistable.has(first));
      })
    );
  const kept: PirOp[] = [];
  for (let i = ops.length - 1; i >= 0; i--) {
    if (pace.isDue(OP_WEIGHT)) yield;
    const op = ops[i];
    if (!isNeeded(op)) continue;
    kept.push(op);
    for (const { operands } of [op, ...program.inside(op)]) {
      for (const read of operands) {
        needed.add(read);
        usedLater.add(firstId(read));
      }
    }
  }
  return kept;
}

/** Operators that also a network, not only an optimizer, uses to change a variable. */
const ASSIGNS = new Set(["pd_op.assign_out_", "pd_op.assign_value_", "pd_op.full_", "pd_op.increment_"]);

/** Ids of values that an operator modifies in place. */
function writtenBy({ type, operands }: PirOp): number[] {
  // batch_norm_ updates the statistics, which are persistable.
  if (!type.endsWith("_") || type.endsWith("batch_norm_")) return [];
  return operands.slice(...(type === "pd_op.assign_out_" ? [1, 2] : [0, 1]));
}
