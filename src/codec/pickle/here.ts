/**
 * The opcode that a pickle machine is executing, as its errors report it.
 *
 * @module
 */
import { type FormatCode, FormatError } from "../../errors.ts";
import { opcodeName } from "./opcodes.ts";
import { pathOf } from "./object_path.ts";

/** Where the machine is, in the file and in the object. */
export class Here {
  /** Offset of the opcode. */
  at = 0;
  opcode = 0;
  readonly #items: readonly unknown[];
  readonly #marks: readonly number[];

  /** `items` and `marks` are those of the machine's stack. */
  constructor(items: readonly unknown[], marks: readonly number[]) {
    this.#items = items;
    this.#marks = marks;
  }

  /** Name of the opcode. */
  get name(): string {
    return opcodeName(this.opcode);
  }

  /** Path within the object being built, as far as the stack tells. */
  get path(): string {
    return pathOf(this.#items, this.#marks);
  }

  /** An error about the current opcode. */
  bad(code: FormatCode, what: string): FormatError {
    const { at, name: opcode, path } = this;
    return new FormatError(code, `${opcode} at byte ${at} ${what}`, { offset: at, opcode, at: path });
  }

  /** `BAD_STACK`: the stack does not have what the opcode needs. */
  badStack(what: string): FormatError {
    return this.bad("BAD_STACK", what);
  }

  /** `BAD_MEMO`: the memo has no such entry. */
  badMemo(index: unknown): FormatError {
    return this.bad("BAD_MEMO", `refers to the memo entry ${index}, which does not exist`);
  }

  /** `BAD_TEXT`: the argument is not a valid string. */
  badText(): FormatError {
    return this.bad("BAD_TEXT", "holds an invalid string");
  }
}

/** The error of a file that ends prematurely. */
export function truncated(
  what: string,
  at: number,
  total: number | undefined,
  wanted?: number,
  left?: number,
): FormatError {
  const numbers = wanted === undefined ? "the file ends" : `announces ${wanted} bytes, ${left} are left`;
  return new FormatError(
    "TRUNCATED",
    `Truncated pickle: ${what} at byte ${at}: ${numbers}. The download is probably incomplete: compare the size with the publisher's.`,
    { offset: at, expected: wanted, actual: left ?? total },
  );
}
