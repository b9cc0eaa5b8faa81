/**
 * A PIR module: a program as Paddle 3 writes it to `.json` (FORMATS.md 10.3).
 *
 * @module
 */
import { byCodePoint } from "../../words/code_point_order.ts";
import { FormatError, quote, SourceError, ValueError } from "../../errors.ts";
import { Budget, DEFAULT_LIMITS, type Limits, UNLIMITED } from "../../limits.ts";
import { type Block, checkNewName, type Port, Program, type ProgramVariable } from "../../program.ts";
import { atOnce, StepPace } from "../../words/steps.ts";
import { type Json, JsonObject } from "../json/json.ts";
import { readJsonInSteps } from "../json/read_json.ts";
import { writeJsonInSteps } from "../json/write_json.ts";
import { PARAMETER } from "./dialects.ts";
import { asInt, asList, asObject, At, badField } from "./fields.ts";
import { PirOp, type PirValue, readValue } from "./pir_op.ts";

/** The parent path of the module's top-level fields. */
const ROOT = null;

/** Weight of one operator when pacing steps. */
const OP_WEIGHT = 16;

/** A block of a module. Its values are its variables. */
export class PirBlock implements Block {
  readonly idx: number;
  readonly parentIdx: number;
  /** Arguments of the block. */
  readonly args: readonly PirValue[];
  readonly ops: readonly PirOp[];

  constructor(idx: number, parentIdx: number, args: readonly PirValue[], ops: readonly PirOp[]) {
    this.idx = idx;
    this.parentIdx = parentIdx;
    this.args = args;
    this.ops = ops;
  }

  get vars(): ProgramVariable[] {
    return variablesOf(this.args, this.ops);
  }
}

/** A program in Paddle's JSON form. */
export class PirProgram extends Program {
  readonly form = "json";
  readonly #json: JsonObject;
  #raw: Uint8Array | null;
  #isReadable: boolean;
  /** How often it was changed. */
  #changes = 0;
  #blocks: PirBlock[] | null = null;
  /** Operators by their JSON; discarded together with the blocks. */
  #byJson: Map<Json, PirOp> | null = null;
  /** Variables by name; discarded on changes. */
  #byName: Map<string, ProgramVariable> | null = null;

  private constructor(json: JsonObject, raw: Uint8Array | null, isReadable: boolean) {
    super();
    this.#json = json;
    this.#raw = raw;
    this.#isReadable = isReadable;
  }

  /**
   * Parse the module in `bytes`.
   *
   * @throws {FormatError} the bytes are not a valid module; `offset` or `at` says where
   * @throws {LimitError} `LIMIT`
   */
  static parse(bytes: Uint8Array, limits: Readonly<Limits> = DEFAULT_LIMITS): PirProgram {
    return atOnce(PirProgram.parseInSteps(bytes, limits));
  }

  /** {@linkcode PirProgram.parse} in steps, between which other work may run. */
  static *parseInSteps(bytes: Uint8Array, limits: Readonly<Limits>): Generator<void, PirProgram> {
    const json = yield* readJsonInSteps(bytes, limits);
    if (!(json instanceof JsonObject) || !(json.get("base_code") instanceof JsonObject)) {
      throw new FormatError("WRONG_FORMAT", "This JSON is not a Paddle program: it has no base_code", { offset: 0 });
    }
    const magic = (json.get("base_code") as JsonObject).get("magic");
    if (magic !== "pir") {
      throw new FormatError("WRONG_FORMAT", 'This JSON is no program of Paddle\'s: its magic is not "pir"', {
        offset: 0,
      });
    }
    const program = new PirProgram(json, bytes, bytes[1] === 0x0a || bytes[1] === 0x20);
    yield* program.#check(limits);
    return program;
  }

