/**
 * A ProgramDesc: the content of `.pdmodel` and `__model__` files.
 *
 * @module
 */
import { byCodePoint } from "../../words/code_point_order.ts";
import { SourceError, ValueError } from "../../errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../../limits.ts";
import { checkNewName, type Port, Program, type ProgramVariable } from "../../program.ts";
import { atOnce } from "../../words/steps.ts";
import { BlockDesc } from "./block_desc.ts";
import { checkProgram } from "./check_program.ts";
import { makeMessage, type Messages, readMessage, writeMessage } from "./message.ts";
import { nameOf, utf8Of } from "./text.ts";
import type { OpDesc } from "./op_desc.ts";
import type { VarDesc } from "./var_desc.ts";
import { Wire } from "./wire.ts";
import { WireWriter } from "./wire_writer.ts";
import { PROGRAM_BLOCKS } from "./field_numbers.ts";

/** Everything in a program except its blocks. */
interface Head {
  version: Messages["Version"] | null;
  opVersionMap: Messages["ProgramDesc"]["opVersionMap"] | null;
  opCompatibleMap: Messages["ProgramDesc"]["opCompatibleMap"] | null;
  unknown: Uint8Array;
}

function versionOf(version: number): Messages["Version"] {
  return makeMessage("Version", { version: BigInt(version) });
}

/** A program in Paddle's protobuf form. */
export class ProgramDesc extends Program {
  readonly form = "pdmodel";
  /** The blocks; the list may be modified in place. */
  blocks: BlockDesc[];
  readonly #raw: Uint8Array | null;
  #head: Head;
  readonly #first: Head;

  private constructor(raw: Uint8Array | null, blocks: BlockDesc[], head: Head) {
    super();
    this.#raw = raw;
    this.blocks = blocks;
    this.#first = head;
    this.#head = { ...head };
  }

  /**
   * Parse the program in `bytes`, to which it keeps views.
   *
   * @throws {FormatError} the bytes are not a valid program; `offset` says where
   * @throws {LimitError} `LIMIT`
   */
  static parse(bytes: Uint8Array, limits: Readonly<Limits> = DEFAULT_LIMITS): ProgramDesc {
    return atOnce(ProgramDesc.parseInSteps(bytes, limits));
  }

  /** {@linkcode ProgramDesc.parse} in steps, between which other work may run. */
  static *parseInSteps(bytes: Uint8Array, limits: Readonly<Limits>): Generator<void, ProgramDesc> {
    const blocks = (yield* checkProgram(bytes, limits)).map((index) => BlockDesc.read(bytes, index));
    const wire = new Wire(bytes);
    const { version, opVersionMap, opCompatibleMap } = readMessage(
      "ProgramDesc",
      wire.fields((number) => number > PROGRAM_BLOCKS && number <= 5, 0, bytes.length),
    );
    return new ProgramDesc(bytes, blocks, {
      version: version ?? null,
      opVersionMap: opVersionMap ?? null,
      opCompatibleMap: opCompatibleMap ?? null,
      unknown: wire.fields((number) => number === 2 || number > 5, 0, bytes.length),
    });
  }

  /** A new program with one empty block, as that version of Paddle would write it. */
  static of(version: number): ProgramDesc {
    const unknown = new Uint8Array(0);
    return new ProgramDesc(null, [BlockDesc.of(0, -1)], {
      version: versionOf(version),
      opVersionMap: null,
      opCompatibleMap: null,
      unknown,
    });
  }

  get version(): number | null {
    const { version } = this.#head;
    return version && Number(version.version);
  }

  set version(version: number | null) {
    if (version !== this.version) this.#head.version = version === null ? null : versionOf(version);
  }

  /** Versions of the operators, as Paddle 2.0 and later write them; empty if the file has none. */
  get opVersions(): ReadonlyMap<string, number> {
    const pairs = this.#head.opVersionMap?.pair ?? [];
    return new Map(pairs.map(({ opName, opVersion }) => [nameOf(opName), opVersion!.version]));
  }

  set opVersions(versions: ReadonlyMap<string, number>) {
    const pair = [...versions].map(([name, version]) => {
      const opVersion = makeMessage("OpVersion", { version });
      return makeMessage("OpVersionMap.Pair", { opName: utf8Of(name), opVersion });
    });
    this.#head.opVersionMap = makeMessage("OpVersionMap", { pair });
  }

  /** Operators and the first version of Paddle compatible with them, as Paddle 1.6 to 1.8 write it. */
  get opCompatible(): ReadonlyMap<string, string> {
    const pairs = this.#head.opCompatibleMap?.pair ?? [];
    return new Map(pairs.map(({ opName, compatibleInfo }) => [nameOf(opName), nameOf(compatibleInfo!.version)]));
  }

