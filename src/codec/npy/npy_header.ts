/**
 * The header of an `.npy` file: a Python dict literal with three keys, read by a parser for just that.
 *
 * ```text
 * {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
 * ```
 *
 * @module
 */
import { FormatError, quote } from "../../errors.ts";

/** A parsed header. */
export interface NpyHeader {
  /** numpy's code for the dtype, with its byte order; null for a structured one. */
  descr: string | null;
  fortran: boolean;
  shape: number[];
}

const KEYS = ["descr", "fortran_order", "shape"];

/** Parse a header; `at` is its offset in the file. */
export function parseNpyHeader(text: string, at: number): NpyHeader {
  return new Parser(text, at).header();
}

class Parser {
  readonly #text: string;
  readonly #at: number;
  #pos = 0;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  header(): NpyHeader {
    this.#expect("{");
    const found = new Map<string, string | null | boolean | number[]>();
    while (!this.#skipIf("}")) {
      const key = this.#string();
      if (!KEYS.includes(key)) throw this.#bad(`has the key ${quote(key)}`);
      if (found.has(key)) {
        throw new FormatError("DUPLICATE_KEY", `The header of the .npy file has ${quote(key)} twice`, {
          offset: this.#at + this.#pos,
        });
      }
      this.#expect(":");
      found.set(key, key === "descr" ? this.#descr() : key === "shape" ? this.#shape() : this.#flag());
      if (!this.#skipIf(",") && this.#peek() !== "}") throw this.#bad("lacks a comma");
    }
    if (this.#peek() !== "") throw this.#bad("continues after its dict");
    const missing = KEYS.find((key) => !found.has(key));
    if (missing) throw this.#bad(`lacks the key ${quote(missing)}`);
    return {
      descr: found.get("descr") as string | null,
      fortran: found.get("fortran_order") as boolean,
      shape: found.get("shape") as number[],
    };
  }

  #descr(): string | null {
    const next = this.#peek();
    if (next !== "[" && next !== "(") return this.#string();
    this.#skipNested();
    return null;
  }

  /** Skip a list or tuple, whatever is in it. */
  #skipNested(): void {
    let depth = 0;
    do {
      const next = this.#peek();
      if (next === "") throw this.#bad("ends in its descr");
      if (next === "'" || next === '"') this.#string();
      else {
        this.#pos++;
        depth += "[(".includes(next) ? 1 : "])".includes(next) ? -1 : 0;
      }
    } while (depth > 0);
  }

  #flag(): boolean {
    for (const [word, value] of [["True", true], ["False", false]] as const) {
      if (this.#peek() !== "" && this.#text.startsWith(word, this.#pos)) {
        this.#pos += word.length;
        return value;
      }
    }
    throw this.#bad("has a fortran_order that is neither True nor False");
  }

  #shape(): number[] {
    if (!this.#skipIf("(")) throw this.#badShape();
    const shape: number[] = [];
    let isTuple = false;
    while (!this.#skipIf(")")) {
      shape.push(this.#count());
      if (this.#skipIf(",")) isTuple = true;
      else if (this.#peek() !== ")") throw this.#badShape();
    }
    if (shape.length === 1 && !isTuple) throw this.#badShape();
    return shape;
  }

  #count(): number {
    this.#peek();
    const from = this.#pos;
    while (/^[0-9]$/.test(this.#text.charAt(this.#pos))) this.#pos++;
    const digits = this.#text.slice(from, this.#pos);
    // As in Python, no number but zero begins with a zero.
    if (!/^(0+|[1-9][0-9]{0,15})$/.test(digits) || !Number.isSafeInteger(Number(digits))) throw this.#badShape();
    // Python 2 may write a long.
    if (this.#text[this.#pos] === "L") this.#pos++;
    return Number(digits);
  }

  #string(): string {
    const mark = this.#peek();
    if (mark !== "'" && mark !== '"') throw this.#bad("lacks a quoted string");
    const end = this.#text.indexOf(mark, this.#pos + 1);
    const value = end < 0 ? "" : this.#text.slice(this.#pos + 1, end);
    if (end < 0 || value.includes("\\") || value.includes("\n")) throw this.#bad("has an unterminated string");
    this.#pos = end + 1;
    return value;
  }

  /** Skip whitespace and return the next character; empty at the end. */
  #peek(): string {
    while (" \t\n\r\f".includes(this.#text.charAt(this.#pos)) && this.#pos < this.#text.length) this.#pos++;
    return this.#text.charAt(this.#pos);
  }

  #skipIf(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#pos++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#skipIf(character)) throw this.#bad(`lacks ${quote(character)}`);
  }

  #bad(finding: string): FormatError {
    const offset = this.#at + this.#pos;
    return new FormatError("BAD_FIELD", `The header of the .npy file ${finding} (byte ${offset})`, { offset });
  }

  #badShape(): FormatError {
    const offset = this.#at + this.#pos;
    return new FormatError(
      "BAD_SHAPE",
      `The shape in the header of the .npy file is not a tuple of dimensions (byte ${offset})`,
      {
        offset,
      },
    );
  }
}
