/**
 * Prepares a PIR module for inference: pruned to what its outputs need, with fetch operators (FORMATS.md 9.3).
 *
 * @module
 */
import { fetchOp } from "../codec/pir/fetch_op.ts";
import type { PirOp } from "../codec/pir/pir_op.ts";
import type { PirProgram } from "../codec/pir/pir_program.ts";
import { quote, SourceError, ValueError } from "../errors.ts";
import type { NormalizeOptions } from "./normalize_program.ts";

/**
 * A new module with the inputs `feeds` and the outputs `fetches`. An output is given by the name of its `fetch` operator, or by the name or
 * id (`%12`) of a value.
 */
export function normalizePir(
  program: PirProgram,
  feeds: readonly string[],
  fetches: readonly string[],
  { skipPruneProgram = false }: NormalizeOptions,
): PirProgram {
  const made = program.clone();
  const outputs = fetches.map((name) => ({ name, id: valueOf(made, name) }));
  // A persistable input is only fed if the caller lists it; otherwise its value is among the parameters.
  const inputs = made.blocks[0].ops.filter(isInput).map((op) => op.name!);
  for (const name of feeds) {
    if (!inputs.includes(name)) {
      throw new SourceError("NOT_FOUND", `The program has no input ${quote(name)}`, { at: name });
    }
  }
  const needed = neededOps(made, outputs.map(({ id }) => id));
  if (!skipPruneProgram) checkFeeds(feeds, needed);
  const kept = new Set(needed.map((op) => op.json));
  const inner = new Set(made.blocks.slice(1).flatMap((block) => block.ops).map((op) => op.json));
  made.filterOps((op) => {
    if (op.type === "pd_op.fetch") return inner.has(op.json);
    return skipPruneProgram || kept.has(op.json) || inner.has(op.json);
  });
  for (const op of made.ops()) if (op.attributes.get("is_test") === false) op.setAttribute("is_test", true);
  outputs.forEach(({ name, id }, column) =>
    made.append(fetchOp(made, name.startsWith("%") ? `fetch_name_${column}` : name, id, column))
  );
  return made;
}

/** Check that the inputs the caller lists are just those that the outputs need. */
function checkFeeds(feeds: readonly string[], needed: readonly PirOp[]): void {
  const unused = feeds.filter((name) => !needed.some((op) => op.name === name && isInput(op)));
  const others = needed.filter((op) => isInput(op) && !op.persistable && !feeds.includes(op.name!));
  if (unused.length > 0) {
    throw new ValueError("INVALID_VALUE", `No output needs the inputs ${unused.map(quote).join(", ")}`, {
      names: unused,
    });
  }
  if (others.length > 0) {
    const names = others.map((op) => op.name!);
    throw new ValueError("INVALID_VALUE", `The outputs need other inputs as well: ${names.map(quote).join(", ")}`, {
      names,
    });
  }
}

function isInput(op: PirOp): boolean {
  return op.type === "pd_op.data" || op.type === "pd_op.feed";
}

/** The id of the value that `name` refers to. */
function valueOf(program: PirProgram, name: string): number {
  const [main] = program.blocks;
  const fetched = main.ops.find((op) => op.type === "pd_op.fetch" && op.name === name);
  if (fetched) return fetched.operands[0];
  const maker = main.ops.find((op) => op.name === name || op.results.some(({ id }) => `%${id}` === name));
  if (!maker) throw new SourceError("NOT_FOUND", `The program has no value ${quote(name)}`, { at: name });
  return maker.name === name ? maker.results[0].id : Number(name.slice(1));
}

/** The operators of block 0 that produce these values, and those that these depend on, including through their regions. */
function neededOps(program: PirProgram, targets: readonly number[]): PirOp[] {
  const makers = new Map<number, PirOp>(), writers = new Map<number, PirOp[]>();
  for (const op of program.blocks[0].ops) {
    for (const { id } of op.results) makers.set(id, op);
    for (const id of writtenBy(program, op)) {
      const others = writers.get(id);
      if (others) others.push(op);
      else writers.set(id, [op]);
    }
  }
  const needed = new Set<PirOp>();
  const waiting = [...targets];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const maker = makers.get(id);
    if (!maker) continue;
    // The optimizer updates parameters and its own state in place: outputs do not depend on that.
    const changed = maker.persistable && maker.name !== undefined ? [] : writers.get(id) ?? [];
    for (const op of [maker, ...changed]) {
      if (needed.has(op)) continue;
      needed.add(op);
      for (const { operands } of [op, ...program.inside(op)]) for (const read of operands) waiting.push(read);
    }
  }
  return [...needed];
}

/** Ids of values that an operator, or one in its regions, modifies in place, such as a tensor array that it appends to. */
function writtenBy(program: PirProgram, op: PirOp): number[] {
  return [op, ...program.inside(op)].filter(({ type }) => type.endsWith("_")).flatMap(({ type, operands }) => {
    // batch_norm_ updates the statistics, which are persistable.
    if (type.endsWith("batch_norm_")) return [];
    return operands.slice(...(type === "pd_op.assign_out_" ? [1, 2] : [0, 1]));
  });
}