  /** Check everything once, so that a damaged module is refused up front. */
  *#check(limits: Readonly<Limits>): Generator<void, void> {
    if (this.version < 0) throw badField(new At(ROOT, "base_code/version"), `is ${this.version}`);
    const budget = new Budget(limits);
    const blocks = this.#blocks = yield* this.#readBlocks();
    budget.check("maxBlocks", blocks.length, 0);
    const ops = this.ops();
    budget.check("maxOps", ops.length, 0);
    budget.check("maxVars", (yield* this.#namedParameters(ops)).size, 0);
    yield* checkShared(ops);
  }

  get version(): number {
    return asInt(this.#baseCode.get("version"), ROOT, "base_code/version");
  }

  /** Whether the operators have the flags that training needs: which values are persistable, and where gradients stop. */
  get trainable(): boolean {
    return this.#baseCode.get("trainable") === true;
  }

  /** Remove what only training needs, as Paddle's `trainable=False` does, in steps between which other work may run. */
  *dropTrainingInSteps(): Generator<void, void> {
    const pace = new StepPace();
    for (const op of this.ops()) {
      if (pace.isDue(1)) yield;
      op.dropResultAttributes();
    }
    this.#baseCode.set("trainable", false);
    this.#changed();
  }

  /** Whether the JSON is formatted with line breaks and an indent of four spaces. */
  get isReadable(): boolean {
    return this.#isReadable;
  }

  set isReadable(isReadable: boolean) {
    if (isReadable !== this.#isReadable) this.#changed();
    this.#isReadable = isReadable;
  }

  get #baseCode(): JsonObject {
    return asObject(this.#json.get("base_code"), ROOT, "base_code");
  }

  get blocks(): readonly PirBlock[] {
    return this.#blocks ??= atOnce(this.#readBlocks());
  }

  /** Blocks in breadth-first order: those inside operators come after the enclosing block. */
  *#readBlocks(): Generator<void, PirBlock[]> {
    const regions = this.#regions;
    const at = new At(ROOT, "program/regions");
    if (regions.length !== 1) throw badField(at, `has ${regions.length} entries, not one`);
    const blocks: PirBlock[] = [];
    const waiting = blocksOf(regions, new At(ROOT, "program"), -1);
    if (waiting.length !== 1) throw badField(new At(at, "0/blocks"), `has ${waiting.length} entries, not one`);
    const pace = new StepPace(), onChange = () => this.#changed();
    for (const { json, parentIdx, at } of waiting) {
      const idx = blocks.length;
      const args = asList(json.get("args") ?? [], at, "args").map((value, i) => {
        return readValue(asObject(value, at, "args", i), new At(at, "args", i));
      });
      const ops: PirOp[] = [];
      for (const item of asList(json.get("ops"), at, "ops")) {
        if (pace.isDue(OP_WEIGHT)) yield;
        const opAt = new At(at, "ops", ops.length);
        const op = new PirOp(asObject(item, opAt), opAt, onChange);
        ops.push(op);
        const inside = asList(op.json.get("regions") ?? [], opAt, "regions");
        for (const block of blocksOf(inside, opAt, idx)) waiting.push(block);
      }
      blocks.push(new PirBlock(idx, parentIdx, args, ops));
    }
    return blocks;
  }

  override ops(): PirOp[] {
    return this.blocks.flatMap((block) => block.ops);
  }

  /** Layers that share a parameter each have an operator for it, with the same name; the parameter file contains it once. */
  parameters(): ProgramVariable[] {
    return [...atOnce(this.#namedParameters(this.ops())).values()].sort((a, b) => byCodePoint(a.name, b.name));
  }

  variable(name: string): ProgramVariable | undefined {
    // Reversed: of several variables of one name, the first counts.
    return (this.#byName ??= new Map(this.vars().reverse().map((variable) => [variable.name, variable]))).get(name);
  }

  /** The values that a parameter file contains (FORMATS.md 10.4), by name. */
  *#namedParameters(ops: readonly PirOp[]): Generator<void, Map<string, ProgramVariable>> {
    const found = new Map<string, ProgramVariable>();
    const pace = new StepPace();
    for (const op of ops) {
      if (pace.isDue(OP_WEIGHT)) yield;
      if (!isSaved(op)) continue;
      const name = op.name!;
      const variable = variableOf(op.results[0], op, 0), other = found.get(name);
      if (other && !isAlike(variable, other)) {
        throw new ValueError("NAME_COLLISION", `Two parameters of different kinds have the name ${quote(name)}`, {
          at: name,
          names: [name],
        });
      }
      if (!other) found.set(name, variable);
    }
    return found;
  }

  feeds(): Port[] {
    const { ops } = this.blocks[0];
    // In an exported model, a persistable input is fed like any other; in a training program, it is one of the optimizer's variables.
    const isExported = ops.some((op) => op.type === "pd_op.fetch");
    const fed = ops.filter((op) => ["pd_op.data", "pd_op.feed"].includes(op.type) && (isExported || !op.persistable));
    return fed.map((op) => portOf(op.name ?? "", op.results[0]));
  }

  fetches(): Port[] {
    const ops = this.blocks[0].ops.filter((op) => op.type === "pd_op.fetch");
    const column = (op: PirOp) => {
      const value = op.attributes.get("col");
      return typeof value === "number" || typeof value === "bigint" ? Number(value) : 0;
    };
    return ops.sort((a, b) => column(a) - column(b)).map((op) => portOf(op.name ?? "", op.results[0]));
  }

  rename(from: string, to: string): void {
    checkNewName(to);
    const named = this.ops().filter((op) => op.name === from);
    if (named.length === 0) {
      throw new SourceError("NOT_FOUND", `The program has no variable ${quote(from)}`, { at: from });
    }
    if (from === to) return;
    if (this.ops().some((op) => op.name === to)) {
      throw new ValueError("NAME_COLLISION", `The program already has a variable ${quote(to)}`, {
        at: to,
        names: [from, to],
      });
    }
    for (const op of named) op.name = to;
  }

  /** Keep only the wanted operators of each block. */
  filterOps(isWanted: (op: PirOp) => boolean): void {
    atOnce(this.filterOpsInSteps(isWanted));
  }

  /** {@linkcode PirProgram.filterOps} in steps, between which other work may run. */
  *filterOpsInSteps(isWanted: (op: PirOp) => boolean): Generator<void, void> {
    const pace = new StepPace(), wanted = new Set<Json>();
    for (const op of this.ops()) {
      if (pace.isDue(OP_WEIGHT)) yield;
      if (isWanted(op)) wanted.add(op.json);
    }
    for (const block of this.#blockObjects()) {
      const kept: Json[] = [];
      for (const op of asList(block.get("ops"), ROOT, "ops")) {
        if (pace.isDue(1)) yield;
        if (wanted.has(op)) kept.push(op);
      }
      block.set("ops", kept);
    }
    this.#blocks = this.#byJson = null;
    this.#changed();
  }

  /** Remove a parameter, but not an input or output of that name. */
  deleteParameter(name: string): void {
    this.filterOps((op) => !isSaved(op) || op.name !== name);
  }

  /** The operators in an operator's regions, at any depth. */
  inside(op: PirOp): PirOp[] {
    const regions = asList(op.json.get("regions") ?? [], ROOT, "regions");
    if (regions.length === 0) return [];
    const ops = this.#byJson ??= new Map(this.ops().map((other) => [other.json, other]));
    return blocksIn(regions).flatMap((block) => asList(block.get("ops"), ROOT, "ops").map((json) => ops.get(json)!));
  }

  /** Append operators to block 0. */
  append(ops: readonly JsonObject[]): void {
    const [main] = this.#blockObjects();
    main.set("ops", [...asList(main.get("ops"), ROOT, "ops"), ...ops]);
    this.#blocks = this.#byJson = null;
    this.#changed();
  }

  get #regions(): Json[] {
    return asList(asObject(this.#json.get("program"), ROOT, "program").get("regions"), ROOT, "program/regions");
  }

  #blockObjects(): JsonObject[] {
    return blocksIn(this.#regions);
  }

  clone(): PirProgram {
    return atOnce(this.cloneInSteps());
  }

  /** {@linkcode PirProgram.clone} in steps, between which other work may run. */
  *cloneInSteps(): Generator<void, PirProgram> {
    const bytes = yield* this.serializeInSteps();
    // It passed the limits once, so it need not again.
    const json = yield* readJsonInSteps(bytes, UNLIMITED);
    return new PirProgram(json as JsonObject, bytes, this.#isReadable);
  }

  /** {@linkcode PirProgram.blocks}, read in steps if they are not yet. */
  *blocksInSteps(): Generator<void, readonly PirBlock[]> {
    return this.#blocks ??= yield* this.#readBlocks();
  }

  serialize(): Uint8Array {
    return atOnce(this.serializeInSteps());
  }

  /**
   * {@linkcode PirProgram.serialize} in steps, between which other work may run.
   *
   * @throws {SourceError} `SOURCE_CHANGED`: the program was changed between two steps
   */
  *serializeInSteps(): Generator<void, Uint8Array> {
    if (this.#raw) return this.#raw.slice();
    const changes = this.#changes, steps = writeJsonInSteps(this.#json, { indent: this.#isReadable ? 4 : 0 });
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      yield;
      if (this.#changes !== changes) throw changedWhileSaved();
    }
  }

  #changed(): void {
    this.#raw = this.#byName = null;
    this.#changes++;
  }
}

/** The error of a program that was changed between two steps of its encoding. */
export function changedWhileSaved(): SourceError {
  return new SourceError("SOURCE_CHANGED", "The program was changed while it was being saved");
}

/**
 * Check that of several operators for the same parameter at least one is read, as when layers share the parameter. Paddle 3.0 keeps those of
 * layers that it prunes.
 */
function* checkShared(ops: readonly PirOp[]): Generator<void, void> {
  const saved = ops.filter(isSaved);
  const times = new Map<string, number>();
  for (const op of saved) times.set(op.name!, (times.get(op.name!) ?? 0) + 1);
  if (times.size === saved.length) return;
  const pace = new StepPace(), ids = new Set<number>();
  for (const op of ops) {
    if (pace.isDue(OP_WEIGHT)) yield;
    for (const id of op.operands) ids.add(id);
  }
  const read = new Set(saved.filter((op) => ids.has(op.results[0].id)).map((op) => op.name));
  for (const [name, count] of times) {
    if (count === 1 || read.has(name)) continue;
    throw new ValueError("NAME_COLLISION", `Two parameters have the name ${quote(name)}, and neither is read`, {
      at: name,
      names: [name],
    });
  }
}

function isSaved(op: PirOp): boolean {
  return (op.type === PARAMETER || op.type === "pd_op.data") && op.results.length > 0 && op.name !== undefined &&
    op.persistable;
}

/** A block yet to be read. */
interface WaitingBlock {
  readonly json: JsonObject;
  readonly parentIdx: number;
  readonly at: At;
}

/** The blocks in the regions of the object at `at`. */
function blocksOf(regions: readonly Json[], at: At, parentIdx: number): WaitingBlock[] {
  return regions.flatMap((region, k) => {
    const regionAt = new At(at, "regions", k);
    return asList(asObject(region, regionAt).get("blocks"), regionAt, "blocks").map((json, i) => {
      return { json: asObject(json, regionAt, "blocks", i), parentIdx, at: new At(regionAt, "blocks", i) };
    });
  });
}

/** The blocks of regions, including nested ones. */
function blocksIn(regions: readonly Json[]): JsonObject[] {
  const found: JsonObject[] = [];
  const waiting: Json[] = [...regions];
  for (let region = waiting.pop(); region !== undefined; region = waiting.pop()) {
    for (const item of asList(asObject(region, ROOT, "region").get("blocks"), ROOT, "blocks")) {
      const block = asObject(item, ROOT, "block");
      found.push(block);
      for (const op of asList(block.get("ops"), ROOT, "ops")) {
        for (const region of asList(asObject(op, ROOT, "op").get("regions") ?? [], ROOT, "regions")) {
          waiting.push(region);
        }
      }
    }
  }
  return found;
}

function variablesOf(args: readonly PirValue[], ops: readonly PirOp[]): ProgramVariable[] {
  const variables = args.map((value) => variableOf(value, null, 0));
  for (const op of ops) op.results.forEach((value, i) => variables.push(variableOf(value, op, i)));
  return variables;
}

function variableOf({ id, type }: PirValue, op: PirOp | null, i: number): ProgramVariable {
  const name = i === 0 ? op?.name : undefined;
  return {
    id: `%${id}`,
    name: name ?? `%${id}`,
    ...type,
    persistable: op?.persistableAt(i) ?? false,
    isParameter: op?.type === PARAMETER,
    stopGradient: op?.stopGradientAt(i),
  };
}

function isAlike(a: ProgramVariable, b: ProgramVariable): boolean {
  return a.kind === b.kind && a.dtype === b.dtype && String(a.shape) === String(b.shape);
}

function portOf(name: string, value: PirValue | undefined): Port {
  return { name, dtype: value?.type.dtype ?? null, shape: value?.type.shape ?? null };
}