  /** The first version of Paddle compatible with operators missing from {@linkcode opCompatible}; null if the file does not say. */
  get defaultRequiredVersion(): string | null {
    const bytes = this.#head.opCompatibleMap?.defaultRequiredVersion;
    return bytes ? nameOf(bytes) : null;
  }

  /** Remove the compatibility map of Paddle 1.6 to 1.8, which Paddle 2 no longer has. */
  dropCompatibleMap(): void {
    this.#head.opCompatibleMap = null;
  }

  override ops(): OpDesc[] {
    return this.blocks.flatMap((block) => block.ops);
  }

  override vars(): VarDesc[] {
    return this.blocks.flatMap((block) => block.vars);
  }

  variable(name: string): VarDesc | undefined {
    for (const block of this.blocks) {
      const found = block.variable(name);
      if (found) return found;
    }
    return undefined;
  }

  parameters(): VarDesc[] {
    const found = new Map<string, VarDesc>();
    for (const variable of this.vars()) {
      if (!isSaved(variable)) continue;
      const { name } = variable;
      if (!found.has(name)) found.set(name, variable);
      else if (!hasSameTensor(found.get(name)!, variable)) {
        throw new ValueError(
          "NAME_COLLISION",
          `Two blocks have the variable ${JSON.stringify(name)}, of different shapes`,
          {
            at: name,
            names: [name],
          },
        );
      }
    }
    return [...found].sort(([a], [b]) => byCodePoint(a, b)).map(([, variable]) => variable);
  }

  feeds(): Port[] {
    return this.#ports("feed", "outputs", "Out");
  }

  fetches(): Port[] {
    return this.#ports("fetch", "inputs", "X");
  }

  #ports(type: string, side: "inputs" | "outputs", slot: string): Port[] {
    const [block] = this.blocks;
    const ops = block.ops.filter((op) => op.type === type);
    const column = (op: OpDesc) => Number(op.attributes.get("col") ?? 0);
    return ops.sort((a, b) => column(a) - column(b)).flatMap((op) => op[side].get(slot) ?? []).map((name) => {
      const variable = block.variable(name);
      return { name, dtype: variable?.dtype ?? null, shape: variable?.shape ?? null };
    });
  }

  rename(from: string, to: string): void {
    checkNewName(to);
    const owners = this.vars().filter((variable) => variable.name === from);
    if (owners.length === 0) {
      throw new SourceError("NOT_FOUND", `The program has no variable ${JSON.stringify(from)}`, { at: from });
    }
    if (from === to) return;
    if (this.variable(to)) {
      throw new ValueError("NAME_COLLISION", `The program already has a variable ${JSON.stringify(to)}`, {
        at: to,
        names: [from, to],
      });
    }
    for (const variable of owners) variable.name = to;
    for (const op of this.ops()) op.rename(from, to);
  }

  clone(): ProgramDesc {
    const copy = new ProgramDesc(this.#raw, this.blocks.map((block) => block.clone()), this.#first);
    copy.#head = { ...this.#head };
    return copy;
  }

  serialize(): Uint8Array {
    if (this.#raw && this.#isUntouched()) return this.#raw.slice();
    const { version, opVersionMap, opCompatibleMap, unknown } = this.#head;
    const writer = new WireWriter();
    for (const block of this.blocks) writer.tag(PROGRAM_BLOCKS, 2).bytes(block.serialize());
    const head = makeMessage("ProgramDesc", {
      version: version ?? undefined,
      opVersionMap: opVersionMap ?? undefined,
      opCompatibleMap: opCompatibleMap ?? undefined,
    });
    return writer.raw(writeMessage("ProgramDesc", head)).raw(unknown).finish();
  }

  #isUntouched(): boolean {
    const now = this.#head, first = this.#first;
    const isSameHead = now.version === first.version && now.opVersionMap === first.opVersionMap &&
      now.opCompatibleMap === first.opCompatibleMap;
    if (!isSameHead) return false;
    const blocks = new Wire(this.#raw!).payloadsOf(PROGRAM_BLOCKS, 0, this.#raw!.length);
    return blocks.length === this.blocks.length &&
      this.blocks.every((block, i) => block.isAt(this.#raw!, blocks[i][0]));
  }
}

/** Whether a parameter file contains the variable: FORMATS.md 7.4. */
export function isSaved(variable: ProgramVariable): boolean {
  return variable.persistable && !["feed_minibatch", "fetch_list", "reader", "raw"].includes(variable.kind);
}

function hasSameTensor(a: VarDesc, b: VarDesc): boolean {
  return a.dtype === b.dtype && String(a.shape) === String(b.shape);
}
